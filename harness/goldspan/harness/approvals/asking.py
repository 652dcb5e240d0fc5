"""The approver of durable runs: it asks in the ledger, and answers once people have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from opentelemetry.trace import get_current_span

from goldspan.harness.approvals.proposal import Decision, Proposal
from goldspan.harness.approvals.record import Approval
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.ledger import call_digest
from goldspan.tracing import semconv
from goldspan.tracing.recording import shared_attributes

Transact: TypeAlias = Callable[[Callable[[], Approval]], Awaitable[Approval]]


@dataclass(frozen=True)
class LedgerApprover:
    """Whoever decides through the command line or the dashboard, now or in some days. `transact`
    asks the database: a durable run's steps insist where it is away."""

    approvals: Approvals
    transact: Transact = asyncio.to_thread

    async def decide(self, proposal: Proposal) -> Decision | None:
        """What was decided, or None after the question was put. The row in the ledger is the
        truth: a run that asks again after a crash asks nobody twice."""
        context = context_here()
        found = await self.transact(lambda: self.approvals.ask(proposal, context))
        return _decision(found, proposal)


def context_here() -> dict[str, Any]:
    """Whose run this is, and in which span it is: so that events which another process sends about
    it later stand beside its own."""
    attributes = dict(shared_attributes())
    span = get_current_span().get_span_context()
    return {
        "attributes": attributes,
        "agent": attributes.get(semconv.AGENT_NAME),
        "trace_id": f"{span.trace_id:032x}" if span.is_valid else None,
        "span_id": f"{span.span_id:016x}" if span.is_valid else None,
    }


def _decision(found: Approval, proposal: Proposal) -> Decision | None:
    if found.state == "asked":
        return None
    asked = found.proposal
    decision = Decision("approve", found.reviewer, found.reason, approval=found.id, told=True)
    if call_digest(asked.tool, asked.arguments) != call_digest(proposal.tool, proposal.arguments):
        why = "another call was decided under this name: propose it again"
        return replace(decision, kind="deny", reason=why)
    if found.state == "denied":
        return replace(decision, kind="deny")
    if found.edited:
        return replace(decision, kind="edit", arguments=found.arguments)
    return replace(decision, shown=asked.shown)
