"""Runs a recorded run again and says where it parts from what was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from opentelemetry.trace import SpanContext, TraceFlags
from pydantic import ValidationError

from goldspan.harness.agents.bundled import bundled_agent
from goldspan.harness.agents.folder import AgentFolder, find_version
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.contract import Contract
from goldspan.harness.models.gateway import Model
from goldspan.harness.models.routing import Route, RoutedModels, Routing
from goldspan.harness.operation.tasks import new_run_id
from goldspan.harness.replay.comparing import Parting, compare
from goldspan.harness.replay.playback import (
    LateModel,
    Live,
    Progress,
    RecordedAnswers,
    RecordedReviewer,
    RecordedTools,
)
from goldspan.harness.replay.recording import RecordedStep, Recording, read_recording
from goldspan.harness.run import run_agent
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, MeasurementError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.store import Store


@dataclass(frozen=True)
class Replay:
    """A replay beside its recording. `parting` is None where both are the same."""

    recorded: Recording
    replayed: Recording
    version: AgentVersion
    parting: Parting | None
    live_calls: int
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What a machine is told; of the steps those up to the first that differs."""
        shown = None if self.parting is None else self.parting.step
        return {
            "verdict": "same" if self.parting is None else "differs",
            "parting": None if self.parting is None else asdict(self.parting),
            "agent": self.version.name,
            "version": self.version.version,
            "digest": self.version.digest,
            "live_model_calls": self.live_calls,
            "notes": list(self.notes),
            "recorded": _side(self.recorded, shown),
            "replayed": _side(self.replayed, shown),
        }


def recorded_version(recording: Recording, named: str | None = None) -> AgentVersion:
    """The version that made a run, found by its digest; or the one that is named.

    Looked for in `agents/` and among the bundled agents. Raises `ConfigError` where a named one is
    not there, `MeasurementError` where the run's own is not.
    """
    home = _home(recording.agent)
    if named is not None:
        return find_version(named, home.path if home else None)
    if home is not None:
        for name in home.versions():
            try:
                version = AgentVersion.load(home.path / name)
            except ConfigError:  # another version may be broken
                continue
            if version.digest == recording.digest:
                return version
    digest = (recording.digest or "unknown")[:12]
    raise MeasurementError(
        f"{recording.agent or 'its agent'} has no version of the digest {digest} here",
        where=f"trace {recording.trace_id}",
        remedy="name a version's folder with --agent",
    )


def replay_trace(
    store: Store,
    named: str,
    *,
    agent: str | None = None,
    make_model: Callable[[Route], Model] | None = None,
    model_name: str | None = None,
    provider: str | None = None,
    live: Live = "none",
    setup: Mapping[str, Any] | None = None,
    workspaces: Path,
) -> Replay:
    """Replay a trace on its own version, or on the one that `agent` names, and compare.

    `make_model` gives a model that answers what was not recorded, for each of the version's routes
    (a version without routes has one); without it the replay ends at such a request. `setup` is
    what the world of `live` tools begins with, as recorded if not given. `model_name` and
    `provider` replace the version's, and its routes. The replay is a run of its own in the store:
    simulated traffic, with `goldspan.replay.of` on every span and a `goldspan.replay.compared`
    event. Raises what `read_recording` and `recorded_version` raise, and `ConfigError`.
    """
    recording = read_recording(store, named)
    if setup is None and live != "none" and recording.setup_fault is not None:
        raise MeasurementError(
            f"{recording.setup_fault}: tools cannot run again in the same world",
            where=f"trace {recording.trace_id}",
            remedy="give the setup with --setup FILE, or replay without --live-tools",
        )
    version = recorded_version(recording, agent)
    own = agent is None or version.digest == recording.digest
    config = version.config
    run_id = new_run_id("replay", recording.trace_id)
    progress = Progress()
    policy, prices = store.redaction(), store.prices()
    if own and model_name is None and not _routed(recording, config.routing):
        model_name, provider = recording.model, provider or recording.provider
    routes = [Route(provider=provider or config.provider, model=model_name or config.model)]
    if config.routing is not None and model_name is None:
        routes = [*config.routing.routes]
    late = [] if make_model is None else [LateModel(route, make_model) for route in routes]
    models = RoutedModels({(m.route.provider, m.route.model): m for m in late})
    contract = _contract(recording, version) if own else config.contract
    notes = [] if recording.ended else ["the recorded run has no end: compared as far as it went"]
    configured = (provider or config.provider, model_name or config.model)
    asked = {configured, *((route.provider, route.model) for route in routes)}
    priced = all(prices.knows(*one) for one in asked)
    if contract.max_usd is not None and make_model is None and not priced:
        contract = contract.model_copy(update={"max_usd": None})
        notes.append("the model has no price here: the budget in USD was not held")
    marks = {semconv.REPLAY_OF: recording.trace_id, semconv.SIMULATED: True}
    with instrument(store=store, service_name=version.name) as telemetry:

        async def run() -> None:
            try:
                await run_agent(
                    version if late or live != "none" else _without_waits(version),
                    recording.task,
                    model=RecordedAnswers(
                        recording.model_calls, policy, progress, models if late else None
                    ),
                    recorder=telemetry.recorder,
                    workspace=workspaces / run_id,
                    environment=RecordedTools(
                        version.environment(), recording.steps, policy, progress, live
                    ),
                    setup=recording.setup if setup is None else setup,
                    run_id=run_id,
                    contract=contract,
                    approver=RecordedReviewer(recording.decisions, recording.steps, policy),
                    prices=prices,
                    now=recording.started_at,
                    tool_scope=_tool_scope(recording),
                    sampling_seed=recording.seed,
                    model_name=model_name,
                    provider=provider,
                    attributes=marks,
                    earlier=recording.earlier,
                )
            finally:
                for model in late:
                    await model.aclose()

        try:
            asyncio.run(run())
        except MeasurementError:
            if not progress.asked:  # the run did not begin; else `progress` says what it failed on
                raise
        telemetry.deliver(remedy="mend that and replay again")
        replayed = read_recording(store, run_id)
        found = compare(recording, replayed, progress, results=live != "none")
        outage = progress.outage
        if outage is not None and (found is None or found.step > len(replayed.steps)):
            raise outage
        _tell(telemetry.recorder, recording, replayed, found)
        telemetry.deliver(remedy="mend that and replay again")
    return Replay(recording, replayed, version, found, progress.live_calls, tuple(notes))


