"""SDK exporters that apply a policy before anything leaves the process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status

from goldspan.tracing.redaction.policy import Policy


class RedactingSpanExporter(SpanExporter):
    """Passes redacted copies of spans on to another exporter."""

    def __init__(self, inner: SpanExporter, policy: Policy) -> None:
        self._inner = inner
        self._policy = policy

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """The inner exporter's result."""
        resources = _Resources(self._policy)
        return self._inner.export([_span(span, self._policy, resources) for span in spans])

    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the inner exporter."""
        return self._inner.force_flush(timeout_millis)


class RedactingLogExporter(LogRecordExporter):
    """Passes redacted copies of log records on to another exporter."""

    def __init__(self, inner: LogRecordExporter, policy: Policy) -> None:
        self._inner = inner
        self._policy = policy

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """The inner exporter's result."""
        resources = _Resources(self._policy)
        return self._inner.export([_log(record, self._policy, resources) for record in batch])

    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]  # the SDK left it so

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the inner exporter."""
        return self._inner.force_flush(timeout_millis)


class _Resources:
    """Redacted resources, scopes and names of one batch; many records share them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[int, tuple[Resource, Resource]] = {}
        self._plain_names: set[str] = set()
        self._scopes: dict[int, tuple[InstrumentationScope, InstrumentationScope]] = {}

    def of(self, resource: Resource) -> Resource:
        """The resource, redacted; the original is held so that its id stays its own."""
        if id(resource) not in self._known:
            clean = Resource(_attributes(resource.attributes, self._policy), resource.schema_url)
            self._known[id(resource)] = (resource, clean)
        return self._known[id(resource)][1]

    def scope(self, scope: InstrumentationScope | None) -> InstrumentationScope | None:
        """The instrumentation scope, redacted."""
        if scope is None:
            return None
        if id(scope) not in self._scopes:
            clean = InstrumentationScope(
                self._policy.scrub_text(scope.name),
                None if scope.version is None else self._policy.scrub_text(scope.version),
                scope.schema_url,
                _attributes(scope.attributes, self._policy),
            )
            self._scopes[id(scope)] = (scope, clean)
        return self._scopes[id(scope)][1]

    def name(self, text: str) -> str:
        """The name of a span or an event, or a severity, redacted."""
        if text in self._plain_names:
            return text
        clean = self._policy.scrub_text(text)
        if clean == text:
            self._plain_names.add(text)
        return clean


def _span(span: ReadableSpan, policy: Policy, resources: _Resources) -> ReadableSpan:
    status = span.status
    if status.description:
        said = policy.limit_text(policy.scrub_text(status.description))
        status = Status(status.status_code, said)
    return ReadableSpan(
        name=resources.name(span.name),
        context=span.context,
        parent=span.parent,
        resource=resources.of(span.resource),
        attributes=_attributes(span.attributes, policy),
        events=[
            Event(policy.scrub_text(e.name), _attributes(e.attributes, policy), e.timestamp)
            for e in span.events
        ],
        links=[Link(link.context, _attributes(link.attributes, policy)) for link in span.links],
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=resources.scope(span.instrumentation_scope),
    )


def _log(record: ReadableLogRecord, policy: Policy, resources: _Resources) -> ReadableLogRecord:
    log = record.log_record
    body = _plain(log.body)
    clean = copy(log)
    clean.body = policy.limit_body(
        policy.scrub_attributes(body) if isinstance(body, dict) else policy.scrub_value(body)
    )
    clean.attributes = _attributes(log.attributes, policy)
    clean.exception = None  # the SDK has made attributes of it
    if log.severity_text:
        clean.severity_text = resources.name(log.severity_text)
    if log.event_name:
        clean.event_name = resources.name(log.event_name)
    return replace(
        record,
        log_record=clean,
        resource=resources.of(record.resource),
        instrumentation_scope=resources.scope(record.instrumentation_scope),
    )


def _attributes(attributes: Mapping[str, Any] | None, policy: Policy) -> dict[str, Any]:
    return policy.limit_attributes(policy.scrub_attributes(_plain(attributes or {})))


def _plain(value: Any) -> Any:
    """The SDK's own mappings and tuples as dicts and lists."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
