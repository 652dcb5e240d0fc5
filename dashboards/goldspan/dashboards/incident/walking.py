"""Walks an incident from a trace, step by step as docs/runbook.md says it."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path

from opentelemetry.trace import SpanContext, TraceFlags

from goldspan.dashboards.incident import steps
from goldspan.dashboards.incident.model import Incident, Section
from goldspan.dashboards.incident.queries import sql
from goldspan.harness.agents.diff import VersionDiff, diff_versions
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.promotion_log import previous_version
from goldspan.harness.replay import Recording, Replay, read_recording, replay_trace
from goldspan.tracing import semconv
from goldspan.tracing.errors import GoldspanError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store

DAYS = 14


def walk(
    store: Store,
    named: str,
    *,
    minutes: int = 60,
    days: int = DAYS,
    agent: str | Path | None = None,
    replays: Path | None = None,
) -> Incident:
    """Look at everything around a run that may say why it went wrong.

    `minutes` is the time around it in which its tools are looked at, `days` how far back other
    runs and changes are. `agent` is the agent's folder, by default the one of its name. The run is
    replayed in `replays`, or not at all where that is None. A `goldspan.incident.walked` event
    goes on the trace. Raises what `read_recording` raises, and `StoreError`.
    """
    recording = read_recording(store, named, whole=False)
    home = _home(agent, recording)
    replay, failure = _replayed(store, recording, replays)
    at = recording.started_at
    with store.session():
        (about,) = store.rows(sql("about_trace"), {"trace": recording.trace_id})
        traffic = {
            "simulated": bool(about["simulated"]),
            "judged": about["experiment_id"] is not None,
            "earliest": at - timedelta(days=days),
        }
        around = {
            "since": at - timedelta(minutes=minutes),
            "until": at + timedelta(minutes=minutes),
            "run": recording.run_id,
            "trace": recording.trace_id,
        }
        tools = store.rows(sql("tools_around"), {**traffic, **around})
        asked = {"agent": recording.agent, "at": at}
        before = store.rows(
            sql("versions_before"), {**traffic, **asked, "trace": recording.trace_id}
        )
        promotions = store.rows(sql("promotions"), {**asked, "earliest": at - timedelta(days=days)})
    answers = [call.answer for call in recording.model_calls if call.answer is not None]
    answered_as = answers[-1].response_model if answers else None
    previous = _previous(home)
    command = _command(home, previous, recording)
    found = Incident(
        trace_id=recording.trace_id,
        run_id=recording.run_id,
        agent=recording.agent,
        version=recording.version,
        at=at,
        sections=(
            steps.run_section(recording, about),
            steps.replay_section(replay, failure),
            steps.tools_section(tools, minutes),
            steps.before_section(before, recording, days),
            steps.changes_section(
                before, promotions, recording, _diff(home, previous, recording), answered_as
            ),
            steps.rollback_section(recording, home.current if home else None, previous, command),
        ),
        command=command,
    )
    _tell(store, recording, found.sections)
    return found


def _replayed(
    store: Store, recording: Recording, replays: Path | None
) -> tuple[Replay | None, str | None]:
    if replays is None:
        return None, "not replayed, as was asked"
    try:
        return replay_trace(store, recording.trace_id, workspaces=replays), None
    except GoldspanError as error:
        return None, f"it cannot be replayed: {error}"


def _home(agent: str | Path | None, recording: Recording) -> AgentFolder | None:
    if agent is not None:
        return AgentFolder.find(agent)
    try:
        return AgentFolder.find(recording.agent) if recording.agent else None
    except GoldspanError:  # another machine's agent: the store says all that can be said
        return None


def _previous(home: AgentFolder | None) -> str | None:
    if home is None or home.current is None:
        return None
    return previous_version(home.log(), home.current)


def _diff(
    home: AgentFolder | None, previous: str | None, recording: Recording
) -> VersionDiff | None:
    if home is None or previous is None or recording.version is None:
        return None
    try:
        return diff_versions(home.version(previous), home.version(recording.version))
    except GoldspanError:  # a version that is gone or broken has no differences to name
        return None


def _command(home: AgentFolder | None, previous: str | None, recording: Recording) -> str | None:
    if home is None or previous is None or home.current != recording.version:
        return None
    because = f"incident {recording.trace_id}"
    parts = ["goldspan", "agent", "rollback", "--agent", str(home.path), "--because", because]
    return shlex.join(parts)


def _tell(store: Store, recording: Recording, sections: tuple[Section, ...]) -> None:
    span = SpanContext(
        int(recording.trace_id, 16),
        int(recording.span_id or "0", 16),
        True,
        TraceFlags(TraceFlags.SAMPLED),
    )
    suspects = [section.id for section in sections if section.state == "suspect"]
    with instrument(store=store) as telemetry:
        telemetry.recorder.event(
            semconv.INCIDENT_WALKED,
            {semconv.RUN_ID: recording.run_id, semconv.INCIDENT_SUSPECTS: suspects},
            span=span,
        )
        telemetry.deliver(remedy="mend that and walk it again")
