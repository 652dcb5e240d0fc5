"""A store of N spans of the workload, made once and kept in build/bench for all benchmarks."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workload import batches

from goldspan.tracing.batch import IngestBatch
from goldspan.tracing.otlp import decode
from goldspan.tracing.store import Store
from goldspan.tracing.store.access import FileAccess
from goldspan.tracing.store.migrations import wanted
from goldspan.tracing.store.writing import Writer

FOLDER = Path("build/bench")
COMMIT_SPANS = 4096
CHECKPOINT_AT = "SET wal_autocheckpoint = '256MB'"


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled store's file, and how many spans are in it."""

    path: Path
    spans: int

    @property
    def bytes_a_span(self) -> float:
        """Size on disk, checkpointed."""
        return self.path.stat().st_size / self.spans


def filled_store(spans: int, folder: Path = FOLDER) -> Filled:
    """The store with at least `spans` spans; the first call makes it, and tells its progress."""
    spans = -(-spans // COMMIT_SPANS) * COMMIT_SPANS
    path = folder.resolve() / f"store-v{wanted()[0]}-{spans}.duckdb"
    if not path.exists():
        draft = path.with_name(f"{path.name}.part")
        for leftover in (draft, draft.with_name(f"{draft.name}.wal")):
            leftover.unlink(missing_ok=True)
        _fill(draft, spans)
        draft.replace(path)
    return Filled(path, spans)


def _fill(path: Path, spans: int) -> None:
    prices = Store.open(path).prices()
    began, done, waiting = time.monotonic(), 0, IngestBatch()
    with FileAccess.of(path).writing() as connection:
        connection.execute(CHECKPOINT_AT)
        writer = Writer(connection, prices)
        for batch in batches(spans):
            waiting.extend(decode(batch.body, name="workload"))
            if len(waiting.spans) < COMMIT_SPANS:
                continue
            done += writer.write(waiting).stored_spans
            waiting = IngestBatch()
            if done % (25 * COMMIT_SPANS) == 0 or done == spans:
                took = time.monotonic() - began
                print(f"{path.name}: {done:,} of {spans:,} spans, {took:.0f} s", file=sys.stderr)
        connection.execute("CHECKPOINT")
    if done != spans:
        raise SystemExit(f"{done} of {spans} spans were stored")
