"""What a person is to do about a run that did not complete, and by which command."""

from __future__ import annotations

from goldspan.harness.result import Ended, Outcome

_ENDED = {
    "failed": "look at the trace: {reason}",
    "aborted": "look at what the guard stopped: {reason}",
}
# By what the run waits for. Only a durable run goes on once that is there.
_WAITS = {
    "approval": "decide the approval: {reason} (goldspan approvals show {subject})",
    "unknown": "{reason} (goldspan approvals unknown {subject} --as NAME, and --made --result FILE"
    " or --not-made)",
    "breaker": "see why {subject} does not work, the run goes on by itself when it does: {reason}",
    "kill": "let it go on, or leave it: {reason} (goldspan resume {option})",
}
# Nothing of a run without an engine outlives its process: there is nothing that could go on.
_UNKNOWN = "look whether it was done before anybody runs this again: {reason}"
_OVER = {
    "paused": "the run is over, since it cannot wait here: run it again, or put the task into the"
    " queue (goldspan enqueue), where it would wait: {reason}",
    "killed": "the run is over: run it again once the stop is lifted (goldspan resume): {reason}",
}


def next_action(outcome: Outcome, reason: str, end: Ended | None, *, durable: bool) -> str:
    """One line for a report. `end` says what the run waits for, `durable` whether it goes on."""
    kind, _, subject = (end.waits_for if end is not None and end.waits_for else "").partition(":")
    over = _UNKNOWN if kind == "unknown" else _OVER.get(outcome)
    waits = _WAITS.get(kind) if durable else over
    text = waits or _ENDED.get(outcome, "{reason}")
    scope, _, name = subject.partition(":")
    option = f"--{scope} {name}".strip()
    return text.format(reason=reason, subject=subject, option=option)
