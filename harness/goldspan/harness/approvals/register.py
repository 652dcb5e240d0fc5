"""The approvals of one ledger: asked by runs, read and decided by people. Their rows are the truth.

Every change is one transaction with the audit event that tells of it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from goldspan.harness.approvals import events
from goldspan.harness.approvals.proposal import Proposal
from goldspan.harness.approvals.record import Approval, Signature
from goldspan.harness.ledger import Ledger, Transaction, call_digest
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import InputError

LONGEST_NAME = 100


@dataclass(frozen=True)
class Approvals:
    """What people are asked, and what they said."""

    ledger: Ledger

    def ask(self, proposal: Proposal, context: Mapping[str, Any] | None = None) -> Approval:
        """Ask about a call, once: a call that was asked about before is as it was left.

        Where it, its draft or its claims changed before anybody decided, it is asked about anew:
        tokens and first signatures were for something else. `context` goes on its events:
        attributes under `attributes`, `agent`, `trace_id` and `span_id`.
        """
        with self.ledger.transaction() as tx:
            row = self._row(proposal, context or {})
            if tx.run("ask_approval", **row, state="asked", at=self.ledger.clock()) == 1:
                found = self._one(tx, proposal.id)
                put(tx, told(found, semconv.APPROVAL_REQUESTED, events.asked(proposal)))
                return found
            found = self._one(tx, proposal.id)
            was = (_digest(found.proposal), found.proposal.shown)
            if found.state == "asked" and was != (_digest(proposal), proposal.shown):
                del row["run_id"]
                tx.run("renew_approval", **row)
            return self._one(tx, proposal.id)

    def waiting(self) -> list[Approval]:
        """Those that wait for a person, the longest first."""
        return self._list("approvals_waiting")

    def decided(self, most: int = 100) -> list[Approval]:
        """The newest decisions."""
        return self._list("approvals_decided", most=most)

    def sampled(self) -> list[Approval]:
        """Calls that went by themselves and wait for somebody to look at them."""
        return self._list("approvals_sampled")

    def find(self, start: str) -> Approval:
        """The approval whose id begins so. Raises `InputError` where there is none, or several."""
        start = start.strip()
        with self.ledger.transaction() as tx:
            rows = tx.rows("approvals_like", start=start, length=len(start)) if start else []
            if len(rows) == 1:
                return self._one(tx, rows[0]["id"])
        raise InputError(
            "several approvals begin so" if rows else "there is no such approval",
            where=start or "approval",
            remedy="goldspan approvals list shows those that wait",
        )

    def issue(self, approval: Approval, reviewer: str) -> str:
        """A token for one decision by one reviewer, on exactly what `approval` shows.

        The ledger keeps a digest of it. It is void as soon as the call, its draft or its claims
        change, and once it is spent. Raises `InputError` for no name.
        """
        name = checked_name(reviewer)
        token = f"gsa_{secrets.token_urlsafe(24)}"
        with self.ledger.transaction() as tx:
            tx.run(
                "issue_approval_token",
                token_digest=digest_of(token),
                approval=approval.id,
                seen=approval.seen,
                reviewer=name,
                at=self.ledger.clock(),
            )
        return token

    def let_go(
        self, proposal: Proposal, context: Mapping[str, Any] | None, *, sampled: bool
    ) -> None:
        """Note that a rule let a call go by itself. One that is `sampled` waits for a person to
        look at it; of the others only the event is kept."""
        with self.ledger.transaction() as tx:
            row = self._row(proposal, context or {})
            if sampled:
                tx.run("ask_approval", **row, state="sampled", at=self.ledger.clock())
            put(
                tx,
                _event(
                    proposal.id,
                    semconv.APPROVAL_AUTO,
                    events.automatic(proposal, sampled=sampled),
                    context or {},
                    self.ledger.clock(),
                ),
            )

    def look_at(self, approval: Approval, reviewer: str, *, right: bool, reason: str = "") -> None:
        """Say of a sampled call whether it was right to let it go. Raises `InputError` where it is
        none that waits for that, or where it was wrong and no reason is given."""
        name = checked_name(reviewer)
        reason = reason.strip()
        if not right and not reason:
            raise InputError("say what was wrong", where=approval.id, remedy="give --because TEXT")
        now = self.ledger.clock()
        said = "right" if right else "wrong"
        signed = [asdict(Signature(name, said, approval.digest, now, reason))]
        with self.ledger.transaction() as tx:
            changed = tx.run(
                "decide_approval",
                id=approval.id,
                was="sampled",
                was_digest=approval.digest,
                was_reviewers="",
                state="reviewed",
                digest=approval.digest,
                kind=approval.kind,
                decision=json.dumps({"reason": reason}),
                reviewers=json.dumps(signed, ensure_ascii=False),
                decided_at=now,
            )
            if changed != 1:
                raise InputError(
                    "is no call that waits to be looked at",
                    where=approval.id,
                    remedy="goldspan approvals review lists those that do",
                )
            seen = events.looked_at(approval.proposal, name, right=right, reason=reason)
            put(tx, told(approval, semconv.APPROVAL_REVIEWED, seen, at=now))

    def _row(self, proposal: Proposal, context: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": proposal.id,
            "run_id": proposal.run_id,
            "digest": _digest(proposal),
            "kind": proposal.kind,
            "proposal": json.dumps(asdict(proposal), ensure_ascii=False),
            "context": json.dumps(dict(context), ensure_ascii=False),
        }

    def _list(self, name: str, **parameters: Any) -> list[Approval]:
        with self.ledger.transaction() as tx:
            return [Approval.of_row(row) for row in tx.rows(name, **parameters)]

    @staticmethod
    def _one(tx: Transaction, approval: str) -> Approval:
        (row,) = tx.rows("approval", id=approval)
        return Approval.of_row(row)


def told(
    approval: Approval,
    name: str,
    attributes: Mapping[str, Any],
    *,
    at: float | None = None,
    part: str = "",
) -> AuditEvent:
    """The audit event about an approval. `part` tells events of one name apart."""
    at = approval.asked_at if at is None else at
    return _event(approval.id, name, attributes, approval.context, at, part)


def checked_name(reviewer: str) -> str:
    """A reviewer's name with single spaces. Raises `InputError` for none, or one beyond reason."""
    name = " ".join(reviewer.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(
            "a decision needs the name of who decides", where="--as", remedy="give --as NAME"
        )
    return name


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _digest(proposal: Proposal) -> str:
    return call_digest(proposal.tool, proposal.arguments)


def _event(
    approval: str,
    name: str,
    attributes: Mapping[str, Any],
    context: Mapping[str, Any],
    at: float,
    part: str = "",
) -> AuditEvent:
    about = {**context.get("attributes", {}), **attributes}
    return AuditEvent(
        event_id(name, approval, part) if part else event_id(name, approval),
        name,
        at,
        {key: value for key, value in about.items() if value is not None},
        context.get("trace_id"),
        context.get("span_id"),
    )
