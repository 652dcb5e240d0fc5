"""What a queue of the support desk came to: all that must be the same, killed or not."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbos import DBOSClient

from goldspan.harness.demo.effects import OUTBOX
from goldspan.harness.engine.config import sqlalchemy_url
from goldspan.harness.engine.serializer import JsonSerializer
from goldspan.harness.ledger import Ledger
from goldspan.tracing.store import Store
from tests.chaos.desk_worker import Place

EFFECTS = """
    SELECT attributes::JSON->>'$."goldspan.call.key"' AS key, count(*) AS spans FROM spans
    WHERE category = 'tool' AND status <> 'error'
        AND attributes::JSON->>'$."goldspan.call.recovery"' IS NULL
    GROUP BY key
"""


@dataclass(frozen=True)
class Facts:
    """`runs` how each run ended and what it answered; `worlds` the whole of each run's operations
    database and outbox; `calls` the tool calls, and `approvals` what was asked and decided, as the
    ledger has them; `limits` what was used of each run's budgets."""

    runs: dict[str, dict[str, Any]]
    worlds: dict[str, dict[str, Any]]
    calls: dict[str, dict[str, Any]]
    approvals: dict[str, dict[str, Any]]
    limits: dict[str, float]

    @property
    def effects(self) -> Counter[str]:
        """How many effects of each tool there are."""
        return sum((world["effects"] for world in self.worlds.values()), Counter())


class Records:
    """The engine's own records of one queue."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.ledger = Ledger(place.url)
        self._client = DBOSClient(
            system_database_url=sqlalchemy_url(place.url), serializer=JsonSerializer()
        )

    def close(self) -> None:
        self._client.destroy()
        self.ledger.close()

    def statuses(self, run_ids: list[str]) -> dict[str, str]:
        """The engine's word for each run."""
        found = self._client.list_workflows(
            workflow_ids=run_ids, load_input=False, load_output=False
        )
        return {run.workflow_id: str(run.status) for run in found}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the ledger's tables."""
        with self.ledger.transaction() as tx:
            return tx.read(sql)  # type: ignore[attr-defined, no-any-return]  # no query of its own

    def facts(self) -> Facts:
        """All of it, as it is now."""
        outputs = {run.workflow_id: run.output for run in self._client.list_workflows()}
        runs = {
            row["run_id"]: {**row, "output": _without_trace(outputs[row["run_id"]])}
            for row in self.rows(
                "SELECT run_id, state, waits_for, outcome, why, tokens, usd FROM goldspan_runs"
            )
        }
        calls = self.rows(
            "SELECT key, run_id, step, tool, digest, approval, refusal FROM goldspan_calls"
            " WHERE action_class <> 'model'"
        )
        approvals = self.rows(
            "SELECT id, run_id, digest, kind, proposal, state, decision, reviewers"
            " FROM goldspan_approvals"
        )
        limits = self.rows("SELECT scope, unit, used FROM goldspan_limits")
        return Facts(
            runs,
            {run_id: _world(self.place.workspaces / run_id) for run_id in runs},
            {row["key"]: row for row in calls},
            {row["id"]: {**row, "reviewers": _names(row["reviewers"])} for row in approvals},
            {f"{row['scope']} {row['unit']}": round(row["used"], 9) for row in limits},
        )

    def unsent(self) -> int:
        """How many audit events nobody has acknowledged."""
        (row,) = self.rows("SELECT count(*) AS n FROM goldspan_outbox WHERE sent_at IS NULL")
        return int(row["n"])

    def audit_events(self) -> dict[str, str]:
        """Every audit event that was put into the outbox: its id, and its name."""
        rows = self.rows("SELECT event_id, name FROM goldspan_outbox")
        return {row["event_id"]: row["name"] for row in rows}


def stored_events(store: Path) -> Counter[str]:
    """How often the store has each event, by its id."""
    rows = Store.open(store).rows("SELECT event_id FROM events")
    return Counter(row["event_id"] for row in rows)


def spans_of_effects(store: Path) -> dict[str, int]:
    """How many spans say that a call was made, and well, by the call's key."""
    return {row["key"]: row["spans"] for row in Store.open(store).rows(EFFECTS)}


def _world(workspace: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(workspace / "operations.db")) as db:
        dump = list(db.iterdump())
        effects = Counter(row[0] for row in db.execute("SELECT tool FROM effects"))
        made: Counter[str] = Counter()
        for tool, rows in (
            ("post_note", "notes"),
            ("draft_reply", "drafts"),
            ("issue_refund", "refunds WHERE issued_by = 'desk'"),
        ):
            made[tool] += db.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]
    mails = {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((workspace / OUTBOX).iterdir())
    }
    made["send_reply"] += sum(name.startswith("reply-") for name in mails)
    made["ask_question"] += sum(name.startswith("question-") for name in mails)
    # Each effect left one row or one file, and each of those has its effect.
    assert +made == effects, workspace.name
    return {"database": dump, "outbox": mails, "effects": effects}


def _without_trace(output: dict[str, Any] | None) -> dict[str, Any] | None:
    """The trace is that of the run's last life."""
    return None if output is None else {k: v for k, v in output.items() if k != "trace_id"}


def _names(reviewers: str | None) -> list[tuple[str, str]]:
    return [(each["reviewer"], each["decision"]) for each in json.loads(reviewers or "[]")]
