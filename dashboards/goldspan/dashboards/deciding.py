"""What waits for a person in the engine's database beside the store, and how it is decided."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

from goldspan.dashboards.location import store_path
from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.record import Approval
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.ledger import Ledger, default_url
from goldspan.harness.operation.outbox import drain
from goldspan.harness.operation.scrubbing import scrub_events
from goldspan.tracing.errors import GoldspanError, InputError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store

ENGINE_VARIABLE = "GOLDSPAN_ENGINE"


def approvals_here() -> Approvals | None:
    """The approvals of the runs whose telemetry is shown; None where no durable run was started.

    In the database that GOLDSPAN_ENGINE names, else beside the store. Raises StoreError where it
    cannot be opened.
    """
    url = os.environ.get(ENGINE_VARIABLE) or default_url(Path(store_path()))
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    return Approvals(_ledger(url))


def say(
    store: Store,
    approvals: Approvals,
    shown: Approval,
    said: Literal["approve", "edit", "deny"],
    reviewer: str,
    *,
    reason: str,
    correction: str = "",
) -> str:
    """Decide what was shown, exactly as it was shown; returns what it came to, in a sentence.

    `correction` is JSON, the arguments to correct. Raises `InputError` where the decision cannot
    be taken down: nothing has changed then.
    """
    edit = _arguments(correction) if said == "edit" else None
    token = approvals.issue(shown, reviewer)
    done = decide(approvals, shown, said, reviewer, token, reason=reason, edit=edit)
    came_to = {
        "asked": "It waits for another reviewer to approve the same arguments.",
        "approved": "Approved. The run goes on by itself.",
        "edited": "Approved with the correction. The run goes on by itself.",
        "denied": "Denied. The agent is told why.",
    }[done.state]
    return f"{came_to}{_sent(store, approvals)}"


def judge(
    store: Store, approvals: Approvals, shown: Approval, reviewer: str, *, right: bool, reason: str
) -> str:
    """Say of a call that went by itself whether that was right; returns what it came to."""
    approvals.look_at(shown, reviewer, right=right, reason=reason)
    return f"Judged {'right' if right else 'wrong'}.{_sent(store, approvals)}"


def _sent(store: Store, approvals: Approvals) -> str:
    try:
        drain(
            approvals.ledger,
            lambda: instrument(store=store, service_name="goldspan-approvals"),
        )
    except GoldspanError as error:
        return f" The store does not show it yet: {error}"
    return ""


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InputError(f"the correction is no JSON: {error}", where="correction") from None
    if not isinstance(value, dict):
        raise InputError(
            "the correction must name arguments, each with its value",
            where="correction",
            remedy='such as {"amount_usd": 49}',
        )
    return value


@cache
def _ledger(url: str) -> Ledger:
    """The ledger, opened once: to open it checks its tables."""
    return Ledger(url, scrub=scrub_events(Path(store_path())))
