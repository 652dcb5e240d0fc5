"""SDK exporters: into a store by everybody's road, and with a count of failures."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from goldspan.tracing.errors import GoldspanError
from goldspan.tracing.otlp import from_messages
from goldspan.tracing.store import Store

_log = logging.getLogger(__name__)


class Delivery:
    """Counts what could not be delivered, so that a flush can say whether all of it was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending = 0
        self.failed_records = 0
        self.first_failure: str | None = None

    def failed(self, records: int, error: object) -> None:
        """Count undelivered records; the first failure is logged."""
        with self._lock:
            self._pending += records
            self.failed_records += records
            first = self.first_failure is None
            if first and isinstance(error, GoldspanError):
                self.first_failure = ": ".join(filter(None, (error.where, error.message)))
            elif first:
                self.first_failure = str(error)
        if first:
            _log.warning("telemetry was not delivered (further failures are counted): %s", error)

    def take_ok(self) -> bool:
        """True if nothing failed since the last call."""
        with self._lock:
            pending, self._pending = self._pending, 0
        return pending == 0


class StoreSpanExporter(SpanExporter):
    """Writes ended spans into a store."""

    def __init__(self, store: Store, delivery: Delivery) -> None:
        self._store = store
        self._delivery = delivery

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Store the spans in one transaction."""
        try:
            self._store.ingest(from_messages(traces=encode_spans(spans)))
        except Exception as error:  # noqa: BLE001  an exporter reports, the agent goes on
            self._delivery.failed(len(spans), error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held open."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing is held back."""
        return True


class StoreLogExporter(LogRecordExporter):
    """Writes events into a store."""

    def __init__(self, store: Store, delivery: Delivery) -> None:
        self._store = store
        self._delivery = delivery

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Store the log records in one transaction."""
        try:
            self._store.ingest(from_messages(logs=encode_logs(batch)))
        except Exception as error:  # noqa: BLE001  an exporter reports, the agent goes on
            self._delivery.failed(len(batch), error)
            return LogRecordExportResult.FAILURE
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held open."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing is held back."""
        return True


class CountedSpanExporter(SpanExporter):
    """Passes spans on to another exporter and counts what that one could not deliver."""

    def __init__(self, inner: SpanExporter, delivery: Delivery) -> None:
        self._inner = inner
        self._delivery = delivery

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """The inner exporter's result."""
        result = self._inner.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._delivery.failed(len(spans), "the OTLP endpoint did not take the spans")
        return result

    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the inner exporter."""
        return self._inner.force_flush(timeout_millis)


class CountedLogExporter(LogRecordExporter):
    """Passes log records on to another exporter and counts what that one could not deliver."""

    def __init__(self, inner: LogRecordExporter, delivery: Delivery) -> None:
        self._inner = inner
        self._delivery = delivery

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """The inner exporter's result."""
        result = self._inner.export(batch)
        if result is not LogRecordExportResult.SUCCESS:
            self._delivery.failed(len(batch), "the OTLP endpoint did not take the log records")
        return result

    def shutdown(self) -> None:
        """Shut the inner exporter down."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]  # the SDK left it so

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the inner exporter."""
        return self._inner.force_flush(timeout_millis)
