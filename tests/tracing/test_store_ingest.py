"""What one ingest makes of a batch: each record once, each fact in its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldspan.tracing.batch import IngestBatch, IngestResult, LogRecord, SpanRecord
from goldspan.tracing.errors import InputError
from goldspan.tracing.otlp import decode
from goldspan.tracing.store import Store
from goldspan.tracing.store.migrations import VIEW_ORDER

MakeSpan = Callable[..., SpanRecord]
MakeLog = Callable[..., LogRecord]
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
TRACE = "a" * 32


def spoken(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def only(store: Store, sql: str) -> Any:
    (row,) = store.rows(sql)
    (value,) = row.values()
    return value


def test_the_same_batch_again_stores_nothing(
    store: Store, make_span: MakeSpan, make_log: MakeLog
) -> None:
    batch = IngestBatch([make_span(CHAT), make_span(CHAT)], [make_log("e"), make_log("e")])
    assert store.ingest(batch) == IngestResult(2, 0, 2, 0)
    assert store.ingest(batch) == IngestResult(0, 2, 0, 2)
    assert only(store, "SELECT count(*) FROM spans") == 2
    assert only(store, "SELECT count(*) FROM events") == 2


def test_an_event_id_is_stored_once_whatever_else_differs(store: Store, make_log: MakeLog) -> None:
    mine = {"goldspan.event.id": "e1"}
    first = store.ingest(IngestBatch(logs=[make_log("a", mine), make_log("a", mine, body="b")]))
    assert (first.stored_events, first.duplicate_events) == (1, 1)
    assert store.ingest(IngestBatch(logs=[make_log("a", mine)])).duplicate_events == 1


def test_the_ended_or_fuller_span_wins_in_either_order(store: Store, make_span: MakeSpan) -> None:
    begun = make_span({**CHAT, "more": 1, "and": 2}, span_id="1" * 16, ended=False)
    ended = make_span(CHAT, span_id="1" * 16)
    for first, second, span_id in ((begun, ended, "1" * 16), (ended, begun, "2" * 16)):
        first.span_id = second.span_id = span_id
        store.ingest(IngestBatch([first]))
        result = store.ingest(IngestBatch([second]))
        assert (result.stored_spans, result.duplicate_spans) == (0, 1)
        begun.span_id = ended.span_id = "1" * 16
    rows = store.rows("SELECT duration_ms FROM spans")
    assert [row["duration_ms"] for row in rows] == [250.0, 250.0]


def test_details_join_their_call_in_either_order(
    store: Store, make_span: MakeSpan, make_log: MakeLog
) -> None:
    details = {
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 0,
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
    }
    for number, log_first in enumerate((False, True), start=1):
        span = make_span(CHAT, span_id=f"{number:016x}")
        name = "gen_ai.client.inference.operation.details"
        log = make_log(name, details, trace_id=TRACE, span_id=span.span_id, time_ns=number)
        parts = [IngestBatch([span]), IngestBatch(logs=[log])]
        for part in reversed(parts) if log_first else parts:
            store.ingest(part)
    rows = store.rows("SELECT request_model, input_tokens, input_messages, cost_usd FROM llm_calls")
    assert len(rows) == 2
    for row in rows:
        assert (row["request_model"], row["input_tokens"]) == ("gpt-4o-mini", 1_000_000)
        assert json.loads(row["input_messages"])[0]["role"] == "user"
        assert row["cost_usd"] == 0.15


def test_message_text_is_stored_once(store: Store, make_span: MakeSpan, make_log: MakeLog) -> None:
    text = spoken("user", "the needle")
    span = make_span({**CHAT, "gen_ai.input.messages": text})
    log = make_log(
        "gen_ai.client.inference.operation.details",
        {"gen_ai.input.messages": text},
        trace_id=TRACE,
        span_id=span.span_id,
    )
    store.ingest(IngestBatch([span], [log]))
    copies = 0
    for table in ("span_data", "event_data", "call_detail"):
        for row in store.rows(f"SELECT * FROM {table}"):
            copies += sum("needle" in str(value) for value in row.values())
    assert copies == 1


def test_spans_inherit_from_the_nearest_ancestor_that_knows(
    store: Store, make_span: MakeSpan
) -> None:
    run = {"gen_ai.operation.name": "invoke_agent", "goldspan.run.id": "r1", "user.id": "u1"}
    outer = make_span({**run, "gen_ai.agent.name": "outer"}, name="outer")
    inner = make_span(
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "inner"},
        parent=outer.span_id,
    )
    middle = make_span({}, parent=inner.span_id)
    call = make_span(CHAT, parent=middle.span_id)
    for span in (call, middle, inner, outer):  # children arrive before their parents
        store.ingest(IngestBatch([span]))
    (row,) = store.rows("SELECT agent_name, run_id, user_id FROM llm_calls")
    assert row == {"agent_name": "inner", "run_id": "r1", "user_id": "u1"}
    (trace,) = store.rows("SELECT agent_name, run_id, root_name, span_count FROM traces")
    assert trace == {"agent_name": "outer", "run_id": "r1", "root_name": "outer", "span_count": 4}


def test_a_call_whose_parent_never_came_belongs_to_the_only_agent(
    store: Store, make_span: MakeSpan
) -> None:
    agent = make_span({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "lone"})
    store.ingest(IngestBatch([agent, make_span(CHAT, parent="f" * 16)]))
    assert only(store, "SELECT agent_name FROM llm_calls") == "lone"


def test_a_loop_of_parents_ends(store: Store, make_span: MakeSpan) -> None:
    first = make_span(CHAT, span_id="1" * 16, parent="2" * 16)
    second = make_span(CHAT, span_id="2" * 16, parent="1" * 16)
    store.ingest(IngestBatch([first, second]))
    assert only(store, "SELECT count(*) FROM llm_calls") == 2


def test_replayed_calls_cost_but_are_not_spent(store: Store, make_span: MakeSpan) -> None:
    usage = {"gen_ai.usage.input_tokens": 1_000_000, "gen_ai.usage.output_tokens": 0}
    model = {"gen_ai.request.model": "gpt-4o-mini"}
    store.ingest(
        IngestBatch(
            [
                make_span({**CHAT, **usage, **model, "goldspan.replayed": True}),
                make_span({**CHAT, **usage, **model}),
                make_span({**CHAT, **usage, "gen_ai.request.model": "unheard-of"}),
                make_span({**CHAT, **model}),
            ]
        )
    )
    (trace,) = store.rows("SELECT cost_usd, spent_usd, unpriced_calls FROM traces")
    assert trace == {"cost_usd": 0.3, "spent_usd": 0.15, "unpriced_calls": 2}
    costs = store.rows("SELECT model, replayed, calls, cost_usd FROM costs ORDER BY ALL")
    assert {"model": "unheard-of", "replayed": False, "calls": 1, "cost_usd": None} in costs


def test_a_run_lives_in_its_events_before_any_span_has_ended(
    store: Store, make_log: MakeLog
) -> None:
    run = {"goldspan.run.id": "r1", "gen_ai.agent.name": "support"}
    contract = make_log("goldspan.run.contract", {**run, "goldspan.contract": '{"max_usd": 1}'})
    store.ingest(IngestBatch(logs=[contract]))
    (row,) = store.rows("SELECT outcome, agent_name, contract, segments, cost_usd FROM runs")
    assert row == {
        "outcome": "running",
        "agent_name": "support",
        "contract": '{"max_usd": 1}',
        "segments": 0,
        "cost_usd": None,
    }
    paused = make_log("goldspan.run.paused", {**run, "goldspan.reason": "asks"}, time_ns=2 * 10**18)
    asked = make_log("goldspan.approval.requested", {**run, "goldspan.approval.id": "a1"})
    store.ingest(IngestBatch(logs=[paused, asked]))
    (row,) = store.rows("SELECT outcome, reason, approvals_pending FROM runs")
    assert row == {"outcome": "paused", "reason": "asks", "approvals_pending": 1}
    said = {**run, "goldspan.approval.id": "a1", "goldspan.approval.decision": "approve"}
    store.ingest(IngestBatch(logs=[make_log("goldspan.approval.decided", said)]))
    assert only(store, "SELECT approvals_pending FROM runs") == 0
    assert only(store, "SELECT decision FROM approvals") == "approve"


def test_a_run_of_two_segments_ends_as_its_last(store: Store, make_span: MakeSpan) -> None:
    run = {"gen_ai.operation.name": "invoke_agent", "goldspan.run.id": "r1"}
    first = make_span(
        {**run, "goldspan.run.outcome": "paused", "gen_ai.input.messages": spoken("user", "ask")}
    )
    second = make_span(
        {
            **run,
            "goldspan.run.outcome": "completed",
            "gen_ai.output.messages": spoken("assistant", "done"),
        },
        trace_id="b" * 32,
        start_ns=first.start_ns + 10**12,
    )
    store.ingest(IngestBatch([first, second]))
    (row,) = store.rows("SELECT outcome, segments, trace_id, input, output FROM runs")
    assert row == {
        "outcome": "completed",
        "segments": 2,
        "trace_id": "b" * 32,
        "input": "ask",
        "output": "done",
    }


def test_an_evaluation_takes_its_run_from_the_span_or_the_trace_it_judges(
    store: Store, make_span: MakeSpan, make_log: MakeLog
) -> None:
    agent = make_span(
        {"gen_ai.operation.name": "invoke_agent", "goldspan.run.id": "r1", "goldspan.case.id": "c1"}
    )
    result = {"gen_ai.evaluation.name": "pass", "gen_ai.evaluation.score.value": 0.5}
    name = "gen_ai.evaluation.result"
    logs = [
        make_log(name, {**result, "goldspan.passed": True}, trace_id=TRACE, span_id=agent.span_id),
        make_log(name, {**result, "goldspan.passed": False}, trace_id=TRACE),
        make_log(name, {**result, "goldspan.unmeasured": True}),
    ]
    store.ingest(IngestBatch([agent], logs))
    rows = store.rows("SELECT passed, unmeasured, run_id, case_id, score FROM evaluations")
    found = {(r["passed"], r["unmeasured"], r["run_id"], r["case_id"], r["score"]) for r in rows}
    assert found == {
        (True, False, "r1", "c1", 0.5),
        (False, False, "r1", "c1", 0.5),
        (None, True, None, None, 0.5),
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.usage.input_tokens",
        "gen_ai.response.finish_reasons",
        "gen_ai.tool.call.arguments",
        "gen_ai.agent.name",
        "goldspan.run.id",
        "goldspan.case.repeat",
        "goldspan.alert.started_at",
        "error.type",
    ]
)


def any_value(value: Any) -> dict[str, Any]:
    """A JSON value as an OTLP AnyValue in JSON."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and abs(value) < 2**63:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(v) for v in value]}}
    if isinstance(value, dict):
        pairs = [{"key": k, "value": any_value(v)} for k, v in value.items()]
        return {"kvlistValue": {"values": pairs}}
    return {} if value is None else {"stringValue": str(value)}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.dictionaries(names, json_values | json_values.map(json.dumps), max_size=6),
    st.sampled_from(["chat", "execute_tool", "invoke_agent"]),
    st.integers(0, 2**64 - 1),
)
def test_whatever_attributes_hold_the_views_can_be_read(
    store: Store, attributes: dict[str, Any], operation: str, start: int
) -> None:
    pairs = [{"key": k, "value": any_value(v)} for k, v in attributes.items()]
    pairs.append({"key": "gen_ai.operation.name", "value": {"stringValue": operation}})
    ids = {"traceId": "ab" * 16, "spanId": f"{start:016x}"}
    span = {**ids, "startTimeUnixNano": str(start), "attributes": pairs}
    log = {**ids, "timeUnixNano": str(start or 1), "eventName": "goldspan.alert"}
    bodies = [
        {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{**log, "attributes": pairs}]}]}]},
    ]
    for body in bodies:
        try:
            batch = decode(json.dumps(body).encode(), name="x")
        except InputError:
            continue
        if batch.spans and batch.spans[0].span_id == "0" * 16:
            continue
        store.ingest(batch)
    with store.session():
        for view in VIEW_ORDER:
            store.rows(f"SELECT * FROM {view}")


