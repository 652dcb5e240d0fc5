"""What holds for any numbers: Hypothesis on the monitors' pure functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from goldspan.evals.monitors.cusum import (
    LIMIT,
    average_run_length,
    chart,
    tail_exponent,
    threshold_for,
)
from goldspan.evals.monitors.drift import find_shifts
from goldspan.evals.monitors.hourly import Floats, HourlyCalls, Ints, by_hour
from goldspan.evals.monitors.spike import SpikeSettings, blocks_of, find_spikes

DAY_H, WEEK_H = 24, 168
REFERENCE_H = 96

residual_lists = arrays(np.float64, st.integers(1, 60), elements=st.floats(-6, 6))
run_hours = arrays(np.int64, st.integers(1, 120), elements=st.integers(0, 60))


@st.composite
def hourly(draw: st.DrawFn) -> HourlyCalls:
    """From a few days of anything, with gaps, runs without calls and absurd counts."""
    size = st.just(REFERENCE_H + 48)
    runs = draw(arrays(np.int64, size, elements=st.integers(0, 30)))
    calls = draw(arrays(np.int64, size, elements=st.sampled_from([0, 1, 2, 3, 7, 200])))
    runs[0] = runs[-1] = max(int(runs[0]), 1)
    kept = runs > 0
    return HourlyCalls(np.arange(len(runs))[kept], runs[kept], (runs * calls)[kept])


@given(residual_lists, st.floats(0.1, 2))
def test_the_chart_is_the_best_sum_up_to_now(residuals: Floats, shift: float) -> None:
    shifts = np.full(len(residuals), shift)
    steps = shift * np.clip(residuals, -LIMIT, LIMIT) - shift**2 / 2
    best = [
        max(0.0, max(steps[first : now + 1].sum() for first in range(now + 1)))
        for now in range(len(steps))
    ]
    assert chart(residuals, shifts) == pytest.approx(best, abs=1e-9)


@given(residual_lists, st.floats(0.1, 2), st.floats(0, 3))
def test_larger_residuals_never_lower_the_chart(
    residuals: Floats, shift: float, more: float
) -> None:
    shifts = np.full(len(residuals), shift)
    assert np.all(chart(residuals + more, shifts) >= chart(residuals, shifts))


@given(st.floats(50, 1e6), st.floats(0.1, 2.5))
def test_the_threshold_gives_the_run_length_that_was_asked_for(steps: float, shift: float) -> None:
    threshold = threshold_for(steps, shift)
    assert average_run_length(threshold, shift) == pytest.approx(steps, rel=0.01)


@given(st.floats(500, 1e6), st.floats(0.1, 2.5), st.floats(0.01, 0.4), st.floats(0.01, 0.3))
def test_what_is_less_well_known_needs_more_evidence(
    steps: float, shift: float, level: float, variance: float
) -> None:
    sure = threshold_for(steps, shift)
    assert threshold_for(steps, shift, level) >= sure
    assert threshold_for(steps, shift, 0.0, variance) >= sure


@given(residual_lists, st.floats(0.1, 2))
def test_tails_only_ever_raise_the_threshold(residuals: Floats, shift: float) -> None:
    assert 0 < tail_exponent(residuals, np.full(len(residuals), shift)) <= 1


@settings(max_examples=60, deadline=None)
@given(hourly())
def test_shifts_are_in_order_and_have_direction(data: HourlyCalls) -> None:
    reference, watched = data.between(0, REFERENCE_H), data.between(REFERENCE_H, 10**6)
    found = find_shifts(reference, watched)
    last = int(watched.hour[0])
    for shift in found.shifts:
        assert last <= shift.started <= shift.detected <= int(watched.hour[-1])
        assert shift.ended is None or shift.started < shift.ended
        assert np.isfinite([shift.value, shift.baseline]).all()
        assert shift.runs > 0
        last = shift.started


@settings(max_examples=40, deadline=None)
@given(hourly(), st.integers(1, 60))
def test_drift_does_not_depend_on_the_date(data: HourlyCalls, weeks: int) -> None:
    moved = replace(data, hour=data.hour + weeks * WEEK_H)
    start = weeks * WEEK_H
    here = find_shifts(data.between(0, REFERENCE_H), data.between(REFERENCE_H, 10**6)).shifts
    there = find_shifts(
        moved.between(start, start + REFERENCE_H), moved.between(start + REFERENCE_H, 10**6)
    ).shifts
    assert [s.started + start for s in here] == [s.started for s in there]
    assert [s.value for s in here] == pytest.approx([s.value for s in there])


@given(run_hours, st.integers(0, 2**32 - 1))
def test_hours_keep_every_run_and_call(hours: Ints, seed: int) -> None:
    calls = np.random.default_rng(seed).integers(0, 9, len(hours))
    data = by_hour(hours, calls)
    assert data.runs.sum() == len(hours)
    assert data.calls.sum() == calls.sum()
    assert np.all(np.diff(data.hour) > 0)


@given(run_hours, st.integers(1, 6), st.integers(1, 12), st.integers(0, 99))
def test_blocks_are_apart_big_enough_and_know_no_order(
    hours: Ints, least: int, longest: int, seed: int
) -> None:
    rule = SpikeSettings(min_runs=least, max_block_hours=longest)
    usd = np.array([0.01 * (1 + number % 7) for number in range(len(hours))], dtype=np.float64)
    blocks = blocks_of(hours, usd, rule)
    assert np.all(blocks.runs >= least)
    assert np.all(blocks.end - blocks.start <= longest)
    assert np.all(blocks.start[1:] >= blocks.end[:-1])
    spent = float(blocks.usd_per_run @ blocks.runs) if len(blocks) else 0.0
    assert spent <= usd.sum() + 1e-9
    order = np.random.default_rng(seed).permutation(len(hours))
    again = blocks_of(hours[order], usd[order], rule)
    assert again.start.tolist() == blocks.start.tolist()
    assert again.usd_per_run == pytest.approx(blocks.usd_per_run)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 0.5, 7.0, 1e3]), st.floats(1, 30))
def test_spikes_do_not_depend_on_the_currency(seed: int, rate: float, height: float) -> None:
    rng = np.random.default_rng(seed)
    hours = np.repeat(np.arange(10 * DAY_H), 3)
    usd = rng.lognormal(-7, 0.5, len(hours))
    usd[(hours >= 130) & (hours < 134)] *= height
    rule = SpikeSettings()
    here, there = (blocks_of(hours, usd * factor, rule) for factor in (1.0, rate))
    found, converted = find_spikes(here, here, rule), find_spikes(there, there, rule)
    assert [(s.started, s.ended) for s in found.spikes] == [
        (s.started, s.ended) for s in converted.spikes
    ]
    for spike in found.spikes:
        assert spike.value >= found.ratio * spike.baseline * (1 - 1e-9)
        assert spike.value >= rule.factor * spike.baseline * (1 - 1e-9)
