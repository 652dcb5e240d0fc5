"""A ledger with a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.approvals import Proposal
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.ledger import Ledger
from tests.postgres import new_database

SCHEMA = {
    "type": "object",
    "properties": {"invoice_id": {"type": "string"}, "amount_usd": {"type": "number"}},
    "required": ["invoice_id", "amount_usd"],
    "additionalProperties": False,
}


@dataclass
class Desk:
    """Approvals, and the time that their ledger takes it to be, in seconds."""

    ledger: Ledger
    time: list[float] = field(default_factory=lambda: [1_000_000.0])

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.ledger)

    def wait(self, seconds: float) -> None:
        self.time[0] += seconds


both_engines = pytest.mark.parametrize("desk", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if getattr(request, "param", "sqlite") == "postgresql":
        url = new_database()
    time = [1_000_000.0]
    with closing(Ledger(url, clock=lambda: time[0])) as ledger:
        yield Desk(ledger, time)


def refund(approval: str = "a1", amount: Any = 49.0, **more: Any) -> Proposal:
    """A refund that waits."""
    given: dict[str, Any] = {
        "reason": "charged twice",
        "claims": [{"text": "paid twice", "evidence": "L-5001"}],
        "schema": SCHEMA,
    }
    arguments = {"invoice_id": "INV-1", "amount_usd": amount}
    return Proposal(approval, "run-1", "issue_refund", arguments, **given | more)
