"""From decoded records to rows of the store's tables. Pure functions."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from goldspan.tracing import semconv
from goldspan.tracing.batch import LogRecord, SpanRecord
from goldspan.tracing.dialects import read
from goldspan.tracing.dialects.genai import MESSAGES, context_of, detail_facts
from goldspan.tracing.facts import CallFacts, Context
from goldspan.tracing.values import json_text, text_of

Row = dict[str, Any]
_EPOCH = datetime(1970, 1, 1)
_LAST_NS = int((datetime(9999, 1, 1) - _EPOCH).total_seconds()) * 10**9

CONTEXT_COLUMNS = [f.name for f in fields(Context)]
_TYPES: dict[str, pa.DataType] = {
    "started_at": pa.timestamp("us"),
    "ended_at": pa.timestamp("us"),
    "observed_at": pa.timestamp("us"),
    "duration_ms": pa.float64(),
    "time_to_first_token_ms": pa.float64(),
    "cost_usd": pa.float64(),
    "emitter_cost_usd": pa.float64(),
    "confidence": pa.float64(),
    "usage_estimated": pa.bool_(),
    "fullness": pa.int64(),
    "case_repeat": pa.int64(),
    "input_tokens": pa.int64(),
    "output_tokens": pa.int64(),
    "cached_input_tokens": pa.int64(),
    "cache_write_tokens": pa.int64(),
    "reasoning_tokens": pa.int64(),
    "finish_reasons": pa.list_(pa.string()),
    "replayed": pa.bool_(),
    "simulated": pa.bool_(),
}


def table_of(rows: list[Row]) -> pa.Table:
    """An Arrow table of rows that all have the same keys, with the store's column types."""
    names = list(rows[0])
    return pa.table(
        {n: pa.array([r[n] for r in rows], type=_TYPES.get(n, pa.string())) for n in names}
    )


def span_row(span: SpanRecord) -> Row:
    """The `span_data` row of a span."""
    facts = read(span)
    call = asdict(facts.call)
    for shared in ("error_type", "session_id", "user_id"):
        del call[shared]
    attributes = {k: v for k, v in span.attributes.items() if k not in facts.consumed}
    events = [
        {
            "name": e.name,
            "time_ns": e.time_ns,
            "attributes": {k: v for k, v in e.attributes.items() if k not in MESSAGES},
        }
        for e in span.events
    ]
    text = json_text(attributes)
    ended = span.end_ns is not None
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": span.kind,
        "started_at": time_of(span.start_ns),
        "ended_at": time_of(span.end_ns),
        "duration_ms": (span.end_ns - span.start_ns) / 1e6 if span.end_ns is not None else None,
        "status": span.status,
        "status_message": span.status_message or None,
        "service_name": text_of(span.resource.get(semconv.SERVICE_NAME)),
        "scope_name": span.scope_name or None,
        "scope_version": span.scope_version or None,
        "attributes": text,
        "resource": json_text(span.resource),
        "span_events": json_text(events) if events else None,
        "links": json_text(span.links) if span.links else None,
        "fullness": _fullness(ended, len(span.attributes) + len(events) + len(span.links), text),
        "category": facts.category,
        "operation": facts.operation,
        "error_type": facts.error_type,
        "error_message": facts.error_message,
        **call,
        "tool_name": facts.tool_name,
        "tool_call_id": facts.tool_call_id,
        "tool_type": facts.tool_type,
        "tool_arguments": facts.tool_arguments,
        "tool_result": facts.tool_result,
        "reasoning": facts.reasoning,
        "alternatives": facts.alternatives,
        "confidence": facts.confidence,
        "replayed": facts.replayed,
        "outcome": facts.outcome,
        "reason": facts.reason,
        **asdict(facts.context),
    }


def event_rows(logs: Iterable[LogRecord]) -> list[Row]:
    """The `event_data` rows of log records, each with the id by which it is stored once."""
    ordinals: Counter[str] = Counter()
    return [_event_row(log, ordinals) for log in logs]


