"""The chain of guards: each looks at one thing and says what may happen.

A verdict is `allow`; `deny`, which the model is told and may mend; `pause`, which waits for a
person; or `stop`, which ends the run. A guard that fails stops the run: it never fails open. What
must be counted exactly, a guard does not count: its verdict says what it wants reserved, and the
ledger takes the wants of all guards in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeAlias

from goldspan.harness.ledger.entries import Want
from goldspan.harness.models.protocol import Call
from goldspan.harness.run_events import Events
from goldspan.harness.tools import Tool
from goldspan.tracing import semconv

Ruling: TypeAlias = Literal["allow", "deny", "pause", "stop"]


@dataclass(frozen=True)
class Verdict:
    """What a guard says of one call, and why; and what of which limit the call would use."""

    guard: str
    ruling: Ruling
    reason: str = ""
    wants: tuple[Want, ...] = ()


class Guard(Protocol):
    """Anything that judges a call before it is made.

    A guard may also have `verify(call, tool, result)`, which raises `OutputRejected` for a result
    that must not be used, and `observe(call, tool, result)`, which is told of each result, or of
    what the model was told of an error.
    """

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Judge a call. `tool` is None where the agent has no tool of that name."""
        ...


def verify_result(guards: Sequence[Guard], call: Call, tool: Tool, result: Any) -> None:
    """Let the guards judge a result, where it is made. Raises `OutputRejected`."""
    for guard in guards:
        verify = getattr(guard, "verify", None)  # isinstance() of a protocol takes 30 times longer
        if verify is not None:
            verify(call, tool, result)


def observe_result(guards: Sequence[Guard], call: Call, tool: Tool, result: Any) -> None:
    """Tell the guards of a result, in the order of the calls; again when a run starts again."""
    for guard in guards:
        observe = getattr(guard, "observe", None)
        if observe is not None:
            observe(call, tool, result)


def first_objection(guards: Sequence[Guard], call: Call, tool: Tool | None) -> Verdict:
    """The verdict of the first guard that denies or stops, else of the first that pauses, else of
    the last one. Its wants are those of all guards that were asked.
    """
    last, paused = Verdict("none", "allow"), None
    wants: tuple[Want, ...] = ()
    for guard in guards:
        try:
            last = guard.check(call, tool)
        except Exception as error:  # noqa: BLE001  a broken guard must not let a call through
            return Verdict(type(guard).__name__, "stop", f"guard failed: {error}")
        wants += last.wants
        if last.ruling in ("deny", "stop"):
            return replace(last, wants=wants)
        if last.ruling == "pause" and paused is None:
            paused = last
    return replace(paused or last, wants=wants)


def record_verdict(events: Events, verdict: Verdict, call: Call | None) -> None:
    """A verdict is an event. `call` is None for a verdict on the next model call."""
    events.event(
        semconv.GUARD_VERDICT,
        {
            semconv.GUARD_NAME: verdict.guard,
            semconv.GUARD_VERDICT: verdict.ruling,
            semconv.REASON: verdict.reason or None,
            semconv.TOOL_NAME: call.name if call else None,
            semconv.TOOL_CALL_ID: call.id if call else None,
        },
    )
