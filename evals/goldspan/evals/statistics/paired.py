"""Paired comparison over cases: did the candidate get worse, and can this data tell?

The unit is a case: its difference of means over its repeats. Repeats of one case are not
independent, and a prompt change helps some cases and hurts others, so the cases, not the runs, are
the sample (Miller, "Adding Error Bars to Evals", 2024, sections 2.2 and 4). The verdict is one of
non-inferiority with a stated margin (Piaggio et al., CONSORT extension, JAMA 308, 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Verdict: TypeAlias = Literal["pass", "regression", "inconclusive"]
EXACT_CASES = 12
PERMUTATIONS = 20_000
MOST_CASES = 100_000


@dataclass(frozen=True)
class Comparison:
    """What the data says. Effects are candidate minus baseline, in units of the score.

    `low` and `high` bound the effect with confidence `1 - alpha`; `p_value` is one-sided, for
    harm; `mde` is the smallest true loss that would be found with the power asked for;
    `cases_needed` is the number of cases that would settle an inconclusive comparison if the
    effect is what was seen, None where no number would.
    """

    verdict: Verdict
    effect: float
    low: float
    high: float
    p_value: float
    cases: int
    margin: float
    alpha: float
    mde: float
    cases_needed: int | None = None


def compare_cases(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    margin: float,
    alpha: float = 0.05,
    power: float = 0.8,
    seed: int = 0,
) -> Comparison:
    """Compare two arrays of case means, in the same order of cases.

    *Regression*: the interval lies below 0 and a sign-flip permutation test (exact up to 12 cases)
    agrees at `alpha / 2`. *Pass*: the interval lies above `-margin`. Else *inconclusive*. A
    loss that is shown but surely smaller than the margin is a pass: that is what a margin states.
    Cases that all differ by the same amount have an interval of no width where there are at least
    three. Raises `ValueError` for no cases, unequal lengths, values that are no numbers, or a
    margin that is not above 0.
    """
    first, second = np.asarray(baseline, float), np.asarray(candidate, float)
    if first.ndim != 1 or first.shape != second.shape or first.size == 0:
        raise ValueError("baseline and candidate must be the same, non-zero number of case means")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("case means must be numbers")
    if not margin > 0:
        raise ValueError("the margin must be above 0")
    differences = second - first
    n, effect = differences.size, float(differences.mean())
    error = standard_error(differences)
    half = float(stats.t.ppf(1 - alpha / 2, n - 1)) * error if n > 1 else math.inf
    span = float(np.abs(np.concatenate([first, second])).max()) or 1.0
    low, high = (effect - half, effect + half) if n > 1 else (-2 * span, 2 * span)
    p_value = sign_flip(differences, seed=seed)
    verdict: Verdict = "inconclusive"
    if low > -margin:
        verdict = "pass"
    elif high < 0 and p_value <= alpha / 2:
        verdict = "regression"
    return Comparison(
        verdict=verdict,
        effect=effect,
        low=low,
        high=high,
        p_value=p_value,
        cases=n,
        margin=margin,
        alpha=alpha,
        mde=detectable(error * math.sqrt(n), n, alpha=alpha, power=power),
        cases_needed=_needed(effect, error * math.sqrt(n), margin, alpha, n)
        if verdict == "inconclusive"
        else None,
    )


def standard_error(differences: NDArray[np.float64]) -> float:
    """Of the mean of the differences. 0 cases of variance give 0 from three cases on.

    With one or two equal differences nothing is known of the spread: half of the largest
    difference that a score in 0..1 can have stands in for it.
    """
    n = differences.size
    spread = float(differences.std(ddof=1)) if n > 1 else 0.0
    if n < 3 and spread == 0.0:
        return 0.5 / math.sqrt(n)
    return spread / math.sqrt(n)


def sign_flip(differences: NDArray[np.float64], *, seed: int = 0) -> float:
    """One-sided p for harm: how often random signs give a mean as low as the one seen.

    All sign patterns up to 12 cases that differ, else 20,000 random ones (Good, *Permutation,
    Parametric and Bootstrap Tests of Hypotheses*, 2005, section 3.2). 1 where nothing differs.
    """
    moved = differences[differences != 0]
    n = moved.size
    if n == 0:
        return 1.0
    seen = moved.sum() + 1e-12
    if n <= EXACT_CASES:
        patterns = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float(((patterns * 2 - 1) @ np.abs(moved) <= seen).mean())
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, size=(PERMUTATIONS, n), dtype=np.int8) * 2 - 1
    return float(((signs @ np.abs(moved) <= seen).sum() + 1) / (PERMUTATIONS + 1))


def detectable(spread: float, cases: int, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true loss found with this power: differences spread by `spread` over `cases`.

    The usual normal approximation with t quantiles; infinite for a single case.
    """
    if cases < 2:
        return math.inf
    reach = stats.t.ppf(1 - alpha / 2, cases - 1) + stats.t.ppf(power, cases - 1)
    return float(reach * spread / math.sqrt(cases))


def _needed(effect: float, spread: float, margin: float, alpha: float, cases: int) -> int | None:
    """The least number of cases whose interval would lie on one side, if nothing else changes."""
    room = max(effect + margin, -effect)
    if room <= 0:
        return None
    n = cases
    while n < MOST_CASES:
        half = float(stats.t.ppf(1 - alpha / 2, max(n, 3) - 1)) * spread / math.sqrt(n)
        if half < room:
            return n if n > cases else cases + 1
        n = max(n + 1, int(n * 1.02))
    return None
