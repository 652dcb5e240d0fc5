"""A model as a judge: pinned by name and settings, answered live or from a cassette."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from goldspan.harness.cassette import Occurrences, Scope
from goldspan.harness.messages import ModelRequest, message_text, text_message
from goldspan.harness.model import ModelGateway, ModelSession
from goldspan.tracing import semconv
from goldspan.tracing.recorder import Recorder

SYSTEM = "You are a careful judge. Follow the instructions and answer in the form asked for."


@dataclass(frozen=True)
class Judge:
    """Which model judges, how, and where its answers come from."""

    gateway: ModelGateway
    model: str
    provider: str = "local"
    settings: dict[str, Any] = field(default_factory=lambda: {"temperature": 0, "max_tokens": 400})
    recorder: Recorder | None = None

    def session(self, scorer: str, case: str, repeat: int) -> JudgeSession:
        """The judge for one scorer on one run: its answers have a scope of their own."""
        scope = Scope(f"{case}/{scorer}", repeat, 0, "judge")
        return JudgeSession(self, ModelSession(self.gateway, scope, Occurrences()))


@dataclass(frozen=True)
class JudgeSession:
    """A judge within the scope of one run."""

    judge: Judge
    session: ModelSession

    async def complete(self, prompt: str, schema: dict[str, Any] | None = None) -> str:
        """The judge's text, bound to a JSON Schema where one is given.

        Raises `MeasurementError` where no answer comes or none was recorded.
        """
        judge = self.judge
        request = ModelRequest(
            provider=judge.provider,
            model=judge.model,
            system=SYSTEM,
            messages=[text_message("user", prompt)],
            settings=judge.settings,
            output_schema=schema,
        )
        if judge.recorder is None:
            return message_text((await self.session.answer(request)).message)
        with judge.recorder.model_call(
            provider=judge.provider,
            request_model=judge.model,
            input_messages=request.messages,
            system=SYSTEM,
            settings=judge.settings,
            attributes={semconv.EVALUATOR: self.session.scope.case},
        ) as span:
            answer = await self.session.answer(request)
            span.respond(
                response_model=answer.response_model,
                response_id=answer.response_id,
                output_messages=[answer.message],
                finish_reason=answer.finish_reason,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                replayed=answer.replayed,
            )
        return message_text(answer.message)
