"""Calls that a crash left unknown: a person looks whether they were made, and says so.

A process died between an effect and its record, and the tool cannot be asked. The call is never
made again by itself: its run waits until somebody has looked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from goldspan.harness.approvals.register import checked_name
from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import InputError


@dataclass(frozen=True)
class UnknownCall:
    """One of them. `key` is the call's, `at` when its run began to wait, in seconds since the
    epoch."""

    key: str
    run_id: str
    tool: str
    agent: str
    digest: str
    why: str | None
    at: float


def unknown_calls(ledger: Ledger) -> list[UnknownCall]:
    """All that runs wait for, the longest first."""
    with ledger.transaction() as tx:
        return [UnknownCall(**row) for row in tx.rows("unknown_calls")]


def resolve(
    ledger: Ledger, start: str, reviewer: str, *, made: bool, result: Any = None
) -> UnknownCall:
    """Say of the unknown call whose key begins so whether it was made, and with which result; its
    run goes on then: with the result, or by making the call.

    Raises `InputError` where no run waits for such a call, or several do.
    """
    name = checked_name(reviewer)
    start = start.strip()
    found = [call for call in unknown_calls(ledger) if start and call.key.startswith(start)]
    if len(found) != 1:
        raise InputError(
            "several unknown calls begin so" if found else "no run waits for such a call",
            where=start or "call",
            remedy="goldspan approvals unknown lists them",
        )
    (call,) = found
    try:
        text = json.dumps({"result": result} if made else {"made": False}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"the result is no JSON: {error}", where=call.key) from None
    about = {
        semconv.RUN_ID: call.run_id,
        semconv.AGENT_NAME: call.agent,
        semconv.CALL_KEY: call.key,
        semconv.TOOL_NAME: call.tool,
        semconv.APPROVAL_REVIEWER: name,
        semconv.CALL_MADE: made,
    }
    # A call may become unknown again, when the process dies that makes it anew.
    identity = event_id(semconv.CALL_RESOLVED, call.key, repr(call.at))
    with ledger.transaction() as tx:
        if tx.run("resolve", key=call.key, resolution=text) != 1:
            raise InputError("somebody else has said it meanwhile", where=call.key)
        put(tx, AuditEvent(identity, semconv.CALL_RESOLVED, ledger.clock(), about))
    return call
