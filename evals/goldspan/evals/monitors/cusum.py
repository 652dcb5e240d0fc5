"""Two-sided CUSUM over standardised hourly residuals, with a stated false-alarm rate.

The chart sums the log-likelihood ratio of "shifted by `shift`" against "as before" (Page,
"Continuous inspection schemes", Biometrika 41, 1954), so an hour with many runs weighs more than
one with few. The threshold comes from Siegmund's approximation of the average run length
(*Sequential Analysis*, Springer 1985, chapter II), averaged over the uncertainty of the reference's
level and variance, which otherwise makes charts alarm far too often (Jones, Champ and Rigdon, "The
run length distribution of the CUSUM with estimated parameters", Journal of Quality Technology 36,
2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goldspan.evals.monitors.hourly import Floats

LIMIT = 3.5  # of a residual: one odd hour is no drift
_OVERSHOOT = 1.166
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(11)


@dataclass(frozen=True)
class Alarm:
    """Where a chart first crossed its threshold: an index into the residuals.

    `direction` is 1 for the upward chart and -1 for the downward one, `path` is that chart.
    """

    index: int
    direction: int
    path: Floats
    threshold: float


def average_run_length(threshold: float, shift: float, mean: float = 0.0, sd: float = 1.0) -> float:
    """Steps until a one-sided chart crosses, by Siegmund's approximation.

    `shift` is the change that it is tuned for; `mean` and `sd` are those that the residuals truly
    have; `threshold` is in units of the log-likelihood ratio.
    """
    drift = (mean - shift / 2) / sd
    height = threshold / (shift * sd) + _OVERSHOOT
    if abs(drift) < 1e-6:
        return height**2
    exponent = min(-2 * drift * height, 600.0)
    return float((np.exp(exponent) - exponent - 1) / (2 * drift**2))


def threshold_for(
    run_length: float, shift: float, level_error: float = 0.0, variance_error: float = 0.0
) -> float:
    """The threshold at which a one-sided chart alarms falsely once in `run_length` steps.

    The rate of false alarms is averaged over a baseline that is off by `level_error` (its standard
    error as a share of the shift) and a variance that is off by the factor exp(`variance_error`).
    """
    worlds = [
        (_NODES[i] * level_error * shift, np.exp(_NODES[j] * variance_error / 2))
        for i in range(len(_NODES))
        for j in range(len(_NODES))
    ]
    weights = np.outer(_WEIGHTS, _WEIGHTS).ravel() / _WEIGHTS.sum() ** 2
    low, high = 0.0, 500.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        rates = [1 / max(average_run_length(middle, shift, m, s), 1.0) for m, s in worlds]
        if float(weights @ np.array(rates)) > 1 / run_length:
            low = middle
        else:
            high = middle
    return high


def tail_exponent(residuals: Floats, shifts: Floats) -> float:
    """How fast a chart's rare excursions thin out: 1 for normal residuals, less for heavy tails.

    It is Lundberg's exponent, the positive root r of mean(exp(r * step)) = 1 over a reference's
    residuals. Excursions above h are about exp(-r h) frequent, so a threshold is divided by r. More
    than 1 is never returned: a short reference hides its tails.
    """
    steps = _steps(residuals, shifts)
    low, high = 0.2, 1.0
    if float(steps.max(initial=0.0)) <= 0:
        return high
    while high - low > 1e-4:
        middle = (low + high) / 2
        if float(np.mean(np.exp(middle * steps))) > 1:
            high = middle
        else:
            low = middle
    return low


def chart(residuals: Floats, shifts: Floats) -> Floats:
    """The path of a one-sided chart for an upward shift; give negated residuals for a downward one.

    `shifts` says, for each residual, by how much it would move.
    """
    steps = _steps(residuals, shifts)
    path = np.empty(len(steps))
    value = 0.0
    for index, step in enumerate(steps):
        value = max(0.0, value + step)
        path[index] = value
    return path


def first_alarm(
    residuals: Floats, up: Floats, down: Floats, thresholds: tuple[float, float]
) -> Alarm | None:
    """The first crossing of the upward or the downward chart, or None.

    `up` and `down` are the shifts of each residual, both positive, and `thresholds` the charts'.
    """
    found: list[Alarm] = []
    for direction, shifts, threshold in ((1, up, thresholds[0]), (-1, down, thresholds[1])):
        path = chart(direction * residuals, shifts)
        crossed = np.flatnonzero(path > threshold)
        if len(crossed):
            found.append(Alarm(int(crossed[0]), direction, path, threshold))
    return min(found, key=lambda a: a.index, default=None)


def _steps(residuals: Floats, shifts: Floats) -> Floats:
    found: Floats = shifts * np.clip(residuals, -LIMIT, LIMIT) - shifts**2 / 2
    return found
