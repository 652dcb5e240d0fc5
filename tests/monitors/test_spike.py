"""Cost spikes in arrays: the planted one is found, in the reference too, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from goldspan.evals.monitors.spike import SpikeSettings, blocks_of, find_spikes
from goldspan.harness.simulator import Plan, truth_of

SETTINGS = SpikeSettings()


def _find(found: Any, settings: SpikeSettings = SETTINGS) -> Any:
    usual = found.hour < found.start + 168
    reference = blocks_of(found.hour[usual], found.usd[usual], settings)
    return find_spikes(reference, blocks_of(found.hour, found.usd, settings), settings)


@pytest.mark.parametrize("seed", range(12))
def test_planted_spike_is_the_one_finding(
    seed: int, arrays: Callable[[Plan], Any], end: Any
) -> None:
    plan = Plan(seed=seed)
    found = _find(arrays(plan))
    truth = truth_of(plan, end)
    assert truth.spike_started_at
    assert truth.spike_ended_at
    (spike,) = found.spikes
    assert abs(spike.started * 3600 - truth.spike_started_at.timestamp()) <= 3600
    assert spike.ended is not None
    assert abs(spike.ended * 3600 - truth.spike_ended_at.timestamp()) <= 3600
    assert 5 < spike.value / spike.baseline < 12


def test_quiet_traffic_stays_quiet(arrays: Callable[[Plan], Any]) -> None:
    fired = sum(
        bool(_find(arrays(Plan(seed=1000 + seed, drift=None, spike=None))).spikes)
        for seed in range(100)
    )
    assert fired == 0


def test_the_planted_drift_is_no_cost_spike(arrays: Callable[[Plan], Any]) -> None:
    assert not any(_find(arrays(Plan(seed=seed, spike=None))).spikes for seed in range(10))


def test_blocks_join_quiet_hours_and_leave_out_what_stays_too_small() -> None:
    hour = np.array([0, 0, 0, 1, 2, 3, 20, 40, 41])
    blocks = blocks_of(hour, np.arange(9.0), SpikeSettings(min_runs=3, max_block_hours=6))
    assert blocks.start.tolist() == [0, 1]
    assert blocks.end.tolist() == [1, 4]
    assert blocks.runs.tolist() == [3, 3]
    assert blocks.usd_per_run.tolist() == [1.0, 4.0]


def test_order_of_runs_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    hour, usd = rng.integers(0, 100, 500), rng.lognormal(-7, 0.4, 500)
    order = rng.permutation(500)
    one, other = blocks_of(hour, usd, SETTINGS), blocks_of(hour[order], usd[order], SETTINGS)
    assert one.usd_per_run == pytest.approx(other.usd_per_run)


def test_near_spikes_are_one_and_far_ones_two() -> None:
    hour = np.repeat(np.arange(200), 5)
    usd = np.full(1000, 0.001) * np.random.default_rng(2).lognormal(0, 0.2, 1000)
    usd[np.isin(hour, [150, 152, 180])] *= 8
    blocks = blocks_of(hour, usd, SETTINGS)
    first, second = find_spikes(blocks, blocks, SETTINGS).spikes
    assert (first.started, first.ended, first.runs) == (150, 153, 10)
    assert (second.started, second.ended) == (180, 181)


def test_a_spike_up_to_the_end_lasts() -> None:
    hour = np.repeat(np.arange(100), 5)
    usd = np.where(hour >= 97, 0.01, 0.001) * np.random.default_rng(3).lognormal(0, 0.2, 500)
    blocks = blocks_of(hour, usd, SETTINGS)
    (spike,) = find_spikes(blocks, blocks, SETTINGS).spikes
    assert (spike.started, spike.ended) == (97, None)


def test_wild_costs_ask_for_more_than_the_factor() -> None:
    rng = np.random.default_rng(4)
    hour = np.repeat(np.arange(300), 3)
    blocks = blocks_of(hour, rng.lognormal(-7, 1.5, 900), SETTINGS)
    found = find_spikes(blocks, blocks, SETTINGS)
    assert found.ratio > 4
    assert len(found.spikes) <= 1


def test_prices_that_never_vary_still_ask_for_the_factor() -> None:
    hour = np.repeat(np.arange(100), 3)
    usd = np.where(hour == 60, 0.0039, 0.001)
    blocks = blocks_of(hour, usd, SETTINGS)
    assert not find_spikes(blocks, blocks, SETTINGS).spikes
    usd = np.where(hour == 60, 0.0041, 0.001)
    assert find_spikes(blocks, blocks_of(hour, usd, SETTINGS), SETTINGS).spikes


def test_a_reference_full_of_spikes_does_not_hide_one() -> None:
    hour = np.repeat(np.arange(100), 5)
    usd = np.full(500, 0.001) * np.random.default_rng(5).lognormal(0, 0.2, 500)
    usd[np.isin(hour, np.arange(20, 45))] *= 30
    blocks = blocks_of(hour, usd, SETTINGS)
    found = find_spikes(blocks, blocks, SETTINGS)
    assert found.baseline == pytest.approx(0.001, rel=0.25)
    assert found.ratio == pytest.approx(4.0)
    assert [(s.started, s.ended) for s in found.spikes] == [(20, 45)]
