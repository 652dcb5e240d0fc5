"""Where a replay parts from its recording: the first request, call, result or end that differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from goldspan.harness.replay.divergence import parting, step_key, step_text
from goldspan.harness.replay.playback import Progress
from goldspan.harness.replay.recording import Form, RecordedStep, Recording

Kind: TypeAlias = Literal["request", "call", "result", "end"]


@dataclass(frozen=True)
class Parting:
    """The first step that is not the same; step 1 is the first tool call.

    `kind` is what differs: the request to the model (`part` says which part of it), the tool call,
    its result (only where tools ran), or how the run ended. `recorded` and `replayed` are one line
    each.
    """

    step: int
    kind: Kind
    recorded: str
    replayed: str
    part: str | None = None


def compare(
    recorded: Recording, replayed: Recording, progress: Progress, *, results: bool = False
) -> Parting | None:
    """Where a replay parts from its recording; None where it does not.

    A recording without an end is compared as far as it goes. `results` also compares what the
    tools gave back.
    """
    one, two = recorded.steps, replayed.steps
    if not recorded.ended:
        two = two[: len(one)]
    ends = recorded.ended and (recorded.outcome, recorded.answer) != (
        replayed.outcome,
        replayed.answer,
    )
    at = parting(one, two, same_end=not ends, key=_with_result if results else step_key)
    asked = progress.request
    stopped = progress.beyond is not None and progress.live_calls == 0
    if stopped and asked is not None and asked[0] is not None and (at is None or at >= len(two)):
        part, was, now = _request_difference(asked[0], asked[1])
        return Parting(len(two) + 1, "request", was, now, part)
    if at is None:
        return None
    kind: Kind = "call"
    if at >= len(one) and at >= len(two):
        kind = "end"
    elif at < min(len(one), len(two)) and step_key(one[at]) == step_key(two[at]):
        kind = "result"
    return Parting(at + 1, kind, _told(recorded, at, kind), _told(replayed, at, kind))


def _told(recording: Recording, at: int, kind: Kind) -> str:
    if kind == "result":
        return f"{recording.steps[at].tool} gave {recording.steps[at].result}"[:200]
    return step_text(recording.steps, at, answer=recording.answer, outcome=recording.outcome)


def _with_result(step: RecordedStep) -> str:
    return step_key(step) + str(step.result)


def _request_difference(recorded: Form, now: Form) -> tuple[str, str, str]:
    """Which part of a request differs first, and both from shortly before it does."""
    for part in ("model", "settings", "tools", "system"):
        if recorded[part] != now[part] and part != "settings":
            return part, *_apart(str(recorded[part]), str(now[part]))
        if part == "settings":
            old, new = ({k: v for k, v in f[part].items() if k != "seed"} for f in (recorded, now))
            if old != new:
                return part, str(old), str(new)
    old_messages, new_messages = recorded["messages"], now["messages"]
    for index in range(max(len(old_messages), len(new_messages))):
        old_one, new_one = old_messages[index : index + 1], new_messages[index : index + 1]
        if old_one != new_one:
            shown = _apart(*(str(one[0]["parts"]) if one else "none" for one in (old_one, new_one)))
            return f"message {index + 1}", *shown
    return "order", "asked then", "asked again"


def _apart(before: str, after: str, *, context: int = 40, most: int = 200) -> tuple[str, str]:
    alike = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    start = max(0, alike - context)
    lead = "…" if start else ""
    return lead + before[start : start + most], lead + after[start : start + most]
