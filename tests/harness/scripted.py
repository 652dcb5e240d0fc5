"""A model that says what a test tells it to, and a small environment with real files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.tools import Tool, ToolContext, ToolError


def act(action: str, thought: str = "because", **arguments: Any) -> str:
    """One JSON action."""
    return json.dumps({"thought": thought, "action": action, "arguments": arguments})


@dataclass
class ScriptedModel:
    """Answers with the texts given, in order; the last one again and again."""

    texts: Sequence[str]
    finish_reason: str = "stop"
    tokens: int = 10
    requests: list[ModelRequest] = field(default_factory=list)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        text = self.texts[min(len(self.requests), len(self.texts)) - 1]
        return ModelAnswer(
            text_message("assistant", text),
            finish_reason=self.finish_reason,
            response_model=request.model,
            input_tokens=self.tokens,
            output_tokens=self.tokens,
            duration_ms=5.0,
        )


class Look(BaseModel):
    model_config = ConfigDict(extra="forbid")
    what: Literal["a", "b"]


class Write(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str


def _look(context: ToolContext, arguments: Look) -> dict[str, Any]:
    if arguments.what == "b":
        raise ToolError("b is not there", error_type="NotFound")
    return {"seen": arguments.what, "luck": context.rng.random(), "call": context.call}


def _write(context: ToolContext, arguments: Write) -> dict[str, Any]:
    path = context.workspace / f"note-{context.call}.txt"
    path.write_text(arguments.text, encoding="utf-8")
    return {"wrote": path.name}


class Notebook:
    """An environment of two tools over one folder."""

    def tools(self) -> Sequence[Tool]:
        return (
            Tool("look", "Look at a thing.", Look, _look),
            Tool(
                "write",
                "Write a note.",
                Write,
                _write,
                action_class="act",
                needs_approval=True,
                artifact="note",
                preview=lambda _context, given: {"draft": given.get("text"), "risk": "low"},
            ),
        )

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        workspace.mkdir(parents=True)
        for name, text in setup.items():
            (workspace / name).write_text(str(text), encoding="utf-8")

    def end_state(self, workspace: Path) -> dict[str, Any]:
        return {p.name: p.read_text(encoding="utf-8") for p in sorted(workspace.iterdir())}


def write_version(folder: Path, *, contract: str = "{}", mode: str = "json") -> Path:
    """An agent version's folder on the notebook."""
    folder.mkdir(parents=True)
    (folder / "system-prompt.md").write_text("You keep a notebook.\n", encoding="utf-8")
    (folder / "tools.yaml").write_text("- name: look\n- name: write\n", encoding="utf-8")
    (folder / "config.yaml").write_text(
        f"model: tiny\nprovider: local\ntool_mode: {mode}\nsettings: {{temperature: 0}}\n"
        f"environment: tests.harness.scripted:Notebook\ncontract: {contract}\n",
        encoding="utf-8",
    )
    return folder