def test_odd_times_are_stored_and_told(store: Store, make_span: MakeSpan) -> None:
    backwards = make_span(CHAT)
    backwards.end_ns = backwards.start_ns - 10**9
    far = make_span(CHAT, start_ns=2**64 - 10**9)
    store.ingest(IngestBatch([backwards, far, make_span(CHAT, start_ns=0)]))
    rows = store.rows("SELECT started_at, duration_ms, problem FROM spans ORDER BY span_id")
    assert [row["problem"] for row in rows] == ["ends before it starts", None, None]
    assert [row["duration_ms"] for row in rows] == [None, 250.0, 250.0]
    assert rows[1]["started_at"].year == 2554
    assert rows[2]["started_at"] is None
    assert store.rows("SELECT count(*) AS n FROM llm_calls") == [{"n": 3}]
    assert store.ingest(IngestBatch([make_span(CHAT, span_id="9" * 16, start_ns=0)])) is not None
    assert store.rows("SELECT span_count FROM traces") == [{"span_count": 4}]


def test_a_span_that_no_dialect_can_read_is_stored_raw(
    store: Store, make_span: MakeSpan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(span: SpanRecord) -> None:
        raise RuntimeError("a fault in a dialect")

    monkeypatch.setattr("goldspan.tracing.store.entries.read", broken)
    store.ingest(IngestBatch([make_span({**CHAT, "gen_ai.input.messages": "hello"})]))
    (row,) = store.rows("SELECT category, problem, attributes FROM spans")
    assert (row["category"], row["problem"]) == (None, "RuntimeError: a fault in a dialect")
    assert json.loads(row["attributes"])["gen_ai.input.messages"] == "hello"
