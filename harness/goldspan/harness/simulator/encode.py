"""Simulated runs as OTLP requests: the same protobuf bytes that an exporter would send."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_INFO, LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from goldspan.harness.simulator.script import AGENT, Run
from goldspan.tracing import semconv

SCOPE = "goldspan.simulator"
RESOURCE = {semconv.SERVICE_NAME: AGENT, semconv.SIMULATED: True}


def requests_of(runs: Iterable[Run]) -> tuple[bytes, bytes]:
    """One trace request and one logs request with everything in these runs, serialised."""
    traces, logs = ExportTraceServiceRequest(), ExportLogsServiceRequest()
    resource = Resource(attributes=_pairs(RESOURCE))
    span_group, log_group = traces.resource_spans.add(), logs.resource_logs.add()
    span_group.resource.CopyFrom(resource)
    log_group.resource.CopyFrom(resource)
    scoped_spans, scoped_logs = span_group.scope_spans.add(), log_group.scope_logs.add()
    scoped_spans.scope.name = scoped_logs.scope.name = SCOPE
    for run in runs:
        trace_id = _digest(run.run_id)[:16]
        shared = _pairs(run.shared)
        scoped_spans.spans.extend(_spans(run, trace_id, shared))
        scoped_logs.log_records.extend(_records(run, trace_id, shared))
    return traces.SerializeToString(), logs.SerializeToString()


def _spans(run: Run, trace_id: bytes, shared: list[KeyValue]) -> Iterable[Span]:
    for number, step in enumerate(run.spans):
        error = step.error
        attributes = _pairs(step.attributes)
        if error:
            attributes.append(_pair(semconv.ERROR_TYPE, error[0]))
        is_call = step.name.startswith(semconv.CHAT)
        yield Span(
            trace_id=trace_id,
            span_id=_span_id(run, number),
            parent_span_id=b"" if step.parent is None else _span_id(run, step.parent),
            name=step.name,
            kind=Span.SPAN_KIND_CLIENT if is_call else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=step.start_ns,
            end_time_unix_nano=step.end_ns,
            attributes=chain(shared, attributes),
            status=Status(code=Status.STATUS_CODE_ERROR, message=error[1]) if error else None,
        )


def _records(run: Run, trace_id: bytes, shared: list[KeyValue]) -> Iterable[LogRecord]:
    for number, said in enumerate(run.events):
        event_id = _digest(f"{run.run_id}/{said.name}/{number}").hex()[:32]
        yield LogRecord(
            event_name=said.name,
            time_unix_nano=said.at_ns,
            observed_time_unix_nano=said.at_ns,
            severity_number=SEVERITY_NUMBER_INFO,
            severity_text="INFO",
            trace_id=trace_id,
            span_id=_span_id(run, 0),
            attributes=chain(shared, [_pair(semconv.EVENT_ID, event_id)], _pairs(said.attributes)),
        )


def _span_id(run: Run, number: int) -> bytes:
    return _digest(f"{run.run_id}/{number}")[:8]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _pairs(values: Mapping[str, Any]) -> list[KeyValue]:
    return [_pair(key, value) for key, value in values.items() if value is not None]


def _pair(key: str, value: Any) -> KeyValue:
    return KeyValue(key=key, value=_value(value))


def _value(value: Any) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
