"""Guards: small objects around every tool call. Each looks at one thing and says what may happen.

A verdict is `allow`; `deny`, which the model is told and may mend; `pause`, which waits for a
person; or `stop`, which ends the run. A guard that fails stops the run: it never fails open.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from goldspan.harness.contract import Contract, Usage
from goldspan.harness.protocol import Call
from goldspan.harness.tools import Tool
from goldspan.tracing import semconv
from goldspan.tracing.recorder import Recorder

Ruling: TypeAlias = Literal["allow", "deny", "pause", "stop"]


@dataclass(frozen=True)
class Verdict:
    """What a guard says of one call, and why."""

    guard: str
    ruling: Ruling
    reason: str = ""


class Guard(Protocol):
    """Anything that judges a call before it is made."""

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Judge a call. `tool` is None where the agent has no tool of that name."""
        ...


@dataclass(frozen=True)
class ScopeGuard:
    """Only the tools of the agent version may be called."""

    allowed: Collection[str]

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Deny a tool that is out of scope, and name those that are in it."""
        if tool is not None and call.name in self.allowed:
            return Verdict("scope", "allow")
        return Verdict(
            "scope", "deny", f"no tool {call.name!r}; there are {', '.join(self.allowed)}"
        )


@dataclass(frozen=True)
class BudgetGuard:
    """A call that would exceed the contract does not start."""

    contract: Contract
    usage: Usage

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Stop the run before the tool call that would be one too many."""
        if self.usage.tool_calls >= self.contract.max_tool_calls:
            limit = self.contract.max_tool_calls
            return Verdict("budget", "stop", f"budget of {limit} tool calls is used up")
        if self.usage.seconds >= self.contract.max_seconds:
            return Verdict("budget", "stop", f"{self.contract.max_seconds:g} seconds are used up")
        return Verdict("budget", "allow")


@dataclass
class LoopGuard:
    """The same call with the same arguments, again and again, is a loop."""

    max_repeats: int
    _seen: Counter[str] = field(default_factory=Counter)

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Deny the first call beyond `max_repeats`, stop the run at the next."""
        key = json.dumps([call.name, call.arguments], sort_keys=True, default=str)
        self._seen[key] += 1
        times = self._seen[key]
        if times <= self.max_repeats:
            return Verdict("loop", "allow")
        reason = f"{call.name} was called {times} times with the same arguments"
        if times == self.max_repeats + 1:
            return Verdict("loop", "deny", f"{reason}: use its result, or answer")
        return Verdict("loop", "stop", reason)


@dataclass(frozen=True)
class ApprovalGuard:
    """Calls of some tools wait for a person."""

    needs_approval: Collection[str]

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Pause a call that needs approval."""
        if call.name in self.needs_approval:
            return Verdict("approval", "pause", f"{call.name} needs approval")
        return Verdict("approval", "allow")


def first_objection(guards: Sequence[Guard], call: Call, tool: Tool | None) -> Verdict:
    """The verdict of the first guard that does not allow, else that of the last one."""
    verdict = Verdict("none", "allow")
    for guard in guards:
        try:
            verdict = guard.check(call, tool)
        except Exception as error:  # noqa: BLE001  a broken guard must not let a call through
            return Verdict(type(guard).__name__, "stop", f"guard failed: {error}")
        if verdict.ruling != "allow":
            return verdict
    return verdict


def record_verdict(recorder: Recorder, verdict: Verdict, call: Call | None) -> None:
    """A verdict is an event. `call` is None for a verdict on the next model call."""
    recorder.event(
        semconv.GUARD_VERDICT,
        {
            semconv.GUARD_NAME: verdict.guard,
            semconv.GUARD_VERDICT: verdict.ruling,
            semconv.REASON: verdict.reason or None,
            semconv.TOOL_NAME: call.name if call else None,
            semconv.TOOL_CALL_ID: call.id if call else None,
        },
    )
