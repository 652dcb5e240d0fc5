"""Calls that go round in circles."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.protocol import Call
from goldspan.harness.tools import Tool


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
