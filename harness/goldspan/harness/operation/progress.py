"""A progress file: what the runs of one session have done, and what is next.

It lies in the session's folder, beside the workspaces, and outlives every run. A run is told what
it says when it begins, as data; a tool and the run's end write to it. The file is replaced whole,
and a note is written once however often a run that died writes it again: its key is the call's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from goldspan.harness.contract import Contract
from goldspan.harness.result import Outcome
from goldspan.harness.run_events import RunEvents
from goldspan.harness.steps import Steps, retold, told
from goldspan.harness.tools import JsonValue, Tool, ToolContext
from goldspan.tracing import semconv
from goldspan.tracing.errors import GoldspanError, InternalError, MeasurementError
from goldspan.tracing.files import read_text, write_text

FILE = "progress.json"
TOOL = "note_progress"
HEAD = "What earlier runs of this session noted (data, and maybe out of date), the newest last:"
ANSWER_CHARS = 300


class ProgressPolicy(BaseModel):
    """The `progress` part of an agent version's `config.yaml`: how many of the newest notes are
    kept, and how many characters of them a run is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep: int = Field(default=20, gt=0, le=1000)
    told_chars: int = Field(default=4000, gt=0)


class Note(BaseModel):
    """One entry of the file. `outcome` is there where the note was written at a run's end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    run_id: str
    at: datetime
    done: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    outcome: str | None = None

    def lines(self) -> str:
        """The note in words."""
        ended = f" (run {self.outcome})" if self.outcome else ""
        parts = [f"{self.at:%Y-%m-%d %H:%M}{ended}"]
        parts += [f"  done: {text}" for text in self.done]
        return "\n".join([*parts, *(f"  next: {text}" for text in self.next)])


class NoteProgress(BaseModel):
    """Arguments of `note_progress`."""

    model_config = ConfigDict(extra="forbid")

    done: list[str] = Field(max_length=10, description="what is finished")
    next: list[str] = Field(max_length=10, description="what is still to be done")


ARGUMENTS = {TOOL: list(NoteProgress.model_fields)}  # where a contract may name the tool
_NOTES = TypeAdapter(list[Note])


def _nowhere(_context: ToolContext, _given: NoteProgress) -> JsonValue:
    raise InternalError("a note outside a session", where=TOOL)


# The tool as approval rules see it, also of a run that has no session.
NOTING = Tool(
    TOOL,
    "Note for later runs of this session what is done and what is next.",
    NoteProgress,
    _nowhere,
    action_class="write",
)


@dataclass(frozen=True)
class ProgressFile:
    """The notes of one session."""

    folder: Path
    keep: int = ProgressPolicy().keep

    @property
    def path(self) -> Path:
        """Where they lie."""
        return self.folder / FILE

    def read(self) -> list[Note]:
        """The notes, the oldest first. Raises `MeasurementError` where the file is not whole."""
        if not self.path.exists():
            return []
        try:
            return _NOTES.validate_json(read_text(self.path, MeasurementError))
        except ValidationError as error:
            raise MeasurementError(
                f"is no progress file: {error.errors()[0]['msg']}",
                where=str(self.path),
                remedy="mend it, or move it away: the session begins anew then",
            ) from None

    def write(self, note: Note) -> bool:
        """Add a note; False where one of its key is there. Several processes may write."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{FILE}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            notes = self.read()
            if any(known.key == note.key for known in notes):
                return False
            kept = [*notes, note][-self.keep :]
            rows = [one.model_dump(mode="json", exclude_none=True) for one in kept]
            write_text(self.path, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
        return True


def progress_folder(sessions: Path, agent: str, session: str) -> Path:
    """Where a session's file lies, below the folder of all. A name that no folder can have is
    replaced by its digest."""
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", session)
    name = session if plain else hashlib.sha256(session.encode()).hexdigest()[:32]
    return sessions / agent / name


@dataclass(frozen=True)
class Progress:
    """The progress file of a `session` (`gen_ai.conversation.id`), as one run uses it."""

    session: str
    folder: Path
    policy: ProgressPolicy
    run_id: str
    now: datetime
    events: RunEvents
    steps: Steps

    @property
    def file(self) -> ProgressFile:
        """The session's file."""
        return ProgressFile(self.folder, self.policy.keep)

    async def told(self) -> str | None:
        """What the run is told of earlier ones, None where there is nothing: read once, as a step,
        since the run itself adds to it. Raises `MeasurementError` as `ProgressFile.read`."""

        async def work() -> JsonValue:
            try:
                notes = self.file.read()
            except MeasurementError as error:
                return {"failure": told(error)}
            text = "\n".join(note.lines() for note in notes)
            return {"text": text[-self.policy.told_chars :], "notes": len(notes)}

        recorded: Any = await self.steps.reserve("progress")(work)
        if "failure" in recorded:
            raise retold(recorded["failure"])
        self._event(semconv.PROGRESS_READ, "read", {semconv.PROGRESS_NOTES: recorded["notes"]})
        return recorded["text"] or None

    def tool(self) -> Tool:
        """The tool that writes a note, and can be asked whether it has."""
        return replace(NOTING, run=self._note, ask=self._noted)

    def with_tool(self, tools: Sequence[Tool], contract: Contract) -> list[Tool]:
        """The run's tools with this one, where the contract allows it."""
        allowed = contract.allowed_tools is None or TOOL in contract.allowed_tools
        return [*tools, self.tool()] if allowed else list(tools)

    async def end(self, outcome: Outcome, said: str | None, then: Sequence[str]) -> None:
        """Write how the run ended, as a step. A run that goes on later writes nothing; a file that
        cannot be written does not change how the run ended."""
        if outcome in ("paused", "killed"):
            return
        note = Note(
            key=f"{self.run_id}:end",
            run_id=self.run_id,
            at=self.now,
            done=(said[:ANSWER_CHARS],) if said else (),
            next=tuple(then),
            outcome=outcome,
        )

        async def work() -> JsonValue:
            try:
                self._write(note)
            except (GoldspanError, OSError) as error:
                return {"failure": str(error)}
            return {}

        recorded: Any = await self.steps.reserve("progress")(work)
        if "failure" in recorded:
            about = {semconv.REASON: recorded["failure"], semconv.INCIDENT_KIND: "progress"}
            self.events.event(semconv.INCIDENT, {**about, semconv.INCIDENT_SEVERITY: "warning"})

    def _note(self, context: ToolContext, given: NoteProgress) -> JsonValue:
        self._write(
            Note(
                key=context.key,
                run_id=context.run_id,
                at=context.now,
                done=tuple(given.done),
                next=tuple(given.next),
            )
        )
        return {"noted": True}

    def _noted(self, context: ToolContext, _given: NoteProgress) -> Mapping[str, Any] | None:
        known = any(note.key == context.key for note in self.file.read())
        return {"result": {"noted": True}} if known else None

    def _write(self, note: Note) -> None:
        self.file.write(note)
        about = {
            semconv.PROGRESS_DONE: list(note.done),
            semconv.PROGRESS_NEXT: list(note.next),
            semconv.RUN_OUTCOME: note.outcome,
        }
        self._event(semconv.PROGRESS_NOTED, note.key, about)

    def _event(self, name: str, subject: str, attributes: Mapping[str, Any]) -> None:
        # Written where it happens, in a step or a tool: its id must not count what came before.
        about = {semconv.CONVERSATION_ID: self.session, **attributes}
        self.events.about(f"{self.run_id}/{subject}", name, about)
