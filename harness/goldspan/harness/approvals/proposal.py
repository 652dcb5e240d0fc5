"""What a reviewer is shown, and what a reviewer says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

DecisionKind: TypeAlias = Literal["approve", "edit", "deny"]
ApprovalKind: TypeAlias = Literal["reviewer", "two-reviewers", "user"]


@dataclass(frozen=True)
class Proposal:
    """One call that waits for a person: what would be done, on what evidence, at what risk.

    `reason` is the agent's, `why` the guard's: what made it ask. `kind` says who must answer: a
    reviewer, two of them, or the user whom `concerns` names. `schema` is that of the arguments,
    `rule` the rule that the call was judged by: a correction is held to both.
    """

    id: str
    run_id: str
    tool: str
    arguments: dict[str, Any]
    reason: str | None = None
    draft: str | None = None
    claims: list[dict[str, Any]] = field(default_factory=list)
    risk: str | None = None
    recommendation: str | None = None
    why: str | None = None
    kind: ApprovalKind = "reviewer"
    concerns: str | None = None
    confidence: str | None = None
    schema: dict[str, Any] | None = None
    rule: dict[str, Any] | None = None

    @property
    def shown(self) -> str:
        """Digest of what a reviewer judges by, as `shown_digest` makes it."""
        return shown_digest(self.draft, self.claims)


def shown_digest(draft: str | None, claims: list[dict[str, Any]]) -> str:
    """SHA-256 over draft and claims, 32 hex digits: what a call's arguments may only point at."""
    text = json.dumps([draft, claims], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Decision:
    """A reviewer's answer. `arguments` replace the call's where the kind is `edit`.

    `approval` is the ledger's approval that the call uses up; None where it was decided here.
    `shown` is the digest of the draft and claims that were approved as they were shown. `told` says
    that the event of the decision is sent by whoever took it down, with the time that it has.
    """

    kind: DecisionKind
    reviewer: str
    reason: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    approval: str | None = None
    shown: str | None = None
    told: bool = False


class Approver(Protocol):
    """Whoever can be asked during a run. None means that nobody is there: the run pauses."""

    async def decide(self, proposal: Proposal) -> Decision | None:
        """Decide now, or return None."""
        ...


@dataclass(frozen=True)
class NamedApprover:
    """Always decides the same: the approver that a golden case names."""

    kind: DecisionKind | Literal["none"] = "none"
    edit: dict[str, Any] = field(default_factory=dict)
    reviewer: str = "case"

    async def decide(self, proposal: Proposal) -> Decision | None:
        """The named decision. An edit changes only the arguments that it names."""
        if self.kind == "none":
            return None
        if self.kind == "edit":
            changed = {**proposal.arguments, **self.edit}
            return Decision("edit", self.reviewer, "corrected by the reviewer", changed)
        reason = "the reviewer said no" if self.kind == "deny" else ""
        return Decision(self.kind, self.reviewer, reason)
