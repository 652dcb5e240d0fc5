"""The operations database of a run: one SQLite file, filled from the package's CSV files.

Amounts are whole cents in the database and USD everywhere else.
"""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeAlias

from goldspan.tracing.errors import InputError

Table: TypeAlias = Literal["customers", "invoices", "ledger", "refunds", "tickets"]
DATABASE = "operations.db"
# In the order in which foreign keys can be satisfied.
SEEDED: tuple[Table, ...] = ("customers", "invoices", "ledger", "refunds", "tickets")
DATA = files("goldspan.harness.demo") / "data"


@contextmanager
def opened(workspace: Path) -> Iterator[sqlite3.Connection]:
    """The run's database in one transaction, rows by column name; closed afterwards."""
    connection = sqlite3.connect(workspace / DATABASE)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def create(
    workspace: Path,
    rows: Mapping[Table, Sequence[Mapping[str, Any]]],
    removed: Mapping[Table, Sequence[str]],
    faults: Mapping[str, float],
) -> None:
    """Make the database: the packaged rows, less `removed`, with `rows` added or replaced by key.

    Raises `InputError` where a row does not fit its table.
    """
    with opened(workspace) as db:
        # A script of statements is not put into one transaction by itself.
        db.executescript("BEGIN;" + (DATA / "schema.sql").read_text(encoding="utf-8"))
        for table in SEEDED:
            key_name = _key(db, table)
            kept = {row[key_name]: row for row in _packaged(table)}
            for key in removed.get(table, ()):
                if kept.pop(key, None) is None:
                    raise InputError(f"there is no row {key} to remove", where=f"setup.{table}")
            for row in rows.get(table, ()):
                if key_name not in row:
                    raise InputError(f"a row has no {key_name}", where=f"setup.{table}")
                kept[row[key_name]] = {**kept.get(row[key_name], {}), **row}
            for row in kept.values():
                _insert(db, table, row)
        db.executemany("INSERT INTO faults VALUES (?, ?)", sorted(faults.items()))


def usd(cents: int) -> float:
    """Cents as USD, to two digits."""
    return round(cents / 100, 2)


def cents(amount_usd: float) -> int:
    """USD as whole cents."""
    return round(amount_usd * 100)


def next_id(db: sqlite3.Connection, table: str, prefix: str, first: int) -> str:
    """The next id of a table whose ids count upwards: the same for the same history."""
    rows = db.execute(f"SELECT {_key(db, table)} FROM {table}")
    numbers = [int(row[0].rsplit("-", 1)[-1]) for row in rows]
    return f"{prefix}-{max([first - 1, *numbers]) + 1}"


def _key(db: sqlite3.Connection, table: str) -> str:
    """The key column of a table: the first one, in every table of the schema."""
    return str(db.execute(f"PRAGMA table_info({table})").fetchone()["name"])


def _packaged(table: str) -> list[dict[str, Any]]:
    text = (DATA / f"{table}.csv").read_text(encoding="utf-8")
    return [dict(row) for row in csv.DictReader(io.StringIO(text))]


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    values: dict[str, Any] = {
        key: value if value != "" else None for key, value in row.items() if key != "amount_usd"
    }
    if "amount_usd" in row:
        values["amount_cents"] = cents(float(row["amount_usd"]))
    # Column names come from a case's setup, so they are checked against the table first.
    known = {column["name"] for column in db.execute(f"PRAGMA table_info({table})")}
    unknown = sorted(values.keys() - known)
    if unknown:
        raise InputError(
            f"unknown column {unknown[0]!r}",
            where=f"setup.{table}",
            remedy=f"use {', '.join(sorted(known))}",
        )
    names = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    try:
        db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
    except sqlite3.IntegrityError as error:
        raise InputError(f"a row does not fit: {error}", where=f"setup.{table}") from None
