"""Runs an agent version on one task, under its contract, with every decision recorded."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from goldspan.harness.approvals import Approver, NamedApprover
from goldspan.harness.calls import ToolCalls
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import ApprovalGuard, BudgetGuard, LoopGuard, ScopeGuard
from goldspan.harness.loop import Loop
from goldspan.harness.model import Model
from goldspan.harness.protocol import Protocol
from goldspan.harness.result import Ended, Outcome, RunResult
from goldspan.harness.tools import Environment
from goldspan.harness.versions import AgentVersion
from goldspan.tracing import semconv
from goldspan.tracing.errors import GoldspanError, MeasurementError, PricingError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder

NEXT_ACTION = {
    "paused": "decide the approval: {reason}",
    "failed": "look at the trace: {reason}",
    "aborted": "look at what the guard stopped: {reason}",
}


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
) -> RunResult:
    """Run `version` on `task` in a new `workspace` folder and return how it ended.

    `tool_scope` seeds the tools' randomness (the run's id, if not given) and `sampling_seed` the
    model's, where it takes one; `model_name` and
    `provider` replace the version's for a live run on another model; `attributes` go on every span
    and event. Raises `PricingError` for a USD budget on a model without a price, and
    `MeasurementError` where the model cannot be asked or a recorded answer is missing: such a run
    is recorded as failed first.
    """
    environment = environment or version.environment()
    tools = version.tools(environment)
    contract = contract or version.config.contract
    prices = prices or Prices()
    model_name = model_name or version.config.model
    provider = provider or version.config.provider
    if contract.max_usd is not None and not prices.knows(provider, model_name):
        raise PricingError(
            f"a budget of {contract.max_usd:g} USD cannot be kept: "
            f"{provider}/{model_name} has no price",
            where=str(version.path / "config.yaml"),
            remedy="give it a price in prices.yaml, or leave max_usd out of the contract",
        )
    _prepare(environment, workspace, setup or {})
    run_id = run_id or uuid.uuid4().hex
    usage = Usage()
    settings = dict(version.config.settings)
    if sampling_seed is not None:
        settings["seed"] = sampling_seed
    protocol = Protocol(version.config.tool_mode, tools)
    names = [tool.name for tool in tools]
    calls = ToolCalls(
        run_id=run_id,
        tools={tool.name: tool for tool in tools},
        guards=(
            ScopeGuard(names),
            BudgetGuard(contract, usage),
            LoopGuard(contract.max_repeats),
            ApprovalGuard(version.approval_names(tools)),
        ),
        approver=approver or NamedApprover("none"),
        usage=usage,
        recorder=recorder,
        workspace=workspace,
        now=now or datetime.now(UTC),
        scope=tool_scope or run_id,
    )
    loop = Loop(
        provider=provider,
        model_name=model_name,
        settings=settings,
        system=protocol.system(version.system_prompt, version.examples),
        protocol=protocol,
        contract=contract,
        usage=usage,
        model=model,
        calls=calls,
        recorder=recorder,
        prices=prices,
    )
    outcome: Outcome = "completed"
    reason: str | None = None
    answer: str | None = None
    failure: MeasurementError | None = None
    with recorder.agent(
        version.name,
        run_id=run_id,
        version=version.version,
        digest=version.digest,
        provider=provider,
        model=model_name,
        input=task,
        attributes=attributes,
    ) as span:
        recorder.event(
            semconv.RUN_CONTRACT,
            {
                semconv.CONTRACT: contract.model_dump_json(),
                "goldspan.contract.tools": names,
                "goldspan.contract.approvals": sorted(version.approval_names(tools)),
            },
        )
        try:
            answer = await loop.run(task)
            span.set_output(answer)
        except Ended as end:
            outcome, reason = end.outcome, end.reason
        except MeasurementError as error:
            outcome, reason, failure = "failed", str(error), error
            span.fail("MeasurementError", str(error))
        except (Exception, asyncio.CancelledError) as error:
            reason = f"{type(error).__name__}: {error}"
            _end(recorder, "failed", reason, [])
            span.set_outcome("failed", reason)
            raise
        next_actions = [NEXT_ACTION[outcome].format(reason=reason)] if reason else []
        span.set_outcome(outcome, reason)
        _end(recorder, outcome, reason, next_actions)
    if failure is not None:
        raise failure
    return RunResult(
        run_id=run_id,
        trace_id=span.trace_id,
        span_id=span.span_id,
        outcome=outcome,
        reason=reason,
        answer=answer,
        steps=calls.steps,
        usage=usage,
        cost_usd=None if usage.unpriced_calls else usage.usd,
        artifacts=calls.artifacts,
        end_state=environment.end_state(workspace),
        next_actions=next_actions,
        transcript=loop.messages,
    )


def _prepare(environment: Environment, workspace: Path, setup: Mapping[str, Any]) -> None:
    """Raises MeasurementError where the environment fails, as on a full disk: no agent's fault."""
    try:
        environment.prepare(workspace, setup)
    except GoldspanError:
        raise
    except Exception as error:
        raise MeasurementError(
            f"the environment cannot be prepared: {type(error).__name__}: {error}",
            where=str(workspace),
            remedy="see that its disk has room, and what the task's setup asks for",
        ) from error


def _end(recorder: Recorder, outcome: Outcome, reason: str | None, next_actions: list[str]) -> None:
    recorder.event(
        semconv.RUN_ENDED,
        {
            semconv.RUN_OUTCOME: outcome,
            semconv.RUN_REASON: reason,
            semconv.NEXT_ACTIONS: next_actions or None,
        },
    )