def _home(agent: str | None) -> AgentFolder | None:
    if agent is None:
        return None
    for find in (AgentFolder.find, lambda name: AgentFolder(bundled_agent(name))):
        try:
            return find(agent)
        except ConfigError:
            continue
    return None


def _routed(recording: Recording, routing: Routing | None) -> bool:
    """Whether a run took its version's routes, and was not given another model in their place."""
    if routing is None:
        return False
    return {call.form["model"] for call in recording.model_calls} <= {
        route.model for route in routing.routes
    }


def _without_waits(version: AgentVersion) -> AgentVersion:
    """The version, which does not wait before it tries again: what comes is recorded."""
    policy = version.config.failure
    if policy is None:
        return version
    at_once = {"first_wait_s": 0}
    tools = {
        name: rule.model_copy(
            update={"retry": rule.retry and rule.retry.model_copy(update=at_once)}
        )
        for name, rule in policy.tools.items()
    }
    still = policy.model_copy(
        update={"retry": policy.retry.model_copy(update=at_once), "tools": tools}
    )
    return replace(version, config=version.config.model_copy(update={"failure": still}))


def _contract(recording: Recording, version: AgentVersion) -> Contract:
    """What the run committed to; a limit that is not known here counts as the version's."""
    try:
        return Contract.model_validate(recording.contract)
    except ValidationError:
        return version.config.contract


def _tool_scope(recording: Recording) -> str | None:
    if recording.case_id is not None:
        return f"{recording.case_id}/{recording.case_repeat or 0}"
    return recording.run_id


def _tell(
    recorder: Recorder, recorded: Recording, replayed: Recording, found: Parting | None
) -> None:
    span = SpanContext(
        int(replayed.trace_id, 16),
        int(replayed.span_id or "0", 16),
        True,
        TraceFlags(TraceFlags.SAMPLED),
    )
    recorder.event(
        semconv.REPLAY_COMPARED,
        {
            semconv.RUN_ID: replayed.run_id,
            semconv.SIMULATED: True,
            semconv.REPLAY_OF: recorded.trace_id,
            semconv.REPLAY_VERDICT: "same" if found is None else "differs",
            semconv.STEP: None if found is None else found.step,
            semconv.REPLAY_KIND: None if found is None else found.kind,
            semconv.REPLAY_RECORDED: None if found is None else found.recorded,
            semconv.REPLAY_REPLAYED: None if found is None else found.replayed,
        },
        span=span,
    )


def _side(recording: Recording, shown: int | None) -> dict[str, Any]:
    steps: Sequence[RecordedStep] = recording.steps[:shown]
    return {
        "trace_id": recording.trace_id,
        "run_id": recording.run_id,
        "version": recording.version,
        "model": recording.model,
        "outcome": recording.outcome,
        "reason": recording.reason,
        "answer": recording.answer,
        "steps": [
            {
                "tool": step.tool,
                "arguments": step.arguments,
                "error_type": step.error_type,
                "span_id": step.span_id,
            }
            for step in steps
        ],
    }
