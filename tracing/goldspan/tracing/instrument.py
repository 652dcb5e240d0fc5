"""`instrument()`: OpenTelemetry for a process, towards an OTLP endpoint, a store, or both."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    SimpleLogRecordProcessor,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter

from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, NotStoredError
from goldspan.tracing.exporters import (
    CountedLogExporter,
    CountedSpanExporter,
    Delivery,
    StoreLogExporter,
    StoreSpanExporter,
)
from goldspan.tracing.live_spans import clean_attributes
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.redaction import Policy, policy_path
from goldspan.tracing.redaction.exporting import RedactingLogExporter, RedactingSpanExporter
from goldspan.tracing.run_ids import RunIds
from goldspan.tracing.store import Store

EVENT_DELAY_MS = 200  # events leave at once, but never in the agent's own thread
SPAN_DELAY_MS = 1000
QUEUE_SPANS = 65_536
_made_here = "_goldspan_made"


class Telemetry:
    """A process's connection to where its telemetry goes. Also a context manager."""

    def __init__(
        self,
        tracer_provider: TracerProvider,
        logger_provider: LoggerProvider,
        recorder: Recorder,
        delivery: Delivery,
        processors: tuple[list[SpanProcessor], list[LogRecordProcessor]],
        owned: tuple[bool, bool],
    ) -> None:
        self.tracer_provider = tracer_provider
        self.logger_provider = logger_provider
        self.recorder = recorder
        self._delivery = delivery
        self._span_processors, self._log_processors = processors
        self._owns_tracer, self._owns_logger = owned

    @property
    def failed_records(self) -> int:
        """How many spans and events could not be delivered so far."""
        return self._delivery.failed_records

    def flush(self, timeout_ms: int = 30_000) -> bool:
        """Deliver what is waiting. True only if everything since the last flush was delivered."""
        done = [p.force_flush(timeout_ms) for p in self._span_processors]
        done += [p.force_flush(timeout_ms) for p in self._log_processors]
        return self._delivery.take_ok() and all(done)

    def deliver(self, *, remedy: str) -> None:
        """Flush. Raises NotStoredError, with the first reason, if something was not delivered."""
        if not self.flush() or self.failed_records:
            raise NotStoredError(
                f"{self._delivery.first_failure or 'it took too long'}; the results are not stored",
                remedy=remedy,
            )

    def shutdown(self) -> None:
        """Flush and stop. A provider that was there before stays up."""
        if self._owns_tracer:
            self.tracer_provider.shutdown()
        else:
            for span_processor in self._span_processors:
                span_processor.shutdown()
        if self._owns_logger:
            self.logger_provider.shutdown()
        else:
            for log_processor in self._log_processors:
                log_processor.shutdown()

    def __enter__(self) -> Telemetry:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()


def instrument(
    *,
    endpoint: str | None = None,
    store: str | os.PathLike[str] | Store | None = None,
    service_name: str = "goldspan",
    resource_attributes: Mapping[str, Any] | None = None,
    simulated: bool = False,
    batch: bool = True,
    headers: Mapping[str, str] | None = None,
    capture_content: bool = True,
    redaction: Policy | None = None,
    exporters: tuple[SpanExporter, LogRecordExporter] | None = None,
    clock: Callable[[], int] = time.time_ns,
) -> Telemetry:
    """Set up telemetry for this process.

    `endpoint` is the base URL of an OTLP/HTTP receiver (`http://localhost:4318`), `store` a path
    or an open Store, `exporters` the caller's own; one of them is needed, else ConfigError. Spans
    are sent in batches, events within 0.2 s; with `batch=False` each is sent when it ends, in the
    caller's thread. A global TracerProvider that somebody else set is used and gets our exporters;
    if there is none, ours becomes global. `simulated` marks all of it as not real traffic.

    What goes to an endpoint is redacted in this process, before it leaves, by `redaction`; without
    it by the policy that $GOLDSPAN_REDACTION names or that lies beside `store`, else by the default
    one. A store applies its own. Raises ConfigError where a policy is broken.
    """
    if endpoint is None and store is None and exporters is None:
        raise ConfigError(
            "instrument() has nowhere to send telemetry", remedy="give endpoint= or store="
        )
    delivery = Delivery()
    spans, logs = _exporters(endpoint, store, headers, delivery, redaction)
    if exporters is not None:
        spans.append(exporters[0])
        logs.append(exporters[1])
    marks = {semconv.SIMULATED: True} if simulated else {}
    resource = Resource.create(
        {semconv.SERVICE_NAME: service_name, **marks, **clean_attributes(resource_attributes or {})}
    )
    tracer_provider, owns_tracer = _tracer_provider(resource)
    logger_provider, owns_logger = _logger_provider(resource)
    span_processors: list[SpanProcessor] = [_span_processor(e, batch) for e in spans]
    log_processors: list[LogRecordProcessor] = [_log_processor(e, batch) for e in logs]
    for span_processor in span_processors:
        tracer_provider.add_span_processor(span_processor)
    for log_processor in log_processors:
        logger_provider.add_log_record_processor(log_processor)
    # A provider of somebody else keeps its resource: what belongs to ours goes on each record.
    extra = {} if owns_tracer and owns_logger else {**marks, **(resource_attributes or {})}
    recorder = Recorder(
        tracer_provider,
        logger_provider,
        capture_content=capture_content,
        attributes=extra,
        clock=clock,
    )
    return Telemetry(
        tracer_provider,
        logger_provider,
        recorder,
        delivery,
        (span_processors, log_processors),
        (owns_tracer, owns_logger),
    )


