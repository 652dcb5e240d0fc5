"""Audit events of what all runs share: a breaker that changes, a cap that is reached.

Where the ledger outlives the process they are written in the transaction that changes its state,
and sent until they are acknowledged. A ledger in memory ends with its run, and nothing drains it:
they are emitted at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from goldspan.harness.approvals.asking import context_here
from goldspan.harness.guards.breaker import Note
from goldspan.harness.ledger import Intent, Ledger, Reached, Transaction, Want
from goldspan.harness.life import Life
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.run_events import Events, event_id
from goldspan.tracing import semconv

CAP = "cap:"


def breaker_note(ledger: Ledger, events: Events) -> Note:
    """What `Breakers` tell of each change; the event belongs to the run whose call made it."""
    if ledger.database.in_memory:
        return lambda _tx, name, attributes: events.event(name, attributes)
    # The change is made once, whoever tries it again: any id is its own.
    return lambda tx, name, attributes: _put(ledger, tx, uuid.uuid4().hex, name, attributes)


def cap_note(ledger: Ledger, events: Events) -> Reached:
    """What a ledger tells of each call that it refuses for a cap over all runs."""

    def reached(tx: Transaction, intent: Intent, want: Want, reason: str) -> None:
        if not want.scope.startswith(CAP):
            return
        about = {
            semconv.RUN_ID: intent.run_id,
            semconv.AGENT_NAME: intent.agent,
            semconv.TOOL_NAME: intent.tool,
            semconv.CALL_KEY: intent.key,
            semconv.CAP_SCOPE: want.scope,
            semconv.CAP_UNIT: want.unit,
            semconv.CAP_WANTED: want.amount,
            semconv.CAP_LIMIT: want.limit,
            semconv.REASON: reason,
        }
        if ledger.database.in_memory:
            events.event(semconv.CAP_REACHED, about)
        else:
            # A call is refused once; its key is one of all runs.
            _put(ledger, tx, event_id(semconv.CAP_REACHED, intent.key), semconv.CAP_REACHED, about)

    return reached


async def keep(life: Life, known: str, name: str, attributes: Mapping[str, Any]) -> None:
    """Send an event of a durable run until it is acknowledged, under the id that it was emitted
    with. A run that nothing outlives has emitted it, and that is all."""
    if life.segment is None:
        return

    def write() -> None:
        with life.ledger.transaction() as tx:
            _put(life.ledger, tx, known, name, attributes)

    await life.steps.transact(write)


def _put(
    ledger: Ledger, tx: Transaction, known: str, name: str, attributes: Mapping[str, Any]
) -> None:
    here = context_here()
    about = {**here["attributes"], **attributes}
    stated = {key: value for key, value in about.items() if value is not None}
    put(tx, AuditEvent(known, name, ledger.clock(), stated, here["trace_id"], here["span_id"]))
