"""OTLP in JSON: from text to protobuf messages.

Ids are hex, as OTLP/JSON says, or base64, as protobuf's own JSON does. One document, an array of
them, or one a line. A span or log record that cannot be one is left out with its reason, and the
others are taken.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from goldspan.tracing.errors import InputError

REMEDY = "give a saved OTLP trace or log request, protobuf or JSON"
_ID_KEYS = {"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"}
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_UNREADABLE = (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError)
# Where records stand: resource group, scope group, list, and what one of them is.
_TRACES: tuple[Any, ...] = (
    ("resourceSpans", "resource_spans"),
    ("scopeSpans", "scope_spans"),
    ("spans",),
    Span,
)
_LOGS: tuple[Any, ...] = (
    ("resourceLogs", "resource_logs"),
    ("scopeLogs", "scope_logs"),
    ("logRecords", "log_records"),
    LogRecord,
)


@dataclass(slots=True)
class Messages:
    """The requests in a body, and why single records could not be taken."""

    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    logs: list[ExportLogsServiceRequest] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)


def messages_of(body: bytes, name: str) -> Messages | None:
    """The requests in a JSON body; None if it is perhaps protobuf.

    Raises InputError, with `name`, if it is neither JSON nor OTLP.
    """
    documents, problem = _json_documents(body)
    if documents is None:
        if body[:1] == b"\n":  # also the first byte of a protobuf request
            return None
        raise InputError(f"is not whole JSON: {problem}", where=name, remedy=REMEDY)
    found = Messages()
    for document in documents:
        _read(document, name, found)
    return found


def _json_documents(body: bytes) -> tuple[list[Any] | None, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return None, str(error)
    try:
        document = json.loads(text)
        return (document if isinstance(document, list) else [document]), ""
    except (ValueError, RecursionError) as error:
        problem = str(error)
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()], ""
    except (ValueError, RecursionError):
        return None, problem


def _read(document: Any, name: str, found: Messages) -> None:
    keys = set(document) if isinstance(document, dict) else set()
    message: ExportTraceServiceRequest | ExportLogsServiceRequest
    if keys.intersection(_TRACES[0]):
        message, places = ExportTraceServiceRequest(), _TRACES
        found.traces.append(message)
    elif keys.intersection(_LOGS[0]):
        message, places = ExportLogsServiceRequest(), _LOGS
        found.logs.append(message)
    else:
        shown = ", ".join(sorted(map(str, keys))[:5]) or type(document).__name__
        raise InputError(
            f"is JSON, but not OTLP: no resourceSpans or resourceLogs (found: {shown})",
            where=name,
            remedy=REMEDY,
        )
    try:
        document = _with_base64_ids(document)
        json_format.ParseDict(document, message, ignore_unknown_fields=True)
    except _UNREADABLE as error:
        message.Clear()
        found.rejected.extend(_without_bad_records(document, places))
        try:
            json_format.ParseDict(document, message, ignore_unknown_fields=True)
        except _UNREADABLE:
            raise InputError(
                f"is not valid OTLP JSON: {error}", where=name, remedy=REMEDY
            ) from error


def _without_bad_records(document: Any, places: tuple[Any, ...]) -> list[str]:
    """Takes the records that cannot be read out of a document; returns why."""
    groups, scopes, lists, kind = places
    reasons = []
    for group in _lists(document, groups):
        for scope in _lists(group, scopes):
            for name in lists:
                records = scope.get(name) if isinstance(scope, dict) else None
                if not isinstance(records, list):
                    continue
                good = []
                for record in records:
                    try:
                        json_format.ParseDict(record, kind(), ignore_unknown_fields=True)
                    except _UNREADABLE as error:
                        label = record.get("name") if isinstance(record, dict) else None
                        reasons.append(f"{kind.__name__} {str(label)[:200]!r}: {error}"[:500])
                    else:
                        good.append(record)
                scope[name] = good
    return reasons


def _lists(holder: Any, names: tuple[str, ...]) -> list[Any]:
    if not isinstance(holder, dict):
        return []
    return [item for name in names if isinstance(holder.get(name), list) for item in holder[name]]


def _with_base64_ids(value: Any) -> Any:
    """OTLP/JSON writes ids in hex where protobuf's JSON wants base64; the lengths differ."""
    if isinstance(value, dict):
        return {
            _text(k): _base64_id(v) if k in _ID_KEYS and isinstance(v, str) else _with_base64_ids(v)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_with_base64_ids(v) for v in value]
    return _text(value) if isinstance(value, str) else value


def _base64_id(text: str) -> str:
    if len(text) in (16, 32) and _HEX.match(text):
        return base64.b64encode(bytes.fromhex(text)).decode()
    return _text(text)


def _text(text: str) -> str:
    """Lone surrogates (from JSON escapes) have no UTF-8 form; they become question marks."""
    return text.encode("utf-8", "replace").decode()
