"""What the model is told of a call that failed, and the parts that a run goes on without.

A tool's error goes back to the model with what it needs to recover: what was wrong, what the
arguments must be, whether another try can help, what to use instead. A tool that is down may be one
to go on without: its part is marked as pending, in what the model reads, in the trace and in the
answer, whatever the model makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from goldspan.harness.failure.policy import FailurePolicy
from goldspan.harness.guards.breaker import GUARD
from goldspan.harness.ledger import call_digest
from goldspan.harness.models.protocol import Call
from goldspan.harness.run_events import Events
from goldspan.harness.tools import JsonValue, Tool, result_text
from goldspan.tracing import semconv

GO_ON = "Go on without it, say in your answer that this part is pending, and make nothing up."


@dataclass(frozen=True)
class PendingPart:
    """One call that a run went on without. `arguments` is the call's, as compact JSON."""

    tool: str
    arguments: str
    reason: str
    digest: str

    def line(self) -> str:
        """The part in words."""
        return f"{self.tool}({self.arguments}): {self.reason}"


@dataclass
class Fallback:
    """One run's failed calls, as its model is told of them. Plain code: a run that starts again
    tells the same, and has the same parts pending."""

    policy: FailurePolicy
    tools: Mapping[str, Tool]
    events: Events
    parts: list[PendingPart] = field(default_factory=list)

    def failed(
        self, call: Call, error: str, error_type: str, *, retryable: bool = False
    ) -> dict[str, JsonValue]:
        """What the model is told of a call that ended with an error, as an object."""
        rule = self.policy.rule(call.name)
        if retryable and rule.when_down == "pending":
            return self._pending(call, error)
        told: dict[str, JsonValue] = {"error": error, "type": error_type, "try_again": retryable}
        tool = self.tools.get(call.name)
        if error_type == "InvalidArguments" and tool is not None:
            schema = tool.json_schema()
            told["expected"] = schema.get("properties", {})
            told["required"] = schema.get("required", [])
            told["try_again"] = "with other arguments"
        if rule.instead in self.tools:
            told["instead"] = rule.instead
        return told

    def refused(self, call: Call, guard: str, reason: str) -> dict[str, JsonValue]:
        """What the model is told of a call that was not made, since a guard denied it. The
        breaker denies a call of a tool that the run is to go on without, or is told about."""
        if guard == GUARD:
            return self.failed(call, reason, "BreakerOpen", retryable=True)
        return {"error": reason}

    def worked(self, call: Call) -> None:
        """A call succeeded: the same call is not pending any more."""
        digest = call_digest(call.name, call.arguments)
        self.parts = [part for part in self.parts if part.digest != digest]

    def marked(self, answer: str) -> str:
        """The final answer, with its pending parts named at its end; as it is, where none are."""
        if not self.parts:
            return answer
        lines = [f"- {part.line()}" for part in self.parts]
        return "\n".join([answer, "", "Pending:", *lines])

    def next_actions(self) -> list[str]:
        """What somebody has to do about the pending parts, for the run's report."""
        return [f"fill in what is pending: {part.line()}" for part in self.parts]

    def _pending(self, call: Call, reason: str) -> dict[str, Any]:
        digest = call_digest(call.name, call.arguments)
        if all(part.digest != digest for part in self.parts):
            part = PendingPart(call.name, result_text(call.arguments), reason, digest)
            self.parts.append(part)
            self.events.event(
                semconv.PART_PENDING,
                {
                    semconv.TOOL_NAME: call.name,
                    semconv.TOOL_CALL_ID: call.id,
                    semconv.TOOL_ARGUMENTS: part.arguments,
                    semconv.REASON: reason,
                },
            )
        told: dict[str, Any] = {"pending": True, "part": call.name, "reason": reason}
        instead = self.policy.rule(call.name).instead
        if instead in self.tools:
            told["instead"] = instead
        return {**told, "then": GO_ON}
