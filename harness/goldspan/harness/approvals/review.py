"""Asks a person about one call: what is proposed, what was decided, whether that still holds."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from goldspan.harness.admission import Admissions
from goldspan.harness.approvals import Approver, Decision, Proposal, events
from goldspan.harness.approvals.asking import context_here
from goldspan.harness.approvals.last_gate import LastGate
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.approvals.rules import ApprovalRule, ApprovalRules, Route, as_read
from goldspan.harness.failure.apart import apart
from goldspan.harness.guards import Verdict, record_verdict
from goldspan.harness.ledger import Intent
from goldspan.harness.models.protocol import Call
from goldspan.harness.result import Step
from goldspan.harness.steps import Park
from goldspan.harness.tools import JsonValue, Tool, ToolContext, ToolError, result_text
from goldspan.tracing import semconv


@dataclass(frozen=True)
class Review:
    """How one run asks for approval, and by which rules."""

    approver: Approver
    admissions: Admissions
    rules: ApprovalRules = field(default_factory=ApprovalRules)
    gate: LastGate = field(default_factory=LastGate)

    async def decide(
        self,
        call: Call,
        tool: Tool,
        context: ToolContext,
        reason: str | None,
        verdict: Verdict,
        waits: Callable[[], None],
    ) -> Decision:
        """The decision on a call that `verdict` made wait. Raises `Ended` where nobody has decided
        yet, after `waits`, and `ToolError` where the tool cannot say what it would do."""
        emitted = self.admissions.events
        approval = _approval_id(context, call)
        park = Park(
            "approval", approval, f"{tool.name} waits for a reviewer (approval {approval[:12]})"
        )

        async def ready() -> JsonValue:
            try:
                seen = (
                    {}
                    if tool.preview is None
                    else await apart(tool.preview, context, call.arguments, leave_at=0)
                )
            except ToolError as error:
                return {"error": str(error), "error_type": error.error_type}
            proposal = self._proposal(approval, call, tool, context, reason, verdict.reason, seen)
            emitted.about(approval, semconv.APPROVAL_REQUESTED, events.asked(proposal))
            started = asyncio.get_running_loop().time()
            decision = await self.approver.decide(proposal)
            if decision is None:
                waits()
                self.admissions.waiting(park)
                return None
            waited = (asyncio.get_running_loop().time() - started) * 1000
            return {"decision": asdict(decision), "wait_ms": waited}

        # A run may wait for days: what it has used so far counts as that from now on.
        await self.admissions.flush()
        recorded: Any = await self.admissions.engine.park(park, ready)
        if "error" in recorded:
            raise ToolError(recorded["error"], error_type=recorded["error_type"])
        decision = Decision(**recorded["decision"])
        if not decision.told:
            said = events.decided(
                self._proposal(approval, call, tool, context, reason, verdict.reason, {}),
                decision.kind,
                decision.reviewer,
                wait_ms=recorded["wait_ms"],
                reason=decision.reason,
                arguments=decision.arguments if decision.kind == "edit" else None,
            )
            emitted.about(approval, semconv.APPROVAL_DECIDED, said)
        return decision

    async def pass_gate(
        self,
        call: Call,
        tool: Tool,
        context: ToolContext,
        decision: Decision,
        steps: list[Step],
        artifacts: list[dict[str, Any]],
    ) -> None:
        """Check once more what was approved a while ago. Raises `ToolError` with what stands
        against it now; the approval is not used up then. What was decided within the run, a moment
        ago, passes."""
        if decision.approval is None:
            return
        runner = self.admissions.engine.reserve("last gate")

        async def work() -> JsonValue:
            faults = partial(
                self.gate.faults,
                tool,
                context,
                call.arguments,
                decision,
                results=[result_text(step.result) for step in steps if step.result is not None],
                artifacts=artifacts,
            )
            found: JsonValue = await apart(faults, leave_at=0)
            return found

        # A step: in a later life the world is changed by the very call that is judged here.
        found: Any = await runner(work)
        reason = "; ".join(found)
        verdict = Verdict("last gate", "deny" if found else "allow", reason)
        record_verdict(self.admissions.events, verdict, call)
        if found:
            raise ToolError(f"approved, but not made: {reason}", error_type="LastGate")

    async def let_go(
        self, call: Call, tool: Tool, context: ToolContext, reason: str | None
    ) -> None:
        """Note a call that its rule let go without a person; a share of them is looked at later.

        Which ones is drawn from the run and the call: the same in every life of the run.
        """
        route: Route = self.rules.route(call, tool)
        if route.way != "auto":
            return
        approval = _approval_id(context, call)
        sampled = draw(approval) < route.rule.review_share
        proposal = self._proposal(approval, call, tool, context, reason, route.reason, {})
        said = events.automatic(proposal, sampled=sampled)
        self.admissions.events.about(approval, semconv.APPROVAL_AUTO, said)
        book, here = Approvals(self.admissions.ledger), context_here()
        await self.admissions.engine.transact(lambda: book.let_go(proposal, here, sampled=sampled))

    def used(self, decision: Decision, intent: Intent) -> None:
        """Say in the trace that the call which was approved goes ahead now."""
        if decision.approval is None:
            return
        about = {
            semconv.APPROVAL_ID: decision.approval,
            semconv.APPROVAL_TOOL: intent.tool,
            semconv.APPROVAL_REVIEWER: decision.reviewer,
            semconv.CALL_KEY: intent.key,
        }
        self.admissions.events.about(decision.approval, semconv.APPROVAL_USED, about)

    def _proposal(
        self,
        approval: str,
        call: Call,
        tool: Tool,
        context: ToolContext,
        reason: str | None,
        why: str,
        seen: dict[str, Any],
    ) -> Proposal:
        rule = self.rules.rules.get(call.name)
        kind, concerns = (rule or ApprovalRule()).who(as_read(call.arguments, tool))
        return Proposal(
            id=approval,
            run_id=context.run_id,
            tool=tool.name,
            arguments=call.arguments,
            reason=reason,
            why=why or None,
            kind=kind,
            concerns=concerns,
            confidence=None if call.confidence is None else str(call.confidence),
            schema=tool.json_schema(),
            rule=None if rule is None else rule.model_dump(mode="json"),
            **seen,
        )


def _approval_id(context: ToolContext, call: Call) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{context.run_id}/{call.id}").hex


def draw(approval: str) -> float:
    """A number from 0 to 1 that the approval's id decides, evenly."""
    return int.from_bytes(hashlib.sha256(approval.encode()).digest()[:7], "big") / 2**56
