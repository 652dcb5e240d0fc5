"""Post offices whose tool cannot be cut: it blocks, as tools that are not async do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from goldspan.harness.tools import Tool, ToolContext
from tests.chaos.world import PostOffice

BLOCKS_S = 1.0
PATIENCE_S = 20.0


class SlowOffice(PostOffice):
    """`send` takes a second."""

    def tools(self) -> Sequence[Tool]:
        first, *others = super().tools()

        def slowly(context: ToolContext, letter: Any) -> Any:
            time.sleep(BLOCKS_S)
            return first.run(context, letter)

        return (replace(first, run=slowly), *others)


class QueuingOffice(PostOffice):
    """`count` waits until another run has sent a letter, and says whether one was."""

    def tools(self) -> Sequence[Tool]:
        def waits(context: ToolContext, letter: Any) -> Any:
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and not list(context.workspace.parent.glob("*.sent")):
                time.sleep(0.01)
            return {"sent": len(list(context.workspace.parent.glob("*.sent")))}

        tools = super().tools()
        return [replace(tool, run=waits) if tool.name == "count" else tool for tool in tools]
