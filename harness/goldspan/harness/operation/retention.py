"""Retention over the engine's database: what ended runs left there goes, as the store's does.

The engine keeps what models and tools said, so that a run can go on after a crash. A run that has
ended needs none of it. What waits, however long, stays. Of an agent's last runs the figures stay,
without text: its typical cost is made of them.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from goldspan.harness.engine import EngineConfig, OutsideEngine
from goldspan.harness.ledger import Ledger, Transaction
from goldspan.harness.ledger.executors import Executors
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv

KEPT_FIGURES = 200
AT_ONCE = 500
ALIVE_S = 60.0


@dataclass(frozen=True)
class EnginePruned:
    """What was removed, or would be. `compacted` says whether a file gave its disk back."""

    runs: int
    events: int
    compacted: bool


def prune_engine(ledger: Ledger, before: float, *, dry_run: bool = False) -> EnginePruned:
    """Remove what runs left that ended before a time, seconds since the epoch.

    A file of tasks that is enqueued again after that is a new intake. Raises `StoreError` where
    the database cannot be opened.
    """
    with ledger.transaction() as tx:
        ids = _ended(tx, before, most=2**31 - 1)
    if dry_run:
        return EnginePruned(len(ids), 0, compacted=False)
    with OutsideEngine(EngineConfig(ledger.database.url)) as engine:
        for first in range(0, len(ids), AT_ONCE):
            some = ids[first : first + AT_ONCE]
            engine.delete(some)
            with ledger.transaction() as tx:
                for run_id in some:
                    _remove(tx, run_id)
        engine.delete_fired(before)
    with ledger.transaction() as tx:
        tx.run("prune_emptied", kept=KEPT_FIGURES)
        events = tx.run("prune_outbox", before=before)
        if ids:
            at = ledger.clock()
            about = {semconv.ENGINE_PRUNED_RUNS: len(ids)}
            known = event_id(semconv.ENGINE_PRUNED, repr(at), ids[0])
            put(tx, AuditEvent(known, semconv.ENGINE_PRUNED, at, about))
    return EnginePruned(len(ids), events, compacted=_compact(ledger))


def _ended(tx: Transaction, before: float, *, most: int) -> list[str]:
    return [row["run_id"] for row in tx.rows("prunable_runs", before=before, most=most)]


def _remove(tx: Transaction, run_id: str) -> None:
    tx.run("prune_tokens", run_id=run_id)
    for table in ("prune_approvals", "prune_calls", "prune_deliveries", "prune_turn", "empty_run"):
        tx.run(table, run_id=run_id)
    tx.run("prune_limits", scope=f"run:{run_id}")


def _compact(ledger: Ledger) -> bool:
    """Give the disk back where the database is a file and no worker uses it."""
    now = ledger.clock()
    if not ledger.database.is_sqlite or any(
        now - other["beat"] < ALIVE_S for other in Executors(ledger).alive()
    ):
        return False
    path = ledger.database.url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError:  # somebody reads it now; the next time will do
        return False
    finally:
        connection.close()
    return True
