"""Tool calls: judged by the guards, approved where a person must, admitted, made, recorded.

The order is the point. The step's number is drawn first, the intent is durable in the ledger before
the effect begins, and the effect is one recorded step. After a crash an intent without a recorded
result means that nobody knows: the tool is asked by the call's key, else a person is.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from goldspan.harness.admission import Admissions
from goldspan.harness.approvals.review import Review
from goldspan.harness.contract import Usage
from goldspan.harness.failure.error_classes import UnknownOutcomeError, may_be_done
from goldspan.harness.failure.fallback import Fallback
from goldspan.harness.failure.recovery import asked, earlier, said_when_cut, unknown
from goldspan.harness.guards import (
    Guard,
    OutputRejected,
    Verdict,
    first_objection,
    observe_result,
    record_verdict,
    verify_result,
)
from goldspan.harness.ledger import Intent
from goldspan.harness.models.protocol import Call
from goldspan.harness.result import Ended, Step
from goldspan.harness.standing import Judged, Over, Ready, Standing
from goldspan.harness.steps import Attempts, Once, Park, Parked
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
    max_seconds: float = math.inf
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
        return await self.go_on(await self.judge(call, reason))

    async def go_on(self, standing: Standing) -> str:
        """Make a call that was judged, and say what `make` says."""
        if isinstance(standing, Judged):
            standing = await self.ready(standing)
        if isinstance(standing, Ready):
            standing = await self.effect(standing)
            self.usage.started -= standing.replayed_s
        return standing.told()

    async def judge(self, call: Call, reason: str | None) -> Judged | Over:
        """Draw a call's numbers, and let the guards judge it. Raises `Ended` where it is refused
        and the run was killed."""
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
        nth = self._made[tool.name]
        self._made[tool.name] += 1
        self.usage.tool_calls += 1
        rng = seeded(self.scope, tool.name, nth)
        context = ToolContext(self.workspace, self.admissions.run_id, rng, self.now, nth)
        try:
            tool.parse(call.arguments)
        except ToolError as error:
            return self._failed(call, reason, str(error), error.error_type)
        return Judged(call, tool, context, number, runner, verdict, reason)

    async def ready(self, judged: Judged) -> Ready | Over:
        """Ask a person where that is due, and admit a call. Raises `Ended` where the run waits."""
        call, reason, verdict = judged.call, judged.reason, judged.verdict
        tool, context = judged.tool, judged.context
        decision = None
        if verdict.ruling == "allow":
            await self.review.let_go(call, tool, context, reason)
        if verdict.ruling == "pause":
            try:
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
                    tool.parse(call.arguments)
                await self.review.pass_gate(
                    call, tool, context, decision, self.steps, self.artifacts
                )
            except ToolError as error:
                return self._failed(judged.call, reason, str(error), error.error_type)
        approval = decision.approval if decision is not None else None
        intent = self.admissions.intent(
            judged.number, tool.name, call.arguments, tool.action_class, approval
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
        return Ready(call, tool, context, parsed, intent, admission, judged.runner, reason)

    async def effect(self, ready: Ready) -> Over:
        """Make an admitted call, as one step. Draws nothing: several may be under way."""
        outcome, here = await self._recorded(ready)
        replayed_s = 0.0 if here else outcome["seconds"]
        call, reason = ready.call, ready.reason
        if "rejected" in outcome:
            return self._refused(call, reason, Verdict(*outcome["rejected"]), replayed_s)
        return Over(lambda: self._made_known(ready, outcome), replayed_s=replayed_s)

    def _made_known(self, ready: Ready, outcome: Mapping[str, Any]) -> str:
        """Write down what a call brought; in the order of the calls."""
        call, tool, reason = ready.call, ready.tool, ready.reason
        if "error" in outcome:
            error, kind = outcome["error"], outcome["error_type"]
            observe_result(self.guards, call, tool, {"error": error})
            again = outcome.get("retryable", False)
            return self._failed(call, reason, error, kind, retryable=again).told()
        result = outcome["result"]
        if self.fallback is not None:
            self.fallback.worked(call)
        observe_result(self.guards, call, tool, result)
        self.steps.append(Step(call.id, tool.name, call.arguments, result, None, reason))
        if tool.artifact is not None:
            self._artifact(tool.artifact, tool.name, result)
        return result_text(result)

    async def _recorded(self, ready: Ready) -> tuple[dict[str, Any], bool]:
        """The effect as one step: `result`, or `error` and `error_type`; and whether it was made
        in this life of the run."""
        call, tool, context = ready.call, ready.tool, ready.context
        parsed, intent = ready.parsed, ready.intent
        here = begun = False

        async def attempt(nth: int) -> JsonValue:
            nonlocal begun
            begun = True
            try:
                return await self._attempt(ready, nth)
            except BaseException as error:
                begun = may_be_done(error)
                raise

        async def ask() -> Mapping[str, Any] | None:
            return await asked(tool, context, parsed)

        async def work() -> JsonValue:
            nonlocal here
            here, started = True, time.monotonic()
            outcome: dict[str, Any] | None = None
            limit = asyncio.timeout(max(self._until - started, 0))
            try:
                # What is known of it counts, also where no time is left to make it.
                if not ready.admission.fresh:
                    left = self._until - started
                    outcome = await earlier(
                        self.admissions, self.recorder, self.guards, ready, left
                    )
                if outcome is None and time.monotonic() >= self._until:
                    outcome = await self._out_of_time(ready, begun=False)
                elif outcome is None:
                    async with limit:
                        made = await self.attempts.run(intent, attempt, ask if tool.ask else None)
                        if tool.ask is not None:  # it may be what the tool said of a broken attempt
                            verify_result(self.guards, call, tool, made)
                        outcome = {"result": made}
            except UnknownOutcomeError as error:
                unknown(self.admissions, tool, intent, str(error))
            except OutputRejected as error:
                outcome = self._rejected(error, call, intent)
            except ToolError as error:
                outcome = {
                    "error": str(error),
                    "error_type": error.error_type,
                    "retryable": error.retryable,
                }
            except TimeoutError:
                if not limit.expired():
                    raise
                outcome = await self._out_of_time(ready, begun=begun)
            return {**(outcome or {}), "seconds": time.monotonic() - started}

        outcome: Any = await ready.runner(work)
        return dict(outcome), here

    async def _attempt(self, ready: Ready, nth: int) -> JsonValue:
        call, tool, context = ready.call, ready.tool, ready.context
        failure: ToolError | None = None
        about = {semconv.CALL_KEY: context.key, semconv.RUN_ATTEMPT: nth if nth > 1 else None}
        with self.recorder.tool(
            tool.name, call_id=call.id, arguments=call.arguments, attributes=about
        ) as span:
            try:
                result = await tool.call(context, ready.parsed, until=self._until)
                span.set_result(result)
                verify_result(self.guards, call, tool, result)
            except ToolError as error:
                failure = error
                span.fail(error.error_type, str(error))
        if failure is not None:
            raise failure
        return result

    @property
    def _until(self) -> float:
        """When the run's time is over, in seconds of `time.monotonic`."""
        return self.usage.started + self.max_seconds

    async def _out_of_time(self, ready: Ready, *, begun: bool) -> dict[str, Any]:
        """What becomes of a call that was cut since the run's time is over; `begun` says that it
        may have been made. Raises `Parked` where it may, and the tool cannot say so."""
        why = f"{ready.tool.name} took longer than the {self.max_seconds:g} s of the contract"
        said: Mapping[str, Any] | None = None
        try:
            if begun:
                said = await said_when_cut(self.admissions, self.guards, ready, why)
        except OutputRejected as error:
            return self._rejected(error, ready.call, ready.intent)
        if said is not None:
            return {"result": said["result"]}
        verdict = Verdict("budget", "stop", why)
        record_verdict(self.recorder, verdict, ready.call)
        return {"rejected": [verdict.guard, verdict.ruling, verdict.reason]}

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
        again = error.retryable
        return {"error": str(error), "error_type": error.error_type, "retryable": again}

    def _failed(
        self, call: Call, reason: str | None, error: str, kind: str, *, retryable: bool = False
    ) -> Over:
        def told() -> str:
            self.steps.append(Step(call.id, call.name, call.arguments, error, kind, reason))
            if self.fallback is None:
                return result_text({"error": error})
            return result_text(self.fallback.failed(call, error, kind, retryable=retryable))

        return Over(told)

    def _refused(
        self, call: Call, reason: str | None, verdict: Verdict, replayed_s: float = 0.0
    ) -> Over:
        """A `deny`, of which the model is told, or a `stop`, which is an incident."""

        def denied() -> str:
            self.steps.append(Step(call.id, call.name, call.arguments, None, "Denied", reason))
            if self.fallback is None:
                return result_text({"error": verdict.reason})
            return result_text(self.fallback.refused(call, verdict.guard, verdict.reason))

        def stopped() -> str:
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

        stops = verdict.ruling == "stop"
        return Over(stopped if stops else denied, ends=stops, replayed_s=replayed_s)

    def _waits(self, call: Call, reason: str | None) -> None:
        waiting = Step(call.id, call.name, call.arguments, None, "AwaitingApproval", reason)
        self.steps.append(waiting)

    def _artifact(self, name: str, tool: str, result: Any) -> None:
        body = result_text(result).encode()
        made = {"name": name, "kind": tool, "sha256": hashlib.sha256(body).hexdigest()}
        if isinstance(result, Mapping) and isinstance(result.get("path"), str):
            made["path"] = result["path"]
        self.artifacts.append(made)
        self.admissions.events.event(
            semconv.ARTIFACT,
            {
                semconv.ARTIFACT_NAME: name,
                semconv.ARTIFACT_KIND: tool,
                semconv.ARTIFACT_SHA256: made["sha256"],
                semconv.ARTIFACT_PATH: made.get("path"),
            },
        )
