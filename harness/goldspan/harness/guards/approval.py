"""Calls that wait for a person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.protocol import Call
from goldspan.harness.tools import Tool


@dataclass(frozen=True)
class ApprovalGuard:
    """Calls of some tools wait for a person."""

    needs_approval: Collection[str]

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Pause a call that needs approval."""
        if call.name in self.needs_approval:
            return Verdict("approval", "pause", f"{call.name} needs approval")
        return Verdict("approval", "allow")
