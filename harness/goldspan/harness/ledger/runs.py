"""Runs as the ledger knows them: which segment they are in, what they wait for, how they ended."""

from __future__ import annotations

import json
from dataclasses import dataclass

from goldspan.harness.ledger.book import Ledger


@dataclass(frozen=True)
class RunState:
    """One run. `state` is `running`, `parked` (waits, and holds no worker), `waking` or `ended`;
    `waits_for` is the kind and subject of what it waits for, `at` seconds since the epoch."""

    run_id: str
    agent: str
    digest: str
    state: str
    waits_for: str | None
    why: str | None
    outcome: str | None
    queue: str | None
    batch: str | None
    segment: int
    tokens: int | None
    usd: float | None
    started_at: float
    at: float


@dataclass(frozen=True)
class Runs:
    """The runs of one ledger."""

    ledger: Ledger

    def begin_segment(
        self, run_id: str, agent: str, digest: str, *, queue: str | None, batch: str | None
    ) -> int:
        """A run starts, or goes on; returns the number of the segment that begins, from 1."""
        with self.ledger.transaction() as tx:
            rows = tx.rows(
                "begin_segment",
                run_id=run_id,
                agent=agent,
                digest=digest,
                queue=queue,
                batch=batch,
                at=self.ledger.clock(),
            )
        return int(rows[0]["segment"])

    def park(self, run_id: str, waits_for: str, why: str) -> None:
        """A run waits."""
        with self.ledger.transaction() as tx:
            at = self.ledger.clock()
            tx.run("park_run", run_id=run_id, waits_for=waits_for, why=why, at=at)

    def end(
        self,
        run_id: str,
        outcome: str,
        why: str | None,
        tokens: int,
        usd: float | None,
        *,
        segment: int | None = None,
    ) -> None:
        """A run has ended. `usd` is None where a call had no price. One that waits, or that is in
        another segment than the one given, stays as it is."""
        with self.ledger.transaction() as tx:
            tx.run(
                "end_run",
                run_id=run_id,
                outcome=outcome,
                why=why,
                tokens=tokens,
                usd=usd,
                segment=segment,
                at=self.ledger.clock(),
            )

    def spent(self, run_id: str) -> tuple[int, float | None]:
        """Tokens and USD of a run's model calls that were answered, in all its lives. USD is None
        where one has no price."""
        with self.ledger.transaction() as tx:
            rows = tx.rows("run_settled", run_id=run_id)
        used = [json.loads(row["settled"]) for row in rows]
        unpriced = any("usd" not in one for one in used)
        usd = None if unpriced else sum(one["usd"] for one in used)
        return int(sum(one.get("tokens", 0) for one in used)), usd

    def find(self, run_id: str) -> RunState | None:
        """What is known of a run, or None."""
        with self.ledger.transaction() as tx:
            rows = tx.rows("run_state", run_id=run_id)
        return RunState(**rows[0]) if rows else None

    def awaited(self, *, stale_s: float) -> list[tuple[str, str | None]]:
        """Id and queue of the parked runs that have what they waited for, the longest first; also
        of those that a process began to wake over `stale_s` seconds ago, and did not."""
        now = self.ledger.clock()
        with self.ledger.transaction() as tx:
            rows = tx.rows("awaited_runs", now=now, stale=now - stale_s)
        return [(row["run_id"], row["queue"]) for row in rows]

    def claim_waking(self, run_id: str, *, stale_s: float) -> bool:
        """Whether this process is the one that wakes a run."""
        now = self.ledger.clock()
        with self.ledger.transaction() as tx:
            return tx.run("claim_waking", run_id=run_id, at=now, stale=now - stale_s) == 1
