"""Runs that a person starts and watches: made in this process, on the ledger that workers share.

Kill flags, caps, breakers and what a run usually costs hold for them as they do for workers' runs.
Nothing of such a run outlives its process: where it would have to wait, it ends.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.life import Life
from goldspan.harness.operation.cutting import Cutting, Underway
from goldspan.harness.result import RunResult
from goldspan.harness.steps import Answer, Direct, StepRunner, Work
from goldspan.harness.tools import JsonValue

GONE = "its process is gone"


class Watched(Direct):
    """Steps that nothing records, and that a kill flag cuts."""

    def __init__(self, ledger: Ledger, run_id: str, agent: str) -> None:
        self._cutting = Cutting(ledger)
        self._of = (run_id, agent)

    def reserve(self, name: str) -> StepRunner:
        """A runner that does the work, under the eyes of the kill switch."""
        make, about = super().reserve(name), Underway(*self._of, name)

        async def run(work: Work) -> JsonValue:
            return await make(lambda: self._cutting.made(about, work(), is_async=True))

        return run

    async def transact(self, work: Callable[[], Answer]) -> Answer:
        """Run it in a thread: a worker may hold the file for a moment."""
        return await asyncio.to_thread(work)


@dataclass
class Attended:
    """One such run: what `run_agent` needs of it, and how it ended, once that is known."""

    life: Life
    result: RunResult | None = None


@contextmanager
def attended(
    ledger: Ledger, run_id: str, agent: str, digest: str, batch: str | None
) -> Iterator[Attended]:
    """Have a run in the ledger for as long as the block takes; its end is the `result` that the
    block leaves, or its error. Raises `StoreError` where the database cannot be written."""
    runs, run = Runs(ledger), Attended(Life(ledger, Watched(ledger, run_id, agent)))
    runs.begin_segment(run_id, agent, digest, queue=None, batch=batch)
    note_process(ledger, run_id)
    outcome, why = "failed", GONE
    try:
        yield run
    except BaseException as error:
        why = f"{type(error).__name__}: {error}"
        raise
    finally:
        if (result := run.result) is not None:
            outcome, why = result.outcome, result.reason or ""
            tokens, usd = result.usage.tokens, result.cost_usd
        else:
            tokens, usd = runs.spent(run_id)
        runs.end(run_id, outcome, why or None, tokens, usd)


def note_process(ledger: Ledger, run_id: str) -> None:
    """Write down which process makes a run."""
    with ledger.transaction() as tx:
        tx.run("note_process", run_id=run_id, why=_here(os.getpid()))


def end_gone(ledger: Ledger) -> int:
    """End the attended runs of this machine whose process is gone; returns how many."""
    with ledger.transaction() as tx:
        rows = tx.rows("attended_running")
    mine = _here("")
    runs, ended = Runs(ledger), 0
    for row in rows:
        place = row["why"] or ""
        if place.startswith(mine) and not _runs(int(place.removeprefix(mine))):
            runs.end(row["run_id"], "failed", GONE, *runs.spent(row["run_id"]))
            ended += 1
    return ended


def _here(process: object) -> str:
    return f"on {socket.gethostname()}, in process {process}"


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
