"""From the bytes of an OTLP request to an `IngestBatch`.

Takes protobuf and JSON (ids in hex as OTLP/JSON says, or base64 as protobuf's own JSON does), one
JSON document or one a line, gzipped or not. Traces and logs are told apart by content: both
requests have the same outer shape, so both are tried, and the one whose records make sense wins.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import itertools
import math
import zlib
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as LogMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from goldspan.tracing import otlp_json, semconv
from goldspan.tracing.batch import Attributes, IngestBatch, LogRecord, SpanEvent, SpanRecord
from goldspan.tracing.errors import InputError

MAX_BODY_BYTES = 512 * 1024 * 1024
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUS = ("unset", "ok", "error")
_requests = itertools.count(1)
_REMEDY = otlp_json.REMEDY


def decode(body: bytes, *, name: str) -> IngestBatch:
    """Decode one OTLP request body; `name` says in errors where it came from.

    Returns the spans or log records in it, at least one. Raises InputError if the body is not
    OTLP, is cut off, or holds neither spans nor log records.
    """
    body = _gunzip(body, name).removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise InputError("is empty", where=name, remedy=_REMEDY)
    messages = otlp_json.messages_of(body, name) if body.lstrip()[:1] in (b"{", b"[") else None
    batch = None if messages is None else _from_messages(messages)
    if batch is None:
        batch = _from_protobuf(body, name)
    if not batch.spans and not batch.logs:
        reason = f": {batch.rejected[0]}" if batch.rejected else ""
        raise InputError(f"holds no spans and no log records{reason}", where=name, remedy=_REMEDY)
    return batch


def from_messages(
    traces: ExportTraceServiceRequest | None = None, logs: ExportLogsServiceRequest | None = None
) -> IngestBatch:
    """The batch that protobuf requests hold. Records with impossible ids are in `rejected`."""
    batch = IngestBatch()
    if traces is not None:
        _read_traces(traces, batch)
    if logs is not None:
        _read_logs(logs, batch)
    return batch


def _from_messages(messages: otlp_json.Messages) -> IngestBatch:
    batch = IngestBatch(rejected=list(messages.rejected))
    for traces in messages.traces:
        _read_traces(traces, batch)
    for logs in messages.logs:
        _read_logs(logs, batch)
    return batch


def _gunzip(body: bytes, name: str) -> bytes:
    if body[:2] != b"\x1f\x8b":
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        out = unpacker.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise InputError(f"is not gzip data: {error}", where=name, remedy=_REMEDY) from error
    if not unpacker.eof:
        size = f"cut off, or larger than {MAX_BODY_BYTES} bytes unpacked"
        raise InputError(f"is gzip data that is {size}", where=name, remedy=_REMEDY)
    return out


def _from_protobuf(body: bytes, name: str) -> IngestBatch:
    found: list[IngestBatch] = []
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    with contextlib.suppress(DecodeError):
        traces.ParseFromString(body)
        found.append(from_messages(traces=traces))
    with contextlib.suppress(DecodeError):
        logs.ParseFromString(body)
        found.append(from_messages(logs=logs))
    if not found:
        raise InputError("is not OTLP, or is cut off", where=name, remedy=_REMEDY)
    return max(found, key=lambda b: len(b.spans) + len(b.logs) - len(b.rejected))


def _read_traces(request: ExportTraceServiceRequest, batch: IngestBatch) -> None:
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                if problem := _id_problem(span):
                    batch.rejected.append(f"span {span.name[:200]!r}: {problem}")
                    continue
                batch.spans.append(_span(span, resource, scoped.scope.name, scoped.scope.version))


def _id_problem(span: SpanMessage) -> str | None:
    if len(span.trace_id) != 16 or len(span.span_id) != 8:
        return "ids are not 16 and 8 bytes"
    if not (span.trace_id.strip(b"\0") and span.span_id.strip(b"\0")):
        return "an id is all zeros"
    return None


def _span(span: SpanMessage, resource: Attributes, scope: str, version: str) -> SpanRecord:
    return SpanRecord(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=_id(span.parent_span_id),
        name=span.name,
        kind=_KINDS[span.kind] if 0 <= span.kind < len(_KINDS) else "unspecified",
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano or None,
        status=_STATUS[span.status.code] if 0 <= span.status.code < len(_STATUS) else "unset",
        status_message=span.status.message,
        attributes=_attributes(span.attributes),
        events=[
            SpanEvent(e.name, e.time_unix_nano, _attributes(e.attributes)) for e in span.events
        ],
        links=[
            {
                "trace_id": link.trace_id.hex(),
                "span_id": link.span_id.hex(),
                "attributes": _attributes(link.attributes),
            }
            for link in span.links
        ],
        resource=resource,
        scope_name=scope,
        scope_version=version,
    )


def _read_logs(request: ExportLogsServiceRequest, batch: IngestBatch) -> None:
    number = next(_requests)
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_logs:
            for log in scoped.log_records:
                if not _plausible(log):
                    batch.rejected.append("log record: no time, no body, no name, no attributes")
                    continue
                batch.logs.append(
                    _log(log, resource, scoped.scope.name, scoped.scope.version, number)
                )


def _plausible(log: LogMessage) -> bool:
    filled = (
        log.time_unix_nano
        or log.observed_time_unix_nano
        or log.event_name
        or log.HasField("body")
        or log.attributes
    )
    return bool(filled) and len(log.trace_id) in (0, 16) and len(log.span_id) in (0, 8)


def _log(
    log: LogMessage, resource: Attributes, scope: str, version: str, request: int
) -> LogRecord:
    attributes = _attributes(log.attributes)
    return LogRecord(
        event_name=log.event_name or str(attributes.get(semconv.EVENT_NAME) or ""),
        time_ns=log.time_unix_nano or log.observed_time_unix_nano,
        trace_id=_id(log.trace_id),
        span_id=_id(log.span_id),
        severity=log.severity_text,
        body=_value(log.body) if log.HasField("body") else None,
        attributes=attributes,
        resource=resource,
        scope_name=scope,
        scope_version=version,
        request=request,
    )


def _id(value: bytes) -> str | None:
    """Hex; None for no id, and for all zeros, which the specification calls invalid."""
    return value.hex() if value.strip(b"\0") else None


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: pair.value.string_value or _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [item.string_value or _value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    found = getattr(value, kind)
    if kind == "double_value" and not math.isfinite(found):
        return str(found)  # JSON has no such numbers
    return found
