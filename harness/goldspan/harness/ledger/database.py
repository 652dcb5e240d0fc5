"""The engine's database as the ledger sees it: short transactions, SQL from files, no ORM.

SQLite (one worker process) through the standard library, PostgreSQL through psycopg. Both take the
same `.sql` files: named parameters, one question a file. A call's admission stands before every
tool call, and the plain driver costs a third of what a toolkit above it does.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from goldspan.tracing.errors import ConfigError, StoreError
from goldspan.tracing.sql_files import sql_names, sql_text

QUERIES = "goldspan.harness.ledger.queries"
MIGRATIONS = "goldspan.harness.ledger.migrations"
MEMORY = "sqlite://"
BUSY_MS = 30_000
IDLE_MS = 5_000
MIGRATING = 5_077_001  # the advisory lock under which a PostgreSQL schema is migrated
AWAY = frozenset(("OperationalError", "InterfaceError", "IdleInTransactionSessionTimeout"))
Row: TypeAlias = dict[str, Any]
Scrub: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class Transaction(Protocol):
    """One open transaction. `name` is a file of `queries/`."""

    @property
    def scrub(self) -> Scrub:
        """Redacts what is written down to be sent."""
        ...

    def run(self, name: str, **parameters: Any) -> int:
        """Run a statement; returns how many rows it changed."""
        ...

    def rows(self, name: str, **parameters: Any) -> list[Row]:
        """All rows that a query or a RETURNING gives."""
        ...


class Database:
    """Where transactions are made. Safe to use from several threads.

    SQLite has one connection and a lock, since it has one writer anyway; PostgreSQL as many
    connections as there were transactions at once.
    """

    def __init__(self, url: str, scrub: Scrub | None = None) -> None:
        self.url = url
        self._scrub = scrub or _as_it_is
        self.is_sqlite = url.startswith("sqlite")
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._connection: sqlite3.Connection | None = None
        if self.is_sqlite:
            self._connection = _open_sqlite(url)
        elif not url.startswith("postgresql"):
            raise ConfigError(
                "is neither sqlite:///FILE nor postgresql://…",
                where=url.partition("://")[0] + "://",
                remedy="give one of the two",
            )
        self._migrate()

    @property
    def in_memory(self) -> bool:
        """Whether nothing outlives this process, and no transaction waits for a disk."""
        return self.url == MEMORY

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction: committed at the end of the block, rolled back by an exception.

        Raises `StoreError` where the database is away or busy: nothing of the block is known to be
        done then, or not to be.
        """
        try:
            with self._on_sqlite() if self.is_sqlite else self._on_postgresql() as cursor:
                yield cursor
        except Exception as error:
            if not _is_away(error):
                raise
            raise StoreError(
                f"the database does not answer: {error}",
                where=without_password(self.url),
                remedy="see that it runs; what was durable is",
            ) from error

    @contextmanager
    def _on_sqlite(self) -> Iterator[_Cursor]:
        assert self._connection is not None
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Cursor(self._connection.cursor(), _plain, self._scrub)
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()

    @contextmanager
    def _on_postgresql(self) -> Iterator[_Cursor]:
        connection = self._idle.pop() if self._idle else _open_postgresql(self.url)
        try:
            yield _Cursor(connection.cursor(), _percent, self._scrub)
            connection.commit()
        except BaseException:
            if not connection.broken:
                connection.rollback()
            raise
        finally:
            # A connection that broke is of no use; another is opened when one is needed.
            if connection.broken or connection.closed:
                connection.close()
            else:
                self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that no transaction uses."""
        if self._connection is not None:
            self._connection.close()
        while self._idle:
            self._idle.pop().close()

    def _migrate(self) -> None:
        if self.in_memory:
            assert self._connection is not None
            self._connection.deserialize(_empty())
            return
        with self.transaction() as tx:
            assert isinstance(tx, _Cursor)
            if not self.is_sqlite:
                tx.execute(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            _make_tables(tx)


def default_url(store: Path) -> str:
    """The database beside a store, where nothing else is named."""
    return f"sqlite:///{store.absolute().with_suffix('.engine.db')}"


def without_password(url: str) -> str:
    """A URL that may be shown."""
    return re.sub(r"//([^:@/]*):[^@/]*@", r"//\1@", url)


def query_names() -> list[str]:
    """Every query there is."""
    return sql_names(QUERIES)


class _Cursor:
    def __init__(self, cursor: Any, spelled: Any, scrub: Scrub) -> None:
        self._cursor = cursor
        self._spelled = spelled
        self.scrub = scrub

    def run(self, name: str, **parameters: Any) -> int:
        self._cursor.execute(self._spelled(_query(name)), parameters)
        return int(self._cursor.rowcount)

    def rows(self, name: str, **parameters: Any) -> list[Row]:
        return self.read(_query(name), parameters)

    def execute(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        self._cursor.execute(self._spelled(sql), parameters or {})

    def read(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        self.execute(sql, parameters)
        names = [column[0] for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]


def _as_it_is(attributes: dict[str, Any]) -> dict[str, Any]:
    return attributes


@cache
def _query(name: str) -> str:
    text = sql_text(QUERIES, name)
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


@cache
def _plain(sql: str) -> str:
    return sql


@cache
def _percent(sql: str) -> str:
    """psycopg's spelling of named parameters."""
    return re.sub(r"(?<![:\w]):([a-z_]+)", r"%(\1)s", sql.replace("%", "%%"))


