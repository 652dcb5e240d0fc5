"""Runs an agent version on one task, under its contract, with every decision recorded."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence, Set
from contextlib import closing, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from goldspan.harness.admission import Admissions
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import Approver, NamedApprover
from goldspan.harness.approvals.last_gate import LastGate
from goldspan.harness.approvals.review import Review
from goldspan.harness.calls import ToolCalls
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.failure.apart import apart
from goldspan.harness.failure.escalation import escalate
from goldspan.harness.failure.fallback import Fallback
from goldspan.harness.failure.policy import FailurePolicy
from goldspan.harness.failure.retry import RetriedModel, Retry, RetryOutputs
from goldspan.harness.final import FinalGates
from goldspan.harness.guards import (
    ApprovalGuard,
    BudgetGuard,
    TypicalCost,
    arguments_of,
    check_rules,
    contract_guards,
    price_of,
    recent_costs,
    typical_cost,
    with_dry_runs,
)
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Ledger
from goldspan.harness.life import Life, prepare
from goldspan.harness.loop import Loop
from goldspan.harness.model_calls import ModelCalls
from goldspan.harness.models.context import ContextWindow
from goldspan.harness.models.gateway import Model
from goldspan.harness.models.protocol import Protocol
from goldspan.harness.models.routing import Router
from goldspan.harness.models.summary import summariser
from goldspan.harness.operation.audit import breaker_note, cap_note, keep
from goldspan.harness.operation.next_action import next_action
from goldspan.harness.operation.progress import ARGUMENTS, NOTING, Progress, progress_folder
from goldspan.harness.operation.run_setup import setup_attributes
from goldspan.harness.operation.sessions import Session, Turn, as_text, told
from goldspan.harness.result import Ended, Outcome, RunResult
from goldspan.harness.run_events import RunEvents
from goldspan.harness.steps import Attempts, Direct, Once
from goldspan.harness.tools import Environment, Tool
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, MeasurementError, PricingError
from goldspan.tracing.live_spans import AgentSpan
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.run_ids import AGENT, link_to_previous, placed


async def run_agent(
    version: AgentVersion,
    task: str,
    *,
    model: Model,
    recorder: Recorder,
    workspace: Path,
    environment: Environment | None = None,
    setup: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    contract: Contract | None = None,
    approver: Approver | None = None,
    prices: Prices | None = None,
    now: datetime | None = None,
    tool_scope: str | None = None,
    sampling_seed: int | None = None,
    model_name: str | None = None,
    provider: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    life: Life | None = None,
    attempts: Attempts | None = None,
    session: str | None = None,
    sessions: Path | None = None,
    earlier: Sequence[Turn] = (),
) -> RunResult:
    """Run `version` on `task` in a new `workspace` folder and return how it ended.

    `life` is what a durable engine gives a run; without it nothing outlives the process.
    `attempts` makes a tool call's effect, as the version says if not given.

    `tool_scope` seeds the tools' randomness (the run's id, if not given) and `sampling_seed` the
    model's, where it takes one; `model_name` and `provider` replace the version's, and its routes,
    for a live run on another model; `attributes` go on every span and event.

    `session` names the conversation: the run is told its notes, where the version keeps a progress
    file (below `sessions`), else its earlier answers, from `life`'s ledger; a replay gives these as
    `earlier`.

    Raises `PricingError` for a USD budget on a model without a price, and `MeasurementError` where
    the model cannot be asked or a recorded answer is missing: such a run is recorded as failed
    first.
    """
    environment = environment or version.environment()
    contract = contract or version.config.contract
    tools = version.tools(environment)
    known = {**arguments_of(tools), **(ARGUMENTS if version.config.progress else {})}
    check_rules(contract, known)
    version.config.final.check(known, str(version.path / "config.yaml"))
    rules = version.approval_rules([*tools, NOTING] if version.config.progress else tools)
    prices = prices or Prices()
    routing = version.config.routing if model_name is None else None
    model_name = model_name or version.config.model
    provider = provider or version.config.provider
    routed = routing.routes if routing is not None else ()
    asked_of = {(provider, model_name), *((route.provider, route.model) for route in routed)}
    priced = _priced(version, contract, prices, asked_of)
    run_id = run_id or uuid.uuid4().hex
    with closing(Ledger()) if life is None else nullcontext(life.ledger) as ledger:
        life = life or Life(ledger, Direct())
        judge = partial(_typical, life, version.name, contract, priced)
        typical = await prepare(life, environment, workspace, setup or {}, judge)
        usage, now = Usage(), now or datetime.now(UTC)
        events = RunEvents(recorder, run_id, life.segment)
        progress, keeps, place = None, version.config.progress, None
        if session is not None and keeps is not None:
            folder = progress_folder(sessions or workspace.parent, version.name, session)
            progress = Progress(session, folder, keeps, run_id, now, events, life.steps)
            tools = progress.with_tool(tools, contract)
        elif session is not None:
            place = Session(session, version.name, run_id)
            earlier = await place.earlier(life)
        tools = with_dry_runs(tools, contract.dry_run)
        shield = version.config.safety.start(events.event, told(earlier))
        policy, by_name = version.config.failure, {tool.name: tool for tool in tools}
        failing = Failing.of(policy, life, recorder, events, by_name) if policy else None
        if failing is not None:
            model = RetriedModel(model, failing.retry, run_id)
        admissions = Admissions(
            run_id,
            version.name,
            ledger,
            life.steps,
            events,
            failing.breakers if failing else None,
            cap_note(ledger, recorder),
        )
        budget = BudgetGuard(
            contract,
            usage,
            f"run:{run_id}",
            price_of(prices),
            typical,
            events,
        )
        protocol = Protocol(version.config.tool_mode, tools, version.config.states_confidence)
        calls = ToolCalls(
            tools=by_name,
            guards=contract_guards(
                contract,
                budget,
                [tool.name for tool in tools],
                more=(*shield.guards(), ApprovalGuard(rules.needs_approval, rules.rules)),
                root=workspace,
            ),
            review=Review(
                approver or NamedApprover("none"), admissions, rules, LastGate.of(environment)
            ),
            admissions=admissions,
            usage=usage,
            recorder=recorder,
            workspace=workspace,
            now=now,
            scope=tool_scope or run_id,
            max_seconds=contract.max_seconds,
            attempts=attempts
            or (failing.retry if failing else _outputs_again(contract, recorder, life)),
            fallback=failing.fallback if failing else None,
        )
        settings = dict(version.config.settings)
        if sampling_seed is not None:
            settings["seed"] = sampling_seed
        fits = version.config.context
        asked = ModelCalls(
            provider=provider,
            model_name=model_name,
            settings=settings,
            system=protocol.system(shield.prompt(version.system_prompt), version.examples),
            tools=protocol.definitions(),
            output_schema=protocol.output_schema(),
            contract=contract,
            usage=usage,
            budget=budget,
            model=model,
            admissions=admissions,
            recorder=recorder,
            prices=prices,
        )
        if fits is not None:
            summary = summariser(asked, routed[0] if routed else None)
            by_model = summary if fits.summary_by == "model" else None
            asked.context = ContextWindow(fits, events, by_model)
        router = Router(routing, events) if routing is not None else None
        owed = contract.required_artifacts
        final = FinalGates(owed, version.config.final, environment, calls, asked)
        loop = Loop(protocol, contract, usage, asked, calls, events, shield, final, router)
        segment = recorder.agent(
            version.name,
            run_id=run_id,
            version=version.version,
            digest=version.digest,
            conversation_id=session,
            provider=provider,
            model=model_name,
            input=task,
            attributes={**(attributes or {}), semconv.RUN_SEGMENT: life.segment},
            links=link_to_previous(run_id, life.segment),
        )
        with placed(run_id, life.segment, AGENT), segment as span:
            span.set_content(setup_attributes(setup or {}))
            span.set_content({semconv.SESSION_EARLIER: as_text(earlier)})
            await _begin(events, contract, version, tools, life)
            end = await _to_its_end(loop, task, span, progress, life)
        if place is not None and end.answer is not None:
            await place.note(life, task, end.answer)
    if end.failure is not None:
        raise end.failure
    # A durable run that waits may be woken by now: its workspace is its next life's.
    waits = life.segment is not None and end.outcome in ("paused", "killed")
    return RunResult(
        run_id=run_id,
        trace_id=span.trace_id,
        span_id=span.span_id,
        outcome=end.outcome,
        reason=end.reason,
        answer=end.answer,
        steps=calls.steps,
        usage=usage,
        cost_usd=None if usage.unpriced_calls else usage.usd,
        artifacts=calls.artifacts,
        end_state={} if waits else await apart(environment.end_state, workspace),
        next_actions=end.next_actions,
        transcript=loop.messages,
    )


@dataclass(frozen=True)
class Failing:
    """What a version's failure policy puts around the calls of a run."""

    retry: Retry
    breakers: Breakers
    fallback: Fallback

    @classmethod
    def of(
        cls,
        policy: FailurePolicy,
        life: Life,
        recorder: Recorder,
        events: RunEvents,
        tools: Mapping[str, Tool],
    ) -> Failing:
        """The parts of one run."""
        breakers = Breakers(life.ledger, policy, breaker_note(life.ledger, recorder))
        retry = Retry(policy, recorder, breakers, life.steps, fence=life.fence)
        return cls(retry, breakers, Fallback(policy, tools, events))


