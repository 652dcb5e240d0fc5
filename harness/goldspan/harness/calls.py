"""Tool calls: judged by the guards, approved where a person must, made, recorded."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from goldspan.harness.approvals import Approver, Decision, Proposal
from goldspan.harness.contract import Usage
from goldspan.harness.guards import Guard, first_objection, record_verdict
from goldspan.harness.protocol import Call
from goldspan.harness.result import Ended, Step
from goldspan.harness.tools import Tool, ToolContext, ToolError, result_text, seeded
from goldspan.tracing import semconv
from goldspan.tracing.recorder import Recorder


@dataclass
class ToolCalls:
    """The calls of one run, and what came of them."""

    run_id: str
    tools: dict[str, Tool]
    guards: Sequence[Guard]
    approver: Approver
    usage: Usage
    recorder: Recorder
    workspace: Path
    now: datetime
    scope: str
    steps: list[Step] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    _made: Counter[str] = field(default_factory=Counter)

    async def make(self, call: Call, reason: str | None) -> str:
        """Make one call; returns the text that the model is told: the result, or the error.

        Raises `Ended` where a guard stops the run or nobody is there to approve.
        """
        tool = self.tools.get(call.name)
        verdict = first_objection(self.guards, call, tool)
        record_verdict(self.recorder, verdict, call)
        if verdict.ruling == "stop":
            self.recorder.event(
                semconv.INCIDENT,
                {
                    semconv.INCIDENT_KIND: f"guard:{verdict.guard}",
                    semconv.INCIDENT_SEVERITY: "warning",
                    semconv.INCIDENT_TOOL: call.name,
                    semconv.REASON: verdict.reason,
                },
            )
            raise Ended("aborted", verdict.reason)
        if verdict.ruling == "deny" or tool is None:
            self.steps.append(Step(call.id, call.name, call.arguments, None, "Denied", reason))
            return result_text({"error": verdict.reason})
        return await self._execute(call, tool, reason, asks=verdict.ruling == "pause")

    async def _execute(self, call: Call, tool: Tool, reason: str | None, *, asks: bool) -> str:
        nth = self._made[tool.name]
        self._made[tool.name] += 1
        self.usage.tool_calls += 1
        rng = seeded(self.scope, tool.name, nth)
        context = ToolContext(self.workspace, self.run_id, rng, self.now, nth)
        arguments = call.arguments
        try:
            parsed = tool.parse(arguments)
            if asks:
                decision = await self._approval(call, tool, context, reason)
                if decision.kind == "deny":
                    raise ToolError(f"denied by a person: {decision.reason}", error_type="Denied")
                if decision.kind == "edit":
                    arguments = decision.arguments
                    parsed = tool.parse(arguments)
            result = await self._run(tool, context, call.id, parsed, arguments)
        except ToolError as error:
            step = Step(call.id, tool.name, arguments, str(error), error.error_type, reason)
            self.steps.append(step)
            return result_text({"error": str(error)})
        self.steps.append(Step(call.id, tool.name, arguments, result, None, reason))
        if tool.artifact is not None:
            self._artifact(tool.artifact, tool.name, result)
        return result_text(result)

    async def _run(
        self, tool: Tool, context: ToolContext, call_id: str, parsed: BaseModel, arguments: Any
    ) -> Any:
        failure: ToolError | None = None
        with self.recorder.tool(tool.name, call_id=call_id, arguments=arguments) as span:
            try:
                result = await tool.call(context, parsed)
                span.set_result(result)
            except ToolError as error:
                failure = error
                span.fail(error.error_type, str(error))
        if failure is not None:
            raise failure
        return result

    async def _approval(
        self, call: Call, tool: Tool, context: ToolContext, reason: str | None
    ) -> Decision:
        seen = tool.preview(context, call.arguments) if tool.preview is not None else {}
        name = f"{self.run_id}/{call.id}"
        proposal = Proposal(
            id=uuid.uuid5(uuid.NAMESPACE_URL, name).hex,
            run_id=self.run_id,
            tool=tool.name,
            arguments=call.arguments,
            reason=reason,
            **seen,
        )
        asked: dict[str, Any] = {
            semconv.APPROVAL_ID: proposal.id,
            semconv.APPROVAL_KIND: "reviewer",
            semconv.APPROVAL_TOOL: tool.name,
            semconv.APPROVAL_ARGUMENTS: json.dumps(call.arguments, ensure_ascii=False),
            semconv.APPROVAL_DRAFT: proposal.draft,
            semconv.APPROVAL_CLAIMS: json.dumps(proposal.claims, ensure_ascii=False),
            semconv.APPROVAL_RISK: proposal.risk,
            semconv.APPROVAL_RECOMMENDATION: proposal.recommendation or proposal.reason,
        }
        self.recorder.event(semconv.APPROVAL_REQUESTED, asked)
        started = asyncio.get_running_loop().time()
        decision = await self.approver.decide(proposal)
        if decision is None:
            waiting = Step(call.id, tool.name, call.arguments, None, "AwaitingApproval", reason)
            self.steps.append(waiting)
            why = f"{tool.name} waits for a reviewer (approval {proposal.id[:12]})"
            self.recorder.event(
                semconv.RUN_PAUSED, {semconv.REASON: why, semconv.APPROVAL_ID: proposal.id}
            )
            raise Ended("paused", why)
        waited = (asyncio.get_running_loop().time() - started) * 1000
        self.recorder.event(
            semconv.APPROVAL_DECIDED,
            {
                semconv.APPROVAL_ID: proposal.id,
                semconv.APPROVAL_TOOL: tool.name,
                semconv.APPROVAL_DECISION: decision.kind,
                semconv.APPROVAL_REVIEWER: decision.reviewer,
                semconv.APPROVAL_WAIT_MS: waited,
                semconv.REASON: decision.reason or None,
            },
        )
        return decision

    def _artifact(self, name: str, tool: str, result: Any) -> None:
        body = result_text(result).encode()
        made = {"name": name, "kind": tool, "sha256": hashlib.sha256(body).hexdigest()}
        self.artifacts.append(made)
        self.recorder.event(
            semconv.ARTIFACT,
            {
                semconv.ARTIFACT_NAME: name,
                semconv.ARTIFACT_KIND: tool,
                semconv.ARTIFACT_SHA256: made["sha256"],
            },
        )