def detail_rows(logs: Iterable[LogRecord]) -> list[Row]:
    """The `call_detail` rows: one a span, the last that says something of it."""
    rows: dict[tuple[str, str], Row] = {}
    for log in logs:
        facts = detail_facts(log)
        if facts is not None and log.trace_id and log.span_id:
            key = (log.trace_id, log.span_id)
            rows[key] = {"trace_id": key[0], "span_id": key[1], **asdict(facts)}
    return list(rows.values())


def fullest(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """One row a span id: the ended or fuller one, whatever order they came in."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row["trace_id"], row["span_id"])
        if key not in best or row["fullness"] > best[key]["fullness"]:
            best[key] = row
    return best


def inherited(spans: list[Row]) -> list[Row]:
    """The `span_context` rows of one or more whole traces: what spans take from ancestors.

    A value comes from the nearest ancestor that has it. A span whose parents never arrived takes
    it from the trace's only agent, if there is one.
    """
    by_id = {(s["trace_id"], s["span_id"]): s for s in spans}
    agents: dict[str, list[Row]] = {}
    for span in spans:
        if span["category"] == "agent":
            agents.setdefault(span["trace_id"], []).append(span)
    rows = []
    for span in spans:
        missing = [c for c in CONTEXT_COLUMNS if span[c] is None]
        if not missing:
            continue
        found = {
            c: v for c in missing if (v := _from_ancestors(span, c, by_id, agents)) is not None
        }
        if found:
            empty = dict.fromkeys(CONTEXT_COLUMNS)
            rows.append(
                {"trace_id": span["trace_id"], "span_id": span["span_id"], **empty, **found}
            )
    return rows


def time_of(ns: int | None) -> datetime | None:
    """UTC without a zone, to the microsecond; None for no time."""
    if not ns or not 0 < ns < _LAST_NS:
        return None
    return _EPOCH + timedelta(microseconds=ns // 1000)


def utc_now() -> datetime:
    """Now, as the store writes times."""
    return datetime.now(UTC).replace(tzinfo=None)


def _event_row(log: LogRecord, ordinals: Counter[str]) -> Row:
    body = log.body
    if log.event_name == semconv.OPERATION_DETAILS:  # its messages stand in call_detail
        attributes = {k: v for k, v in log.attributes.items() if k not in MESSAGES}
        if isinstance(body, dict):
            body = {k: v for k, v in body.items() if k not in MESSAGES}
    else:
        attributes = log.attributes
    return {
        "event_id": text_of(attributes.get(semconv.EVENT_ID)) or _digest(log, ordinals),
        "event_name": log.event_name,
        "observed_at": time_of(log.time_ns),
        "trace_id": log.trace_id,
        "span_id": log.span_id,
        "severity": log.severity or None,
        "body": None if body is None else json_text(body),
        "attributes": json_text(attributes),
        "resource": json_text(log.resource),
        "service_name": text_of(log.resource.get(semconv.SERVICE_NAME)),
        "scope_name": log.scope_name or None,
        **asdict(context_of(log.attributes, log.resource)),
    }


def _digest(log: LogRecord, ordinals: Counter[str]) -> str:
    identity = [log.event_name, log.time_ns, log.trace_id, log.span_id, log.severity]
    content = json_text([*identity, log.body, log.attributes, log.resource, log.scope_name])
    digest = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32]
    ordinals[digest] += 1
    return f"{digest}-{ordinals[digest]}"


def _fullness(ended: bool, parts: int, text: str) -> int:
    """Ended before not ended, then more parts, then a fixed order that no arrival changes."""
    return (int(ended) << 62) | (min(parts, 2**29) << 32) | zlib.crc32(text.encode())


def _from_ancestors(
    span: Row, column: str, by_id: dict[tuple[str, str], Row], agents: dict[str, list[Row]]
) -> Any:
    trace, seen = span["trace_id"], {span["span_id"]}
    at, parent = span, span["parent_span_id"]
    while parent is not None and parent not in seen:
        seen.add(parent)
        above = by_id.get((trace, parent))
        if above is None:
            break
        if above[column] is not None:
            return above[column]
        at, parent = above, above["parent_span_id"]
    orphaned = at["parent_span_id"] is not None
    lone = agents.get(trace, [])
    return lone[0][column] if orphaned and len(lone) == 1 else None


DETAIL_COLUMNS = ["trace_id", "span_id", *(f.name for f in fields(CallFacts))]
