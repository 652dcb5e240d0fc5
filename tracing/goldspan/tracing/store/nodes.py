"""A span as the decisions at commit see it: narrow, whether it is stored already or just came."""

from __future__ import annotations

from dataclasses import dataclass, fields

from goldspan.tracing.duplicates import Claim
from goldspan.tracing.facts import Context

CONTEXT = tuple(f.name for f in fields(Context))


@dataclass(slots=True, eq=False)
class Node(Claim):
    """A claim, and what else of a span bears on its trace. `start_us` 0 is an unknown time.

    `inherited` is a bit mask over CONTEXT: which of those values came from an ancestor.
    `is_duplicate`: no call or execution of its own. `rowid` is None while it is not stored.
    """

    name: str = ""
    status: str = "unset"
    service_name: str | None = None
    outcome: str | None = None
    rowid: int | None = None
    inherited: int = 0
    is_duplicate: bool = False
    ambiguous: bool = False
    cost_usd: float | None = None
    price_source: str | None = None
    price_version: str | None = None
    run_id: str | None = None
    batch_id: str | None = None
    experiment_id: str | None = None
    suite: str | None = None
    case_id: str | None = None
    case_repeat: int | None = None
    agent_name: str | None = None
    agent_version: str | None = None
    agent_digest: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    simulated: bool | None = None

    @property
    def is_call(self) -> bool:
        """Whether it has a row of its own among the calls."""
        return self.category in ("llm", "part") and not self.is_duplicate
