"""The whole road: simulated traffic in a store, checked, and what fires stored as alerts."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from goldspan.evals.monitors import Rules, check, emit_alerts
from goldspan.evals.monitors.drift import find_shifts
from goldspan.evals.monitors.queries import names, sql
from goldspan.evals.monitors.spike import SpikeSettings, blocks_of, find_spikes
from goldspan.harness.simulator import Plan, Simulation, simulate
from goldspan.tracing.batch import IngestBatch, SpanRecord
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.store import Store

Fill = Callable[..., None]


@pytest.fixture
def planted(simulated: tuple[Store, Simulation], tmp_path: Path) -> Store:
    copy = tmp_path / "copy.duckdb"
    shutil.copy(simulated[0].path, copy)
    return Store.open(copy)


@pytest.fixture
def fill(store: Store, end: datetime) -> Fill:
    """Fills a store with plain runs: one every half hour, each with two tool calls."""

    def fill_store(
        *,
        days: float = 10,
        agent: str = "plain",
        model: str | None = "gpt-4o-mini",
        attributes: dict[str, Any] | None = None,
        calls: Callable[[float], int] = lambda day: 2,
    ) -> None:
        spans: list[SpanRecord] = []
        start = end - timedelta(days=days)
        for number in range(int(days * 48)):
            at = start + timedelta(minutes=30 * number)
            spans += _run(f"{agent}-{number}", at, agent, model, attributes, calls(number / 48))
        store.ingest(IngestBatch(spans=spans))

    return fill_store


def _run(
    run_id: str,
    at: datetime,
    agent: str,
    model: str | None,
    attributes: dict[str, Any] | None,
    calls: int,
) -> Iterable[SpanRecord]:
    shared = {"goldspan.run.id": run_id, "gen_ai.agent.name": agent, **(attributes or {})}
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model or "nobody-knows-1",
        "gen_ai.usage.input_tokens": 900 + len(run_id),
        "gen_ai.usage.output_tokens": 100,
    }
    own: list[dict[str, Any]] = [
        {"gen_ai.operation.name": "invoke_agent", "goldspan.run.outcome": "completed"},
        chat,
        *({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"},) * calls,
    ]
    trace = hashlib.sha256(run_id.encode()).hexdigest()[:32]
    start_ns = int(at.timestamp()) * 10**9
    for number, values in enumerate(own):
        yield SpanRecord(
            trace_id=trace,
            span_id=f"{number + 1:016x}",
            parent_span_id=None if number == 0 else f"{1:016x}",
            name=str(values["gen_ai.operation.name"]),
            kind="internal",
            start_ns=start_ns,
            end_ns=start_ns + 10**9,
            status="unset",
            status_message="",
            attributes={**shared, **values},
            events=[],
            links=[],
            resource={"service.name": agent},
            scope_name="test",
            scope_version="1",
        )


def test_exactly_the_two_planted_changes_are_found(
    simulated: tuple[Store, Simulation], end: datetime
) -> None:
    store, simulation = simulated
    truth = simulation.truth
    result = check(store, simulated=True, now=end)
    spike, drift = result.findings
    assert result.exit_code == 1
    assert truth.drift_started_at
    assert truth.spike_started_at
    assert truth.spike_ended_at
    assert (spike.monitor, drift.monitor) == ("cost-spike", "tool-call-drift")
    assert spike.started_at == truth.spike_started_at
    assert spike.ended_at == truth.spike_ended_at
    assert 5 < spike.ratio < 12
    assert "input tokens a call" in spike.explanation
    assert abs(drift.started_at - truth.drift_started_at) <= timedelta(hours=30)
    assert drift.ended_at is None
    assert drift.ratio == pytest.approx(1.4, abs=0.13)
    assert all(f.simulated and f.agent == "support-desk" for f in result.findings)
    assert all("one false alarm in 365 days" in f.explanation for f in result.findings)


def test_findings_name_runs_that_show_them(
    simulated: tuple[Store, Simulation], end: datetime
) -> None:
    store, _ = simulated
    for finding in check(store, simulated=True, now=end).findings:
        assert 1 <= len(finding.run_ids) <= 5
        rows = store.rows(
            "SELECT r.trace_id, r.started_at FROM runs AS r JOIN traces USING (trace_id)"
            " WHERE r.run_id IN (SELECT unnest(?))",
            [list(finding.run_ids)],
        )
        assert {r["trace_id"] for r in rows} == set(finding.trace_ids)
        assert all(r["started_at"] >= finding.started_at for r in rows)


def test_another_seed_is_found_by_the_whole_road(store: Store, end: datetime) -> None:
    truth = simulate(store, Plan(seed=42), end=end).truth
    spike, drift = check(store, simulated=True, now=end).findings
    assert (spike.monitor, drift.monitor) == ("cost-spike", "tool-call-drift")
    assert truth.drift_started_at
    assert truth.spike_started_at
    assert truth.spike_ended_at
    assert spike.ended_at
    assert abs(spike.started_at - truth.spike_started_at) <= timedelta(hours=2)
    assert abs(spike.ended_at - truth.spike_ended_at) <= timedelta(hours=2)
    assert abs(drift.started_at - truth.drift_started_at) <= timedelta(hours=30)


def test_traffic_without_planted_changes_is_quiet(store: Store, end: datetime) -> None:
    simulate(store, Plan(seed=3, drift=None, spike=None), end=end)
    result = check(store, simulated=True, now=end)
    assert result.findings == ()
    assert len(result.measured) == 2
    assert result.exit_code == 0


def test_the_same_finding_is_stored_once(planted: Store, end: datetime) -> None:
    first = check(planted, simulated=True, now=end)
    assert emit_alerts(planted, first.findings) == 2
    assert emit_alerts(planted, first.findings) == 0
    later = check(planted, simulated=True, now=end + timedelta(hours=5))
    assert {f.alert_id for f in later.findings} == {f.alert_id for f in first.findings}
    assert emit_alerts(planted, later.findings) == 0
    rows = planted.rows("SELECT * FROM alerts ORDER BY started_at")
    assert [(r["monitor"], r["simulated"]) for r in rows] == [
        ("cost-spike", True),
        ("tool-call-drift", True),
    ]
    for row, finding in zip(rows, first.findings, strict=True):
        assert row["alert_id"] == finding.alert_id
        assert row["started_at"] == finding.started_at
        assert row["ended_at"] == finding.ended_at
        assert row["value"] == pytest.approx(finding.value)
        assert row["baseline"] == pytest.approx(finding.baseline)
        assert row["unit"] == finding.unit
        assert row["explanation"] == finding.explanation


def test_an_alert_that_has_ended_is_told_once_more(planted: Store, end: datetime) -> None:
    during = end - timedelta(days=14) + timedelta(days=5, hours=9)
    since = during - timedelta(days=6)
    early = check(planted, _small_reference(), since=since, until=during, simulated=True)
    (firing,) = [f for f in early.findings if f.monitor == "cost-spike"]
    assert firing.ended_at is None
    emit_alerts(planted, [firing])
    whole = check(planted, simulated=True, now=end)
    (ended,) = [f for f in whole.findings if f.monitor == "cost-spike"]
    assert ended.alert_id == firing.alert_id
    assert emit_alerts(planted, [ended]) == 1
    (row,) = planted.rows("SELECT * FROM alerts")
    assert row["ended_at"] == ended.ended_at


def test_a_known_drift_is_the_new_usual_for_later_ranges(planted: Store, end: datetime) -> None:
    emit_alerts(planted, check(planted, simulated=True, now=end).findings)
    rules = _small_reference()
    later = check(planted, rules, since=end - timedelta(days=1), until=end, simulated=True)
    assert [f for f in later.findings if f.monitor == "tool-call-drift"] == []
    (measured,) = [m for m in later.measured if m.monitor == "tool-call-drift"]
    assert measured.reference_from >= end - timedelta(days=6)


def test_real_and_simulated_traffic_are_never_mixed(planted: Store, end: datetime) -> None:
    result = check(planted, now=end)
    assert result.exit_code == 4
    assert result.measured == ()
    assert result.hint is not None
    assert "--simulated" in result.hint


def test_agents_are_measured_apart(store: Store, fill: Fill, end: datetime) -> None:
    fill(agent="calm")
    fill(agent="busy", calls=lambda day: 2 if day < 8 else 4)
    result = check(store, now=end)
    (finding,) = result.findings
    assert (finding.agent, finding.monitor) == ("busy", "tool-call-drift")
    assert len(result.measured) == 4
    assert check(store, now=end, agent="calm").exit_code == 0


def test_experiments_are_no_traffic(store: Store, fill: Fill, end: datetime) -> None:
    fill(attributes={"goldspan.experiment.id": "exp-1"})
    result = check(store, now=end)
    assert result.exit_code == 4
    assert result.hint is not None


def test_unpriced_runs_cannot_be_measured_and_are_no_zero(
    store: Store, fill: Fill, end: datetime
) -> None:
    fill(model=None)
    result = check(store, now=end)
    (unmeasured,) = result.unmeasured
    assert unmeasured.monitor == "cost-spike"
    assert "without a price" in unmeasured.reason
    assert result.exit_code == 4
    off = Rules.model_validate({"cost_spike": {"enabled": False}})
    assert check(store, off, now=end).exit_code == 0


def test_a_run_with_one_unpriced_call_is_left_out_and_counted(
    store: Store, fill: Fill, end: datetime
) -> None:
    fill()
    fill(agent="half", attributes={"gen_ai.agent.name": "plain"})
    extra = [
        replace(span, span_id=f"{9:016x}")
        for number in range(480)
        for span in _run(f"half-{number}", end - timedelta(hours=1), "plain", None, None, 0)
        if span.name == "chat"
    ]
    store.ingest(IngestBatch(spans=extra))
    (cost,) = [m for m in check(store, now=end).measured if m.monitor == "cost-spike"]
    assert cost.unpriced_runs == 480
    assert cost.watched_runs == 480


@pytest.mark.parametrize(("days", "said"), [(1, "too little reference"), (6.9, "no runs after")])
def test_too_little_traffic_is_no_all_clear(
    store: Store, fill: Fill, end: datetime, days: float, said: str
) -> None:
    fill(days=days)
    result = check(store, now=end)
    assert result.exit_code == 4
    assert said in result.unmeasured[0].reason


def test_a_small_agent_beside_a_measured_one_does_not_fail_the_check(
    store: Store, fill: Fill, end: datetime
) -> None:
    fill(agent="big")
    fill(agent="small", days=0.5)
    result = check(store, now=end)
    assert {u.agent for u in result.unmeasured} == {"small"}
    assert result.exit_code == 0


def test_hints_lead_to_the_traffic(store: Store, fill: Fill, end: datetime) -> None:
    assert "holds no ended runs" in str(check(store, now=end).hint)
    fill(agent="plain")
    assert "there are plain" in str(check(store, now=end, agent="palin").hint)
    assert "--since" in str(check(store, now=end + timedelta(days=90)).hint)


def test_a_range_that_ends_before_it_starts_is_refused(store: Store, end: datetime) -> None:
    with pytest.raises(ConfigError, match="before it starts"):
        check(store, since=end, until=end - timedelta(days=1))


@pytest.mark.parametrize("name", names())
def test_every_query_says_its_question_first_and_runs(
    name: str, store: Store, end: datetime
) -> None:
    text = sql(name)
    assert text.startswith("-- ")
    assert "?" in text.splitlines()[0]
    given = {"since": end, "until": end, "simulated": False, "agent": None}
    store.rows(text, {key: value for key, value in given.items() if f"${key}" in text})


def _small_reference() -> Rules:
    small = {"reference_days": 4, "min_reference_hours": 40}
    return Rules.model_validate({"tool_call_drift": small, "cost_spike": small})


def test_the_default_plan_is_found_whenever_it_ends(
    arrays: Callable[..., Any], end: datetime
) -> None:
    """Traffic depends on the hour of the week that it ends in: every seventh of them is tried."""
    for hours in range(0, 168, 7):
        found = arrays(Plan(), end + timedelta(hours=hours))
        assert len(find_shifts(found.reference, found.watched).shifts) == 1, hours
        blocks = blocks_of(found.hour, found.usd, SpikeSettings())
        assert len(find_spikes(blocks, blocks).spikes) == 1, hours
