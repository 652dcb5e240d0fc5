"""Asks people about calls of wrapped tools, by the policy's rules; looks again before the call."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from goldspan.harness.approvals import Approver, Decision, Proposal, events
from goldspan.harness.approvals.asking import context_here
from goldspan.harness.approvals.last_gate import LastGate
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.approvals.review import draw
from goldspan.harness.approvals.rules import ApprovalRule, ApprovalRules, as_read
from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.models.protocol import Call
from goldspan.harness.run_events import RunEvents
from goldspan.harness.tools import JsonValue, Tool, ToolContext, result_text, seeded
from goldspan.tracing import semconv
from goldspan.tracing.errors import InputError
from goldspan.tracing.recorder import Recorder

Preview: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Asking:
    """How one run asks. `previews` say by tool what a reviewer sees of a call: any of `draft`,
    `claims`, `risk` and `recommendation`."""

    run_id: str
    ledger: Ledger
    approver: Approver
    rules: ApprovalRules
    previews: Mapping[str, Preview] = field(default_factory=dict)
    recorder: Recorder | None = None
    _used: Counter[str] = field(default_factory=Counter)
    _results: list[str] = field(default_factory=list)

    def proposal(self, call: Call, tool: Tool, why: str) -> Proposal:
        """What a person is asked. A call that was approved and made is another one the next time.
        Raises what the tool's preview raises."""
        rule = self.rules.rules.get(call.name)
        kind, concerns = (rule or ApprovalRule()).who(as_read(call.arguments, tool))
        preview = self.previews.get(call.name)
        return Proposal(
            id=self._id(call),
            run_id=self.run_id,
            tool=call.name,
            arguments=call.arguments,
            why=why or None,
            kind=kind,
            concerns=concerns,
            rule=None if rule is None else rule.model_dump(mode="json"),
            **(preview(call.arguments) if preview is not None else {}),
        )

    async def decide(self, proposal: Proposal) -> Decision | None:
        """What was decided, or None where it is not yet, with the events of both: once each,
        however many lives of the run come by."""
        self._about(proposal.id, semconv.APPROVAL_REQUESTED, events.asked(proposal))
        started = time.perf_counter()
        decision = await self.approver.decide(proposal)
        if decision is None or decision.told:
            return decision
        said = events.decided(
            proposal,
            decision.kind,
            decision.reviewer,
            wait_ms=(time.perf_counter() - started) * 1000,
            reason=decision.reason,
            arguments=decision.arguments if decision.kind == "edit" else None,
        )
        self._about(proposal.id, semconv.APPROVAL_DECIDED, said)
        return decision

    def is_in_ledger(self, proposal: Proposal) -> bool:
        """Whether people can decide it by the command line: its row stands in the policy's
        ledger."""
        try:
            return Approvals(self.ledger).find(proposal.id).state == "asked"
        except InputError:
            return False

    def faults(self, call: Call, tool: Tool, decision: Decision) -> list[str]:
        """What stands now against a call that was approved a while ago."""
        preview = self.previews.get(call.name)
        if decision.approval is None or preview is None:
            return []
        seeing = Tool(
            tool.name,
            tool.description,
            tool.parameters,
            tool.run,
            preview=lambda _context, arguments: preview(arguments),
        )
        rng = seeded(self.run_id, tool.name, 0)
        context = ToolContext(Path(), self.run_id, rng, datetime.now(UTC), 0)
        return LastGate().faults(seeing, context, call.arguments, decision, results=self._results)

    def used(self, proposal: Proposal, decision: Decision, intent: Intent) -> None:
        """The approved call goes ahead."""
        self._used[_named(proposal.tool, proposal.arguments)] += 1
        if decision.approval is None:
            return
        about = {
            semconv.APPROVAL_ID: decision.approval,
            semconv.APPROVAL_TOOL: intent.tool,
            semconv.APPROVAL_REVIEWER: decision.reviewer,
            semconv.CALL_KEY: intent.key,
        }
        self._about(decision.approval, semconv.APPROVAL_USED, about)

    def let_go(self, call: Call, tool: Tool, intent: Intent) -> None:
        """Note a call that its rule let go without a person; a share of them is looked at later."""
        route = self.rules.route(call, tool)
        if route.way != "auto":
            return
        proposal = self.proposal(call, tool, route.reason)
        # Several of the same may go by themselves: each is looked at for itself.
        proposal = Proposal(**{**vars(proposal), "id": _uuid(intent.key)})
        sampled = draw(proposal.id) < route.rule.review_share
        said = events.automatic(proposal, sampled=sampled)
        self._about(proposal.id, semconv.APPROVAL_AUTO, said)
        if not self.ledger.database.in_memory:
            Approvals(self.ledger).let_go(proposal, context_here(), sampled=sampled)

    def seen(self, result: JsonValue) -> None:
        """Keep what a call returned, where a claim may rest on it."""
        if self.previews:
            self._results.append(result_text(result))

    def _id(self, call: Call) -> str:
        named = _named(call.name, call.arguments)
        times = self._used[named]
        return _uuid(f"{self.run_id}/{named}" + (f"/{times}" if times else ""))

    def _about(self, approval: str, name: str, said: dict[str, Any]) -> None:
        if self.recorder is None:
            return
        # In a ledger that others share, they send the same events, under the same ids.
        segment = None if self.ledger.database.in_memory else 1
        RunEvents(self.recorder, self.run_id, segment).about(approval, name, said)


def _named(tool: str, arguments: Any) -> str:
    return f"{tool}/{json.dumps(arguments, sort_keys=True)}"


def _uuid(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, name).hex
