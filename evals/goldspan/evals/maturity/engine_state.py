"""What the engine's database says of an agent: what its runs cost, what was not sent or removed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from goldspan.harness.guards import recent_costs
from goldspan.harness.ledger import Ledger, default_url
from goldspan.harness.operation.outbox import unsent


@dataclass(frozen=True)
class EngineState:
    """`costs` are USD and tokens of the agent's last runs; `unsent` counts audit events, up to 500,
    the oldest of which is of `unsent_since`; `old_runs` says whether there is text of runs that
    ended before what is kept."""

    costs: tuple[tuple[float | None, int], ...]
    unsent: int
    unsent_since: datetime | None
    old_runs: bool


def engine_state(
    store: Path, url: str | None, agent: str, kept_from: datetime
) -> EngineState | None:
    """Read it; None where no durable run has made such a database. Raises `StoreError` where it
    does not answer."""
    url = url or default_url(store)
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    with closing(Ledger(url)) as ledger:
        waiting = unsent(ledger)
        with ledger.transaction() as tx:
            old = tx.rows("prunable_runs", before=kept_from.timestamp(), most=1)
        return EngineState(
            tuple(recent_costs(ledger, agent)),
            len(waiting),
            datetime.fromtimestamp(waiting[0].at, UTC) if waiting else None,
            bool(old),
        )
