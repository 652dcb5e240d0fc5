from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from goldspan.harness.ledger import Ledger
from tests.postgres import new_database


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    sqlite = f"sqlite:///{tmp_path / 'engine.db'}"
    url = sqlite if request.param == "sqlite" else new_database()
    with closing(Ledger(url, clock=clock)) as opened:
        yield opened
