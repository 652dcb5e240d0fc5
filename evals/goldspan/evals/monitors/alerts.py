"""Findings become `goldspan.alert` events, by the road that all telemetry takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from goldspan.evals.monitors.findings import Finding
from goldspan.tracing import semconv
from goldspan.tracing.errors import NotStoredError
from goldspan.tracing.exporters import Delivery, StoreLogExporter
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.store import Store

DETECTED_AT: Final = "goldspan.alert.detected_at"  # ISO 8601
FALSE_ALARM_DAYS: Final = "goldspan.alert.false_alarm_days"
RUN_IDS: Final = "goldspan.alert.run_ids"  # string[]
TRACE_IDS: Final = "goldspan.alert.trace_ids"  # string[]
RUNS: Final = "goldspan.alert.runs"  # int


def emit_alerts(store: Store, findings: Sequence[Finding], *, now: datetime | None = None) -> int:
    """Store each finding as an event; returns how many were new.

    A finding is stored once while it lasts and once more when it has ended. Raises NotStoredError
    if the store did not take them.
    """
    wanted = {finding.event_id for finding in findings}
    if not wanted:
        return 0
    question = "SELECT event_id FROM events WHERE event_name = ? AND event_id IN (SELECT unnest(?))"
    stored = {row["event_id"] for row in store.rows(question, [semconv.ALERT, sorted(wanted)])}
    fresh = [finding for finding in findings if finding.event_id not in stored]
    at = int((now or datetime.now(UTC)).timestamp() * 1e9)
    for simulated in (False, True):
        _send(store, [f for f in fresh if f.simulated == simulated], simulated, at)
    return len(fresh)


def _send(store: Store, findings: Sequence[Finding], simulated: bool, at_ns: int) -> None:
    if not findings:
        return
    marks = {semconv.SIMULATED: True} if simulated else {}
    resource = Resource.create({semconv.SERVICE_NAME: "goldspan-monitor", **marks})
    delivery = Delivery()
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(SimpleLogRecordProcessor(StoreLogExporter(store, delivery)))
    recorder = Recorder(TracerProvider(resource=resource), logs)
    for finding in findings:
        recorder.event(
            semconv.ALERT, _attributes(finding), event_id=finding.event_id, timestamp_ns=at_ns
        )
    logs.shutdown()
    if not delivery.take_ok():
        raise NotStoredError(
            f"{delivery.first_failure}; {delivery.failed_records} of {len(findings)} alerts are "
            "not stored",
            remedy="check again: what fires is found anew",
        )


def _attributes(finding: Finding) -> dict[str, Any]:
    ended = finding.ended_at
    return {
        semconv.ALERT_ID: finding.alert_id,
        semconv.ALERT_MONITOR: finding.monitor,
        semconv.ALERT_SEVERITY: finding.severity,
        semconv.ALERT_METRIC: finding.metric,
        semconv.ALERT_STARTED_AT: finding.started_at.isoformat(),
        semconv.ALERT_ENDED_AT: ended.isoformat() if ended else None,
        semconv.ALERT_VALUE: finding.value,
        semconv.ALERT_BASELINE: finding.baseline,
        semconv.ALERT_UNIT: finding.unit,
        semconv.ALERT_EXPLANATION: finding.explanation,
        semconv.AGENT_NAME: finding.agent,
        DETECTED_AT: finding.detected_at.isoformat(),
        FALSE_ALARM_DAYS: finding.false_alarm_days,
        RUNS: finding.runs,
        RUN_IDS: list(finding.run_ids),
        TRACE_IDS: list(finding.trace_ids),
    }
