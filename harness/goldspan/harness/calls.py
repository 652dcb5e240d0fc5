"""Tool calls: judged by the guards, approved where a person must, admitted, made, recorded.

The order is the point. The step's number is drawn first, the intent is durable in the ledger before
the effect begins, and the effect is one recorded step. After a crash an intent without a recorded
result means that nobody knows: the tool is asked by the call's key, else a person is.
"""

from __future__ import annotations

import hashlib
import inspect
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel

from goldspan.harness.admission import Admissions
from goldspan.harness.approvals.review import Review
from goldspan.harness.contract import Usage
from goldspan.harness.failure.error_classes import UnknownOutcomeError
from goldspan.harness.failure.fallback import Fallback
from goldspan.harness.guards import (
    Guard,
    OutputRejected,
    Verdict,
    first_objection,
    observe_result,
    record_verdict,
    verify_result,
)
from goldspan.harness.ledger import Admission, Intent
from goldspan.harness.models.protocol import Call
from goldspan.harness.result import Ended, Step
from goldspan.harness.steps import Attempts, Once, Park, Parked, StepRunner
from goldspan.harness.tools import JsonValue, Tool, ToolContext, ToolError, result_text, seeded
from goldspan.tracing import semconv
from goldspan.tracing.recorder import Recorder


