"""A world for runs that are killed: a mail server that keeps all, and a model of turns."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.tools import Tool, ToolContext
from tests.harness.calling import said
from tests.harness.scripted import act


class Letter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    n: int


def sent(workspace: Path) -> list[dict[str, Any]]:
    """Every letter that the server of a run was sent, in order."""
    log = workspace.parent / f"{workspace.name}.sent"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _send(context: ToolContext, letter: Letter) -> dict[str, Any]:
    log = context.workspace.parent / f"{context.workspace.name}.sent"
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": context.key, "n": letter.n}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return {"sent": letter.n}


def _was_sent(context: ToolContext, letter: Letter) -> dict[str, Any] | None:
    known = [row for row in sent(context.workspace) if row["key"] == context.key]
    return {"result": {"sent": known[0]["n"]}} if known else None


def _count(context: ToolContext, letter: Letter) -> dict[str, Any]:
    return {"sent": len(sent(context.workspace))}


async def _peek(context: ToolContext, letter: Letter) -> dict[str, Any]:
    """Look at a letter, for as long as there is a file `hold-N` beside the workspaces."""
    while (context.workspace.parent / f"hold-{letter.n}").exists():
        await asyncio.sleep(0.01)
    row = {"key": context.key, "n": letter.n, "call": context.call, "luck": context.rng.random()}
    with (context.workspace.parent / f"{context.workspace.name}.seen").open("a") as file:
        file.write(json.dumps(row) + "\n")
    return {"sent": letter.n}


def seen(workspace: Path) -> list[dict[str, Any]]:
    """Every look at a letter in a run, also those of lives that died."""
    log = workspace.parent / f"{workspace.name}.seen"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


class PostOffice:
    """Letters can be sent by a tool that can be asked, or by one that cannot."""

    def tools(self) -> Sequence[Tool]:
        return (
            Tool("send", "Send a letter.", Letter, _send, action_class="act", ask=_was_sent),
            Tool("throw", "Send it, and ask nobody.", Letter, _send, action_class="act"),
            Tool("sign", "With approval.", Letter, _send, action_class="act", needs_approval=True),
            Tool("count", "How many were sent?", Letter, _count),
            Tool("peek", "Look at a letter.", Letter, _peek),
        )

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        workspace.mkdir(parents=True)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        return {"sent": [row["n"] for row in sent(workspace)]}


class Turns:
    """A model that says, at each turn, what the task's text lists: `send 1; count 2; …`, and, where
    it calls tools natively, also several at once: `peek 1 & peek 2; send 3`."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.pause_s = pause_s

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        texts = [m["parts"][0]["content"] for m in request.messages if m["role"] == "user"]
        turn = sum(m["role"] == "assistant" for m in request.messages)
        asked = texts[0].split("; ")
        calls = [call.split(" ") for call in asked[turn].split(" & ")] if turn < len(asked) else []
        time.sleep(self.pause_s)
        if request.tools:
            told = [m["parts"][0]["response"] for m in request.messages if m["role"] == "tool"]
            wanted = [(tool, {"n": int(number)}) for tool, number in calls]
            message = said(wanted or f"done after {turn}: {' '.join(told)}")
        else:
            text = act("answer", text=f"done after {turn}")
            for tool, number in calls:
                text = act(tool, n=int(number))
            message = text_message("assistant", text)
        return ModelAnswer(message, response_model="tiny", input_tokens=7, output_tokens=3)


def write_post_office(folder: Path, mode: str = "json", contract: str = "") -> Path:
    """An agent version on the post office, with `contract` added to what it agrees to."""
    folder.mkdir(parents=True)
    (folder / "system-prompt.md").write_text("You send letters.\n", encoding="utf-8")
    tools = "".join(f"- name: {name}\n" for name in ("send", "throw", "sign", "count", "peek"))
    (folder / "tools.yaml").write_text(tools, encoding="utf-8")
    (folder / "config.yaml").write_text(
        f"model: tiny\nprovider: local\ntool_mode: {mode}\nsettings: {{temperature: 0}}\n"
        "environment: tests.chaos.world:PostOffice\n"
        f"contract: {{max_tool_calls: 40, max_iterations: 40{contract}}}\n",
        encoding="utf-8",
    )
    return folder
