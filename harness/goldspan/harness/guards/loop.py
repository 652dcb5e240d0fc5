"""Calls that go round in circles."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import Tool


@dataclass
class LoopGuard:
    """Three signs of a loop: the same call again and again; two or three calls that alternate,
    also where only letter case or spaces differ; reading that brings nothing new.

    The first time the call is denied, and the model told; the next time the run is stopped.
    `max_repeats` counts equal calls in the whole run, `max_cycles` rounds of alternating calls,
    `max_stale` results in a row that the same tool has given before.
    """

    max_repeats: int
    max_cycles: int = 3
    max_stale: int = 4
    _seen: Counter[str] = field(default_factory=Counter)
    _calls: list[str] = field(default_factory=list)
    _results: set[tuple[str, str]] = field(default_factory=set)
    _stale: int = 0
    _warned: int = 0

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Deny a call that goes round in circles, stop the run where it goes on."""
        key = _text([call.name, call.arguments])
        self._seen[key] += 1
        self._calls.append(_text(_folded([call.name, call.arguments])))
        times = self._seen[key]
        if times > self.max_repeats:
            reason = f"{call.name} was called {times} times with the same arguments"
            if times == self.max_repeats + 1:
                return Verdict("loop", "deny", f"{reason}: use its result, or answer")
            return Verdict("loop", "stop", reason)
        period = cycle(self._calls, self.max_cycles)
        if period:
            return self._object(
                f"the same {period} calls alternate for the {self.max_cycles}. time"
            )
        if self._stale >= self.max_stale and tool is not None and tool.action_class == "read":
            stale, self._stale = self._stale, self._stale - 1
            return self._object(f"the last {stale} results said nothing new")
        return Verdict("loop", "allow")

    def observe(self, call: Call, tool: Tool, result: Any) -> None:
        """Note what a call that reads has brought. A call that changes something is news."""
        if tool.action_class != "read":
            self._stale = 0
            return
        seen = (call.name, _text(result))
        self._stale = self._stale + 1 if seen in self._results else 0
        self._results.add(seen)

    def _object(self, reason: str) -> Verdict:
        self._warned += 1
        if self._warned == 1:
            return Verdict("loop", "deny", f"{reason}: do something else, or answer")
        return Verdict("loop", "stop", reason)


def cycle(calls: list[str], rounds: int) -> int:
    """The length (2 or 3) of the block of calls that the list ends with `rounds` times over; 0
    where there is none. A block of one call only is no cycle."""
    for period in (2, 3):
        tail = calls[-period * rounds :]
        block = tail[:period]
        if len(tail) == period * rounds and len(set(block)) > 1 and tail == block * rounds:
            return period
    return 0


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.casefold().split())
    if isinstance(value, list | tuple):
        return [_folded(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _folded(item) for key, item in value.items()}
    return value
