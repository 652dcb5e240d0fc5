"""What all runs together may do in a day: many small actions are one large one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.ledger.entries import Want
from goldspan.harness.models.protocol import Call
from goldspan.harness.rules.fields import missing_at, number, values_at
from goldspan.harness.rules.stated import Cap
from goldspan.harness.tools import Tool, ToolError

# Sums of cents in binary are off by less than this share, and a cent is more.
ROUNDING = 1e-10


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class CapGuard:
    """Aggregate caps per tool or action class and day, over all runs and workers of one ledger.

    The guard names what a call would use; the ledger counts. A tool of one name is the same for
    every agent. A call whose amount cannot be read is denied.
    """

    caps: Sequence[Cap]
    clock: Callable[[], datetime] = utc_now

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Want the call's share of every cap that it falls under."""
        wants: list[Want] = []
        day = self.clock().astimezone(UTC).date().isoformat()
        for cap in self.caps:
            if tool is None or cap.of not in (call.name, tool.action_class):
                continue
            scope = f"cap:{cap.of}:{day}"
            if cap.max_calls is not None:
                wants.append(Want(scope, "calls", 1, cap.max_calls, "caps"))
            if cap.amount is not None and cap.max_amount is not None:
                amount = _amount(call, tool, cap.amount)
                if amount is None:
                    reason = f"{cap.amount} must be a number that is not negative"
                    return Verdict("caps", "deny", reason)
                limit = cap.max_amount * (1 + ROUNDING)
                wants.append(Want(scope, cap.amount, amount, limit, "caps"))
        return Verdict("caps", "allow", wants=tuple(wants))


def _amount(call: Call, tool: Tool, path: str) -> float | None:
    """The sum of what a call names, as the tool will read it; None where that is not clear."""
    arguments = call.arguments
    with suppress(ToolError):  # the tool refuses such arguments itself
        arguments = tool.parse(arguments).model_dump()
    if not isinstance(arguments, Mapping) or missing_at(arguments, path):
        return None
    amounts = [number(value) for value in values_at(arguments, path)]
    known = [amount for amount in amounts if amount is not None and amount >= 0]
    return sum(known) if known and len(known) == len(amounts) else None
