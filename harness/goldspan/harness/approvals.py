"""Approvals: what a reviewer is shown, and what a reviewer says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

DecisionKind: TypeAlias = Literal["approve", "edit", "deny"]


@dataclass(frozen=True)
class Proposal:
    """One call that waits for a person: what would be done, on what evidence, at what risk."""

    id: str
    run_id: str
    tool: str
    arguments: dict[str, Any]
    reason: str | None = None
    draft: str | None = None
    claims: list[dict[str, Any]] = field(default_factory=list)
    risk: str | None = None
    recommendation: str | None = None


@dataclass(frozen=True)
class Decision:
    """A reviewer's answer. `arguments` replace the call's where the kind is `edit`.

    `approval` is the ledger's approval that the call uses up; None where it was decided here.
    """

    kind: DecisionKind
    reviewer: str
    reason: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    approval: str | None = None


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
