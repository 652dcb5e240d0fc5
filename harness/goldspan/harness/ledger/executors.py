"""Worker processes as the ledger knows them: who beats, and who is taken for dead."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Any

from goldspan.harness.ledger.book import Ledger

FORGET_S = 86_400.0  # a process that slept may take a run from the queue before it knows


@dataclass(frozen=True)
class Executors:
    """The worker processes of one ledger. Times are seconds."""

    ledger: Ledger

    def add(self, executor: str) -> None:
        """This process works here from now on."""
        with self.ledger.transaction() as tx:
            tx.run(
                "insert_executor",
                id=executor,
                host=socket.gethostname(),
                pid=os.getpid(),
                at=self.ledger.clock(),
            )

    def beat(self, executor: str) -> bool:
        """Say that this process lives. False where it was taken for dead: others have its runs."""
        with self.ledger.transaction() as tx:
            return tx.run("beat", id=executor, at=self.ledger.clock()) == 1

    def bury(self, dead_after_s: float) -> list[str]:
        """Take those for dead that have not beaten for so long; returns all who are dead."""
        now = self.ledger.clock()
        with self.ledger.transaction() as tx:
            tx.run("bury", before=now - dead_after_s)
            tx.run("forget_dead", before=now - FORGET_S)
            return [row["id"] for row in tx.rows("dead_executors")]

    def bury_one(self, executor: str) -> None:
        """A process is known to be gone."""
        with self.ledger.transaction() as tx:
            tx.run("bury_one", id=executor)

    def alive(self) -> list[dict[str, Any]]:
        """Id, host, process id and last beat of those that are not dead, as far as is known."""
        with self.ledger.transaction() as tx:
            return tx.rows("live_executors")
