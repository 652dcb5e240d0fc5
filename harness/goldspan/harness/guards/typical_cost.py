"""What a run of an agent typically costs: the median of its last runs, or what is configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from goldspan.harness.contract import Contract
from goldspan.harness.ledger.book import Ledger
from goldspan.tracing.errors import ConfigError

RUNS = 200
ENOUGH = 10


@dataclass(frozen=True)
class TypicalCost:
    """What one run costs, in USD, or in tokens where the model has no price; and who says so.
    `assumed` is what nobody has said, and is taken from the bound of a run."""

    unit: Literal["usd", "tokens"]
    amount: float
    source: str
    assumed: bool = field(default=False, repr=False, compare=False)


def recent_costs(ledger: Ledger, agent: str) -> list[tuple[float | None, int]]:
    """USD (None where a call had no price) and tokens of an agent's last 200 runs that ended."""
    with ledger.transaction() as tx:
        rows = tx.rows("agent_costs", agent=agent, runs=RUNS)
    return [(row["usd"], int(row["tokens"])) for row in rows]


def typical_cost(
    contract: Contract, costs: Sequence[tuple[float | None, int]], *, priced: bool
) -> TypicalCost:
    """What a run typically costs: the median of `costs`, else what the contract says.

    `priced` says whether the model has a price; without one tokens count. Fewer than 10 runs say
    little, and count only where nothing else is known. Where nothing is, a run is held to its
    bound, `max_usd` (without a price `max_tokens`): so much is taken to be typical that the stop
    at `stop_at` times that is the bound itself. Raises `ConfigError` where there is no such bound:
    an agent whose cost nobody can judge does not start.
    """
    unit: Literal["usd", "tokens"] = "usd" if priced else "tokens"
    spent = [usd if priced else float(tokens) for usd, tokens in costs]
    known = [amount for amount in spent if amount is not None and amount > 0]
    configured = contract.typical_usd if priced else contract.typical_tokens
    bound = contract.max_usd if priced else contract.max_tokens
    if len(known) >= ENOUGH or (known and configured is None and bound is None):
        return TypicalCost(unit, median(known), f"the median of {len(known)} runs")
    if configured is not None:
        return TypicalCost(unit, configured, "as configured")
    if bound is not None:
        source = f"max_{unit} through {contract.stop_at:g}, for want of a history"
        return TypicalCost(unit, bound / contract.stop_at, source, assumed=True)
    raise ConfigError(
        "nobody knows what a run of this agent may cost: it has no runs yet",
        where="contract.typical_usd",
        remedy="state about how many USD one run takes, or give it a max_usd",
    )
