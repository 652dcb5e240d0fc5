"""Makes a call's effect until it succeeds, within bounds, and says of each failure what it means.

Tenacity keeps the attempts and draws the waits (full jitter); it reports each wait before it
begins, which is when the failure's event is emitted. (Stamina reports through hooks of the whole
process, and its jitter is no full one; an engine's own retries have none.) All attempts of a call
are one recorded step: what is emitted here is emitted where the call is really made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exception,
    wait_random_exponential,
)

from goldspan.harness.failure.error_classes import (
    Failure,
    UnknownOutcomeError,
    classify,
    may_be_done,
)
from goldspan.harness.failure.policy import FailurePolicy, RetryPolicy
from goldspan.harness.failure.time_limit import time_limit
from goldspan.harness.guards.breaker import GUARD, Breaker, Breakers, iso
from goldspan.harness.ledger import Intent, Settlement
from goldspan.harness.models.gateway import Free, Model
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.result import Ended
from goldspan.harness.run_events import Events
from goldspan.harness.steps import Ask, Direct, Park, Parked, Steps
from goldspan.harness.tools import ToolError
from goldspan.tracing import semconv
from goldspan.tracing.errors import GoldspanError, MeasurementError

Attempt: TypeAlias = Callable[[int], Awaitable[Any]]
MESSAGE_CHARS = 300


@dataclass
class Retry:
    """Attempts with a policy for each tool, counted by the tools' breakers.

    Events go to `events` with random ids, so give it a recorder. `breakers` is None where nobody
    counts. `sleep` waits, in seconds. `fence` is called before each attempt but the first: it does
    not return in a process that was taken for dead while it waited, since another makes the call.
    """

    policy: FailurePolicy
    events: Events
    breakers: Breakers | None = None
    engine: Steps = field(default_factory=Direct)
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    fence: Callable[[], None] = lambda: None

    async def run(self, intent: Intent, attempt: Attempt, ask: Ask | None = None) -> Any:
        """The result of the first attempt that succeeds; `attempt` takes its number, from 1.

        `ask` says what a call of the same key returned, as an object with `result`, None where
        there was none: it is asked where an attempt leaves that unknown. Raises the last attempt's
        error, as a `ToolError` if it is no error of Goldspan's; `UnknownOutcomeError` where
        nobody knows whether the effect happened; `Parked` where the tool is down, the call changes
        nothing and the policy is to pause.
        """
        tries = _Tries(self, intent, attempt, ask, self.policy.retry_of(intent.tool))
        try:
            return await tries.once()
        except Exception as error:  # noqa: BLE001  what is not tried again is raised as it is
            first = error
        return await self._again(tries, first)

    async def _again(self, tries: _Tries, first: Exception) -> Any:
        """As `run`, after a first attempt that failed. Most calls never come here, and setting up
        the attempts takes more time than everything else around a call."""
        rules, errors = tries.rules, [first]
        retrying = AsyncRetrying(
            sleep=self.sleep,
            stop=stop_after_attempt(rules.attempts),
            wait=wait_random_exponential(multiplier=rules.first_wait_s, max=rules.max_wait_s)
            + wait_exception(lambda _error: tries.after_s),
            retry=retry_if_exception(tries.again),
            before_sleep=tries.report,
            reraise=True,
        )

        async def attempt() -> Any:
            if errors:
                raise errors.pop()
            return await tries.once()

        try:
            return await retrying(attempt)
        except Exception as error:
            if tries.failure is None:
                raise
            tries.report(None)
            final = tries.final(error)
            raise final from None if final is error else error


@dataclass(frozen=True)
class RetryOutputs:
    """One attempt of each call, but for tools whose output may be had again by a contract's
    `outputs` rules, where the version says nothing of failures."""

    tools: Collection[str]
    retry: Retry

    async def run(self, intent: Intent, attempt: Attempt, ask: Ask | None = None) -> Any:
        """As `Retry.run` for those tools, else the result of the only attempt."""
        if intent.tool not in self.tools:
            return await attempt(1)
        return await self.retry.run(intent, attempt, ask)


@dataclass
class _Tries:
    """The attempts of one call, and what is known of the last."""

    retry: Retry
    intent: Intent
    attempt: Attempt
    ask: Ask | None
    rules: RetryPolicy
    number: int = 0
    failure: Failure | None = None
    breaker: Breaker | None = None
    latency_ms: float = 0.0
    message: str = ""

    @property
    def effect(self) -> bool:
        return self.intent.action_class in ("write", "act")

    @property
    def after_s(self) -> float:
        return (self.failure.after_s if self.failure is not None else None) or 0.0

    async def once(self) -> Any:
        self.failure = None
        if self.number:
            await self.retry.engine.transact(self.retry.fence)
        await self._gate()
        self.number += 1
        started = time.perf_counter()
        try:
            async with time_limit(self.rules.timeout_s):
                result = await self.attempt(self.number)
        except (Ended, Parked):
            raise
        except Exception as error:
            self.latency_ms = (time.perf_counter() - started) * 1000
            failure = classify(error, effect=self.effect, clock=self.retry.clock)
            if failure.kind == "unknown" and self.ask is not None:
                known = await self._known(self.ask)
                if known is not None and "result" in known:
                    await self._count(None)
                    return known["result"]
                if known is not None:
                    failure = replace(failure, kind="retry")
            self.message = one_line(error)
            await self._count(failure)
            self.failure = failure
            raise
        await self._count(None)
        return result

    def again(self, error: BaseException) -> bool:
        """Whether there may be another attempt: the error says so, and nobody has cut the call
        during an attempt that could not be cut."""
        failure, task = self.failure, asyncio.current_task()
        if failure is None or failure.kind != "retry" or (task is not None and task.cancelling()):
            return False
        down = self.breaker is not None and self.breaker.state != "closed"
        return not down and (failure.after_s or 0) <= self.rules.max_wait_s

    def report(self, state: RetryCallState | None) -> None:
        """The failure's event; `state` has the wait before the next attempt, if there is one."""
        assert self.failure is not None
        waits = state.upcoming_sleep if state is not None else None
        counted = self.breaker.attributes() if self.breaker is not None else {}
        self.retry.events.event(
            semconv.CALL_FAILED,
            {
                **counted,
                semconv.TOOL_NAME: self.intent.tool,
                semconv.CALL_KEY: self.intent.key,
                semconv.ERROR_TYPE: self.failure.error_type,
                semconv.ERROR_CLASS: self.failure.kind,
                semconv.RUN_ATTEMPT: self.number,
                semconv.LATENCY_MS: self.latency_ms,
                semconv.RETRY_AT: None if waits is None else iso(self.retry.clock() + waits),
                semconv.RETRY_WAIT_MS: None if waits is None else waits * 1000,
                semconv.REASON: self.message,
            },
        )

    def final(self, error: Exception) -> Exception:
        """The error that the caller sees."""
        assert self.failure is not None
        kind, name = self.failure.kind, self.failure.error_type
        if self.breaker is not None and self.breaker.state != "closed" and kind == "retry":
            parked = self._parked(self.message)
            if parked is not None:
                return parked
        if kind == "unknown" and self.effect:
            return UnknownOutcomeError(self.message, error_type=name)
        if isinstance(error, ToolError | GoldspanError):
            return error
        if self.intent.action_class == "model":
            return MeasurementError(
                f"the model did not answer: {self.message}",
                where=self.intent.tool,
                remedy="check that the model's server runs and its key is set",
            )
        return ToolError(self.message, error_type=name, retryable=kind == "retry")

    async def _gate(self) -> None:
        breakers, intent = self.retry.breakers, self.intent
        if breakers is None or breakers.is_clean(intent.tool):
            return
        transact = self.retry.engine.transact
        if await transact(lambda: breakers.may_try(intent.tool, intent.key)):
            return
        reason = await transact(lambda: breakers.reason(intent.tool))
        parked = self._parked(reason)
        if parked is not None:
            raise parked
        verdict = {
            semconv.GUARD_NAME: GUARD,
            semconv.GUARD_VERDICT: "deny",
            semconv.REASON: reason,
            semconv.TOOL_NAME: intent.tool,
            semconv.CALL_KEY: intent.key,
        }
        self.retry.events.event(semconv.GUARD_VERDICT, verdict)
        raise ToolError(reason, error_type="BreakerOpen", retryable=True)

    def _parked(self, reason: str) -> Parked | None:
        """A call that changed nothing is made again by the run's next life. One that may change
        something is not: only the tool or a person could say then that it was not made."""
        if self.effect or self.retry.policy.rule(self.intent.tool).when_down != "pause":
            return None
        park = Park("breaker", self.intent.tool, reason)
        paused = {semconv.REASON: reason, semconv.RUN_WAITS_FOR: park.waits_for}
        self.retry.events.event(semconv.RUN_PAUSED, paused)
        return Parked(park)

    async def _known(self, ask: Ask) -> Mapping[str, Any] | None:
        """What the tool says of the call; an object without `result` where it was not made, None
        where the tool cannot say."""
        try:
            return await ask() or {}
        except Exception:  # noqa: BLE001  whatever it is, it does not say what was done
            return None

    async def _count(self, failure: Failure | None) -> None:
        breakers, intent = self.retry.breakers, self.intent
        if breakers is None:
            return
        transact = self.retry.engine.transact
        if failure is not None and failure.outage:
            self.breaker = await transact(
                lambda: breakers.failed(
                    intent.tool, intent.key, f"{failure.error_type}: {self.message}"
                )
            )
            return
        if not breakers.is_clean(intent.tool):
            await transact(lambda: breakers.worked(intent.tool, intent.key))
        self.breaker = None


