"""A model that asks for several calls in one turn, and tools that are under way for a while."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.tools import Tool, ToolContext
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store

Asked: TypeAlias = tuple[str, dict[str, Any]]


@dataclass
class CallingModel:
    """Answers with the turns given, in order: calls, or a final text."""

    turns: Sequence[Sequence[Asked] | str]
    requests: list[ModelRequest] = field(default_factory=list)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        turn = self.turns[sum(m["role"] == "assistant" for m in request.messages)]
        return ModelAnswer(said(turn), response_model="tiny", input_tokens=7, output_tokens=3)

    def told(self) -> list[str]:
        """What the last request told the model of its calls, in order."""
        messages = self.requests[-1].messages
        return [m["parts"][0]["response"] for m in messages if m["role"] == "tool"]


def said(turn: Sequence[Asked] | str) -> dict[str, Any]:
    """A model's native message."""
    if isinstance(turn, str):
        return text_message("assistant", turn)
    parts = [
        {"type": "tool_call", "id": f"c{n}", "name": name, "arguments": json.dumps(arguments)}
        for n, (name, arguments) in enumerate(turn)
    ]
    return {"role": "assistant", "parts": parts}


class Page(BaseModel):
    model_config = ConfigDict(extra="forbid")
    n: int
    after: int | None = None


def _print(context: ToolContext, page: Page) -> dict[str, Any]:
    """A file with as many signs as the page's number; none at all for a page below 0."""
    file = context.workspace / f"page-{page.n}.txt"
    if page.n >= 0:
        file.write_text("x" * page.n, encoding="utf-8")
    return {"path": file.name}


class Library:
    """Pages can be read, side by side; one read ends `after` another, where it says so."""

    ends: dict[int, threading.Event]
    log: list[str]

    def __init__(self) -> None:
        self.ends, self.log = {}, []

    def over(self, n: int) -> threading.Event:
        """Set when somebody has read this page; a test may set it too."""
        return self.ends.setdefault(n, threading.Event())

    async def _read(self, context: ToolContext, page: Page) -> dict[str, Any]:
        self.log.append(f"read {page.n}")
        await asyncio.sleep(0)
        while page.after is not None and not self.over(page.after).is_set():
            await asyncio.sleep(0.002)
        self.log.append(f"end {page.n}")
        self.over(page.n).set()
        luck = round(context.rng.random(), 6)
        return {"page": page.n, "call": context.call, "luck": luck, "log": list(self.log)}

    async def _write(self, context: ToolContext, page: Page) -> dict[str, Any]:
        self.log.append(f"write {page.n}")
        await asyncio.sleep(0)
        self.log.append(f"written {page.n}")
        return {"wrote": page.n}

    def tools(self) -> Sequence[Tool]:
        return (
            Tool("read", "Read a page.", Page, self._read),
            Tool("write", "Write a page.", Page, self._write, action_class="act"),
            Tool("print", "Print a page.", Page, _print, action_class="write", artifact="print"),
        )

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        workspace.mkdir(parents=True)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        return {"prints": [{"name": p.name} for p in sorted(workspace.glob("*.txt"))]}


def write_library(folder: Path, contract: dict[str, Any], **more: Any) -> Path:
    """An agent version on the library; `more` are further parts of its configuration."""
    folder.mkdir(parents=True)
    (folder / "system-prompt.md").write_text("You read.\n", encoding="utf-8")
    (folder / "tools.yaml").write_text(
        "- name: read\n- name: write\n- name: print\n", encoding="utf-8"
    )
    config = {
        "model": "tiny",
        "provider": "local",
        "settings": {"temperature": 0},
        "environment": "tests.harness.calling:Library",
        "contract": contract,
        **more,
    }
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    return folder


class Desk:
    """One run of a scripted model in a library."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.library = Library()
        self.model_type: type[CallingModel] = CallingModel
        self.model = CallingModel([])

    def run(
        self,
        *turns: Sequence[Asked] | str,
        contract: dict[str, Any] | None = None,
        config: dict[str, Any] | None = None,
        **more: Any,
    ) -> RunResult:
        """A run; `config` are further parts of the agent's configuration."""
        self.model = self.model_type([*turns, "done"])
        folder = self.folder / "reader" / f"v{len(list(self.folder.glob('reader/*')))}"
        version = AgentVersion.load(write_library(folder, contract or {}, **config or {}))
        with instrument(store=self.folder / "s.duckdb", service_name="test") as telemetry:
            return asyncio.run(
                run_agent(
                    version,
                    "read",
                    model=self.model,
                    recorder=telemetry.recorder,
                    workspace=self.folder / f"work-{folder.name}",
                    environment=self.library,
                    tool_scope="case/0",
                    **more,
                )
            )

    def told(self) -> list[Any]:
        """What the model was told of its calls."""
        return [json.loads(text) for text in self.model.told()]

    def events(self, name: str) -> list[dict[str, Any]]:
        rows = Store.open(self.folder / "s.duckdb").rows(
            "SELECT attributes FROM events WHERE event_name = ? ORDER BY observed_at", [name]
        )
        return [json.loads(row["attributes"]) for row in rows]
