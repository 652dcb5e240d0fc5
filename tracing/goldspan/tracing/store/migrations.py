"""Append-only numbered migrations: `migrations/NNNN_name.sql`, and the views that stand on them.

A migration that is in a release is never edited. Views are dropped and made anew whenever their
text differs from what the file holds, so that they always belong to the newest schema.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

from goldspan.tracing.errors import StoreError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store.problems import damaged, translated
from goldspan.tracing.store.writing import Writer

VIEW_ORDER = (
    "spans",
    "events",
    "llm_calls",
    "tool_calls",
    "duplicates",
    "approvals",
    "escalations",
    "incidents",
    "runs",
    "traces",
    "evaluations",
    "alerts",
    "costs",
)
TRACES_AT_ONCE = 5000
_VERSIONS = "SELECT coalesce(max(version), 0), max(views_digest) FROM schema_version"
_BLOCKS = "SELECT used_blocks * block_size FROM pragma_database_size()"  # free ones may be absent


@dataclass(frozen=True)
class Script:
    """One .sql file: its name without the ending, and its text."""

    name: str
    text: str


def sql_folder(folder: str) -> list[Script]:
    """The .sql files of `migrations`, `views` or `queries`, by name."""
    found = files("goldspan.tracing.store").joinpath(folder).iterdir()
    scripts = [Script(f.name[:-4], f.read_text("utf-8")) for f in found if f.name.endswith(".sql")]
    return sorted(scripts, key=lambda script: script.name)


def wanted() -> tuple[int, str]:
    """The schema version that this code needs, and the digest of its views."""
    text = "".join(view.text for view in _views())
    return len(sql_folder("migrations")), hashlib.sha256(text.encode()).hexdigest()


def is_current(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """True if the file has this code's schema. Raises StoreError if it is no store, or newer."""
    try:
        row = connection.execute(_VERSIONS).fetchone()
    except duckdb.CatalogException as error:
        raise StoreError(
            "is a DuckDB file, but not a Goldspan store",
            where=str(path),
            remedy="name another file; this one is untouched",
        ) from error
    except duckdb.Error as error:
        raise translated(error, path) from error
    blocks = connection.execute(_BLOCKS).fetchone()
    if blocks is not None and path.stat().st_size < blocks[0]:
        raise damaged(path)
    version, views = row or (0, None)
    needed, digest = wanted()
    if version > needed:
        raise StoreError(
            f"has schema version {version}, this Goldspan knows {needed}",
            where=str(path),
            remedy="upgrade Goldspan",
        )
    return bool(version == needed and views == digest)


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the file to the newest schema, in one transaction."""
    connection.execute("BEGIN").fetchall()
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version"
        " (version INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL,"
        " views_digest VARCHAR)"
    ).fetchall()
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    done = row[0] if row else 0
    resettle = 0 < done < 2  # before version 2, what depends on several records stood in views
    for number, script in enumerate(sql_folder("migrations"), start=1):
        if number <= done:
            continue
        for statement in duckdb.extract_statements(script.text):
            connection.execute(statement).fetchall()
        connection.execute(
            "INSERT INTO schema_version VALUES (?, ?, now() AT TIME ZONE 'UTC', NULL)",
            [number, script.name],
        ).fetchall()
    for name in reversed(VIEW_ORDER):
        connection.execute(f"DROP VIEW IF EXISTS {name}").fetchall()
    for view in _views():
        for statement in duckdb.extract_statements(view.text):
            connection.execute(statement).fetchall()
    if resettle:
        _settle_all(connection)
    connection.execute("UPDATE schema_version SET views_digest = ?", [wanted()[1]]).fetchall()
    connection.execute("COMMIT").fetchall()


def _settle_all(connection: duckdb.DuckDBPyConnection) -> None:
    ids = connection.execute("SELECT DISTINCT trace_id FROM span_data ORDER BY 1").fetchall()
    writer = Writer(connection, Prices())
    for start in range(0, len(ids), TRACES_AT_ONCE):
        writer.resettle(row[0] for row in ids[start : start + TRACES_AT_ONCE])


def _views() -> list[Script]:
    by_name = {script.name: script for script in sql_folder("views")}
    return [by_name[name] for name in ("macros", *VIEW_ORDER)]
