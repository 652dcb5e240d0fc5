"""How often each kind of gate is wrong, on simulated suites.

    python -m benchmarks.gate_simulation [--suites 400] [--cases 30] [--repeats 5] [--margin 0.15]

A suite is drawn anew each time: 60 % of its cases always pass, 12 % always fail, 28 % are flaky,
with a pass probability of their own. Both arms run each case `repeats` times. *Healthy*: the
candidate is the baseline. *Moved*: half of the flaky cases got better, half worse, the mean is the
same. *Worse*: the mean pass rate fell by the stated number of points. Four gates judge the same
draws: any case that passed at all and now fails wholly; any drop of the mean; a mean lower by the
margin; Goldspan's paired comparison. Printed is the share of suites that each calls a regression,
and, for Goldspan, the share that it passes.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from goldspan.evals.statistics import compare_cases

Rates = NDArray[np.float64]
STABLE_PASS, STABLE_FAIL = 0.60, 0.12


def suite(rng: np.random.Generator, cases: int) -> Rates:
    """The pass probability of each case."""
    kind = rng.random(cases)
    flaky = rng.uniform(0.1, 0.9, cases)
    stable = np.where(kind < STABLE_PASS, 1.0, 0.0)
    rates: Rates = np.where(kind < STABLE_PASS + STABLE_FAIL, stable, flaky)
    return rates


def moved(rng: np.random.Generator, rates: Rates) -> Rates:
    """Flaky cases shifted by up to 30 points, as many up as down, the mean kept."""
    flaky = np.flatnonzero((rates > 0) & (rates < 1))
    shift = np.zeros_like(rates)
    shift[flaky] = 0.1 * rng.permutation(np.resize([1.0, -1.0], flaky.size))
    if flaky.size % 2:
        shift[flaky[-1]] -= shift.sum()
    clipped: Rates = np.clip(rates + shift, 0, 1)
    return clipped


def worse(rates: Rates, points: float) -> Rates:
    """The mean lowered by `points` out of 100, by the same share of every case that can pass."""
    lowered: Rates = rates * (1 - points / 100 / rates.mean())
    return lowered


def observed(rng: np.random.Generator, rates: Rates, repeats: int) -> Rates:
    """Case means of `repeats` runs."""
    seen: Rates = rng.binomial(repeats, rates) / repeats
    return seen


def verdicts(before: Rates, after: Rates, margin: float) -> tuple[bool, bool, bool, bool, bool]:
    """Whether each gate calls a regression, and whether Goldspan passes it."""
    ours = compare_cases(before, after, margin=margin).verdict
    return (
        bool(((before > 0) & (after == 0)).any()),
        bool(after.mean() < before.mean()),
        bool(after.mean() < before.mean() - margin),
        ours == "regression",
        ours == "pass",
    )


def main() -> None:
    """Simulate and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suites", type=int, default=400)
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--margin", type=float, default=0.15)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    names = ("healthy", "moved", *(f"{points} points worse" for points in (5, 10, 20, 30)))
    print(f"{options.cases} cases, {options.repeats} repeats, {options.suites} suites a row")
    print("| candidate | any case | any drop | mean below margin | goldspan | goldspan passes |")
    print("|---|---|---|---|---|---|")
    for name in names:
        said = np.zeros(5)
        for _ in range(options.suites):
            rates = suite(rng, options.cases)
            after = rates
            if name == "moved":
                after = moved(rng, rates)
            elif name != "healthy":
                after = worse(rates, float(name.split()[0]))
            said += verdicts(
                observed(rng, rates, options.repeats),
                observed(rng, after, options.repeats),
                options.margin,
            )
        shares = " | ".join(f"{100 * share:.1f} %" for share in said / options.suites)
        print(f"| {name} | {shares} |")


if __name__ == "__main__":
    main()
