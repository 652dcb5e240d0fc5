"""What a run may spend."""

from __future__ import annotations

from dataclasses import dataclass

from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards.chain import Verdict
from goldspan.harness.messages import ModelRequest
from goldspan.harness.protocol import Call
from goldspan.harness.tools import Tool


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

    def before_model(self, request: ModelRequest) -> Verdict:
        """Stop the run before a model call that its contract has nothing left for."""
        limit = self.usage.exceeded(self.contract)
        if limit is not None:
            return Verdict("budget", "stop", limit)
        return Verdict("budget", "allow")