@dataclass
class ToolCalls:
    """The calls of one run, and what came of them."""

    tools: dict[str, Tool]
    guards: Sequence[Guard]
    review: Review
    admissions: Admissions
    usage: Usage
    recorder: Recorder
    workspace: Path
    now: datetime
    scope: str
    attempts: Attempts = field(default_factory=Once)
    fallback: Fallback | None = None
    steps: list[Step] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    _made: Counter[str] = field(default_factory=Counter)
    _numbers: int = 0

    async def make(self, call: Call, reason: str | None) -> str:
        """Make one call; returns the text that the model is told: the result, or the error.

        Raises `Ended` where a guard stops the run, or where it must wait.
        """
        number, self._numbers = self._numbers, self._numbers + 1
        runner = self.admissions.engine.reserve(f"tool:{call.name}")
        tool = self.tools.get(call.name)
        verdict = first_objection(self.guards, call, tool)
        record_verdict(self.admissions.events, verdict, call)
        if tool is None or verdict.ruling in ("deny", "stop"):
            action = tool.action_class if tool is not None else "none"
            intent = self.admissions.intent(number, call.name, call.arguments, action)
            standing = await self.admissions.refuse(intent, verdict)
            if tool is None or standing.standing == "refused":
                return self._refused(call, reason, verdict)
        try:
            return await self._execute(call, tool, reason, number, verdict, runner)
        except ToolError as error:
            step = Step(call.id, tool.name, call.arguments, str(error), error.error_type, reason)
            self.steps.append(step)
            return self._told(call, str(error), error.error_type, retryable=False)

    async def _execute(
        self,
        call: Call,
        tool: Tool,
        reason: str | None,
        number: int,
        verdict: Verdict,
        runner: StepRunner,
    ) -> str:
        nth = self._made[tool.name]
        self._made[tool.name] += 1
        self.usage.tool_calls += 1
        rng = seeded(self.scope, tool.name, nth)
        context = ToolContext(self.workspace, self.admissions.run_id, rng, self.now, nth)
        tool.parse(call.arguments)
        decision = None
        if verdict.ruling == "allow":
            await self.review.let_go(call, tool, context, reason)
        if verdict.ruling == "pause":
            decision = await self.review.decide(
                call, tool, context, reason, verdict, lambda: self._waits(call, reason)
            )
            if decision.kind == "deny":
                raise ToolError(f"denied by a person: {decision.reason}", error_type="Denied")
            if decision.kind == "edit":
                call = replace(call, arguments=decision.arguments)
                verdict = first_objection(self.guards, call, tool)
                record_verdict(self.admissions.events, verdict, call)
                if verdict.ruling in ("deny", "stop"):
                    return self._refused(call, reason, verdict)
            await self.review.pass_gate(call, tool, context, decision, self.steps, self.artifacts)
        approval = decision.approval if decision is not None else None
        intent = self.admissions.intent(
            number, tool.name, call.arguments, tool.action_class, approval
        )
        parsed = tool.parse(call.arguments)
        admission = await self.admissions.admit(intent, verdict.wants)
        if admission.standing == "refused":
            refused = Verdict(admission.guard, admission.ruling, admission.reason)
            record_verdict(self.admissions.events, refused, call)
            return self._refused(call, reason, refused)
        if decision is not None:
            self.review.used(decision, intent)
        context = replace(context, key=intent.key, record=self.recorder.event)
        outcome = await self._recorded(runner, tool, context, call, parsed, intent, admission)
        if "rejected" in outcome:
            return self._refused(call, reason, Verdict(*outcome["rejected"]))
        if "error" in outcome:
            error, kind = outcome["error"], outcome["error_type"]
            observe_result(self.guards, call, tool, {"error": error})
            self.steps.append(Step(call.id, tool.name, call.arguments, error, kind, reason))
            return self._told(call, error, kind, retryable=outcome.get("retryable", False))
        result = outcome["result"]
        if self.fallback is not None:
            self.fallback.worked(call)
        observe_result(self.guards, call, tool, result)
        self.steps.append(Step(call.id, tool.name, call.arguments, result, None, reason))
        if tool.artifact is not None:
            self._artifact(tool.artifact, tool.name, result)
        return result_text(result)

    async def _recorded(
        self,
        runner: StepRunner,
        tool: Tool,
        context: ToolContext,
        call: Call,
        parsed: BaseModel,
        intent: Intent,
        admission: Admission,
    ) -> dict[str, Any]:
        """The effect as one step: `result`, or `error` and `error_type`."""
        here = False

        async def attempt(nth: int) -> JsonValue:
            return await self._attempt(tool, context, call, parsed, nth)

        async def ask() -> Mapping[str, Any] | None:
            return await _asked(tool, context, parsed)

        async def work() -> JsonValue:
            nonlocal here
            here, started = True, time.monotonic()
            outcome: dict[str, Any] | None = None
            if not admission.fresh:
                outcome = await self._earlier(tool, context, call, parsed, intent)
            if outcome is None:
                try:
                    made = await self.attempts.run(intent, attempt, ask if tool.ask else None)
                    outcome = {"result": made}
                except UnknownOutcomeError as error:
                    await self._unknown(tool, intent, str(error))
                except OutputRejected as error:
                    outcome = self._rejected(error, call, intent)
                except ToolError as error:
                    outcome = {
                        "error": str(error),
                        "error_type": error.error_type,
                        "retryable": error.retryable,
                    }
            return {**(outcome or {}), "seconds": time.monotonic() - started}

        outcome: Any = await runner(work)
        if not here:
            self.usage.started -= outcome["seconds"]
        return dict(outcome)

    async def _attempt(
        self, tool: Tool, context: ToolContext, call: Call, parsed: BaseModel, nth: int
    ) -> JsonValue:
        failure: ToolError | None = None
        about = {semconv.CALL_KEY: context.key, semconv.RUN_ATTEMPT: nth if nth > 1 else None}
        with self.recorder.tool(
            tool.name, call_id=call.id, arguments=call.arguments, attributes=about
        ) as span:
            try:
                result = await tool.call(context, parsed)
                span.set_result(result)
                verify_result(self.guards, call, tool, result)
            except ToolError as error:
                failure = error
                span.fail(error.error_type, str(error))
        if failure is not None:
            raise failure
        return result

    def _rejected(self, error: OutputRejected, call: Call, intent: Intent) -> dict[str, Any]:
        """What becomes of a call whose output is not whole. Raises `Parked` where a person must
        say what it should have been."""
        record_verdict(self.recorder, error.verdict, call)
        if error.verdict.ruling == "pause":
            park = Park("unknown", intent.key, error.verdict.reason)
            self.admissions.waiting(park)
            raise Parked(park)
        if error.verdict.ruling == "stop":
            return {"rejected": [error.verdict.guard, "stop", error.verdict.reason]}
        return {"error": str(error), "error_type": error.error_type}

    async def _earlier(
        self, tool: Tool, context: ToolContext, call: Call, parsed: BaseModel, intent: Intent
    ) -> dict[str, Any] | None:
        """What a call returned whose intent an earlier life of the run wrote down and whose result
        it did not; None where it is to be made. Raises `Parked` where a person must say."""
        ledger = self.admissions.ledger
        said = await self.admissions.engine.transact(lambda: ledger.take_resolution(intent.key))
        how = "repeated"
        found: Mapping[str, Any] | None = None
        if said is not None and "result" in said:
            how, found = "person", said
        elif tool.action_class == "read":
            pass
        elif tool.ask is not None:
            how, found = "asked", await _asked(tool, context, parsed)
        elif said is None:
            await self._unknown(tool, intent, "the process died")
        else:
            how = "person"
        about = {semconv.TOOL_NAME: tool.name, semconv.CALL_KEY: intent.key}
        self.recorder.event(semconv.CALL_RECOVERED, {**about, semconv.CALL_RECOVERY: how})
        if found is None:
            return None
        about = {semconv.CALL_KEY: intent.key, semconv.CALL_RECOVERY: how}
        with self.recorder.tool(
            tool.name, call_id=call.id, arguments=call.arguments, attributes=about
        ) as span:
            span.set_result(found["result"])
        return {"result": found["result"]}

    async def _unknown(self, tool: Tool, intent: Intent, why: str) -> NoReturn:
        """Wait for a person to say what became of a call."""
        park = Park(
            "unknown",
            intent.key,
            f"nobody knows whether {tool.name} was done ({why}): say what became of call"
            f" {intent.key}",
        )
        self.admissions.waiting(park)
        raise Parked(park)

    def _told(self, call: Call, error: str, kind: str, *, retryable: bool) -> str:
        if self.fallback is None:
            return result_text({"error": error})
        return result_text(self.fallback.failed(call, error, kind, retryable=retryable))

    def _refused(self, call: Call, reason: str | None, verdict: Verdict) -> str:
        """Tell the model of a `deny`. Raises `Ended` for a `stop`, which is an incident."""
        if verdict.ruling == "stop":
            self.admissions.events.event(
                semconv.INCIDENT,
                {
                    semconv.INCIDENT_KIND: f"guard:{verdict.guard}",
                    semconv.INCIDENT_SEVERITY: "warning",
                    semconv.INCIDENT_TOOL: call.name,
                    semconv.REASON: verdict.reason,
                },
            )
            raise Ended("aborted", verdict.reason)
        self.steps.append(Step(call.id, call.name, call.arguments, None, "Denied", reason))
        if self.fallback is None:
            return result_text({"error": verdict.reason})
        return result_text(self.fallback.refused(call, verdict.guard, verdict.reason))

    def _waits(self, call: Call, reason: str | None) -> None:
        waiting = Step(call.id, call.name, call.arguments, None, "AwaitingApproval", reason)
        self.steps.append(waiting)

    def _artifact(self, name: str, tool: str, result: Any) -> None:
        body = result_text(result).encode()
        made = {"name": name, "kind": tool, "sha256": hashlib.sha256(body).hexdigest()}
        self.artifacts.append(made)
        self.admissions.events.event(
            semconv.ARTIFACT,
            {
                semconv.ARTIFACT_NAME: name,
                semconv.ARTIFACT_KIND: tool,
                semconv.ARTIFACT_SHA256: made["sha256"],
            },
        )


async def _asked(tool: Tool, context: ToolContext, parsed: BaseModel) -> Mapping[str, Any] | None:
    """What the tool says of an earlier call of the same key."""
    found = tool.ask(context, parsed) if tool.ask is not None else None
    if inspect.isawaitable(found):
        found = await found
    return found