@dataclass(frozen=True)
class RetriedModel:
    """A model whose failures are tried again; a model's breaker is that of `model:NAME`."""

    model: Model
    retry: Retry
    run_id: str

    @property
    def free(self) -> bool:
        """Whether the model costs nothing."""
        return isinstance(self.model, Free) and self.model.free

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """The first answer. Raises `MeasurementError` as the model does, `Parked` where its
        breaker is open; what was reserved for the request is free again, where no attempt can have
        used it."""
        tool, digest = f"model:{request.model}", request.digest()
        intent = Intent.of(self.run_id, request.nth or 0, tool, digest, action_class="model")
        if request.key is not None:  # the breaker's probe is the call that the ledger admitted
            intent = replace(intent, key=request.key)
        paid = False

        async def attempt(_number: int) -> ModelAnswer:
            nonlocal paid
            try:
                return await self.model.answer(request)
            except BaseException as error:
                paid = paid or may_be_done(error)
                raise

        try:
            answer: ModelAnswer = await self.retry.run(intent, attempt)
        except (MeasurementError, Parked):
            breakers = self.retry.breakers
            if breakers is not None and not paid:
                nothing = [Settlement(intent.key, {"tokens": 0, "usd": 0})]
                await self.retry.engine.transact(lambda: breakers.ledger.settle(nothing))
            raise
        return answer


def one_line(error: Exception) -> str:
    """An error's words on one line, not too long; its type, where it has none."""
    return " ".join(str(error).split())[:MESSAGE_CHARS] or type(error).__name__
