"""Encoding is the inverse of decoding: what goes out comes back as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from goldspan.tracing.batch import IngestBatch, LogRecord, SpanEvent, SpanRecord
from goldspan.tracing.otlp import from_messages
from goldspan.tracing.otlp_encode import encode_logs, encode_spans

text = st.text(st.characters(codec="utf-8"), max_size=8)
nanoseconds = st.integers(0, 2**64 - 1)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
attributes = st.dictionaries(text, values, max_size=4)


def ids(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).filter(any).map(bytes.hex)


events = st.builds(SpanEvent, text, nanoseconds, attributes)
links = st.fixed_dictionaries({"trace_id": ids(16), "span_id": ids(8), "attributes": attributes})
spans = st.builds(
    SpanRecord,
    trace_id=ids(16),
    span_id=ids(8),
    parent_span_id=st.none() | ids(8),
    name=text,
    kind=st.sampled_from(("unspecified", "internal", "server", "client", "producer", "consumer")),
    start_ns=nanoseconds,
    end_ns=st.none() | st.integers(1, 2**64 - 1),
    status=st.sampled_from(("unset", "ok", "error")),
    status_message=text,
    attributes=attributes,
    events=st.lists(events, max_size=2),
    links=st.lists(links, max_size=2),
    resource=attributes,
    scope_name=text,
    scope_version=text,
)
logs = st.builds(
    LogRecord,
    event_name=text.filter(bool),
    time_ns=nanoseconds,
    trace_id=st.none() | ids(16),
    span_id=st.none() | ids(8),
    severity=text,
    body=values,
    attributes=attributes,
    resource=attributes,
    scope_name=text,
    scope_version=text,
)


def facts(record: Any) -> dict[str, Any]:
    """All that a record says; the number of its request is the process's own."""
    names = [name for name in type(record).__slots__ if name != "request"]
    return {name: getattr(record, name) for name in names}


@given(st.lists(spans, max_size=5))
def test_spans_come_back(records: list[SpanRecord]) -> None:
    batch = from_messages(traces=encode_spans(records))
    assert [facts(span) for span in batch.spans] == [facts(span) for span in records]
    assert batch.rejected == []


@given(st.lists(logs, max_size=5))
def test_log_records_come_back(records: list[LogRecord]) -> None:
    batch = from_messages(logs=encode_logs(records))
    assert [facts(log) for log in batch.logs] == [facts(log) for log in records]
    assert batch.rejected == []


def test_neighbours_of_one_resource_share_it() -> None:
    def span(number: int, service: str, scope: str) -> SpanRecord:
        trace_id, span_id = f"{number:032x}", f"{number:016x}"
        resource = {"service.name": service}
        ends = ("internal", 1, 2, "ok", "")
        return SpanRecord(trace_id, span_id, None, "s", *ends, {}, [], [], resource, scope, "")

    records = [span(1, "a", "x"), span(2, "a", "x"), span(3, "a", "y"), span(4, "b", "y")]
    request = encode_spans(records)
    shape = [[len(s.spans) for s in group.scope_spans] for group in request.resource_spans]
    assert shape == [[2, 1], [1]]
    assert from_messages(traces=request) == IngestBatch(spans=records)
