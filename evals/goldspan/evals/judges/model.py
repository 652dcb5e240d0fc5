"""A model as a judge: pinned by name and settings, answered live or from a cassette."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from goldspan.evals.judges.pins import JudgePin
from goldspan.harness.models.cassette import Occurrences, Scope
from goldspan.harness.models.gateway import ModelGateway, ModelSession
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, message_text, text_message
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, MeasurementError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder

SYSTEM = "You are a careful judge. Follow the instructions and answer in the form asked for."


@dataclass(frozen=True)
class Judge:
    """Which model judges, how, and where its answers come from.

    `prices` are for the cost of its answers; without them that stays unknown. `role` keeps the
    recorded answers of a second judge apart from the first one's.
    """

    gateway: ModelGateway
    model: str
    provider: str = "local"
    settings: dict[str, Any] = field(default_factory=lambda: {"temperature": 0, "max_tokens": 400})
    recorder: Recorder | None = None
    prices: Prices | None = None
    role: str = "judge"

    def session(self, scorer: str, case: str, repeat: int) -> JudgeSession:
        """The judge for one scorer on one run: its answers have a scope of their own."""
        scope = Scope(f"{case}/{scorer}", repeat, 0, self.role)
        return JudgeSession(self, ModelSession(self.gateway, scope, Occurrences()))


@dataclass
class JudgeSession:
    """A judge within the scope of one run, and what it answered so far."""

    judge: Judge
    session: ModelSession
    answers: list[ModelAnswer] = field(default_factory=list)

    @property
    def cost_usd(self) -> float | None:
        """USD of the answers so far, None where the price of one is unknown; replayed ones count
        as they were recorded."""
        if self.judge.prices is None or not self.answers:
            return None
        total = 0.0
        for answer in self.answers:
            price = self.judge.prices.of_call(
                provider=self.judge.provider,
                models=(answer.response_model, self.judge.model),
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                cached_input_tokens=answer.cached_input_tokens,
                cache_write_tokens=answer.cache_write_tokens,
                reasoning_tokens=answer.reasoning_tokens,
            )
            if price is None:
                return None
            total += price.usd
        return total

    def pin(self, prompt_digest: str) -> JudgePin:
        """Which judge this was, with the version that it answered as."""
        versions = sorted({a.response_model for a in self.answers if a.response_model})
        return JudgePin(
            provider=self.judge.provider,
            model=self.judge.model,
            answered_as=" ".join(versions) or None,
            prompt_digest=prompt_digest,
            settings=dict(self.judge.settings),
        )

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
            answer = await self.session.answer(request)
            self.answers.append(answer)
            return message_text(answer.message)
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
        self.answers.append(answer)
        return message_text(answer.message)

    async def grade(self, prompt: str, schema: dict[str, Any]) -> dict[str, Any]:
        """The judge's answer as JSON of this schema; a broken one is asked for once more.

        Raises `MeasurementError` where the second is broken too.
        """
        fault, asked = "", prompt
        for _ in range(2):
            text = await self.complete(asked, schema)
            try:
                value = json.loads(text)
                jsonschema.Draft202012Validator(schema).validate(value)
            except (ValueError, RecursionError, jsonschema.ValidationError) as error:
                fault = (
                    error.message if isinstance(error, jsonschema.ValidationError) else str(error)
                )
                asked = f"{prompt}\n\nYour last answer could not be used: {fault[:200]}"
                continue
            graded: dict[str, Any] = value
            return graded
        raise MeasurementError(
            f"the judge's answer is not in the form asked for: {fault[:200]}",
            where=self.judge.model,
            remedy="take a model that keeps to a JSON Schema, or allow it more max_tokens",
        )


def needs_judge(judge: Judge | None, scorer: str) -> Judge:
    """The judge, or `ConfigError` where a suite has none."""
    if judge is None:
        raise ConfigError(
            f"scorer {scorer!r} asks a judge, and the suite has none",
            remedy="add judge: {model: …, provider: …} to the suite",
        )
    return judge
