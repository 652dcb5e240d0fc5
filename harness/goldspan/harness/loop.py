"""The loop: ask the model, judge each call that it wants, make it, tell the model, until an end.

Every decision is a log record at the moment it is made; spans leave when they end. All of this but
the steps is plain code that may run again from its beginning, after a crash: it reads no clock and
draws no lots outside a step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from goldspan.harness.calls import ToolCalls
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.final import FinalGates
from goldspan.harness.model_calls import ModelCalls
from goldspan.harness.models.messages import Message, ModelAnswer, text_message
from goldspan.harness.models.protocol import ANSWER, Call, Protocol, Turn
from goldspan.harness.models.routing import Router
from goldspan.harness.operation.progress import HEAD
from goldspan.harness.result import Step
from goldspan.harness.run_events import Events
from goldspan.harness.safety.shield import Shield
from goldspan.harness.side_by_side import make_calls
from goldspan.tracing import semconv


@dataclass
class Loop:
    """One run's state and the parts that it works with."""

    protocol: Protocol
    contract: Contract
    usage: Usage
    model: ModelCalls
    calls: ToolCalls
    events: Events
    shield: Shield
    final: FinalGates
    router: Router | None = None
    notes: str | None = None
    messages: list[Message] = field(default_factory=list)

    async def run(self, task: str) -> str:
        """The final answer. Raises `Ended` where the run ends otherwise, `MeasurementError` where
        the model cannot be asked."""
        told = self.shield.task(task)
        if self.notes is not None:
            told = f"{told}\n\n{HEAD}\n{self.shield.document(self.notes)}"
        self.messages.append(text_message("user", told))
        while True:
            turn = await self._ask()
            self.messages.append(turn.message)
            if turn.fault is not None:
                self.messages.append(text_message("user", turn.fault))
            elif turn.answer is not None:
                text, final = await self.final.settle(turn.answer, task)
                if final:
                    return text
                self.messages.append(text_message("user", text))
            else:
                most = self.contract.parallel_reads
                await make_calls(self.calls, turn.calls, turn.reason, self._tell, most=most)

    async def _ask(self) -> Turn:
        answer = await self._answer()
        turn = self.protocol.read(answer, len(self.calls.steps))
        chosen = ANSWER if turn.answer is not None else ", ".join(c.name for c in turn.calls)
        others = [name for name in (*self.calls.tools, ANSWER) if name not in chosen.split(", ")]
        self.events.event(
            semconv.DECISION,
            {
                semconv.STEP: self.usage.model_calls,
                semconv.DECISION_CHOSEN: chosen or "nothing that could be read",
                semconv.DECISION_ALTERNATIVES: others,
                semconv.REASON: turn.reason or turn.fault,
                semconv.DECISION_CONFIDENCE: turn.confidence,
            },
        )
        return turn

    async def _answer(self) -> ModelAnswer:
        if self.router is None:
            return await self.model.ask(self.messages)
        routed = await self.router.turn(
            lambda route: self.model.ask(self.messages, route),
            lambda answer: self.protocol.read(answer, len(self.calls.steps)),
        )
        return routed.answered

    def _tell(self, call: Call, text: str) -> None:
        self._see(self.calls.steps[-1])
        text = self.shield.result(self.calls.tools.get(call.name), text)
        self.messages.append(self.protocol.result(call, text))

    def _see(self, step: Step) -> None:
        if self.router is not None and step.error_type in ("Denied", "InvalidArguments"):
            self.router.stumbled(f"{step.tool}: {step.error_type}")
