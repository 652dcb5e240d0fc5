"""The office of docs/a-day.md: documents, charges, an object store, a metadata service.

All of it is real: files, an SQLite database and a socket, in and below the folder that commands run
in. What goes wrong on this day is switched on by files there.
"""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from goldspan.harness.tools import Tool, ToolContext, ToolError

WORLD = Path(__file__).parent / "world"
CHARGES = (
    ("L-31", "C-7", "INV-90", "2026-11-02", 180),
    ("L-32", "C-7", "INV-90", "2026-11-02", 180),
    ("L-33", "C-8", "INV-91", "2026-11-03", 60),
)
TABLES = """
    CREATE TABLE charges (entry TEXT, customer TEXT, invoice TEXT, date TEXT, amount_usd REAL);
    CREATE TABLE effects (key TEXT, kind TEXT, body TEXT, result TEXT);
"""
HOLD, HELD, BROKEN = "hold-drafts", "a-draft-is-held", "storage/broken"


def open_office(folder: Path, metadata_port: int) -> None:
    """Make the office's files and database in a folder."""
    shutil.copytree(WORLD, folder, dirs_exist_ok=True)
    (folder / "metadata-port").write_text(str(metadata_port), encoding="utf-8")
    with _database(folder) as db:
        db.executescript(TABLES)
        db.executemany("INSERT INTO charges VALUES (?, ?, ?, ?, ?)", CHARGES)


def effects(folder: Path, kind: str) -> list[dict[str, Any]]:
    """What tools of a kind have done in the office, in order. Nothing keeps a second one out."""
    with _database(folder) as db:
        rows = db.execute("SELECT body FROM effects WHERE kind = ? ORDER BY rowid", (kind,))
        return [json.loads(row["body"]) for row in rows]


def passages(folder: Path) -> dict[str, str]:
    """Every passage of the documents, by its anchor."""
    return {
        f"{path.name}#{number}": text.strip()
        for path in sorted((folder / "docs").glob("*.md"))
        for number, text in enumerate(path.read_text(encoding="utf-8").split("\n\n"))
    }


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Document(Given):
    doc: str


class Words(Given):
    words: str


class Claim(Given):
    text: str
    evidence: str


class Draft(Given):
    title: str
    text: str
    claims: list[Claim]


class Customer(Given):
    customer: str


class Credit(Given):
    invoice: str
    amount_usd: float


class Object(Given):
    name: str


class Meeting(Given):
    meeting: str


class Item(Given):
    who: str
    what: str
    due: str
    evidence: str


class Items(Given):
    items: list[Item]


async def _metadata(context: ToolContext, given: Document) -> dict[str, Any]:
    port = int((_office(context) / "metadata-port").read_text(encoding="utf-8"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{given.doc}\n".encode())
        return dict(json.loads(await reader.readline()))
    finally:
        writer.close()


def _search(context: ToolContext, given: Words) -> dict[str, Any]:
    words = given.words.lower().split()
    found = [
        {"anchor": anchor, "text": text}
        for anchor, text in passages(_office(context)).items()
        if all(word in text.lower() for word in words)
    ]
    return {"passages": found}


async def _save(context: ToolContext, given: Draft) -> dict[str, Any]:
    known = passages(_office(context))
    for claim in given.claims:
        if claim.evidence not in known:
            raise ToolError(f"{claim.evidence} is no passage", error_type="UnknownEvidence")
    saved = _do(context, "draft", given, {"saved": given.title, "claims": len(given.claims)})
    office = _office(context)
    while (office / HOLD).exists():
        (office / HELD).touch()
        await asyncio.sleep(0.01)
    return saved


def _charges(context: ToolContext, given: Customer) -> dict[str, Any]:
    with _database(_office(context)) as db:
        rows = db.execute("SELECT * FROM charges WHERE customer = ?", (given.customer,))
        return {"charges": [dict(row) for row in rows]}


def _shown(context: ToolContext, arguments: dict[str, Any]) -> dict[str, Any]:
    invoice, amount = arguments["invoice"], arguments["amount_usd"]
    with _database(_office(context)) as db:
        rows = db.execute("SELECT * FROM charges WHERE invoice = ?", (invoice,)).fetchall()
    return {
        "draft": f"We are sorry. {amount:.2f} USD come back to you for {invoice}.",
        "claims": [
            {"text": f"{r['amount_usd']:.2f} USD on {r['date']}", "evidence": r["entry"]}
            for r in rows
        ],
        "risk": "money leaves",
        "recommendation": "see whether one of the charges is a fee",
    }


def _credit(context: ToolContext, given: Credit) -> dict[str, Any]:
    return _do(context, "credit", given, {"credited_usd": given.amount_usd})


def _fetch(context: ToolContext, given: Object) -> dict[str, Any]:
    office = _office(context)
    path = office / "storage" / Path(given.name).name
    body = path.read_bytes()
    whole = len(body)
    if (office / BROKEN).exists():
        body = body[: whole // 2]
    rows = list(csv.DictReader(body.decode().splitlines()))
    return {"rows": rows, "bytes": len(body), "truncated": len(body) < whole}


def _notes(context: ToolContext, given: Meeting) -> dict[str, Any]:
    path = _office(context) / "meetings" / Path(given.meeting).name
    lines = path.read_text(encoding="utf-8").splitlines()
    return {"notes": {f"{path.name}#{number}": line for number, line in enumerate(lines, 1)}}


def _file(context: ToolContext, given: Items) -> dict[str, Any]:
    return _do(context, "items", given, {"filed": [item.model_dump() for item in given.items]})


def _do(context: ToolContext, kind: str, given: Given, result: Mapping[str, Any]) -> dict[str, Any]:
    row = (context.key, kind, given.model_dump_json(), json.dumps(result))
    with _database(_office(context)) as db:
        db.execute("INSERT INTO effects VALUES (?, ?, ?, ?)", row)
    return dict(result)


def _done(context: ToolContext, given: Given) -> dict[str, Any] | None:
    """What an earlier call of this key brought: how the harness asks after a crash."""
    with _database(_office(context)) as db:
        found = db.execute("SELECT result FROM effects WHERE key = ?", (context.key,)).fetchone()
    return {"result": json.loads(found["result"])} if found else None


class Office:
    """The environment of the agent version `docs-office`."""

    def tools(self) -> Sequence[Tool]:
        return (
            Tool("get_metadata", "Who owns a document.", Document, _metadata),
            Tool("search_docs", "Passages that hold all words.", Words, _search),
            Tool(
                "save_draft",
                "Save a draft; each claim names its passage.",
                Draft,
                _save,
                action_class="write",
                artifact="draft",
                ask=_done,
            ),
            Tool("find_charges", "What a customer was charged.", Customer, _charges),
            Tool(
                "issue_credit",
                "Give money back on an invoice.",
                Credit,
                _credit,
                action_class="act",
                preview=_shown,
                ask=_done,
            ),
            Tool("fetch_object", "A table of the object store.", Object, _fetch),
            Tool("read_notes", "The notes of a meeting, by line.", Meeting, _notes),
            Tool(
                "file_items",
                "File action items; each names the line of the notes that it is from.",
                Items,
                _file,
                action_class="write",
                artifact="action items",
                ask=_done,
            ),
        )

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        workspace.mkdir(parents=True)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        return {}


def _office(context: ToolContext) -> Path:
    return context.workspace.parents[2]


@contextmanager
def _database(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "office.db")) as db, db:
        db.row_factory = sqlite3.Row
        yield db
