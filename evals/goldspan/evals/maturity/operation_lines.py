"""The lines on looking after it: the kill switch, people's answers, audit events, old traces."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from goldspan.evals.maturity.history_lines import of_history
from goldspan.evals.maturity.model import Evidence, Finding, History, Line

DRILL_AGE = timedelta(days=30)
IN_TIME_SHARE = 0.9
EVENT_AGE = timedelta(minutes=10)  # an event that was just written is on its way
KEPT = timedelta(days=180)
NO_ENGINE = Finding(
    False, "there is no engine's database", "name it with --engine, or make its runs durable"
)


@of_history
def _drill(seen: Evidence, history: History) -> Finding:
    last = history.drill
    if last is None:
        return Finding(False, "never practised", "goldspan drill, every week")
    found: dict[str, Any] = json.loads(last["result"])
    held_ms, age = found["held_ms"], seen.now - last["observed_at"]
    told = f"{'passed' if last['passed'] else 'not passed'} {_days(age)} ago"
    if held_ms is not None:
        told += f": all of {found['runs']} runs waited {held_ms / 1000:.1f} s after the stop"
    missing = f"goldspan drill passed within {DRILL_AGE.days} days"
    return Finding(last["passed"] and age <= DRILL_AGE, told, missing)


@of_history
def _waits(seen: Evidence, history: History) -> Finding:
    if not seen.asks:
        return Finding(True, "no tool waits for a person")
    made = history.approvals
    decided, quick = made["decided"], made["in_a_day"]
    told = f"{quick} of {decided} decided within a day"
    if made["longest_ms"] is not None:
        told += f", the longest after {_days(timedelta(milliseconds=made['longest_ms']))}"
    missing = f"see that {IN_TIME_SHARE:.0%} are: more reviewers, or fewer calls that ask"
    return Finding(decided > 0 and quick >= IN_TIME_SHARE * decided, told, missing)


def _outbox(seen: Evidence) -> Finding:
    if seen.engine is None:
        return NO_ENGINE
    since = seen.engine.unsent_since
    if since is None:
        return Finding(True, "no audit event waits to be sent")
    age = seen.now - since
    told = f"{seen.engine.unsent} wait, the oldest since {since:%Y-%m-%d %H:%M}"
    missing = "run a worker that reaches the store: it sends them"
    return Finding(age <= EVENT_AGE, told, missing)


@of_history
def _retention(seen: Evidence, history: History) -> Finding:
    missing = f"goldspan prune --older-than {KEPT.days}d from a schedule, with the runs' --engine"
    if seen.engine is not None and seen.engine.old_runs:
        told = f"the engine's database holds runs that ended over {KEPT.days} days ago"
        return Finding(False, told, missing)
    if history.oldest is None:
        return Finding(True, "nothing is kept yet")
    age = seen.now - history.oldest
    return Finding(age <= KEPT, f"the oldest real trace is {_days(age)} old", missing)


def _days(span: timedelta) -> str:
    """A span of time in the unit that fits."""
    seconds = span.total_seconds()
    for unit, size in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


OPERATION_LINES = (
    Line("drill", "Production", "Was the kill switch practised in the last 30 days?", _drill),
    Line("waits", "Production", "Do people decide nine of ten calls within a day?", _waits),
    Line("outbox", "Production", "Is every audit event in the store?", _outbox),
    Line("retention", "Production", "Is nothing kept for over 180 days?", _retention),
)