def _priced(
    version: AgentVersion, contract: Contract, prices: Prices, models: Set[tuple[str, str]]
) -> bool:
    """Whether all models that may be asked have a price. Raises `PricingError` where the contract
    needs one that is not there."""
    unpriced = sorted(one for one in models if not prices.knows(*one))
    if unpriced and contract.max_usd is not None:
        raise PricingError(
            f"a budget of {contract.max_usd:g} USD cannot be kept: "
            f"{'/'.join(unpriced[0])} has no price",
            where=str(version.path / "config.yaml"),
            remedy="give it a price in prices.yaml, or leave max_usd out of the contract",
        )
    return not unpriced


def _outputs_again(contract: Contract, recorder: Recorder, life: Life) -> Attempts:
    again = [name for name, rule in contract.outputs.items() if rule.otherwise == "retry"]
    if not again:
        return Once()
    return RetryOutputs(again, Retry(FailurePolicy(), recorder, None, life.steps, fence=life.fence))


def _typical(life: Life, agent: str, contract: Contract, priced: bool) -> TypicalCost | None:
    """What a run costs typically; None where the ledger ends with the process, as in an eval:
    there is no history then. A run that somebody watches may start where nobody knows."""
    if life.ledger.database.in_memory:
        return None
    try:
        return typical_cost(contract, recent_costs(life.ledger, agent), priced=priced)
    except ConfigError:
        if life.segment is None:
            return None
        raise


