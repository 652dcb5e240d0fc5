"""Workers that die or sleep while others live: their runs go on elsewhere, and nothing twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from goldspan.harness.operation.worker import BURIED
from tests.chaos.processes import child, finish, intake, waited
from tests.chaos.world import sent
from tests.postgres import new_database

pytestmark = pytest.mark.chaos


def test_a_worker_that_slept_lost_its_runs_and_does_nothing_when_it_wakes(tmp_path: Path) -> None:
    url = new_database()
    runs = intake(tmp_path, url, *(["send 1; send 2; send 3"] * 3))
    settings = {"url": url, "folder": str(tmp_path), "runs": runs, "dead_after_s": 4.0}
    where = {"point": "intent committed", "what": "tool:send", "nth": 4, "how": "SIGSTOP"}
    # A process that sleeps may hold the store's file: each has its own.
    sleeper = child({**settings, "kill": where, "store": "sleeper.duckdb"})
    try:
        waited(lambda: _stopped(sleeper.pid))
        finish(settings)
        os.kill(sleeper.pid, signal.SIGCONT)
        sleeper.communicate(timeout=30)
    finally:
        sleeper.kill()
    assert sleeper.returncode == BURIED
    for run in runs:
        rows = sent(tmp_path / "workspaces" / run)
        assert [row["n"] for row in rows] == [1, 2, 3]
        assert len({row["key"] for row in rows}) == 3


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