def _exporters(
    endpoint: str | None,
    store: str | os.PathLike[str] | Store | None,
    headers: Mapping[str, str] | None,
    delivery: Delivery,
    redaction: Policy | None,
) -> tuple[list[SpanExporter], list[LogRecordExporter]]:
    spans: list[SpanExporter] = []
    logs: list[LogRecordExporter] = []
    opened = None if store is None else store if isinstance(store, Store) else Store.open(store)
    if endpoint is not None:
        from opentelemetry.exporter.otlp.proto.http import (  # 0.05 s, for those who send
            _log_exporter,
            trace_exporter,
        )

        base = endpoint.rstrip("/").removesuffix("/v1/traces").removesuffix("/v1/logs")
        if not base.startswith(("http://", "https://")):
            raise ConfigError(
                f"{endpoint!r} is not an OTLP/HTTP address", remedy="e.g. http://localhost:4318"
            )
        to_traces = trace_exporter.OTLPSpanExporter(endpoint=f"{base}/v1/traces", headers=headers)
        to_logs = _log_exporter.OTLPLogExporter(endpoint=f"{base}/v1/logs", headers=headers)
        policy = redaction or Policy.load(policy_path(opened.path if opened else None))
        spans.append(RedactingSpanExporter(CountedSpanExporter(to_traces, delivery), policy))
        logs.append(RedactingLogExporter(CountedLogExporter(to_logs, delivery), policy))
    if opened is not None:
        spans.append(StoreSpanExporter(opened, delivery))
        logs.append(StoreLogExporter(opened, delivery))
    return spans, logs


def _tracer_provider(resource: Resource) -> tuple[TracerProvider, bool]:
    current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider) and not hasattr(current, _made_here):
        return current, False
    provider = TracerProvider(resource=resource, id_generator=RunIds())
    setattr(provider, _made_here, True)
    if not isinstance(current, TracerProvider):
        trace.set_tracer_provider(provider)
    return provider, True


def _logger_provider(resource: Resource) -> tuple[LoggerProvider, bool]:
    current = _logs.get_logger_provider()
    if isinstance(current, LoggerProvider) and not hasattr(current, _made_here):
        return current, False
    provider = LoggerProvider(resource=resource)
    setattr(provider, _made_here, True)
    if not isinstance(current, LoggerProvider):
        _logs.set_logger_provider(provider)
    return provider, True


def _span_processor(exporter: SpanExporter, batch: bool) -> SpanProcessor:
    if not batch:
        return SimpleSpanProcessor(exporter)
    return BatchSpanProcessor(
        exporter,
        max_queue_size=QUEUE_SPANS,
        schedule_delay_millis=SPAN_DELAY_MS,
        max_export_batch_size=4096,
    )


def _log_processor(exporter: LogRecordExporter, batch: bool) -> LogRecordProcessor:
    if not batch:
        return SimpleLogRecordProcessor(exporter)
    return BatchLogRecordProcessor(
        exporter,
        max_queue_size=QUEUE_SPANS,
        schedule_delay_millis=EVENT_DELAY_MS,
        max_export_batch_size=4096,
    )
