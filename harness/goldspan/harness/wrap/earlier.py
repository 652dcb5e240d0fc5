"""Calls that an earlier life of a wrapped run began: what is known of them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from goldspan.harness.failure.error_classes import UnknownOutcomeError
from goldspan.harness.ledger import Admission, Intent, Ledger
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import Tool
from goldspan.harness.wrap.current import AskTool, CurrentCall

Awaiting: TypeAlias = Callable[[Awaitable[Any]], Awaitable[Any]]
Found: TypeAlias = Mapping[str, Any] | None


@dataclass(frozen=True)
class Earlier:
    """`asks` say by tool what an earlier call of the same key returned."""

    ledger: Ledger
    asks: Mapping[str, AskTool]

    async def found(
        self, call: Call, tool: Tool, intent: Intent, admission: Admission, awaiting: Awaiting
    ) -> tuple[str, Found]:
        """Who was asked about a call, and its `result`; None where it is to be made. What a person
        says comes first, then the tool. Raises `UnknownOutcomeError` where it may have been made
        and nobody can say so."""
        if admission.fresh:
            return "", None
        said = self.ledger.take_resolution(intent.key)
        if said is not None:
            return "person", said if "result" in said else None
        if tool.action_class == "read":
            return "", None
        if call.name not in self.asks:
            raise UnknownOutcomeError("its process ended")
        return "asked", await self.ask(call, intent, awaiting)

    async def ask(self, call: Call, intent: Intent, awaiting: Awaiting) -> Found:
        """What the tool says of an earlier call of the same key."""
        about = CurrentCall(intent.key, intent.run_id, call.name, call.arguments)
        found = self.asks[call.name](about)
        if inspect.isawaitable(found):
            found = await awaiting(found)
        return cast("Found", found)
