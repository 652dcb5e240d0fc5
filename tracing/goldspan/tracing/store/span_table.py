"""Spans as columns: an Arrow table of the store's types out of entries, a list a column."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import pyarrow as pa

from goldspan.tracing.store.entries import Entry
from goldspan.tracing.store.nodes import CONTEXT

TYPES: dict[str, pa.DataType] = {
    "started_at": pa.timestamp("us"),
    "ended_at": pa.timestamp("us"),
    "observed_at": pa.timestamp("us"),
    "last_started_at": pa.timestamp("us"),
    "finish_reasons": pa.list_(pa.string()),
    **dict.fromkeys(
        (
            "duration_ms",
            "time_to_first_token_ms",
            "cost_usd",
            "spent_usd",
            "emitter_cost_usd",
            "confidence",
        ),
        pa.float64(),
    ),
    **dict.fromkeys(
        (
            "fullness",
            "case_repeat",
            "input_tokens",
            "output_tokens",
            "cached_input_tokens",
            "cache_write_tokens",
            "reasoning_tokens",
            "inherited",
            "rowid",
            "span_count",
            "llm_calls",
            "tool_calls",
            "error_count",
            "ambiguous_calls",
            "unpriced_calls",
        ),
        pa.int64(),
    ),
    **dict.fromkeys(
        ("replayed", "simulated", "usage_estimated", "is_duplicate", "ambiguous", "usage_replaced"),
        pa.bool_(),
    ),
}
_ENTRY = ("attributes", "fullness", "problem")
_SPAN = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "status",
    "status_message",
    "scope_name",
    "scope_version",
)
_EMPTY_IS_NULL = {"status_message", "scope_name", "scope_version"}
_FACTS = (
    "category",
    "operation",
    "error_type",
    "error_message",
    "tool_name",
    "tool_call_id",
    "tool_type",
    "tool_arguments",
    "tool_result",
    "reasoning",
    "alternatives",
    "confidence",
    "replayed",
    "outcome",
    "reason",
)
_CALL = (
    "provider",
    "request_model",
    "response_model",
    "response_id",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage_estimated",
    "emitter_cost_usd",
    "finish_reasons",
    "system_instructions",
    "input_messages",
    "output_messages",
    "time_to_first_token_ms",
)
_NODE = (
    *CONTEXT,
    "is_duplicate",
    "ambiguous",
    "cost_usd",
    "price_source",
    "price_version",
)


def span_table(entries: Sequence[Entry]) -> pa.Table:
    """The `span_data` rows of entries. Columns that nothing fills are left out."""
    spans = [entry.span for entry in entries]
    facts = [entry.facts for entry in entries]
    calls = [fact.call for fact in facts]
    nodes = [entry.node for entry in entries]
    columns: dict[str, list[Any]] = {}
    for objects, names in (
        (spans, _SPAN),
        (entries, _ENTRY),
        (facts, _FACTS),
        (calls, _CALL),
        (nodes, _NODE),
    ):
        for name in names:
            columns[name] = list(map(attrgetter(name), objects))
    for name in _EMPTY_IS_NULL:
        columns[name] = [value or None for value in columns[name]]
    columns["inherited"] = [node.inherited or None for node in nodes]
    columns["started_at"] = [node.start_us or None for node in nodes]
    columns["ended_at"] = [node.end_us for node in nodes]
    columns["duration_ms"] = [
        (s.end_ns - s.start_ns) / 1e6 if s.end_ns is not None and s.end_ns >= s.start_ns else None
        for s in spans
    ]
    columns["service_name"] = [node.service_name for node in nodes]
    columns["resource"] = [entry.resource.text for entry in entries]
    columns["span_events"] = [entry.events for entry in entries]
    columns["links"] = [entry.links for entry in entries]
    return _table(columns, len(entries))


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """An Arrow table of rows that all have the same keys, with the store's column types."""
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], type=TYPES.get(name, pa.string()))
            for name in rows[0]
        }
    )


def _table(columns: dict[str, list[Any]], count: int) -> pa.Table:
    return pa.table(
        {
            name: pa.array(values, type=TYPES.get(name, pa.string()))
            for name, values in columns.items()
            if values.count(None) < count
        }
    )
