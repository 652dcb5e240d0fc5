"""What a suite can be run against: an agent version, or any callable of the user's."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from goldspan.evals.results import StepRecord
from goldspan.evals.user_code import place_of, told
from goldspan.golden import Case
from goldspan.harness.operation.tasks import Task, Worker, new_run_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, MeasurementError
from goldspan.tracing.live_spans import AgentSpan
from goldspan.tracing.recorder import Recorder


@dataclass(frozen=True)
class TargetResult:
    """What a target did with a case. A callable may return one, or a text, or any JSON value."""

    answer: str | None = None
    outcome: str = "completed"
    reason: str | None = None
    steps: tuple[StepRecord, ...] = ()
    end_state: dict[str, Any] = field(default_factory=dict)
    model_calls: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    spent_usd: float | None = None
    duration_ms: float | None = None
    run_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None


class Target(Protocol):
    """Anything that a case can be put to."""

    @property
    def label(self) -> str:
        """What reports call it."""
        ...

    @property
    def version(self) -> str | None:
        """The agent version, where it is one."""
        ...

    @property
    def digest(self) -> str | None:
        """What identifies its behaviour; None where nothing does."""
        ...

    def tool_names(self) -> frozenset[str] | None:
        """The tools that it has, None where that is not known."""
        ...

    async def run(
        self, case: Case, *, repeat: int, seed: int, attributes: Mapping[str, Any]
    ) -> TargetResult:
        """One run. Raises `MeasurementError` where it could not be measured."""
        ...


@runtime_checkable
class Budgeted(Protocol):
    """A target that knows beforehand what a run may cost at most."""

    def limit_usd(self, case: Case) -> float | None:
        """The contract's limit in USD for a run of this case, None where it has none."""
        ...


@runtime_checkable
class Recorded(Protocol):
    """A target that runs nothing, and has so many runs of a case as were recorded."""

    def repeats_of(self, case: Case) -> list[int]:
        """The repeats of a case that there are."""
        ...


@dataclass(frozen=True)
class AgentTarget:
    """An agent version of the harness."""

    worker: Worker

    @property
    def label(self) -> str:
        """Name and version of the agent."""
        return f"{self.worker.version.name} {self.worker.version.version}"

    @property
    def version(self) -> str | None:
        """The version's name."""
        return self.worker.version.version

    @property
    def digest(self) -> str | None:
        """The version's digest."""
        return self.worker.version.digest

    def tool_names(self) -> frozenset[str] | None:
        """The tools that the version lists."""
        return frozenset(entry.name for entry in self.worker.version.entries)

    def limit_usd(self, case: Case) -> float | None:
        """What the contract allows a run of this case."""
        return case.contract.get("max_usd", self.worker.version.config.contract.max_usd)

    async def run(
        self, case: Case, *, repeat: int, seed: int, attributes: Mapping[str, Any]
    ) -> TargetResult:
        """A run of the agent in a world of its own, removed afterwards."""
        task = Task(
            id=case.id,
            input=case.input,
            setup=dict(case.setup),
            now=case.now,
            approver=case.approver,
            approver_edit=dict(case.approver_edit),
            contract=dict(case.contract),
        )
        run_id = new_run_id(case.id, repeat, seed, self.worker.version.digest)
        try:
            result = await self.worker.run(
                task, repeat=repeat, seed=seed, run_id=run_id, attributes=dict(attributes)
            )
        finally:
            shutil.rmtree(self.worker.workspaces / run_id, ignore_errors=True)
        return TargetResult(
            answer=result.answer,
            outcome=result.outcome,
            reason=result.reason,
            steps=tuple(
                StepRecord(s.tool, s.arguments, s.error_type, s.result) for s in result.steps
            ),
            end_state=result.end_state,
            model_calls=result.usage.model_calls,
            tokens=result.usage.tokens,
            cost_usd=result.cost_usd,
            spent_usd=result.usage.spent_usd,
            duration_ms=result.usage.recorded_ms,
            run_id=result.run_id,
            trace_id=result.trace_id,
            span_id=result.span_id,
        )


