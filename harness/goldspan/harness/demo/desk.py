"""The support desk as an environment: its tools, its world made anew, and how a run left it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from goldspan.harness.demo import database, documents, effects, logs, reading, writing
from goldspan.harness.tools import Tool
from goldspan.tracing.errors import InputError
from goldspan.tracing.validation import faults_of

# A document's name becomes a file name, so it cannot lead out of the workspace.
DocumentName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Setup(BaseModel):
    """What a case may change of the desk's world before a run.

    Rows are added, or replace the columns they name in the row of the same key; `remove` names
    keys by table; a log window replaces the whole hour; documents are texts by name; `faults` is
    the share of calls of a tool that time out.
    """

    model_config = ConfigDict(extra="forbid")

    customers: list[dict[str, Any]] = []
    invoices: list[dict[str, Any]] = []
    ledger: list[dict[str, Any]] = []
    refunds: list[dict[str, Any]] = []
    tickets: list[dict[str, Any]] = []
    remove: dict[database.Table, list[str]] = {}
    logs: list[dict[str, Any]] = []
    remove_logs: list[dict[str, str]] = []
    policies: dict[DocumentName, str] = {}
    attachments: dict[DocumentName, str] = {}
    faults: dict[Literal["get_ticket"], Annotated[float, Field(ge=0, le=1)]] = {}


class SupportDesk:
    """Larkspur's support desk: a SQLite database, hourly logs, documents and an outbox."""

    def tools(self) -> Sequence[Tool]:
        """The eleven tools; replies and refunds need approval."""
        return (*reading.TOOLS, *writing.TOOLS)

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        """Make `operations.db`, `logs/`, `policies/`, `attachments/` and `outbox/` in an empty
        folder. Raises `InputError` where `setup` cannot be applied."""
        try:
            changes = Setup.model_validate(dict(setup))
        except ValidationError as error:
            first = faults_of(error, dict(setup), Setup)[0]
            raise InputError(
                first.message,
                where=".".join(["setup", *map(str, first.location)]),
                remedy=first.remedy or f"the desk's setup has {', '.join(Setup.model_fields)}",
            ) from None
        workspace.mkdir(parents=True, exist_ok=True)
        rows: dict[database.Table, list[dict[str, Any]]] = {
            table: getattr(changes, table) for table in database.SEEDED
        }
        faults = {str(tool): rate for tool, rate in changes.faults.items()}
        database.create(workspace, rows, changes.remove, faults)
        logs.write(workspace, changes.logs, changes.remove_logs)
        documents.write(workspace, "policies", changes.policies)
        documents.write(workspace, "attachments", changes.attachments)
        (workspace / effects.OUTBOX).mkdir()

    def citable(self, workspace: Path) -> set[str]:
        """Every id that a claim may name as its evidence."""
        return documents.citable(workspace)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        """What the run left: tickets by id, notes, drafts, the desk's refunds, and the outbox."""
        with database.opened(workspace) as db:
            tickets = {
                row["ticket_id"]: {"status": row["status"], "priority": row["priority"]}
                for row in db.execute("SELECT * FROM tickets ORDER BY ticket_id")
            }
            notes = [
                {"ticket_id": row["ticket_id"], **json.loads(row["body"])}
                for row in db.execute("SELECT * FROM notes ORDER BY rowid")
            ]
            drafts = [
                {
                    "ticket_id": row["ticket_id"],
                    "body": row["body"],
                    "claims": json.loads(row["claims"]),
                    "risk": row["risk"],
                    "status": row["status"],
                }
                for row in db.execute("SELECT * FROM drafts ORDER BY rowid")
            ]
            refunds = [
                {
                    "customer_id": row["customer_id"],
                    "invoice_id": row["invoice_id"],
                    "amount_usd": database.usd(row["amount_cents"]),
                }
                for row in db.execute("SELECT * FROM refunds WHERE issued_by = 'desk'")
            ]
        return {
            "tickets": tickets,
            "notes": notes,
            "drafts": drafts,
            "refunds": refunds,
            "outbox": {
                "replies": _outbox(workspace, "reply"),
                "questions": _outbox(workspace, "question"),
            },
        }


def _outbox(workspace: Path, kind: str) -> list[dict[str, Any]]:
    paths = sorted((workspace / effects.OUTBOX).glob(f"{kind}-*.json"), key=_ordinal)
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def _ordinal(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[-1])
