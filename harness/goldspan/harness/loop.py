"""The loop: ask the model, judge each call that it wants, make it, tell the model, until an end.

Every decision is a log record at the moment it is made; spans leave when they end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from goldspan.harness.calls import ToolCalls
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import Verdict, record_verdict
from goldspan.harness.messages import Message, ModelAnswer, ModelRequest, text_message
from goldspan.harness.model import Model
from goldspan.harness.protocol import ANSWER, Protocol, Turn
from goldspan.harness.result import Ended
from goldspan.tracing import semconv
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder


@dataclass
class Loop:
    """One run's state and the parts that it works with."""

    provider: str
    model_name: str
    settings: dict[str, Any]
    system: str
    protocol: Protocol
    contract: Contract
    usage: Usage
    model: Model
    calls: ToolCalls
    recorder: Recorder
    prices: Prices
    messages: list[Message] = field(default_factory=list)
    _reminded: bool = False

    async def run(self, task: str) -> str:
        """The final answer. Raises `Ended` where the run ends otherwise, `MeasurementError` where
        the model cannot be asked."""
        self.messages.append(text_message("user", task))
        while True:
            turn = await self._ask()
            self.messages.append(turn.message)
            if turn.fault is not None:
                self.messages.append(text_message("user", turn.fault))
            elif turn.answer is not None:
                if not self._owes(turn):
                    return turn.answer
            else:
                for call in turn.calls:
                    text = await self.calls.make(call, turn.reason)
                    self.messages.append(self.protocol.result(call, text))

    async def _ask(self) -> Turn:
        limit = self.usage.exceeded(self.contract)
        if limit is not None:
            record_verdict(self.recorder, Verdict("budget", "stop", limit), None)
            raise Ended("aborted", limit)
        request = ModelRequest(
            provider=self.provider,
            model=self.model_name,
            system=self.system,
            messages=list(self.messages),
            settings=self.settings,
            tools=self.protocol.definitions(),
            output_schema=self.protocol.output_schema(),
        )
        with self.recorder.model_call(
            provider=self.provider,
            request_model=self.model_name,
            input_messages=request.messages,
            system=self.system,
            settings=self.settings,
            tools=request.tools,
            attributes={semconv.STEP: self.usage.model_calls + 1},
        ) as span:
            left = max(self.contract.max_seconds - self.usage.seconds, 0.001)
            try:
                answer = await asyncio.wait_for(self.model.answer(request), left)
            except TimeoutError:
                raise Ended("aborted", "the model took longer than the contract allows") from None
            span.respond(
                response_model=answer.response_model,
                response_id=answer.response_id,
                output_messages=[{**answer.message, "finish_reason": answer.finish_reason}],
                finish_reason=answer.finish_reason,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                cached_input_tokens=answer.cached_input_tokens,
                cache_write_tokens=answer.cache_write_tokens,
                reasoning_tokens=answer.reasoning_tokens,
                replayed=answer.replayed,
            )
        self._count(answer)
        turn = self.protocol.read(answer, len(self.calls.steps))
        chosen = ANSWER if turn.answer is not None else ", ".join(c.name for c in turn.calls)
        others = [name for name in (*self.calls.tools, ANSWER) if name not in chosen.split(", ")]
        self.recorder.event(
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

    def _count(self, answer: ModelAnswer) -> None:
        usage = self.usage
        usage.model_calls += 1
        usage.input_tokens += answer.input_tokens or 0
        usage.output_tokens += answer.output_tokens or 0
        usage.recorded_ms += answer.duration_ms
        price = self.prices.of_call(
            provider=self.provider,
            models=(answer.response_model, self.model_name),
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cached_input_tokens=answer.cached_input_tokens,
            cache_write_tokens=answer.cache_write_tokens,
        )
        if price is None:
            usage.unpriced_calls += 1
            return
        usage.usd += price.usd
        usage.spent_usd += 0.0 if answer.replayed else price.usd

    def _owes(self, turn: Turn) -> bool:
        made = {artifact["name"] for artifact in self.calls.artifacts}
        owed = [name for name in self.contract.required_artifacts if name not in made]
        if owed and self._reminded:
            raise Ended("failed", f"ended without {', '.join(owed)}")
        if owed:
            self._reminded = True
            self.messages.append(text_message("user", f"Still owed: {', '.join(owed)}."))
        return bool(owed)
