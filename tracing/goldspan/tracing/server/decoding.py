"""From one request's body to an `IngestBatch`: the good records are kept, the others told.

A body that is sound goes the short way. Only where that fails are its parts looked at one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from goldspan.tracing.batch import IngestBatch
from goldspan.tracing.errors import InputError
from goldspan.tracing.otlp import decode, from_messages
from goldspan.tracing.server.repair import repaired


class Signal(StrEnum):
    """What a request holds."""

    TRACES = "traces"
    LOGS = "logs"


class Encoding(StrEnum):
    """How a request is written."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch, and a remark where something in it had to be mended to be kept."""

    batch: IngestBatch
    remark: str = ""


_GROUPS = {
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
}
_SNAKE = {
    "resourceSpans": "resource_spans",
    "scopeSpans": "scope_spans",
    "resourceLogs": "resource_logs",
    "scopeLogs": "scope_logs",
    "logRecords": "log_records",
}


def decode_request(signal: Signal, encoding: Encoding, body: bytes) -> Decoded:
    """The records of a request; none is a sound request too.

    Records that cannot be taken are in `batch.rejected`. Raises InputError if the body as a whole
    is not a request of that signal in that encoding.
    """
    if encoding is Encoding.JSON:
        return _from_json(signal, body)
    try:
        return Decoded(_parsed(signal, body))
    except DecodeError:
        mended, remark = repaired(body, _message(signal).DESCRIPTOR)
    try:
        return Decoded(_parsed(signal, mended), remark)
    except DecodeError as error:
        raise InputError(
            f"is not an OTLP {signal} request in protobuf, or is cut off: {error}", where="body"
        ) from error


def _message(signal: Signal) -> ExportTraceServiceRequest | ExportLogsServiceRequest:
    return ExportTraceServiceRequest() if signal is Signal.TRACES else ExportLogsServiceRequest()


def _parsed(signal: Signal, body: bytes) -> IngestBatch:
    message = _message(signal)
    message.ParseFromString(body)
    if isinstance(message, ExportTraceServiceRequest):
        return from_messages(traces=message)
    return from_messages(logs=message)


def _from_json(signal: Signal, body: bytes) -> Decoded:
    remark = ""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("utf-8-sig", "replace")
        body, remark = text.encode(), "text that is not UTF-8 was mended"
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}", where="body") from error
    outer = _GROUPS[signal][0]
    if not isinstance(document, dict):
        raise InputError(f"is JSON, but no object with {outer}", where="body")
    if document and outer not in document and _SNAKE[outer] not in document:
        found = ", ".join(sorted(map(str, document))[:5])
        raise InputError(f"has no {outer} (found: {found})", where="body")
    if next(_records(signal, document), None) is None:
        return Decoded(IngestBatch(), remark)
    try:
        return Decoded(decode(body, name="body"), remark)
    except InputError as error:
        return Decoded(_one_by_one(_records(signal, document), error), remark)


def _one_by_one(records: Iterator[tuple[str, dict[str, Any]]], first: InputError) -> IngestBatch:
    """Of a request that fails as a whole, the records that do not. Raises `first` if none is."""
    batch = IngestBatch()
    for name, document in records:
        try:
            batch.extend(decode(json.dumps(document).encode(), name=name))
        except (InputError, ValueError, RecursionError) as error:
            batch.rejected.append(str(error))
    if not batch.spans and not batch.logs:
        raise first
    return batch


def _records(signal: Signal, document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record's name, and a request that holds it alone."""
    outer, middle, inner = _GROUPS[signal]
    for group in _items(document, outer):
        for scoped in _items(group, middle):
            for record in _items(scoped, inner):
                name = record.get("name") if isinstance(record, dict) else None
                alone = {
                    outer: [
                        {
                            "resource": _part(group, "resource"),
                            middle: [{"scope": _part(scoped, "scope"), inner: [record]}],
                        }
                    ]
                }
                yield f"{inner.rstrip('s')} {name!r}", alone


def _part(value: Any, name: str) -> Any:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _items(value: Any, name: str) -> list[Any]:
    found = None
    if isinstance(value, dict):
        found = value.get(name, value.get(_SNAKE.get(name, name)))
    return found if isinstance(found, list) else []
