"""What each step of the walk makes of the rows that it reads. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from goldspan.dashboards.display import duration, line, moment, share, usd
from goldspan.dashboards.incident.model import Fact, Section, State
from goldspan.harness.agents.diff import VersionDiff
from goldspan.harness.replay import Recording, Replay

Row: TypeAlias = dict[str, Any]
MOST_FACTS = 12
TIMES_AS_OFTEN = 3  # a tool is suspect that fails so much more often than before
RECENT = timedelta(days=2)
ENDED_BADLY = ("failed", "aborted", "killed")


def run_section(recording: Recording, about: Row) -> Section:
    """What the run was asked, what it did, and how it ended."""
    facts = [Fact(f"asked: {line(recording.task or 'not in the store', 300)}", recording.trace_id)]
    for number, step in enumerate(recording.steps, 1):
        given = "" if step.arguments is None else json.dumps(step.arguments, ensure_ascii=False)
        why = f": {line(step.error_message, 120)}" if step.error_message else ""
        failed = f" → {step.error_type}{why}" if step.error_type else ""
        facts.append(
            Fact(f"{number}. {step.tool} {line(given, 120)}{failed}", step.trace_id, step.span_id)
        )
    if recording.answer is not None:
        said = f"answered: {line(recording.answer, 300)}"
        facts.append(Fact(said, recording.trace_id, recording.span_id))
    errors = sum(1 for step in recording.steps if step.error_type and step.executed)
    reason = f" because {line(recording.reason, 200)}" if recording.reason else ""
    says = (
        f"{recording.outcome or 'it has no end'}{reason}; {len(recording.steps)} tool calls, "
        f"{errors} with an error, {duration(about['duration_ms'])}, {usd(about['cost_usd'])}"
    )
    bad = recording.outcome in ENDED_BADLY or errors > 0
    return Section("run", "The run", "suspect" if bad else "clear", says, _cut(facts))


def replay_section(replay: Replay | None, failure: str | None) -> Section:
    """Whether the same input still leads to the same steps."""
    title = "Its exact input, replayed"
    if replay is None:
        return Section("replay", title, "unknown", failure or "not replayed")
    shown = Fact("the replay", replay.replayed.trace_id, replay.replayed.span_id)
    notes = tuple(Fact(note) for note in replay.notes)
    at = replay.parting
    if at is None:
        says = "the same with recorded answers and results: code, version and guards still do this"
        return Section("replay", title, "clear", says, (shown, *notes), replay.to_json())
    says = f"differs at step {at.step} ({at.part or at.kind}): what runs here is not what ran then"
    facts = (Fact(f"recorded: {at.recorded}"), Fact(f"replayed: {at.replayed}"), shown, *notes)
    return Section("replay", title, "suspect", says, facts, replay.to_json())


def tools_section(rows: Sequence[Row], minutes: int) -> Section:
    """Whether the tools of the run failed for others as well, and more often than before."""
    title = f"Its tools' errors, {minutes} minutes around it"
    if not rows:
        return Section("tools", title, "clear", "the run executed no tool")
    facts, worse = [], []
    for row in rows:
        now, before = (
            _share(row["errors"], row["calls"]),
            _share(row["errors_before"], row["calls_before"]),
        )
        kinds = f" ({row['error_types']})" if row["error_types"] else ""
        facts.append(
            Fact(
                f"{row['tool_name']}: {row['errors']} of {row['calls']} calls failed{kinds}; "
                f"before {row['errors_before']} of {row['calls_before']}",
                row["failed_trace"],
                row["failed_span"],
            )
        )
        if row["errors"] >= 2 and now is not None and now > TIMES_AS_OFTEN * (before or 0.0):
            worse.append(
                f"{row['tool_name']} fails in {share(now)} of its calls, before {share(before)}"
            )
    if worse:
        return Section("tools", title, "suspect", "; ".join(worse), _cut(facts), _data(rows))
    failed = sum(row["errors"] for row in rows)
    says = f"{failed} errors, no more than usual" if failed else "no errors"
    return Section("tools", title, "clear", says, _cut(facts), _data(rows))


def before_section(rows: Sequence[Row], recording: Recording, days: int) -> Section:
    """How runs of the same version and model ended before, beside those of others."""
    title = f"The same version and model, {days} days before"
    facts = [
        Fact(
            f"{row['agent_version'] or '?'} on {row['request_model'] or '?'}"
            f" (answered as {row['response_model'] or '?'}): {row['bad_runs']} of {row['runs']}"
            f" runs ended badly, {moment(row['first_at'])} to {moment(row['last_at'])}",
            row["last_completed"],
        )
        for row in rows
    ]
    same = [
        row
        for row in rows
        if row["agent_digest"] == recording.digest and row["request_model"] == recording.model
    ]
    runs, bad = (sum(row[key] for row in same) for key in ("runs", "bad_runs"))
    if not same:
        others = "other versions or models ran" if rows else "the agent had no runs"
        says = f"this version and model had no runs; {others}"
        state: State = "suspect" if rows else "unknown"
        return Section("before", title, state, says, _cut(facts), _data(rows))
    says = f"{bad} of {runs} runs of this version and model ended badly"
    return Section(
        "before", title, "suspect" if bad * 2 > runs else "clear", says, _cut(facts), _data(rows)
    )


def changes_section(
    rows: Sequence[Row],
    promotions: Sequence[Row],
    recording: Recording,
    diff: VersionDiff | None,
    answered_as: str | None,
) -> Section:
    """What became different before the run: current version, its files, the model behind a name."""
    facts, news = [], []
    for row in promotions:
        done = "rolled back" if row["event_name"].endswith("rolled_back") else "promoted"
        why = f", because {line(row['reason'], 100)}" if row["reason"] else ""
        facts.append(
            Fact(
                f"{moment(row['observed_at'])}: {done} {row['previous_version']} → "
                f"{row['agent_version']} by {row['by_whom']}{why}"
            )
        )
    if promotions and _recent(promotions[0]["observed_at"], recording.started_at):
        since = moment(promotions[0]["observed_at"])
        news.append(f"{promotions[0]['agent_version']} is current since {since}")
    digests = {
        row["agent_digest"]
        for row in rows
        if row["agent_version"] == recording.version and row["agent_digest"] != recording.digest
    }
    if digests and recording.version is not None:
        news.append(
            f"{recording.version} was changed while in use: it ran under {len(digests) + 1} digests"
        )
    models = {
        row["response_model"]
        for row in rows
        if row["request_model"] == recording.model and row["response_model"]
    }
    if answered_as is not None and models and answered_as not in models:
        known = ", ".join(sorted(models))
        news.append(f"{recording.model} is answered by {answered_as} now, before by {known}")
    if diff is not None and not diff.same:
        parts = ", ".join(change.part for change in diff.changes) or "layout only"
        facts.append(Fact(f"{diff.old.version} → {diff.new.version} differ in: {parts}"))
    says = "; ".join(news) or "nothing that is recorded changed in the time before"
    return Section("changes", "What changed", "suspect" if news else "clear", says, _cut(facts))


def rollback_section(
    recording: Recording, current: str | None, previous: str | None, command: str | None
) -> Section:
    """How to go back to the version that was in use before."""
    title = "Roll back"
    if current is None:
        says = f"no folder of {recording.agent or 'the agent'} with a current version is here"
        return Section("rollback", title, "unknown", says)
    if recording.version != current:
        says = f"{recording.version} is not current any more, {current} is: nothing to take back"
        return Section("rollback", title, "clear", says)
    if command is None:
        says = f"no version was in use before {current}: name one with goldspan agent rollback --to"
        return Section("rollback", title, "unknown", says)
    return Section("rollback", title, "clear", f"to {previous}: {command}")


def _recent(at: datetime, started: datetime) -> bool:
    return started - at <= RECENT


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _cut(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    if len(facts) <= MOST_FACTS:
        return tuple(facts)
    more = Fact(f"… {len(facts) - MOST_FACTS} more")
    return (*facts[:MOST_FACTS], more)


def _data(rows: Sequence[Row]) -> dict[str, Any]:
    return {"rows": list(rows)}
