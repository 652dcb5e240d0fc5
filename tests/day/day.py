"""A day of the office, while it is played and when it is over: what it left, and what was said."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from goldspan.cli.app import app
from goldspan.harness.ledger.runs import Runs
from goldspan.tracing.store import Store
from tests.day.page import typed
from tests.operation.commands import waited


def default_store(folder: Path) -> Path:
    """Where commands that are typed in a folder keep what they know."""
    return folder / ".goldspan" / "goldspan.duckdb"


@dataclass
class Day:
    """What is left of the day: the store, the office, and what commands said at their hour."""

    folder: Path
    runs: Runs
    said: dict[str, Any] = field(default_factory=dict)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """What the store answers."""
        return Store.open(self.store, create=False).rows(sql, list(parameters))

    def events(self, name: str, task: str | None = None) -> list[dict[str, Any]]:
        """Events of a name, in order; attributes beside the columns. `task` names the run."""
        rows = self.rows(
            "SELECT * FROM events WHERE event_name = ? ORDER BY observed_at, event_id", name
        )
        found = [{**row, **json.loads(row["attributes"])} for row in rows]
        return [row for row in found if task is None or row["run_id"] == self.run(task)]

    def run(self, task: str) -> str:
        """The id of a task's run."""
        return str(self.said["runs"][task])

    def row(self, task: str) -> dict[str, Any]:
        """A run's row of the view `runs`, as it is in the evening."""
        return dict(self.said["rows"][self.run(task)])

    def calls(self, task: str, tool: str) -> list[dict[str, Any]]:
        """The spans of a run's calls of a tool, in order."""
        return self.rows(
            "SELECT * FROM tool_calls WHERE run_id = ? AND tool_name = ? ORDER BY started_at",
            self.run(task),
            tool,
        )

    def asked_model(self, task: str) -> list[dict[str, Any]]:
        """The spans of a run's model calls, in order."""
        return self.rows(
            "SELECT * FROM llm_calls WHERE run_id = ? ORDER BY started_at", self.run(task)
        )

    def read_by_model(self, task: str, call: int) -> str:
        """The text of the last message of a run's model call, counted from 0."""
        message = json.loads(self.asked_model(task)[call]["input_messages"])[-1]
        return str(message["parts"][0]["content"])

    @property
    def store(self) -> Path:
        return default_store(self.folder)

    @property
    def report(self) -> dict[str, Any]:
        """The day's report, as JSON."""
        return dict(self.said["report"])

    def types(self, *argv: str) -> str:
        """Type a command in the office's folder."""
        done = CliRunner().invoke(app, argv, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def asks(self, *argv: str) -> Any:
        """Type a command, and read what it says as JSON."""
        return json.loads(self.types(*argv, "--json"))

    def enqueues(self, hour: str) -> Any:
        """Type the page's command of an hour that puts work in; returns what it says."""
        said = self.asks(*typed(hour, "enqueue"))
        self.said["runs"] |= {each["task"]: each["run_id"] for each in said["runs"]}
        return said

    def waits_for(self, task: str, state: str) -> None:
        """Wait until a run has ended, or is parked."""

        def there() -> bool:
            found = self.runs.find(self.run(task))
            return found is not None and found.state == state

        waited(there)
