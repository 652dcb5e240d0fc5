"""What the store's spans say of a stop: which calls began after it, and when the last one ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from goldspan.tracing.store import Store

LIMIT_MS = 1000.0


@dataclass(frozen=True)
class Measured:
    """Of the calls of models and tools in some runs, from a stop until they were let go again.

    Times are milliseconds after the stop, negative before it; None where there is no such call.
    `late` counts the calls that began more than `LIMIT_MS` after it; `under_way` those that it
    found under way; `killed` the runs with a segment that ended killed. A segment's span leaves its
    process after the spans of its calls: where all runs are killed, no call's span is missing.
    """

    calls: int
    last_begun_ms: float | None
    late: int
    under_way: int
    last_ended_ms: float | None
    killed: int


def measured(
    store: Store, runs: Sequence[str], stopped_at: float, resumed_at: float | None = None
) -> Measured:
    """Read it from the store. Times are seconds since the epoch, as the ledger has them; without
    `resumed_at` everything after the stop counts."""
    asked = list(runs)
    calls = store.rows(
        """
        SELECT started_at, duration_ms FROM llm_calls WHERE list_contains($runs, run_id)
        UNION ALL
        SELECT started_at, duration_ms FROM tool_calls WHERE list_contains($runs, run_id)
        """,
        {"runs": asked},
    )
    killed = store.rows(
        """
        SELECT count(DISTINCT run_id) AS runs FROM spans
        WHERE category = 'agent' AND outcome = 'killed' AND list_contains($runs, run_id)
        """,
        {"runs": asked},
    )
    stop = datetime.fromtimestamp(stopped_at, UTC)
    begun, ended, under_way = [], [], 0
    for call in calls:
        start_ms = (call["started_at"] - stop).total_seconds() * 1000
        if resumed_at is not None and start_ms >= (resumed_at - stopped_at) * 1000:
            continue
        begun.append(start_ms)
        if call["duration_ms"] is not None:
            end_ms = round(start_ms + call["duration_ms"], 3)  # to the microsecond
            ended.append(end_ms)
            under_way += start_ms <= 0 < end_ms
    return Measured(
        calls=len(begun),
        last_begun_ms=max(begun, default=None),
        late=sum(start > LIMIT_MS for start in begun),
        under_way=under_way,
        last_ended_ms=max(ended, default=None),
        killed=int(killed[0]["runs"]),
    )
