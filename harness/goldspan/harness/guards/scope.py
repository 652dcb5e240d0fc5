"""What an agent may call at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.protocol import Call
from goldspan.harness.tools import Tool


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
