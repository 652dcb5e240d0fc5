"""What runs, what waits, and for whom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.kill import KillFlag
from goldspan.tracing.errors import InputError

STATES = ("queued", "running", "waiting", "ended")
_LEDGER = {"running": "running", "waiting": "parked", "ended": "ended"}
_ASKED = {
    "reviewer": "a reviewer",
    "two-reviewers": "two reviewers",
    "user": "the user concerned",
}


@dataclass(frozen=True)
class ListedRun:
    """One run as an operator sees it.

    `state` is one of `STATES`. `waits_for` is kind and subject (`approval:ID`), `whom` who or what
    can let it go on, in words; both None for a run that does not wait. `outcome` is how it ended,
    and `killed` for a run that a flag stopped. `at` and `started_at` are seconds since the epoch,
    of the last change and the first start; None for a run that has not started.
    """

    run_id: str
    agent: str
    state: str
    outcome: str | None = None
    waits_for: str | None = None
    whom: str | None = None
    why: str | None = None
    batch: str | None = None
    segment: int = 0
    tokens: int | None = None
    usd: float | None = None
    started_at: float | None = None
    at: float | None = None


def listed(
    ledger: Ledger,
    *,
    agent: str | None = None,
    batch: str | None = None,
    run_id: str | None = None,
    state: str | None = None,
    ended_within_s: float = 86_400.0,
    most: int = 200,
    flags: Sequence[KillFlag] = (),
) -> list[ListedRun]:
    """The runs that have started, the newest first. Those that ended longer ago are left out."""
    if state is not None and state not in STATES:
        raise InputError(f"{state!r} is no state", where="--state", remedy=", ".join(STATES))
    if state == "queued":
        return []
    with ledger.transaction() as tx:
        rows = tx.rows(
            "runs_listed",
            agent=agent,
            batch=batch,
            run_id=run_id,
            state=_LEDGER.get(state or ""),
            ended_since=ledger.clock() - ended_within_s,
            most=most,
        )
    return [_listed(row, flags) for row in rows]


def _listed(row: dict[str, Any], flags: Sequence[KillFlag]) -> ListedRun:
    waits_for = row["waits_for"] if row["state"] == "parked" else None
    killed = str(waits_for).startswith("kill:")
    return ListedRun(
        run_id=row["run_id"],
        agent=row["agent"],
        state={"parked": "waiting", "waking": "running"}.get(row["state"], row["state"]),
        outcome="killed" if killed else row["outcome"],
        waits_for=waits_for,
        whom=_whom(row, flags) if waits_for else None,
        why=row["why"],
        batch=row["batch"],
        segment=row["segment"],
        tokens=row["tokens"],
        usd=row["usd"],
        started_at=row["started_at"],
        at=row["at"],
    )


def _whom(row: dict[str, Any], flags: Sequence[KillFlag]) -> str:
    """Who can let a run go on, and by which command."""
    kind, _, subject = str(row["waits_for"]).partition(":")
    if kind == "approval":
        return f"{_reviewer(row)}: goldspan approvals show {subject}"
    if kind == "kill":
        flag = next((each for each in flags if each.scope == subject), None)
        if flag is None:
            return "a worker, which will wake it"
        scope, _, name = subject.partition(":")
        return f"{flag.by}, or who may: goldspan resume --{scope} {name}".rstrip()
    if kind == "unknown":
        return f"somebody who can look: goldspan approvals unknown {subject}"
    if kind == "breaker":
        return f"{subject} to work again"
    return f"agent version {subject[:12]}, then: goldspan resume --run {row['run_id']}"


def _reviewer(row: dict[str, Any]) -> str:
    asked = _ASKED.get(row["approval_kind"] or "", "a person")
    proposal = json.loads(row["proposal"] or "{}") if row["proposal"] else {}
    concerns = proposal.get("concerns") if isinstance(proposal, dict) else None
    return f"{asked} ({concerns})" if row["approval_kind"] == "user" and concerns else asked
