"""POST /query: one read-only SELECT in, Arrow IPC out.

The result is written to a spool before the answer begins: a query that fails late is told as an
error and not as half an answer, and a slow reader holds no transaction open.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from datetime import date, datetime
from typing import IO, Any

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from goldspan.tracing.errors import InputError, StoreError
from goldspan.tracing.server.options import Limits
from goldspan.tracing.server.owner import Owner
from goldspan.tracing.server.select_check import require_reading
from goldspan.tracing.store.local import query_failed

_ROWS_A_BATCH = 20_000
_NO_MEMORY = (duckdb.OutOfMemoryException, MemoryError)
_SPOOL_IN_MEMORY = 1024 * 1024


class QueryTooBusyError(StoreError):
    """All places for queries are taken."""


class QueryStoppedError(InputError):
    """A query was ended: its time was over, or ingestion needed the memory."""


class QueryRequest(BaseModel):
    """The body of a query. `{"$datetime": iso}` and `{"$date": iso}` stand for times in params."""

    model_config = ConfigDict(extra="forbid")

    sql: str
    params: list[Any] | dict[str, Any] = Field(default_factory=list)
    max_rows: int | None = Field(default=None, ge=0)


class Queries:
    """Runs queries in snapshots of the owner's instance, a few at a time."""

    def __init__(self, owner: Owner, limits: Limits) -> None:
        self._owner = owner
        self._limits = limits
        self._places = threading.BoundedSemaphore(limits.queries)

    def run(self, request: QueryRequest, *, unlimited: bool) -> tuple[IO[bytes], bool]:
        """The result as an Arrow IPC stream in a file, and whether rows were left out.

        With `unlimited` no row is left out and the time is an export's. Raises InputError,
        QueryTooBusyError, StoreError.
        """
        if len(request.sql) > self._limits.sql_chars:
            raise InputError(f"is longer than {self._limits.sql_chars} characters", where="SQL")
        if not self._places.acquire(timeout=self._limits.query_wait_s):
            raise QueryTooBusyError(
                "other queries are running", where="SQL", remedy="try again a little later"
            )
        try:
            return self._run(request, unlimited=unlimited)
        finally:
            self._places.release()

    def _run(self, request: QueryRequest, *, unlimited: bool) -> tuple[IO[bytes], bool]:
        limits = self._limits
        seconds = limits.export_s if unlimited else limits.query_s
        rows: float = float("inf") if unlimited else limits.query_rows
        rows = rows if request.max_rows is None else min(rows, request.max_rows)
        with self._owner.snapshot() as cursor:
            require_reading(request.sql, cursor)
            over = threading.Event()

            def end() -> None:
                over.set()
                cursor.interrupt()

            clock = threading.Timer(seconds, end)
            clock.start()
            try:
                return self._spooled(cursor, request, rows, unlimited=unlimited)
            except (duckdb.Error, OSError, MemoryError, pa.ArrowException) as error:
                # Arrow hands DuckDB's errors on as its own, with their text.
                if isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in str(error):
                    raise _stopped(seconds, over.is_set()) from error
                if isinstance(error, _NO_MEMORY) or "Out of Memory" in str(error):
                    raise InputError(
                        f"needs more memory than the server has ({limits.memory_bytes} bytes)",
                        where="SQL",
                        remedy="aggregate earlier, take fewer columns, or raise --memory-mb",
                    ) from error
                known = error if isinstance(error, duckdb.Error) else duckdb.Error(str(error))
                raise query_failed(known, self._owner.path) from error
            finally:
                clock.cancel()

    def _spooled(
        self,
        cursor: duckdb.DuckDBPyConnection,
        request: QueryRequest,
        rows: float,
        *,
        unlimited: bool,
    ) -> tuple[IO[bytes], bool]:
        params: Any = _untagged(request.params)
        relation = cursor.sql(request.sql, params=params) if params else cursor.sql(request.sql)
        reader = relation.to_arrow_reader(_ROWS_A_BATCH)
        spool: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_IN_MEMORY)  # noqa: SIM115  ours to hand on
        try:
            more, left = False, rows
            with pa.ipc.new_stream(spool, reader.schema) as writer:
                for batch in reader:
                    more = batch.num_rows > left
                    writer.write_batch(batch.slice(0, int(left)) if more else batch)
                    left -= batch.num_rows
                    if more:
                        break
                    if not unlimited and spool.tell() > self._limits.query_bytes:
                        raise InputError(
                            f"its result is larger than {self._limits.query_bytes} bytes",
                            where="SQL",
                            remedy="select fewer rows or columns",
                        )
        except BaseException:
            spool.close()
            raise
        finally:
            reader.close()
        spool.seek(0)
        return spool, more


def _stopped(seconds: float, in_time: bool) -> QueryStoppedError:
    if in_time:
        return QueryStoppedError(
            f"took longer than {seconds:g} s and was ended",
            where="SQL",
            remedy="narrow it, e.g. by started_at",
        )
    return QueryStoppedError(
        "was ended, because spans that came in needed the memory",
        where="SQL",
        remedy="try again, or narrow it",
    )


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    try:
        if set(value) == {"$datetime"}:
            return datetime.fromisoformat(value["$datetime"])
        if set(value) == {"$date"}:
            return date.fromisoformat(value["$date"])
    except (TypeError, ValueError) as error:
        raise InputError(f"is no time: {error}", where="params") from error
    return {key: _untagged(item) for key, item in value.items()}
