"""The expected tool calls of an hour: a level, a daily season, and their uncertainty.

A quasi-Poisson regression with log link, runs as exposure and two daily harmonics (and the weekend,
where the reference is long enough): the baseline of count-data regression charts, Höhle and Paul,
"Count data regression charts for the monitoring of surveillance time series", Computational
Statistics & Data Analysis 52 (2008). Residuals are taken after Anscombe's square root ("The
transformation of Poisson, binomial and negative-binomial data", Biometrika 35, 1948), and their
mean square is the overdispersion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from goldspan.evals.monitors.hourly import Floats, HourlyCalls, Ints

WEEKEND_NEEDS_DAYS = 13
MIN_DISPERSION = 0.1  # an agent that always makes the same number of calls has none
PRIOR_SD = 0.3  # of a seasonal term: keeps hours without runs near the mean
_ROUNDS = 50


@dataclass(frozen=True)
class Season:
    """A fitted baseline. `dispersion` is the variance of a transformed count; 1 for Poisson.

    It was measured with `spare` degrees of freedom.
    """

    coefficients: Floats
    covariance: Floats
    dispersion: float
    weekend: bool
    spare: int

    def rate(self, hour: Ints) -> Floats:
        """Expected tool calls per run in these hours (since the epoch)."""
        found: Floats = np.exp(_design(hour, self.weekend) @ self.coefficients)
        return found

    def level_error(self, data: HourlyCalls) -> float:
        """Standard error of the log of the mean rate over these hours, weighted by their runs."""
        weights = data.runs / data.runs.sum()
        row = weights @ _design(data.hour, self.weekend)
        return float(np.sqrt(row @ self.covariance @ row))


def fit_season(data: HourlyCalls) -> Season:
    """Fit the baseline to a reference window of at least one run.

    The weekend has a term of its own where the window is at least 13 days long.
    """
    days = (data.hour[-1] - data.hour[0]) / 24
    weekend = bool(days >= WEEKEND_NEEDS_DAYS)
    design = _design(data.hour, weekend)
    penalty = np.full(design.shape[1], PRIOR_SD**-2)
    penalty[0] = 0.0
    total = max(float(data.calls.sum()), 0.5)
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.log(total / data.runs.sum())
    information = np.eye(design.shape[1])
    for _ in range(_ROUNDS):
        expected = data.runs * np.exp(design @ coefficients)
        information = design.T @ (design * expected[:, None]) + np.diag(penalty)
        slope = design.T @ (data.calls - expected) - penalty * coefficients
        step = np.linalg.solve(information, slope)
        coefficients = coefficients + np.clip(step, -1, 1)
        if np.max(np.abs(step)) < 1e-9:
            break
    spare = max(len(data) - design.shape[1], 1)
    inverse: Floats = np.linalg.inv(information).astype(np.float64)
    fitted = Season(coefficients, inverse, 1.0, weekend, spare)
    residuals = _transformed(data, data.runs * fitted.rate(data.hour), 1.0)
    dispersion = max(float(residuals @ residuals) / spare, MIN_DISPERSION)
    return Season(coefficients, dispersion * fitted.covariance, dispersion, weekend, spare)


def residuals_of(data: HourlyCalls, season: Season, level: float = 0.0) -> Floats:
    """Standardised residuals: mean 0 and variance 1 while the baseline holds.

    `level` is the log of a factor on the baseline.
    """
    expected = data.runs * season.rate(data.hour) * np.exp(level)
    found: Floats = _transformed(data, expected, season.dispersion) / np.sqrt(season.dispersion)
    return found


def _transformed(data: HourlyCalls, expected: Floats, dispersion: float) -> Floats:
    """Twice Anscombe's root, less its mean (to second order: small counts bend it down)."""
    root = np.sqrt(expected + 0.375)
    mean = 2 * root - dispersion * expected / (4 * root**3)
    found: Floats = 2 * np.sqrt(data.calls + 0.375) - mean
    return found


def _design(hour: Ints, weekend: bool) -> Floats:
    angle = 2 * np.pi * (hour % 24) / 24
    columns = [np.ones(len(hour))]
    for harmonic in (1, 2):
        columns += [np.cos(harmonic * angle), np.sin(harmonic * angle)]
    if weekend:
        day = (hour // 24 + 3) % 7  # the epoch was a Thursday; Monday is 0
        columns.append((day >= 5).astype(np.float64))
    return np.stack(columns, axis=1)
