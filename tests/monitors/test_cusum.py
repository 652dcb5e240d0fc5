"""The chart's run lengths are what is stated: against tables, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from goldspan.evals.monitors.cusum import (
    average_run_length,
    chart,
    first_alarm,
    tail_exponent,
    threshold_for,
)


@pytest.mark.parametrize(
    ("h", "expected"), [(4.0, 335.4), (5.0, 930.9)]
)  # one-sided, k = 0.5; Montgomery, Introduction to Statistical Quality Control, table 9.3, doubled
def test_approximation_agrees_with_tables(h: float, expected: float) -> None:
    assert average_run_length(h * 1.0, shift=1.0) == pytest.approx(expected, rel=0.02)


def test_run_length_after_a_shift_agrees_with_tables() -> None:
    assert average_run_length(4.0, shift=1.0, mean=1.0) == pytest.approx(8.38, rel=0.03)


@pytest.mark.parametrize("shift", [0.5, 0.95, 1.8])
def test_threshold_keeps_the_false_alarm_rate_of_normal_residuals(shift: float) -> None:
    wanted, steps, paths = 1000.0, 600, 3000
    threshold = threshold_for(wanted, shift)
    rng = np.random.default_rng(5)
    value, alarmed = np.zeros(paths), np.zeros(paths, dtype=bool)
    for _ in range(steps):
        value = np.maximum(0, value + shift * rng.normal(size=paths) - shift**2 / 2)
        alarmed |= value > threshold
    measured = -steps / np.log1p(-alarmed.mean())
    assert measured == pytest.approx(wanted, rel=0.15)


def test_threshold_keeps_the_rate_with_an_estimated_level() -> None:
    wanted, steps, paths, error, shift = 1000.0, 300, 4000, 0.15, 0.9
    threshold = threshold_for(wanted, shift, level_error=error)
    assert threshold > threshold_for(wanted, shift) + 0.2
    rng = np.random.default_rng(6)
    off = rng.normal(size=paths) * error * shift
    value, alarmed = np.zeros(paths), np.zeros(paths, dtype=bool)
    for _ in range(steps):
        value = np.maximum(0, value + shift * (rng.normal(size=paths) + off) - shift**2 / 2)
        alarmed |= value > threshold
    assert alarmed.mean() <= 1 - np.exp(-steps / wanted)


def test_a_variance_that_may_be_off_raises_the_threshold() -> None:
    assert threshold_for(1000, 1.0, 0.0, 0.12) > threshold_for(1000, 1.0)


def test_heavy_tails_thin_out_more_slowly_and_light_ones_never_faster() -> None:
    rng = np.random.default_rng(1)
    shifts = np.ones(5000)
    skewed = (rng.gamma(2.0, size=5000) - 2) / np.sqrt(2)
    assert tail_exponent(skewed, shifts) < 0.85
    assert tail_exponent(-skewed, shifts) == pytest.approx(1.0, abs=1e-3)
    assert tail_exponent(np.zeros(50), np.ones(50)) == 1.0


def test_first_alarm_says_where_and_which_way() -> None:
    residuals = np.concatenate([np.zeros(50), np.full(20, -2.0)])
    shifts = np.ones(70)
    alarm = first_alarm(residuals, shifts, shifts, (5.0, 5.0))
    assert alarm is not None
    assert (alarm.index, alarm.direction) == (53, -1)
    assert first_alarm(-residuals * 0, shifts, shifts, (5.0, 5.0)) is None


def test_one_odd_hour_is_no_alarm_however_odd() -> None:
    residuals = np.zeros(100)
    residuals[50] = 40.0
    path = chart(residuals, np.ones(100))
    assert path.max() == pytest.approx(3.0)
