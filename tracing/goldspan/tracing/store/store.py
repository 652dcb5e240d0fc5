"""`Store`: open, ingest, query, export."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import duckdb
import pandas as pd
import pyarrow as pa

from goldspan.tracing.batch import IngestBatch, IngestResult
from goldspan.tracing.errors import ConfigError, InputError, StoreError, why
from goldspan.tracing.pricing import Prices, prices_path
from goldspan.tracing.redaction import Policy, policy_path
from goldspan.tracing.store import export, frames, migrations, readonly
from goldspan.tracing.store.access import FileAccess
from goldspan.tracing.store.problems import query_problem, translated
from goldspan.tracing.store.writing import Writer

Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any] | None


class Store:
    """A Goldspan store. Holds no open file between operations, so it may be kept and shared.

    All methods may be called from several threads and processes at once. Errors are StoreError
    (the file), InputError (a query or a body) and PricingError (prices.yaml).
    """

    def __init__(self, path: Path) -> None:
        """`path` is an existing store's; use `Store.open`."""
        self._path = path
        self._redaction: tuple[tuple[Path | None, int, int], Policy] | None = None
        self._prices: tuple[tuple[Path, float], Prices] | None = None

    @classmethod
    def open(cls, path_or_url: str | os.PathLike[str], *, create: bool = True) -> Store:
        """Open the store at a path; with `create`, make it (and its folder) if there is none.

        An older schema is migrated. Raises StoreError if the file is not a store, is damaged, in
        use by a foreign program or made by a newer Goldspan; ConfigError for a server's URL.
        """
        name = os.fspath(path_or_url) or "."
        if name.startswith(("http:/", "https:/")):  # a Path has made one slash of two
            raise ConfigError(
                "a server's address cannot be opened as a store yet",
                where=name,
                remedy="give the path of a .duckdb file",
            )
        path = Path(name).expanduser()
        if path.is_dir():
            raise StoreError("is a directory", where=name, remedy="name a file, e.g. store.duckdb")
        if path.exists() and not path.is_file():
            raise StoreError("is not a regular file", where=name, remedy="name a .duckdb file")
        if not path.exists() and not create:
            raise StoreError(
                "there is no such store",
                where=name,
                remedy="run `goldspan ingest`, or try `goldspan simulate`",
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"its folder cannot be made: {why(error)}",
                where=name,
                remedy="name a path below an existing, writable folder",
            ) from error
        path = path.resolve()
        store = cls(path)
        store._make_ready()
        return store

    @property
    def path(self) -> Path:
        """The DuckDB file. Read it with other programs only while nothing else uses the store."""
        return self._path

    def ingest(self, body: IngestBatch) -> IngestResult:
        """Store a batch in one transaction: all of it, or (on an error) nothing."""
        self.redaction().scrub_batch(body)
        prices = self.prices()
        with self._access.writing() as connection:
            return Writer(connection, prices).write(body)

    def query(self, sql: str, params: Parameters = None) -> pd.DataFrame:
        """A read-only query's rows as a DataFrame; times are UTC, unknown integers are <NA>.

        `params` are positional (`?`) or named (`$name`). Raises InputError for a wrong query.
        """
        return frames.to_pandas(self.table(sql, params))

    def rows(self, sql: str, params: Parameters = None) -> list[dict[str, Any]]:
        """A read-only query's rows as dicts; times are aware datetimes in UTC."""
        rows: list[dict[str, Any]] = self.table(sql, params).to_pylist()
        return rows

    def table(self, sql: str, params: Parameters = None) -> pa.Table:
        """A read-only query's rows as an Arrow table."""
        with self._access.reading() as connection:
            try:
                return frames.run(connection, sql, params)
            except duckdb.Error as error:
                raise self._problem(error) from error

    def execute_read_only(self, sql: str, *, max_rows: int | None = None) -> tuple[pa.Table, bool]:
        """Run somebody's SQL: a single SELECT that reaches the store and nothing else.

        Returns the table (at most `max_rows` rows) and whether there were more. Raises InputError
        if it is not one SELECT, or wrong.
        """
        readonly.require_select(sql)
        with self._access.reading() as connection:
            try:
                return frames.run_capped(connection, sql, max_rows)
            except duckdb.Error as error:
                raise self._problem(error) from error

    @contextmanager
    def session(self) -> Iterator[Store]:
        """Keep the file open for the reads of this thread inside the block; no writes in it."""
        with self._access.reading():
            yield self

    def export_parquet(self, folder: str | os.PathLike[str]) -> dict[str, int]:
        """Write every public view as `<view>.parquet`. Returns the number of rows of each."""
        with self._access.reading() as connection:
            return export.to_parquet(connection, Path(folder), migrations.VIEW_ORDER)

    def prices(self) -> Prices:
        """The prices in force: prices.yaml beside the store, then genai-prices."""
        path = prices_path(self._path)
        stamp = path.stat().st_mtime if path.is_file() else 0.0
        if self._prices is None or self._prices[0] != (path, stamp):
            self._prices = ((path, stamp), Prices.load(path))
        return self._prices[1]

    def redaction(self) -> Policy:
        """The policy in force: $GOLDSPAN_REDACTION, else redaction.yaml beside the store.

        Raises ConfigError if it is named and missing, or broken: nothing is stored then.
        """
        path = policy_path(self._path)
        status = path.stat() if path is not None and path.is_file() else None
        stamp = (path, status.st_mtime_ns, status.st_size) if status else (path, 0, 0)
        if self._redaction is None or self._redaction[0] != stamp:
            self._redaction = (stamp, Policy.load(path))
        return self._redaction[1]

    def close(self) -> None:
        """Nothing is held open; here so that a store can be used like other resources."""

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _access(self) -> FileAccess:
        return FileAccess.of(self._path)  # looked up anew: a forked child has its own

    def _make_ready(self) -> None:
        if self._path.exists():
            with self._access.reading() as connection:
                if migrations.is_current(connection, self._path):
                    return
            with self._access.writing() as connection:
                if not migrations.is_current(connection, self._path):
                    migrations.migrate(connection)
            return
        with self._access.alone():
            if not self._path.exists():
                self._make_new()

    def _make_new(self) -> None:
        """Made under another name and moved into place, so that no half-made store is ever seen."""
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}.new")
        try:
            connection = duckdb.connect(draft)
            try:
                migrations.migrate(connection)
                connection.execute("CHECKPOINT").fetchall()
            finally:
                connection.close()
            draft.replace(self._path)
        except duckdb.Error as error:
            raise translated(error, self._path) from error
        except OSError as error:
            raise StoreError(f"cannot be made: {why(error)}", where=str(self._path)) from error
        finally:
            for leftover in (draft, draft.with_name(draft.name + ".wal")):
                with suppress(OSError):
                    leftover.unlink(missing_ok=True)

    def _problem(self, error: duckdb.Error) -> InputError | StoreError:
        if isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.InternalException):
            return translated(error, self._path)
        return query_problem(error, list(migrations.VIEW_ORDER))
