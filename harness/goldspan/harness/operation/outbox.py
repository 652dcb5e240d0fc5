"""The outbox: audit events that are sent until they are acknowledged.

Who asked, who decided and who stopped what must not get lost with a process, or while the store is
away. Such an event is written in the transaction that changes the state it tells of, and sent
afterwards; the store keeps one of each id, so an event that is sent twice is stored once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanContext, TraceFlags

from goldspan.harness.ledger import Ledger, Transaction

if TYPE_CHECKING:
    from goldspan.tracing.instrument import Telemetry

AT_ONCE = 500


@dataclass(frozen=True)
class AuditEvent:
    """One event that must arrive. `at` is seconds since the epoch; `trace_id` and `span_id` name
    the span that it belongs to, in hex digits, None for none. The same `id` is sent and stored
    once."""

    id: str
    name: str
    at: float
    attributes: Mapping[str, Any] = field(default_factory=dict)
    trace_id: str | None = None
    span_id: str | None = None


def put(tx: Transaction, event: AuditEvent) -> None:
    """Write an event beside the change of state that it tells of, redacted as the ledger's owner
    says."""
    tx.run(
        "put_event",
        event_id=event.id,
        event_name=event.name,
        attributes=json.dumps(tx.scrub(dict(event.attributes)), ensure_ascii=False),
        at=event.at,
        trace_id=event.trace_id,
        span_id=event.span_id,
    )


def unsent(ledger: Ledger, most: int = AT_ONCE) -> list[AuditEvent]:
    """The events that nobody has acknowledged yet, the oldest first."""
    with ledger.transaction() as tx:
        rows = tx.rows("unsent_events", most=most)
    return [
        AuditEvent(
            row["event_id"],
            row["name"],
            row["at"],
            json.loads(row["attributes"]),
            row["trace_id"],
            row["span_id"],
        )
        for row in rows
    ]


def drain(ledger: Ledger, telemetry: Callable[[], Telemetry]) -> int:
    """Send what waits; returns how many events were acknowledged.

    `telemetry` is called where something waits, and what it gives is shut down again: a failure
    of anything else that a process sends is none of these events. Raises `NotStoredError` where
    they were not taken: they wait on. Several processes may drain at once.
    """
    sent = 0
    while events := unsent(ledger):
        with telemetry() as opened:
            for event in events:
                opened.recorder.event(
                    event.name,
                    event.attributes,
                    span=_span(event),
                    timestamp_ns=round(event.at * 1e9),
                    event_id=event.id,
                )
            opened.deliver(remedy="the events wait in the outbox and are sent again")
        with ledger.transaction() as tx:
            at = ledger.clock()
            for event in sorted(events, key=lambda e: e.id):
                sent += tx.run("mark_sent", event_id=event.id, at=at)
    return sent


def _span(event: AuditEvent) -> SpanContext | None:
    if event.trace_id is None:
        return None
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(event.trace_id, 16), int(event.span_id or "0", 16), True, sampled)
