"""Drift in arrays: what is planted is found once, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from goldspan.evals.monitors.drift import DriftSettings, find_shifts
from goldspan.evals.monitors.hourly import HourlyCalls, by_hour
from goldspan.evals.monitors.season import fit_season, residuals_of
from goldspan.harness.simulator import Drift, Plan

DRIFT_STARTS = 9 * 24  # day 10


def _hours(
    rng: np.random.Generator, first: int, factors: list[float], *, runs: float = 8.0
) -> HourlyCalls:
    """One hour each factor: Poisson runs, each with 1 + Poisson(1.5 * factor) calls."""
    count = rng.poisson(runs, len(factors))
    calls = count + rng.poisson(1.5 * count * np.array(factors))
    kept = count > 0
    hour = first + np.arange(len(factors))
    return HourlyCalls(hour[kept], count[kept], calls[kept])


@pytest.mark.parametrize("seed", range(12))
def test_planted_drift_is_the_one_finding(seed: int, arrays: Callable[[Plan], Any]) -> None:
    found = arrays(Plan(seed=seed))
    shifts = find_shifts(found.reference, found.watched).shifts
    assert len(shifts) == 1
    shift = shifts[0]
    assert abs(shift.started - found.start - DRIFT_STARTS) <= 30
    assert 0 <= shift.detected - found.start - DRIFT_STARTS <= 48
    assert shift.ended is None
    assert shift.value / shift.baseline == pytest.approx(1.4, abs=0.13)


def test_the_dispersion_told_is_the_references(arrays: Callable[[Plan], Any]) -> None:
    found = arrays(Plan(seed=12))
    result = find_shifts(found.reference, found.watched)
    assert result.shifts  # after which the chart goes on with a dispersion of its own
    assert result.dispersion == fit_season(found.reference).dispersion


def test_a_drop_is_found_as_well(arrays: Callable[[Plan], Any]) -> None:
    found = arrays(Plan(seed=3, drift=Drift(day=10, factor=0.6)))
    (shift,) = find_shifts(found.reference, found.watched).shifts
    assert shift.value < 0.8 * shift.baseline


def test_quiet_traffic_stays_quiet(arrays: Callable[[Plan], Any]) -> None:
    fired = 0
    for seed in range(100):
        found = arrays(Plan(seed=1000 + seed, drift=None, spike=None))
        fired += bool(find_shifts(found.reference, found.watched).shifts)
    assert fired <= 5  # 19 of 20 are quiet; 1.9 are expected


def test_a_burst_ends_and_the_old_level_goes_on() -> None:
    rng = np.random.default_rng(2)
    reference = _hours(rng, 0, [1.0] * 168)
    watched = _hours(rng, 168, [1.0] * 50 + [2.2] * 14 + [1.0] * 120)
    (shift,) = find_shifts(reference, watched).shifts
    assert abs(shift.started - 218) <= 4
    assert shift.ended is not None
    assert abs(shift.ended - 232) <= 4


def test_a_drift_that_goes_back_is_one_finding_with_an_end() -> None:
    rng = np.random.default_rng(3)
    reference = _hours(rng, 0, [1.0] * 168)
    watched = _hours(rng, 168, [1.0] * 40 + [1.8] * 100 + [1.0] * 100)
    (shift,) = find_shifts(reference, watched).shifts
    assert abs(shift.started - 208) <= 4
    assert shift.ended is not None
    assert abs(shift.ended - 308) <= 4


def test_a_second_drift_on_top_is_a_second_finding() -> None:
    rng = np.random.default_rng(4)
    reference = _hours(rng, 0, [1.0] * 168)
    watched = _hours(rng, 168, [1.0] * 40 + [1.7] * 100 + [3.2] * 100)
    first, second = find_shifts(reference, watched).shifts
    assert first.ended == second.started
    assert second.value > 1.3 * first.value


def test_an_agent_that_never_varies_can_be_watched() -> None:
    hours = np.repeat(np.arange(300), 4)
    calls = np.where(hours < 240, 2, 3)
    data = by_hour(hours, calls)
    (shift,) = find_shifts(data.between(0, 168), data.between(168, 300)).shifts
    assert shift.started == 240
    assert shift.value == 3.0
    assert shift.baseline == pytest.approx(2.0, rel=0.01)


def test_fewer_false_alarms_ask_for_more_evidence() -> None:
    rng = np.random.default_rng(5)
    reference, watched = _hours(rng, 0, [1.0] * 168), _hours(rng, 168, [1.0] * 168)
    often = find_shifts(reference, watched, DriftSettings(false_alarm_days=30)).thresholds
    seldom = find_shifts(reference, watched, DriftSettings(false_alarm_days=3650)).thresholds
    assert seldom[0] > often[0] + 3
    assert seldom[1] > often[1] + 3


def test_the_season_is_taken_out() -> None:
    rng = np.random.default_rng(6)
    wave = 1 + 0.5 * np.cos(2 * np.pi * np.arange(24 * 21) / 24)
    data = _hours(rng, 0, wave.tolist(), runs=12)
    reference, watched = data.between(0, 24 * 14), data.between(24 * 14, 24 * 21)
    season = fit_season(reference)
    assert season.weekend
    residuals = residuals_of(watched, season)
    correlation = np.corrcoef(residuals, wave[watched.hour])[0, 1]
    assert abs(correlation) < 0.2
    assert not find_shifts(reference, watched).shifts


def test_overdispersion_is_measured() -> None:
    rng = np.random.default_rng(7)
    runs = np.full(400, 20)
    hour = np.arange(400)
    plain = HourlyCalls(hour, runs, rng.poisson(60, 400))
    wild = HourlyCalls(hour, runs, rng.negative_binomial(30, 1 / 3, 400))  # variance 3 x mean
    assert fit_season(plain).dispersion == pytest.approx(1.0, abs=0.2)
    assert fit_season(wild).dispersion == pytest.approx(3.0, abs=0.7)
    residuals = residuals_of(wild, fit_season(wild))
    assert residuals.mean() == pytest.approx(0.0, abs=0.02)