@dataclass(frozen=True)
class CallableTarget:
    """A function of the user's, sync or async: `function(input) -> answer`.

    A second parameter, where it has one, is given the whole `Case`. The end of its runs is told
    with their results. A function that is not async runs in a thread, `concurrency` at once.
    """

    name: str
    function: Callable[..., Any]
    recorder: Recorder
    concurrency: int = 4

    @cached_property
    def _takes_case(self) -> bool:
        return len(inspect.signature(self.function).parameters) > 1

    @cached_property
    def _threads(self) -> ThreadPoolExecutor | None:
        named = getattr(self.function, "__call__", None)  # noqa: B004  an object's own method
        if inspect.iscoroutinefunction(self.function) or inspect.iscoroutinefunction(named):
            return None
        return ThreadPoolExecutor(self.concurrency, thread_name_prefix="goldspan-target")

    @classmethod
    def load(
        cls, name: str, recorder: Recorder, concurrency: int = 4, *, folder: Path | None = None
    ) -> CallableTarget:
        """The function named `module:callable`. Raises `ConfigError` where there is none.

        A module that is neither installed nor in the working folder is looked for in `folder`.
        """
        module, _, attribute = name.partition(":")
        where = f"looked for it on the path, in {Path.cwd()}"
        if folder is not None and str(folder) not in sys.path:
            sys.path.append(str(folder))
            where += f" and in {folder}"
        try:
            function = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # noqa: BLE001  the user's module may raise anything
            what = str(error) if place_of(error, module) is None else told(error, module)
            raise ConfigError(
                f"target {name!r} cannot be loaded: {what}",
                remedy=f"write it as module:callable ({where})",
            ) from None
        if not callable(function):
            raise ConfigError(f"target {name!r} is not callable")
        return cls(name, function, recorder, concurrency)

    @property
    def label(self) -> str:
        """The name it was given by."""
        return self.name

    @property
    def version(self) -> str | None:
        """A callable has none."""
        return None

    @property
    def digest(self) -> str | None:
        """A callable has none."""
        return None

    def tool_names(self) -> frozenset[str] | None:
        """Not known."""
        return None

    async def run(
        self, case: Case, *, repeat: int, seed: int, attributes: Mapping[str, Any]
    ) -> TargetResult:
        """One call of the function, in an agent span. What it raises is a failed run."""

        async def work(span: AgentSpan) -> TargetResult:
            try:
                return _as_result(await self._call(case))
            except MeasurementError:
                raise
            except Exception as error:  # noqa: BLE001  the user's code: a failed run, no crash
                span.fail(type(error).__name__, str(error))
                module = self.name.partition(":")[0]
                return TargetResult(outcome="failed", reason=told(error, module))

        run_id = new_run_id(case.id, repeat, seed, self.name)
        return await run_in_span(self.recorder, self.name, case, run_id, attributes, work)

    async def _call(self, case: Case) -> Any:
        given = (case.input, case) if self._takes_case else (case.input,)
        if self._threads is None:
            return await self.function(*given)
        call = partial(copy_context().run, self.function, *given)
        returned = await asyncio.get_running_loop().run_in_executor(self._threads, call)
        return await returned if inspect.isawaitable(returned) else returned


async def run_in_span(
    recorder: Recorder,
    name: str,
    case: Case,
    run_id: str,
    attributes: Mapping[str, Any],
    work: Callable[[AgentSpan], Awaitable[TargetResult]],
    *,
    tells_end: bool = False,
) -> TargetResult:
    """A run of something that records no span of its own: its result, with run, trace and span.

    With `tells_end`, the run's end is an event; that of a run which `work` could not measure always
    is. Raises what `work` raises.
    """
    started = time.perf_counter()
    with recorder.agent(name, run_id=run_id, input=case.input, attributes=attributes) as span:
        try:
            result = await work(span)
        except MeasurementError as error:
            _ended(recorder, "failed", str(error))
            raise
        if result.answer is not None:
            span.set_output(result.answer)
        span.set_outcome(result.outcome, result.reason)
        if tells_end:
            _ended(recorder, result.outcome, result.reason)
    return replace(
        result,
        duration_ms=result.duration_ms or (time.perf_counter() - started) * 1000,
        run_id=run_id,
        trace_id=span.trace_id,
        span_id=span.span_id,
    )


def _ended(recorder: Recorder, outcome: str, reason: str | None) -> None:
    recorder.event(semconv.RUN_ENDED, {semconv.RUN_OUTCOME: outcome, semconv.RUN_REASON: reason})


def _as_result(returned: Any) -> TargetResult:
    if isinstance(returned, TargetResult):
        return returned
    if returned is None or isinstance(returned, str):
        return TargetResult(answer=returned)
    return TargetResult(answer=json.dumps(returned, ensure_ascii=False, default=str))
