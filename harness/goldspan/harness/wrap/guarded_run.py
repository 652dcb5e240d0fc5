"""One run of another framework's agent, held to a policy: its calls are judged here, made there."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, Protocol, TypeVar, cast

from pydantic_core import to_jsonable_python

from goldspan.harness.approvals import Decision, Proposal
from goldspan.harness.contract import Usage
from goldspan.harness.failure.error_classes import UnknownOutcomeError
from goldspan.harness.guards import (
    BudgetGuard,
    Guard,
    OutputRejected,
    Verdict,
    first_objection,
    observe_result,
    record_verdict,
    verify_result,
)
from goldspan.harness.ledger import Admission, Intent, Ledger, Settlement, Want
from goldspan.harness.models.messages import ModelRequest
from goldspan.harness.models.protocol import Call
from goldspan.harness.operation.cutting import CallCut, Cutting, Underway
from goldspan.harness.result import Ended
from goldspan.harness.run_events import Events
from goldspan.harness.steps import Attempts, Once, Park, Parked
from goldspan.harness.tools import Tool, ToolError
from goldspan.harness.wrap.asking import Asking
from goldspan.harness.wrap.current import CurrentCall, making
from goldspan.harness.wrap.earlier import Awaiting, Earlier
from goldspan.tracing import semconv
from goldspan.tracing.recorder import Recorder

T = TypeVar("T")


class CallRefused(ToolError):
    """A guard denied the call. The model should be told why, and may mend it."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason, error_type="Denied")
        self.verdict = verdict


class Admits(Protocol):
    """Where calls are admitted: the ledger, or what stands before it, such as its breakers."""

    def admit(self, intent: Intent, wants: Sequence[Want] = ()) -> Admission:
        """Judge a call, and write it down."""
        ...


