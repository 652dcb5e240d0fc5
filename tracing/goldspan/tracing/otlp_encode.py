"""From an `IngestBatch` back to OTLP requests: the inverse of `otlp.from_messages`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as LogMessage
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from goldspan.tracing.batch import Attributes, LogRecord, SpanRecord

Record = TypeVar("Record", SpanRecord, LogRecord)
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUS = ("unset", "ok", "error")


def encode_spans(spans: Sequence[SpanRecord]) -> ExportTraceServiceRequest:
    """One trace request that holds the spans, in their order."""
    request = ExportTraceServiceRequest()
    for resource, scopes in _grouped(spans):
        group = request.resource_spans.add(resource=resource)
        for scope, members in scopes:
            scoped = group.scope_spans.add(scope=scope)
            scoped.spans.extend(_span(span) for span in members)
    return request


def encode_logs(logs: Sequence[LogRecord]) -> ExportLogsServiceRequest:
    """One log request that holds the records, in their order."""
    request = ExportLogsServiceRequest()
    for resource, scopes in _grouped(logs):
        group = request.resource_logs.add(resource=resource)
        for scope, members in scopes:
            scoped = group.scope_logs.add(scope=scope)
            scoped.log_records.extend(_log(log) for log in members)
    return request


def _grouped(
    records: Sequence[Record],
) -> Iterator[tuple[Resource, list[tuple[InstrumentationScope, list[Record]]]]]:
    """Neighbours of one resource together, and in these neighbours of one scope."""
    for resource, same_resource in groupby(records, key=lambda record: record.resource):
        scopes = groupby(
            same_resource, key=lambda record: (record.scope_name, record.scope_version)
        )
        yield (
            Resource(attributes=_attributes(resource)),
            [
                (InstrumentationScope(name=name, version=version), list(members))
                for (name, version), members in scopes
            ],
        )


def _span(span: SpanRecord) -> SpanMessage:
    message = SpanMessage(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_span_id or ""),
        name=span.name,
        kind=_place(_KINDS, span.kind),
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns or 0,
        attributes=_attributes(span.attributes),
    )
    message.status.code = _place(_STATUS, span.status)
    message.status.message = span.status_message
    for event in span.events:
        message.events.add(
            name=event.name,
            time_unix_nano=event.time_ns,
            attributes=_attributes(event.attributes),
        )
    for link in span.links:
        message.links.add(
            trace_id=bytes.fromhex(link["trace_id"]),
            span_id=bytes.fromhex(link["span_id"]),
            attributes=_attributes(link["attributes"]),
        )
    return message


def _log(log: LogRecord) -> LogMessage:
    message = LogMessage(
        event_name=log.event_name,
        time_unix_nano=log.time_ns,
        trace_id=bytes.fromhex(log.trace_id or ""),
        span_id=bytes.fromhex(log.span_id or ""),
        severity_text=log.severity,
        attributes=_attributes(log.attributes),
    )
    if log.body is not None:
        message.body.CopyFrom(_value(log.body))
    return message


def _place(words: tuple[str, ...], word: str) -> Any:
    """The protocol's number of a word; 0, unspecified, for an unknown one."""
    return words.index(word) if word in words else 0


def _attributes(attributes: Attributes) -> Iterable[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in attributes.items()]


def _value(value: Any) -> AnyValue:
    message = AnyValue()
    if isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, int):
        message.int_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, dict):
        message.kvlist_value.values.extend(_attributes(value))
        message.kvlist_value.SetInParent()
    elif isinstance(value, list | tuple):
        message.array_value.values.extend(_value(item) for item in value)
        message.array_value.SetInParent()
    return message
