"""The simulator: seeded, labelled, by the OTLP road, and with what it says it plants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from goldspan.harness.simulator import (
    Drift,
    Plan,
    Simulation,
    Spike,
    draw,
    earlier_end,
    simulate,
    truth_of,
)
from goldspan.harness.simulator.encode import requests_of
from goldspan.harness.simulator.script import runs_of
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.otlp import decode
from goldspan.tracing.store import Store


def test_a_fortnight_has_the_size_and_the_season_it_should(
    simulated: tuple[Store, Simulation], end: datetime
) -> None:
    store, found = simulated
    assert 900 < found.runs < 1500
    assert 4 < found.stored_spans / found.runs < 7
    hours = {
        r["h"]: r["n"]
        for r in store.rows("SELECT hour(started_at) AS h, count(*) AS n FROM runs GROUP BY 1")
    }
    assert hours[13] > 3 * hours[2]
    days = {
        r["d"]: r["n"]
        for r in store.rows("SELECT isodow(started_at) AS d, count(*) AS n FROM runs GROUP BY 1")
    }
    assert min(days[d] for d in range(1, 6)) > 1.4 * max(days[6], days[7])
    (row,) = store.rows("SELECT min(started_at) AS a, max(started_at) AS b FROM runs")
    assert end - timedelta(days=14) <= row["a"] < row["b"] < end


def test_all_of_it_is_labelled_simulated(simulated: tuple[Store, Simulation]) -> None:
    store, _ = simulated
    for view in ("traces", "runs", "llm_calls", "tool_calls", "approvals", "incidents", "events"):
        (row,) = store.rows(f"SELECT count(*) AS n, bool_and(simulated) AS s FROM {view}")
        assert row["n"] > 0, view
        assert row["s"] is True, view


def test_runs_are_whole(simulated: tuple[Store, Simulation]) -> None:
    store, found = simulated
    (row,) = store.rows(
        "SELECT count(*) AS n, count(contract) AS contracts, sum(unpriced_calls) AS unpriced,"
        " count(*) FILTER (WHERE outcome = 'running') AS running,"
        " avg(CASE WHEN outcome = 'completed' THEN 1 ELSE 0 END) AS completed FROM runs"
    )
    assert row["n"] == row["contracts"] == found.runs
    assert (row["unpriced"], row["running"]) == (0, 0)
    assert 0.9 < row["completed"] < 0.97
    (row,) = store.rows(
        "SELECT avg(CASE WHEN error_type IS NULL THEN 0 ELSE 1 END) AS e FROM tool_calls"
    )
    assert row["e"] == pytest.approx(0.03, abs=0.012)
    assert store.rows("SELECT 1 FROM approvals WHERE status = 'pending'")
    assert store.rows("SELECT 1 FROM approvals WHERE status = 'decided'")


def test_planted_changes_have_their_size(arrays: Callable[[Plan], Any]) -> None:
    ratios, costs = [], []
    for seed in range(10):
        found = arrays(Plan(seed=seed))
        late = found.traffic.started_s >= (found.start + 216) * 3600
        calls = found.traffic.tool_calls
        ratios.append(calls[late].mean() / calls[~late].mean())
        truth = truth_of(Plan(), datetime.fromisoformat("2026-11-21T06:00+00:00"))
        assert truth.spike_started_at
        first = int(truth.spike_started_at.timestamp()) // 3600
        during = (found.hour >= first) & (found.hour < first + 4)
        costs.append(found.usd[during].mean() / np.median(found.usd[~during]))
    assert np.mean(ratios) == pytest.approx(1.4, abs=0.05)
    assert 7 < np.mean(costs) < 10


def test_same_seed_same_bytes_and_another_seed_others(end: datetime) -> None:
    def bodies(seed: int) -> tuple[bytes, bytes]:
        plan = Plan(seed=seed, days=2)
        return requests_of(runs_of(draw(plan, end), plan, end))

    assert bodies(1) == bodies(1)
    assert bodies(1) != bodies(2)
    spans, events = bodies(1)
    assert decode(spans, name="spans").spans
    assert decode(events, name="events").logs


def test_again_stores_nothing_and_later_stores_all(store: Store, end: datetime) -> None:
    plan = Plan(seed=2, days=1, runs_per_day=20)
    first = simulate(store, plan, end=end)
    again = simulate(store, plan, end=end)
    later = simulate(store, plan, end=end + timedelta(hours=1))
    assert first.stored_spans > 0
    assert (again.stored_spans, again.stored_events) == (0, 0)
    assert later.stored_spans > 0


def test_without_an_end_the_traffic_that_is_there_is_not_doubled(
    store: Store, end: datetime
) -> None:
    plan = Plan(seed=2, days=1, runs_per_day=20)
    assert earlier_end(store, plan) is None
    simulate(store, plan, end=end - timedelta(days=3))
    simulate(store, plan, end=end)
    again = simulate(store, plan)
    assert again.ended_at == end
    assert (again.stored_spans, again.stored_events) == (0, 0)


def test_another_plan_has_ids_of_its_own(store: Store, end: datetime) -> None:
    plan = Plan(seed=2, days=1, runs_per_day=20)
    first = simulate(store, plan, end=end)
    other = replace(plan, runs_per_day=30)
    assert earlier_end(store, other) is None
    assert earlier_end(store, replace(plan, runs_per_day=20.0)) == end
    second = simulate(store, other, end=end)
    (row,) = store.rows("SELECT count(*) AS n FROM runs")
    assert row["n"] == first.runs + second.runs


def test_a_plan_without_changes_has_no_truth(end: datetime) -> None:
    truth = truth_of(Plan(drift=None, spike=None), end)
    assert set(vars(truth).values()) == {None}
    short = truth_of(Plan(days=3, drift=Drift(day=10), spike=Spike(day=6)), end)
    assert short.drift_started_at is None
    assert short.spike_started_at is None


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"runs_per_day": 0}, {"runs_per_day": 1e6}, {"error_rate": 1.0}]
)
def test_impossible_plans_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Plan(**wrong)


def test_no_run_exceeds_its_contract(simulated: tuple[Store, Simulation]) -> None:
    store, _ = simulated
    (row,) = store.rows(
        "SELECT count(*) AS n FROM runs"
        " WHERE input_tokens + output_tokens > CAST(contract ->> 'max_tokens' AS BIGINT)"
        " OR tool_calls > CAST(contract ->> 'max_tool_calls' AS BIGINT)"
        " OR cost_usd > CAST(contract ->> 'max_usd' AS DOUBLE)"
        " OR duration_ms > 1000 * CAST(contract ->> 'max_seconds' AS DOUBLE)"
    )
    assert row["n"] == 0
