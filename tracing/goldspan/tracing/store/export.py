"""The public views as Parquet files. Rows are streamed through Arrow: a reader may not COPY."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from goldspan.tracing.errors import InputError, why
from goldspan.tracing.store.problems import translated

ROWS_A_BATCH = 20_000


def reader_of(connection: duckdb.DuckDBPyConnection) -> Callable[[str], pa.RecordBatchReader]:
    """What reads a query's rows from a connection, batch by batch."""
    return lambda sql: connection.sql(sql).to_arrow_reader(ROWS_A_BATCH)


def to_parquet(
    read: Callable[[str], pa.RecordBatchReader], folder: Path, views: Iterable[str]
) -> dict[str, int]:
    """Write `<view>.parquet` for each view into a folder that is made if need be.

    `read` gives the rows of a query. Returns the number of rows of each. Raises InputError if the
    folder cannot be written.
    """
    counts = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for view in views:
            reader = read(f"SELECT * FROM {view}")
            target = folder / f"{view}.parquet"
            draft = target.with_suffix(".parquet.part")
            count = 0
            try:
                with pq.ParquetWriter(draft, reader.schema, compression="zstd") as writer:
                    for batch in reader:
                        writer.write_batch(batch)
                        count += batch.num_rows
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
            counts[view] = count
    except OSError as error:
        raise InputError(
            f"cannot be written: {why(error)}",
            where=str(folder),
            remedy="name a folder that can be made or written, with room in it",
        ) from error
    except duckdb.Error as error:
        raise translated(error, folder) from error
    return counts
