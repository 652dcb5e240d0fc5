"""Takes an answer through its gates: it passes, the model is told why not, or the run is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from goldspan.harness.approvals.last_gate import Citing
from goldspan.harness.calls import ToolCalls
from goldspan.harness.failure.apart import apart
from goldspan.harness.final.citations import CitationGate
from goldspan.harness.final.gates import AnswerGate, ArtifactGate, Gating, Seen
from goldspan.harness.final.goal import GoalGate, GoalJudge
from goldspan.harness.final.policy import FinalPolicy
from goldspan.harness.guards import Verdict
from goldspan.harness.model_calls import ModelCalls
from goldspan.harness.models.protocol import ANSWER, Call
from goldspan.harness.result import Ended
from goldspan.harness.tools import Environment, JsonValue, Tool, ToolContext, seeded
from goldspan.tracing import semconv

_OVER = {"fail": "failed", "escalate": "escalated"}
MEND = "Mend it, or say openly what you could not find out. Make nothing up."


@dataclass
class FinalGates:
    """The gates of one run's answer. What is owed is asked for once, whatever the policy says."""

    owed: Sequence[str]
    policy: FinalPolicy
    environment: Environment
    calls: ToolCalls
    model: ModelCalls
    _reminded: bool = False
    _told: int = 0
    _gates: list[AnswerGate] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.owed:
            self._gates.append(ArtifactGate(self.owed))
        if self.policy.cite is not None:
            self._gates.append(CitationGate(self.policy.cite))
        if self.policy.goal:
            self._gates.append(GoalGate(self.policy.goal))
        if isinstance(self.environment, Gating):
            self._gates += self.environment.answer_gates()

    async def settle(self, answer: str, task: str) -> tuple[str, bool]:
        """The answer and True where it is final, as a person may have corrected it; else what the
        model is to be told, and False. Raises `Ended` where the run is over, or must wait."""
        faults = await self._faults(answer)
        owed = faults.pop(ArtifactGate.name, [])
        if owed:
            self._checked(ArtifactGate.name, owed, "failed" if self._reminded else "told")
            if self._reminded:
                raise Ended("failed", f"ended without {', '.join(owed)}")
            self._reminded = True
            return f"Still owed: {', '.join(owed)}.", False
        if self.owed:
            self._checked(ArtifactGate.name, [], "passed")
        if self.policy.ask_model and not any(faults.values()):
            judge = GoalJudge(self.model, task)
            faults[judge.name] = await judge.faults(answer, self.calls.steps)
        lacks = [fault for found in faults.values() for fault in found]
        outcome = "told" if self._told < self.policy.tries else _OVER[self.policy.otherwise]
        for gate, found in faults.items():
            self._checked(gate, found, outcome if found else "passed")
        if not lacks:
            return answer, True
        if self._told < self.policy.tries:
            self._told += 1
            listed = "\n".join(f"- {fault}" for fault in lacks)
            return f"That cannot be the final answer yet:\n{listed}\n{MEND}", False
        if self.policy.otherwise == "escalate":
            return await self._escalated(answer, "; ".join(lacks)), True
        raise Ended("failed", f"the answer did not pass: {'; '.join(lacks)}")

    async def _faults(self, answer: str) -> dict[str, list[str]]:
        """What each gate finds. A step, where the world is looked at: it changes, and every life of
        the run must find the same."""
        calls, environment = self.calls, self.environment
        seen = Seen(
            calls.workspace,
            calls.steps,
            calls.artifacts,
            lambda: environment.end_state(calls.workspace),
            environment.citable if isinstance(environment, Citing) else None,
        )

        def look() -> dict[str, list[str]]:
            return {gate.name: _found(gate, answer, seen) for gate in self._gates}

        async def work() -> JsonValue:
            found: JsonValue = await apart(look, leave_at=0)
            return found

        owes_files = self.owed and any(made.get("path") for made in calls.artifacts)
        if owes_files or any(not isinstance(gate, ArtifactGate) for gate in self._gates):
            found: Any = await calls.admissions.engine.reserve("final gates")(work)
            return dict(found)
        return look()

    def _checked(self, gate: str, faults: Sequence[str], outcome: str) -> None:
        self.calls.admissions.events.event(
            semconv.ANSWER_CHECKED,
            {
                semconv.ANSWER_GATE: gate,
                semconv.ANSWER_OUTCOME: outcome,
                semconv.ANSWER_FAULTS: list(faults) or None,
            },
        )

    async def _escalated(self, answer: str, why: str) -> str:
        """The answer as a person lets it go. Raises `Ended` where nobody has decided yet, and where
        it is refused."""
        calls = self.calls
        call = Call(ANSWER, ANSWER, {"text": answer})
        rng = seeded(calls.scope, ANSWER, 0)
        context = ToolContext(calls.workspace, calls.admissions.run_id, rng, calls.now, 0)
        verdict = Verdict("final", "pause", f"the answer did not pass: {why}")
        decision = await calls.review.decide(call, _ANSWERING, context, None, verdict, lambda: None)
        if decision.kind == "deny":
            raise Ended("failed", f"{verdict.reason}; a person refused it: {decision.reason}")
        given: Mapping[str, Any] = decision.arguments if decision.kind == "edit" else call.arguments
        if decision.approval is not None:
            number = calls.usage.model_calls
            intent = calls.admissions.intent(number, ANSWER, given, "act", decision.approval)
            admission = await calls.admissions.admit(intent, ())
            if admission.standing == "refused":
                raise Ended("failed", admission.reason)
            calls.review.used(decision, intent)
        return str(given["text"])


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str


def _preview(_context: ToolContext, given: dict[str, Any]) -> dict[str, Any]:
    return {"draft": given["text"]}


_ANSWERING = Tool(
    ANSWER,
    "The final answer of a run.",
    _Text,
    lambda _context, given: given.text,
    action_class="act",
    needs_approval=True,
    preview=_preview,
)


def _found(gate: AnswerGate, answer: str, seen: Seen) -> list[str]:
    """A gate that fails lets nothing pass."""
    try:
        return gate.faults(answer, seen)
    except Exception as error:  # noqa: BLE001  whatever an environment or a gate of a user's raises
        return [f"{gate.name} could not be checked: {type(error).__name__}: {error}"]
