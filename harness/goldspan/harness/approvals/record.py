"""One approval as the ledger keeps it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from goldspan.harness.approvals.proposal import ApprovalKind, Proposal
from goldspan.harness.ledger import call_digest

State: TypeAlias = Literal["asked", "approved", "edited", "denied", "used", "sampled", "reviewed"]


@dataclass(frozen=True)
class Signature:
    """What one person said: `approve`, `edit` or `deny`, of the call with this digest. `at` is
    seconds since the epoch."""

    reviewer: str
    decision: str
    digest: str
    at: float
    reason: str = ""


@dataclass(frozen=True)
class Approval:
    """A proposal and what became of it.

    `state` is `asked`; `approved`, `edited` or `denied`; `used`, once the call was admitted; or,
    for a call that its rule let go by itself, `sampled` and then `reviewed`. `digest` is that of
    the call that may be made: of the corrected one after an edit. `arguments` are its arguments.
    Times are seconds since the epoch. `context` says whose run it is and in which span it asked.
    """

    id: str
    run_id: str
    kind: ApprovalKind
    state: State
    digest: str
    proposal: Proposal
    arguments: dict[str, Any]
    signatures: tuple[Signature, ...]
    context: dict[str, Any]
    asked_at: float
    decided_at: float | None
    reason: str = ""

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Approval:
        """An approval from its row."""
        decision = json.loads(row["decision"] or "{}")
        proposal = Proposal(**json.loads(row["proposal"]))
        signed = json.loads(row["reviewers"] or "[]")
        return cls(
            id=row["id"],
            run_id=row["run_id"],
            kind=row["kind"],
            state=row["state"],
            digest=row["digest"],
            proposal=proposal,
            arguments=decision.get("arguments", proposal.arguments),
            signatures=tuple(Signature(**each) for each in signed),
            context=json.loads(row["context"] or "{}"),
            asked_at=row["asked_at"],
            decided_at=row["decided_at"],
            reason=decision.get("reason", ""),
        )

    @property
    def seen(self) -> str:
        """Digest of all that a reviewer judges by: the call as it stands, its draft, its claims."""
        text = f"{self.digest}\0{self.proposal.shown}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def edited(self) -> bool:
        """Whether somebody has corrected the arguments."""
        return self.digest != call_digest(self.proposal.tool, self.proposal.arguments)

    @property
    def reviewer(self) -> str:
        """Who agreed to the call as it stands, or denied it; empty while nobody has."""
        verdict = "deny" if self.state == "denied" else None
        return ", ".join(
            each.reviewer
            for each in self.signatures
            if (each.decision == verdict if verdict else each.digest == self.digest)
        )

    @property
    def wait_ms(self) -> float | None:
        """From question to decision; None while it waits."""
        return None if self.decided_at is None else (self.decided_at - self.asked_at) * 1000

    def to_json(self) -> dict[str, Any]:
        """For machines: everything but the schema and the context."""
        proposal = asdict(self.proposal)
        shown = ("reason", "draft", "claims", "risk", "recommendation", "why", "concerns")
        return {
            "id": self.id,
            "run_id": self.run_id,
            "agent": self.context.get("agent"),
            "kind": self.kind,
            "state": self.state,
            "tool": self.proposal.tool,
            "arguments": self.arguments,
            "proposed_arguments": self.proposal.arguments,
            **{name: proposal[name] for name in shown},
            "signatures": [asdict(each) for each in self.signatures],
            "decision_reason": self.reason or None,
            "asked_at": self.asked_at,
            "decided_at": self.decided_at,
            "wait_ms": self.wait_ms,
        }


def same_person(one: str, other: str) -> bool:
    """Whether two names are one: case, spaces and look-alike forms of letters do not count."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
