"""Agents that fail on purpose, for replays: a tool that is away for a while, and a cheap model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.tools import Tool, ToolContext, ToolError
from tests.harness.scripted import Notebook, act


class Flaky(Notebook):
    """`look` fails as often as the workspace's file `away` says; `write` breaks off."""

    def tools(self) -> Sequence[Tool]:
        look, write = super().tools()

        def flaky(context: ToolContext, arguments: Any) -> Any:
            away = context.workspace / "away"
            left = int(away.read_text("utf-8"))
            away.write_text(str(left - 1), "utf-8")
            if left > 0:
                raise ToolError("away for a moment", error_type="Away", retryable=True)
            return look.run(context, arguments)

        def breaks(_context: object, _arguments: object) -> Any:
            raise ConnectionResetError("broke off")

        return (replace(look, run=flaky), replace(write, run=breaks))


class CheapAndDear:
    """Of two models the cheap one, `tiny`, cannot be read."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.asked.append(request.model)
        said = "hm" if request.model == "tiny" else act("answer", text=f"from {request.model}")
        return ModelAnswer(text_message("assistant", said), response_model=request.model)