@dataclass
class GuardedRun:
    """The state of one run. Calls may be made side by side, in tasks and in threads.

    A run that a guard has stopped, or that waits for a person, makes no more calls: each raises
    `Ended` again, also where a framework has told the model of the first one as of an error.
    `waits_for` names what a person must say, in the ledger: of which call whether it was made, as
    `unknown:KEY`, or which approval, as `approval:ID`. `dry_run` are tools and action classes whose
    calls are not made.
    """

    run_id: str
    agent: str
    ledger: Ledger
    guards: Sequence[Guard]
    budget: BudgetGuard
    usage: Usage
    asking: Asking
    attempts: Attempts
    admits: Admits
    earlier: Earlier
    dry_run: Collection[str] = ()
    events: Events | None = None
    recorder: Recorder | None = None
    ended: Ended | None = None
    waits_for: str | None = None
    checked: bool = False
    _made: Counter[str] = field(default_factory=Counter)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    async def call(
        self,
        call: Call,
        tool: Tool,
        make: Callable[[Any], Awaitable[T]],
        awaiting: Awaiting | None = None,
    ) -> T:
        """Judge a call, admit it, make it, look at its result, and return that.

        `make` takes the arguments, which a reviewer may have changed. `awaiting` awaits what really
        waits, where the caller has no event loop. Raises `CallRefused`, `Ended`, `OutputRejected`,
        or what the tool raises.
        """
        if {tool.name, tool.action_class} & set(self.dry_run):
            tool, make = replace(tool, action_class="read"), _would(call.name)
        wait = awaiting or _here
        verdict = self._judge(call, tool)
        asked: tuple[Proposal, Decision] | None = None
        if verdict.ruling == "pause":
            call, asked, verdict = await self._asked(call, tool, verdict, wait)
        intent, admission = self._admit(call, tool, verdict.wants, asked)
        try:
            who, known = await self.earlier.found(call, tool, intent, admission, wait)
            if known is None:
                result = await self._made_now(call, tool, make, intent, awaiting)
            else:
                result = cast("T", known["result"])
                self._recovered(intent, who)
                if who == "asked":
                    self._verified(call, tool, result)
        except CallCut as cut:
            self._end("killed", Verdict(cut.scope, "stop", cut.reason), call)
        except Ended:
            raise
        except Exception as error:
            self._observe(call, tool, {"error": str(error)})
            self._may_go_on(error, intent)
            raise
        self._observe(call, tool, result)
        return result

    async def _made_now(
        self,
        call: Call,
        tool: Tool,
        make: Callable[[Any], Awaitable[T]],
        intent: Intent,
        awaiting: Awaiting | None,
    ) -> T:
        made: list[T] = []

        async def attempt(number: int) -> Any:
            with making(CurrentCall(intent.key, self.run_id, call.name, call.arguments, number)):
                result = await self._attempt(call, tool, make, intent, number, awaiting is None)
            made.append(result)
            return True

        async def ask() -> Mapping[str, Any] | None:
            found = await self.earlier.ask(call, intent, _here)
            if found is not None and "result" in found:
                made.append(self._verified(call, tool, found["result"]))
            return found

        once = self.attempts.run(intent, attempt, ask if call.name in self.earlier.asks else None)
        await (once if isinstance(self.attempts, Once) else (awaiting or _here)(once))
        return made[-1]

    def admit_model(self, request: ModelRequest) -> str:
        """Reserve what a model call may use at most; returns the key to settle it by. Raises
        `Ended` where too little is left."""
        with self._lock:
            self._still_on()
            verdict = self.budget.before_model(request)
            if verdict.ruling != "allow":
                self._end("aborted", verdict, None)
            self._made["model"] += 1
            asked = [request.digest(), self._made["model"], uuid.uuid4().hex]
            intent = Intent.of(
                self.run_id,
                self.usage.model_calls + 1,
                f"model:{request.model}",
                asked,
                agent=self.agent,
                action_class="model",
            )
            self._standing(self.admits.admit(intent, verdict.wants), None)
            return intent.key

    def settle_model(
        self, key: str, input_tokens: int, output_tokens: int, usd: float | None
    ) -> None:
        """Put what a model call used in the place of what it had reserved. Where its price is not
        known, what was reserved stays."""
        with self._lock:
            self.usage.model_calls += 1
            self.usage.input_tokens += input_tokens
            self.usage.output_tokens += output_tokens
            self.usage.usd += usd or 0.0
            self.usage.unpriced_calls += usd is None
        used = {"tokens": float(input_tokens + output_tokens)}
        if usd is not None:
            used["usd"] = usd
        self.ledger.settle([Settlement(key, used)])

    def _judge(self, call: Call, tool: Tool) -> Verdict:
        with self._lock:
            self._still_on()
            verdict = first_objection(self.guards, call, tool)
            self._record(verdict, call)
            self._may(verdict, call)
            return verdict

    def _may(self, verdict: Verdict, call: Call | None) -> None:
        if verdict.ruling == "stop":
            self._end("aborted", verdict, call)
        if verdict.ruling == "deny":
            raise CallRefused(verdict)

    async def _asked(
        self, call: Call, tool: Tool, verdict: Verdict, awaiting: Awaiting
    ) -> tuple[Call, tuple[Proposal, Decision], Verdict]:
        """The call as a person approved it, what was asked and decided, and the last verdict."""
        proposal = self.asking.proposal(call, tool, verdict.reason)
        decision: Decision | None = await awaiting(self.asking.decide(proposal))
        if decision is None:
            why = f"{call.name} waits for a reviewer (approval {proposal.id[:12]})"
            if self.asking.is_in_ledger(proposal):
                self.waits_for = Park("approval", proposal.id, why).waits_for
            about = {semconv.APPROVAL_ID: proposal.id, semconv.APPROVAL_TOOL: call.name}
            waits = {semconv.REASON: why, semconv.RUN_WAITS_FOR: self.waits_for}
            self._event(semconv.RUN_PAUSED, {**waits, **about})
            self._end("paused", Verdict(verdict.guard, "pause", why), call)
        if decision.kind == "deny":
            reason = f"denied by a person: {decision.reason}"
            raise CallRefused(Verdict("approval", "deny", reason))
        if decision.kind == "edit":
            call = replace(call, arguments=decision.arguments)
            verdict = self._judge(call, tool)
        if decision.approval is not None:
            found = "; ".join(self.asking.faults(call, tool, decision))
            last = Verdict("last gate", "deny" if found else "allow", found)
            self._record(last, call)
            if found:
                raise CallRefused(replace(last, reason=f"approved, but not made: {found}"))
        return call, (proposal, decision), verdict

    def _admit(
        self,
        call: Call,
        tool: Tool,
        wants: Sequence[Want],
        asked: tuple[Proposal, Decision] | None,
    ) -> tuple[Intent, Admission]:
        with self._lock:
            self._still_on()
            # Counted by call, not by order: what is made side by side comes in any order.
            named = json.dumps([call.name, call.arguments], sort_keys=True, default=str)
            nth = self._made[named]
            self._made[named] += 1
            intent = Intent.of(
                self.run_id,
                nth,
                call.name,
                call.arguments,
                agent=self.agent,
                action_class=tool.action_class,
                approval=None if asked is None else asked[1].approval,
            )
            admission = self.admits.admit(intent, wants)
            self._standing(admission, call)
            self.usage.tool_calls += 1
            if asked is not None:
                self.asking.used(*asked, intent)
            else:
                self.asking.let_go(call, tool, intent)
            return intent, admission

    def _standing(self, admission: Admission, call: Call | None) -> None:
        if admission.standing == "admitted":
            return
        # Of a tool that does not work the model is told: it may go another way.
        ruling = "deny" if admission.standing == "open" else admission.ruling
        verdict = Verdict(admission.guard, ruling, admission.reason)
        self._record(verdict, call)
        if admission.standing == "killed":
            self._end("killed", verdict, call)
        self._may(verdict, call)

    def _unknown(self, intent: Intent, why: str) -> NoReturn:
        """End the run until a person has said whether a call was made."""
        self._wait_for_word(
            intent,
            "recovery",
            f"nobody knows whether {intent.tool} was done ({why}): say what became of call"
            f" {intent.key}",
        )

    def _wait_for_word(self, intent: Intent, guard: str, reason: str) -> NoReturn:
        park = Park("unknown", intent.key, reason)
        self.waits_for = park.waits_for
        paused = {semconv.REASON: reason, semconv.RUN_WAITS_FOR: park.waits_for}
        self._event(semconv.RUN_PAUSED, paused)
        self._end("paused", Verdict(guard, "pause", reason), None)

    async def _attempt(
        self,
        call: Call,
        tool: Tool,
        make: Callable[[Any], Awaitable[T]],
        intent: Intent,
        number: int,
        is_async: bool,
    ) -> T:
        work = make(call.arguments)
        here = Underway(self.run_id, self.agent, call.name, call.name, intent.key)
        made = Cutting(self.ledger).made(here, work, is_async=is_async)
        if self.recorder is None:
            return self._verified(call, tool, await made)
        about = {semconv.CALL_KEY: intent.key, semconv.RUN_ATTEMPT: number}
        with self.recorder.tool(
            call.name, call_id=call.id, arguments=call.arguments, attributes=about
        ) as span:
            result = await made
            span.set_result(to_jsonable_python(result, fallback=str))
            return self._verified(call, tool, result)

    def _verified(self, call: Call, tool: Tool, result: T) -> T:
        try:
            verify_result(self.guards, call, tool, to_jsonable_python(result, fallback=str))
        except OutputRejected as rejected:
            self._record(rejected.verdict, call)
            raise
        return result

    def _may_go_on(self, error: Exception, intent: Intent) -> None:
        """End the run where an error of a call says so."""
        if isinstance(error, UnknownOutcomeError):
            self._unknown(intent, str(error))
        if isinstance(error, Parked):
            self._end("paused", Verdict(error.park.kind, "pause", error.park.reason), None)
        if not isinstance(error, OutputRejected):
            return
        if error.verdict.ruling == "pause":
            self._wait_for_word(intent, error.verdict.guard, error.verdict.reason)
        if error.verdict.ruling == "stop":
            self._end("aborted", error.verdict, None)

    def _recovered(self, intent: Intent, who: str) -> None:
        about = {semconv.TOOL_NAME: intent.tool, semconv.CALL_KEY: intent.key}
        self._event(semconv.CALL_RECOVERED, {**about, semconv.CALL_RECOVERY: who})

    def _observe(self, call: Call, tool: Tool, result: Any) -> None:
        with self._lock:
            observe_result(self.guards, call, tool, to_jsonable_python(result, fallback=str))

    def _still_on(self) -> None:
        if self.ended is not None:
            raise Ended(self.ended.outcome, self.ended.reason)

    def _end(self, outcome: Any, verdict: Verdict, call: Call | None) -> NoReturn:
        self.ended = Ended(outcome, verdict.reason)
        if outcome == "aborted":
            self._event(
                semconv.INCIDENT,
                {
                    semconv.INCIDENT_KIND: f"guard:{verdict.guard}",
                    semconv.INCIDENT_SEVERITY: "warning",
                    semconv.INCIDENT_TOOL: call.name if call else None,
                    semconv.REASON: verdict.reason,
                },
            )
        raise self.ended

    def _record(self, verdict: Verdict, call: Call | None) -> None:
        if self.events is not None:
            record_verdict(self.events, verdict, call)

    def _event(self, name: str, attributes: dict[str, Any]) -> None:
        if self.events is not None:
            self.events.event(name, attributes)


async def _here(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _would(tool: str) -> Callable[[Any], Awaitable[Any]]:
    """A call that is not made, but says what it would do."""

    async def make(arguments: Any) -> Any:
        return {"dry_run": True, "would": {tool: arguments}}

    return make
