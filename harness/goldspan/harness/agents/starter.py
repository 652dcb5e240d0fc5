"""An environment to start from: a notebook of two tools. `goldspan agent new` makes agents on it.

Copy it to make your own: `tools()` says what an agent may call, `prepare()` makes a run's world,
`end_state()` says what the run left, for golden cases to compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from goldspan.harness.tools import Tool, ToolContext, ToolError

# A note's name becomes a file's name, so it cannot lead out of the workspace.
NoteName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]


class ReadNote(BaseModel):
    """Arguments of `read_note`."""

    model_config = ConfigDict(extra="forbid")

    name: NoteName


class WriteNote(BaseModel):
    """Arguments of `write_note`."""

    model_config = ConfigDict(extra="forbid")

    name: NoteName
    text: str


def _read(context: ToolContext, arguments: ReadNote) -> dict[str, str]:
    path = context.workspace / f"{arguments.name}.txt"
    if not path.is_file():
        have = ", ".join(sorted(p.stem for p in context.workspace.glob("*.txt"))) or "none"
        raise ToolError(
            f"there is no note {arguments.name!r}; notes: {have}", error_type="NotFound"
        )
    return {"name": arguments.name, "text": path.read_text(encoding="utf-8")}


def _write(context: ToolContext, arguments: WriteNote) -> dict[str, str]:
    path = context.workspace / f"{arguments.name}.txt"
    path.write_text(arguments.text, encoding="utf-8")
    return {"written": arguments.name}


class Notebook:
    """Notes as text files in the run's own folder. A case's `setup` is notes by name."""

    def tools(self) -> Sequence[Tool]:
        """`read_note`, and `write_note`, which needs no approval here."""
        return (
            Tool("read_note", "Read a note by its name.", ReadNote, _read),
            Tool("write_note", "Write a note.", WriteNote, _write, action_class="write"),
        )

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        """Write the notes that a case begins with."""
        workspace.mkdir(parents=True, exist_ok=True)
        for name, text in setup.items():
            note = WriteNote(name=name, text=str(text))
            (workspace / f"{note.name}.txt").write_text(note.text, encoding="utf-8")

    def end_state(self, workspace: Path) -> dict[str, Any]:
        """The notes by name."""
        paths = sorted(workspace.glob("*.txt"))
        return {"notes": {path.stem: path.read_text(encoding="utf-8") for path in paths}}
