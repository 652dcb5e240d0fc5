"""kill -9 in the middle of reads that are under way together: the next life asks the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.tools import seeded
from tests.chaos.processes import finish, intake, killed
from tests.chaos.world import seen, sent

pytestmark = pytest.mark.chaos


def test_reads_side_by_side_are_the_same_calls_in_every_life(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    script = "peek 1 & peek 2 & peek 3; peek 4 & send 5 & peek 6 & peek 7; send 8"
    (run,) = intake(tmp_path, url, script, mode="native")
    settings = {"url": url, "folder": str(tmp_path), "runs": [run]}
    killed(settings, "effect done", "tool:peek", 3)  # one of three is made, none is recorded
    killed(settings, "result recorded", "tool:peek", 2)  # one of two is recorded
    finish(settings)
    steps = {n: step for step, n in enumerate((1, 2, 3, 4, 5, 6, 7, 8))}
    looks = seen(tmp_path / "workspaces" / run)
    assert {row["n"] for row in looks} == {1, 2, 3, 4, 6, 7}
    assert len(looks) > 6
    for row in looks:
        n = row["n"]
        nth = [1, 2, 3, 4, 6, 7].index(n)
        assert row["key"] == Intent.of(run, steps[n], "peek", {"n": n}).key
        assert (row["call"], row["luck"]) == (nth, seeded("t0/0", "peek", nth).random())
    assert [row["n"] for row in sent(tmp_path / "workspaces" / run)] == [5, 8]
    ledger = Ledger(url)
    state = Runs(ledger).find(run)
    used = ledger.used(f"run:{run}", "tool_calls")
    ledger.close()
    assert state is not None
    assert (state.outcome, state.segment, used) == ("completed", 3, (8, 40))
