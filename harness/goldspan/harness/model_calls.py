"""Model calls: judged by the budget, admitted by the ledger, made as one recorded step, counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from goldspan.harness.admission import Admissions
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.failure.error_classes import may_be_done
from goldspan.harness.failure.retry import RetriedModel
from goldspan.harness.guards import BudgetGuard, Verdict, record_verdict
from goldspan.harness.ledger import Intent
from goldspan.harness.models.cassette import Occurrences
from goldspan.harness.models.context import ContextWindow
from goldspan.harness.models.gateway import Free, Model
from goldspan.harness.models.messages import Message, ModelAnswer, ModelRequest, Written
from goldspan.harness.models.routing import Route
from goldspan.harness.result import Ended
from goldspan.harness.steps import retold, told
from goldspan.harness.tools import JsonValue
from goldspan.tracing import semconv
from goldspan.tracing.errors import MeasurementError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder

NOTHING = {"tokens": 0, "usd": 0}


@dataclass
class ModelCalls:
    """The calls of one run to its model."""

    provider: str
    model_name: str
    settings: dict[str, Any]
    system: str
    tools: Sequence[dict[str, Any]]
    output_schema: dict[str, Any] | None
    contract: Contract
    usage: Usage
    budget: BudgetGuard
    model: Model
    admissions: Admissions
    recorder: Recorder
    prices: Prices
    context: ContextWindow | None = None
    _occurrences: Occurrences = field(default_factory=Occurrences)
    _written: Written = field(default_factory=Written)
    _unanswered: list[tuple[ModelRequest, str]] = field(default_factory=list)

    async def ask(self, messages: Sequence[Message], route: Route | None = None) -> ModelAnswer:
        """The answer to a conversation of the model of a route, else of the version's.

        Raises `Ended` where the contract has nothing left for it, `MeasurementError` where the
        model cannot be asked.
        """
        runner = self.admissions.engine.reserve("model")
        route = route or Route(provider=self.provider, model=self.model_name)
        request = ModelRequest(
            provider=route.provider,
            model=route.model,
            system=self.system,
            messages=list(messages),
            settings={**self.settings, **route.settings},
            tools=self.tools,
            output_schema=self.output_schema,
        )
        if self.context is not None:
            request = await self.context.fit(request)
        verdict = self.budget.before_model(request)
        if verdict.ruling != "allow":
            self._stop(verdict.guard, verdict.reason)
        digest = request.digest(self._written)
        # Drawn here: a recorded step is not run again, and would not count.
        nth = self._occurrences.next(digest)
        request = request.numbered(nth, self.budget.answer_tokens)
        first = self._intent(request.model, digest, 0)
        admission = await self.admissions.admit(first, verdict.wants)
        if admission.standing == "refused":
            self._stop(admission.guard, admission.reason)
        here = False

        async def work() -> JsonValue:
            nonlocal here
            here, intent, life = True, first, 0
            admitted = admission
            lost: list[str] = []
            # What was lost with its process may have been paid for, and stays reserved.
            while admitted.standing == "admitted" and not admitted.fresh:
                if isinstance(self.model, Free) and self.model.free:
                    await self.admissions.settle_in_step(intent.key, NOTHING)
                else:
                    lost.append(intent.key)
                life += 1
                intent = self._intent(request.model, digest, life)
                admitted = await self.admissions.admit_in_step(intent, verdict.wants)
            if admitted.standing == "refused":
                return {"refused": [admitted.guard, admitted.reason], "seconds": 0.0}
            outcome = await self._answer(request.admitted(intent.key))
            return {"key": intent.key, "lost": lost, **outcome}

        recorded: Any = await runner(work)
        if not here:
            self.usage.started -= recorded["seconds"]
        if "refused" in recorded:
            self._stop(*recorded["refused"])
        # What was not answered stays reserved until another answer says what its input counts.
        self._unanswered += [(request, key) for key in recorded.get("lost", ())]
        if "failure" in recorded:
            self._unanswered.append((request, recorded["key"]))
            raise retold(recorded["failure"])
        if "timeout" in recorded:
            self._stop("budget", "the model took longer than the contract allows")
        answer = ModelAnswer(**recorded["answer"])
        if self.context is not None:
            self.context.learn(request, answer)
        used = self._count(request, answer)
        if verdict.wants:
            self.admissions.settle(recorded["key"], used)
            for unanswered, key in self._unanswered:
                self.admissions.settle(key, self._of_a_lost_one(unanswered, answer))
            self._unanswered.clear()
        return answer

    def _of_a_lost_one(self, request: ModelRequest, answer: ModelAnswer) -> dict[str, float]:
        """What an attempt that failed, or was lost with its process, used at most, by unit, now
        that one has been answered: the same input, which has been counted, and the longest answer
        that it was allowed."""
        most: dict[str, float] = {}
        if answer.input_tokens is None or request.answer_tokens is None:
            return most
        most["tokens"] = answer.input_tokens + request.answer_tokens
        if self.budget.price is not None:
            usd = self.budget.price(
                request.provider, request.model, answer.input_tokens, request.answer_tokens
            )
            if usd is not None:
                most["usd"] = usd
        return most

    def _intent(self, model: str, digest: str, life: int) -> Intent:
        number = self.usage.model_calls + 1
        asked = [digest, life] if life else digest
        return self.admissions.intent(number, f"model:{model}", asked, "model")

    async def _answer(self, request: ModelRequest) -> dict[str, Any]:
        """The answer as a step's result, or why there is none; and how many seconds it took."""
        started = time.monotonic()
        left = max(self.contract.max_seconds - self.usage.seconds, 0.001)
        outcome: dict[str, Any]
        try:
            with self.recorder.model_call(
                provider=request.provider,
                request_model=request.model,
                input_messages=request.messages,
                system=self.system,
                settings=request.settings,
                tools=request.tools,
                attributes={semconv.STEP: self.usage.model_calls + 1},
            ) as span:
                async with asyncio.timeout(left):
                    answer = await self.model.answer(request)
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
            outcome = {"answer": dict(vars(answer))}
        except TimeoutError:
            outcome = {"timeout": True}
        except MeasurementError as error:
            outcome = {"failure": told(error)}
            # One that is tried again knows of all its attempts, and settles them itself.
            if request.key is not None and not (
                isinstance(self.model, RetriedModel) or may_be_done(error)
            ):
                await self.admissions.settle_in_step(request.key, NOTHING)
        return {**outcome, "seconds": time.monotonic() - started}

    def _stop(self, guard: str, reason: str) -> NoReturn:
        events = self.admissions.events
        record_verdict(events, Verdict(guard, "stop", reason), None)
        events.event(
            semconv.INCIDENT,
            {
                semconv.INCIDENT_KIND: f"guard:{guard}",
                semconv.INCIDENT_SEVERITY: "warning",
                semconv.REASON: reason,
            },
        )
        raise Ended("aborted", reason)

    def _count(self, request: ModelRequest, answer: ModelAnswer) -> dict[str, float]:
        """Count an answer; returns what it used, by the unit of a limit, where that is known."""
        usage = self.usage
        usage.model_calls += 1
        usage.input_tokens += answer.input_tokens or 0
        usage.output_tokens += answer.output_tokens or 0
        usage.recorded_ms += answer.duration_ms
        price = self.prices.of_call(
            provider=request.provider,
            models=(answer.response_model, request.model),
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cached_input_tokens=answer.cached_input_tokens,
            cache_write_tokens=answer.cache_write_tokens,
        )
        used: dict[str, float] = {}
        if answer.input_tokens is not None and answer.output_tokens is not None:
            used["tokens"] = answer.input_tokens + answer.output_tokens
        if price is None:
            usage.unpriced_calls += 1
            return used
        used["usd"] = price.usd
        usage.usd += price.usd
        usage.spent_usd += 0.0 if answer.replayed else price.usd
        return used