@cache
def _empty() -> bytes:
    """A new database in memory with all its tables: each run of an eval has one, and to make them
    takes longer than ten tool calls."""
    connection = _open_sqlite(MEMORY)
    _make_tables(_Cursor(connection.cursor(), _plain, _as_it_is))
    made = connection.serialize()
    connection.close()
    return made


def _make_tables(tx: _Cursor) -> None:
    """What has not been done yet of the migrations."""
    tx.execute("CREATE TABLE IF NOT EXISTS goldspan_migrations (name TEXT PRIMARY KEY)")
    done = {row["name"] for row in tx.read("SELECT name FROM goldspan_migrations")}
    for name, text in _migrations():
        if name in done:
            continue
        for statement in text.split(";\n"):
            if statement.strip():
                tx.execute(statement)
        tx.execute("INSERT INTO goldspan_migrations VALUES (:name)", {"name": name})


def _migrations() -> list[tuple[str, str]]:
    return [(name, sql_text(MIGRATIONS, name)) for name in sql_names(MIGRATIONS)]


def _is_away(error: Exception) -> bool:
    """By the names that both drivers use: the server is gone, or it ended the session; the file is
    locked."""
    return any(kind.__name__ in AWAY for kind in type(error).__mro__)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Where two processes make the file, SQLite refuses one of them at once, whatever the timeout:
    it would wait for a lock that the other can never give."""
    patience = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
        time.sleep(0.01)


def _open_sqlite(url: str) -> sqlite3.Connection:
    path = url.removeprefix("sqlite:///") if url != MEMORY else ":memory:"
    try:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # The engine keeps what models and tools said: for the owner's eyes only.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON").fetchall()  # what is redacted, is gone
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"cannot be opened: {error}", where=path, remedy="see that its folder can be written"
        ) from error
    return connection


def _open_postgresql(url: str) -> Any:
    try:
        # Needed for PostgreSQL alone, and it loads a shared library.
        import psycopg
    except ImportError as error:
        raise ConfigError(
            f"PostgreSQL needs psycopg: {error}", remedy="pip install 'psycopg[binary]'"
        ) from None
    try:
        # A process that sleeps in a transaction must not hold its locks against all others.
        options = f"-c idle_in_transaction_session_timeout={IDLE_MS}"
        return psycopg.connect(
            url.replace("postgresql+psycopg://", "postgresql://", 1), options=options
        )
    except psycopg.Error as error:
        raise StoreError(
            f"the database cannot be reached: {error}",
            where=without_password(url),
            remedy="see that the server runs, and that the URL is right",
        ) from error
