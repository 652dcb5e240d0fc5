"""An exact interval for a share, where the decision must not be too bold for small numbers."""

from __future__ import annotations

from goldspan.evals.statistics.estimates import Estimate, check_alpha
from goldspan.evals.statistics.frames import FrameError


def clopper_pearson(successes: int, n: int, alpha: float = 0.05) -> Estimate:
    """The share of `successes` in `n` independent draws, with the interval of Clopper and Pearson
    (Biometrika 26, 1934), which covers the truth at least as often as it says.

    NaN with the interval 0 to 1 for no draws. Raises `FrameError` for counts that cannot be.
    """
    # scipy.stats takes half a second to import, and most callers need none of it.
    from scipy.stats import beta

    check_alpha(alpha)
    if not 0 <= successes <= n:
        raise FrameError(f"{successes} of {n} is no share", where="successes")
    if n == 0:
        return Estimate(float("nan"), 0.0, 1.0, alpha, 0)
    low = float(beta.ppf(alpha / 2, successes, n - successes + 1)) if successes else 0.0
    high = float(beta.ppf(1 - alpha / 2, successes + 1, n - successes)) if successes < n else 1.0
    return Estimate(successes / n, low, high, alpha, n)


def unbroken_needed(
    successes: int, n: int, at_least: float, alpha: float = 0.05, most: int = 100_000
) -> int | None:
    """How many further draws, all of them successes, would bring the lower end of the interval to
    `at_least`; None where `most` would not."""
    if clopper_pearson(successes + most, n + most, alpha).low < at_least:
        return None
    enough, few = most, -1
    while enough - few > 1:
        middle = (enough + few) // 2
        if clopper_pearson(successes + middle, n + middle, alpha).low >= at_least:
            enough = middle
        else:
            few = middle
    return enough
