"""Policies and attachments: text files of a run, and the ids that may be cited as evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from goldspan.harness.demo import logs
from goldspan.harness.demo.database import opened

PACKAGE = files("goldspan.harness.demo")
FOLDERS = ("policies", "attachments")
_SECTION = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


def write(workspace: Path, folder: str, texts: Mapping[str, str]) -> None:
    """Copy the packaged documents of a folder, with `texts` added or replaced by name."""
    target = workspace / folder
    target.mkdir(parents=True)
    for source in (PACKAGE / folder).iterdir():
        if source.name.endswith(".md"):
            (target / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    for name, text in sorted(texts.items()):
        (target / f"{name}.md").write_text(text, encoding="utf-8")


def names(workspace: Path, folder: str) -> list[str]:
    """The names of the documents in a folder, sorted, without extension."""
    return sorted(path.stem for path in (workspace / folder).glob("*.md"))


def read(workspace: Path, folder: str, name: str) -> str:
    """A document's text. `name` must be one of `names`."""
    return (workspace / folder / f"{name}.md").read_text(encoding="utf-8")


def sections(workspace: Path, policy: str) -> dict[str, str]:
    """A policy's numbered sections: id, such as `refunds-2`, to text."""
    text = read(workspace, "policies", policy)
    return {f"{policy}-{number}": body for number, body in _SECTION.findall(text)}


def citable(workspace: Path) -> set[str]:
    """Every id that a claim may name: ledger entries, invoices, refunds, tickets, log entries and
    policy sections."""
    ids = logs.known_ids(workspace)
    for policy in names(workspace, "policies"):
        ids |= sections(workspace, policy).keys()
    with opened(workspace) as db:
        for query in (
            "SELECT entry_id FROM ledger",
            "SELECT invoice_id FROM invoices",
            "SELECT refund_id FROM refunds",
            "SELECT ticket_id FROM tickets",
        ):
            ids |= {row[0] for row in db.execute(query)}
    return ids