@dataclass(frozen=True)
class _End:
    outcome: Outcome
    reason: str | None
    answer: str | None
    next_actions: list[str]
    failure: MeasurementError | None


async def _to_its_end(
    loop: Loop, task: str, span: AgentSpan, progress: Progress | None, life: Life
) -> _End:
    events = loop.calls.admissions.events
    outcome: Outcome = "completed"
    reason: str | None = None
    answer: str | None = None
    failure: MeasurementError | None = None
    ended: Ended | None = None
    handed: list[str] = []
    try:
        loop.notes = None if progress is None else await progress.told()
        answer = await loop.run(task)
        if loop.calls.fallback is not None:
            answer = loop.calls.fallback.marked(answer)
        span.set_output(answer)
    except Ended as end:
        outcome, reason, ended = end.outcome, end.reason, end
        if outcome == "aborted":
            handed = [escalate(events, end.reason, task, loop.calls.steps, loop.messages)]
    except MeasurementError as error:
        outcome, reason, failure = "failed", str(error), error
        span.fail("MeasurementError", str(error))
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and events.segment is not None:
            # A durable run goes on in another process, from its last step.
            reason = "its process was stopped"
            events.of_segment(semconv.RUN_PAUSED, {semconv.REASON: reason})
            span.set_outcome("paused", reason)
            raise
        reason = f"{type(error).__name__}: {error}"
        _end(events, "failed", reason, [])
        span.set_outcome("failed", reason)
        raise
    await loop.calls.admissions.flush()
    durable = events.segment is not None
    next_actions = [next_action(outcome, reason, ended, durable=durable)] if reason else []
    next_actions += handed
    if loop.calls.fallback is not None:
        next_actions += loop.calls.fallback.next_actions()
    if progress is not None:
        await progress.end(outcome, answer or reason, next_actions)
    span.set_outcome(outcome, reason)
    known, said = _end(events, outcome, reason, next_actions)
    await keep(life, known, semconv.RUN_ENDED, said)
    return _End(outcome, reason, answer, next_actions, failure)


async def _begin(
    events: RunEvents,
    contract: Contract,
    version: AgentVersion,
    tools: list[Tool],
    life: Life,
) -> None:
    if life.segment is not None and life.segment > 1:
        # What people were to do before is done, or is said again.
        resumed = {semconv.RUN_SEGMENT: life.segment, semconv.NEXT_ACTIONS: []}
        events.of_segment(semconv.RUN_RESUMED, resumed)
    promised = {
        semconv.CONTRACT: contract.model_dump_json(),
        "goldspan.contract.tools": [tool.name for tool in tools],
        "goldspan.contract.approvals": sorted(version.approval_names(tools)),
    }
    known = events.event(semconv.RUN_CONTRACT, promised)
    await keep(life, known, semconv.RUN_CONTRACT, promised)


def _end(
    events: RunEvents, outcome: Outcome, reason: str | None, next_actions: list[str]
) -> tuple[str, dict[str, Any]]:
    said = {
        semconv.RUN_OUTCOME: outcome,
        semconv.RUN_REASON: reason,
        semconv.NEXT_ACTIONS: next_actions,
    }
    return events.of_segment(semconv.RUN_ENDED, said), said
