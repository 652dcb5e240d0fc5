"""Whether a tool's output is whole: from the expected time, complete, not empty, plausible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from goldspan.harness.guards.caps import utc_now
from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.rules.fields import missing_at, number, values_at
from goldspan.harness.rules.stated import OutputRule, Window
from goldspan.harness.tools import Tool, ToolError


class OutputRejected(ToolError):
    """A tool answered, and its output is not whole. `verdict` says what becomes of the call. That
    is a failure of the tool, whether or not the call may be made again."""

    outage = True

    def __init__(self, verdict: Verdict, *, retryable: bool) -> None:
        super().__init__(verdict.reason, error_type="OutputRejected", retryable=retryable)
        self.verdict = verdict


@dataclass(frozen=True)
class OutputGuard:
    """Holds what tools return to rules. Nothing is made up for what is missing."""

    rules: Mapping[str, OutputRule]
    clock: Callable[[], datetime] = utc_now

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Allow: this guard judges afterwards."""
        return Verdict("outputs", "allow")

    def verify(self, call: Call, tool: Tool, result: Any) -> None:
        """Raise `OutputRejected` for an output that is not whole; only a `retry` of a call that
        changes nothing may be made again. Of any other the model is told that it was made."""
        rule = self.rules.get(call.name)
        fault = None if rule is None else unsound(rule, call.arguments, result, self.clock())
        if rule is None or fault is None:
            return
        again = rule.otherwise == "retry"
        ruling = "deny" if rule.otherwise == "retry" else rule.otherwise
        reads = tool.action_class == "read"
        made = "" if reads else f"{call.name} was made, do not repeat it: "
        reason = (
            f"{made}the output of {call.name} cannot be used: {fault}; do not guess what it lacks"
        )
        raise OutputRejected(Verdict("outputs", ruling, reason), retryable=again and reads)


def unsound(rule: OutputRule, arguments: Any, result: Any, now: datetime) -> str | None:
    """What is wrong with a result, worded for model and person; None where nothing is."""
    for path in rule.not_empty:
        if all(value in ("", {}) for value in values_at(result, path)):
            return f"{path or 'it'} is empty"
    for flag in rule.partial:
        if any(values_at(result, flag)):
            return f"{flag} says that it is not complete"
    for path in rule.required:
        missing = missing_at(result, path)
        if missing:
            return f"{path} is missing in {missing} place{'s' if missing > 1 else ''}"
    for path, range_ in rule.range.items():
        for value in values_at(result, path):
            read = number(value)
            if read is None or read not in range_:
                return f"{path} is {value!r}, not in {range_}"
    for path, window in rule.window.items():
        first, last = _bounds(window, arguments, now)
        for value in values_at(result, path):
            at = _moment(value)
            if at is None or (first and at < first) or (last and at > last):
                return f"{path} is {value!r}, outside the expected time"
    return None


def _bounds(
    window: Window, arguments: Any, now: datetime
) -> tuple[datetime | None, datetime | None]:
    first = last = None
    if window.max_age_days is not None:
        first = now - timedelta(days=window.max_age_days)
        last = now + timedelta(days=window.max_ahead_days)
    if window.from_argument is not None:
        first = _argument(arguments, window.from_argument, end=False)
    if window.to_argument is not None:
        last = _argument(arguments, window.to_argument, end=True)
    return first, last


def _argument(arguments: Any, path: str, *, end: bool) -> datetime | None:
    found = values_at(arguments, path)
    return _moment(found[0], end=end) if found else None


def _moment(value: Any, *, end: bool = False) -> datetime | None:
    """A moment from ISO 8601 text; a day is its beginning, or its end."""
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value)
            value = datetime.combine(day, time.max if end else time.min)
        except ValueError:
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
