"""Asks a person about one call: what is proposed, and what was decided."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from goldspan.harness.admission import Admissions
from goldspan.harness.approvals import Approver, Decision, Proposal
from goldspan.harness.protocol import Call
from goldspan.harness.steps import Park
from goldspan.harness.tools import JsonValue, Tool, ToolContext, ToolError
from goldspan.tracing import semconv


@dataclass(frozen=True)
class Review:
    """How one run asks for approval."""

    approver: Approver
    admissions: Admissions

    async def decide(
        self,
        call: Call,
        tool: Tool,
        context: ToolContext,
        reason: str | None,
        waits: Callable[[], None],
    ) -> Decision:
        """The decision on a call. Raises `Ended` where nobody has decided yet, after `waits`, and
        `ToolError` where the tool cannot say what it would do."""
        events = self.admissions.events
        name = f"{context.run_id}/{call.id}"
        approval = uuid.uuid5(uuid.NAMESPACE_URL, name).hex
        park = Park(
            "approval", approval, f"{tool.name} waits for a reviewer (approval {approval[:12]})"
        )

        async def ready() -> JsonValue:
            try:
                seen = tool.preview(context, call.arguments) if tool.preview is not None else {}
            except ToolError as error:
                return {"error": str(error), "error_type": error.error_type}
            proposal = Proposal(
                id=approval,
                run_id=context.run_id,
                tool=tool.name,
                arguments=call.arguments,
                reason=reason,
                **seen,
            )
            events.about(approval, semconv.APPROVAL_REQUESTED, _asked(proposal))
            started = asyncio.get_running_loop().time()
            decision = await self.approver.decide(proposal)
            if decision is None:
                waits()
                self.admissions.waiting(park)
                return None
            waited = (asyncio.get_running_loop().time() - started) * 1000
            return {"decision": asdict(decision), "wait_ms": waited}

        recorded: Any = await self.admissions.engine.park(park, ready)
        if "error" in recorded:
            raise ToolError(recorded["error"], error_type=recorded["error_type"])
        decision = Decision(**recorded["decision"])
        decided = {
            semconv.APPROVAL_ID: approval,
            semconv.APPROVAL_TOOL: tool.name,
            semconv.APPROVAL_DECISION: decision.kind,
            semconv.APPROVAL_REVIEWER: decision.reviewer,
            semconv.APPROVAL_WAIT_MS: recorded["wait_ms"],
            semconv.REASON: decision.reason or None,
        }
        events.about(approval, semconv.APPROVAL_DECIDED, decided)
        return decision


def _asked(proposal: Proposal) -> dict[str, Any]:
    return {
        semconv.APPROVAL_ID: proposal.id,
        semconv.APPROVAL_KIND: "reviewer",
        semconv.APPROVAL_TOOL: proposal.tool,
        semconv.APPROVAL_ARGUMENTS: json.dumps(proposal.arguments, ensure_ascii=False),
        semconv.APPROVAL_DRAFT: proposal.draft,
        semconv.APPROVAL_CLAIMS: json.dumps(proposal.claims, ensure_ascii=False),
        semconv.APPROVAL_RISK: proposal.risk,
        semconv.APPROVAL_RECOMMENDATION: proposal.recommendation or proposal.reason,
    }
