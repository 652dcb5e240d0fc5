"""Calls that wait for a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from goldspan.harness.approvals.rules import ApprovalRule, ApprovalRules
from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import Tool


@dataclass(frozen=True)
class ApprovalGuard:
    """Calls of some tools wait for a person: all of them, or those that their rule says."""

    needs_approval: Collection[str] = ()
    rules: Mapping[str, ApprovalRule] = field(default_factory=dict)

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Pause a call that needs approval."""
        route = ApprovalRules(self.needs_approval, self.rules).route(call, tool)
        if route.way == "person":
            return Verdict("approval", "pause", route.reason)
        return Verdict("approval", "allow", route.reason)
