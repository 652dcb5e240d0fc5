"""kill -9 at every boundary of a durable call: nothing is done twice, nothing is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.tracing.store import Store
from tests.chaos.processes import finish, intake, killed
from tests.chaos.reaper import POINTS
from tests.chaos.world import sent

pytestmark = pytest.mark.chaos


def test_sqlite_survives_a_kill_at_each_boundary_of_model_and_tool(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    letters = list(range(1, 7))
    (run,) = intake(tmp_path, url, "; ".join(f"send {n}" for n in letters))
    settings = {"url": url, "folder": str(tmp_path), "runs": [run]}
    for nth, point in enumerate(POINTS, 1):
        # Each time one letter on: the call that the last process died in is made first.
        killed(settings, point, "tool:send", min(nth, 2))
    for point in POINTS[2:]:
        killed(settings, point, "model", 1)
    finish(settings)
    rows = sent(tmp_path / "workspaces" / run)
    assert [row["n"] for row in rows] == letters
    assert len({row["key"] for row in rows}) == len(letters)
    ledger = Ledger(url)
    state = Runs(ledger).find(run)
    ledger.close()
    assert state is not None
    assert (state.outcome, state.segment) == ("completed", len(POINTS) + 4)
    (stored,) = Store.open(tmp_path / "s.duckdb").rows("SELECT * FROM runs")
    assert (stored["outcome"], stored["output"]) == ("completed", "done after 6")
