"""Workers that die or sleep while others live: their runs go on elsewhere, and nothing twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.chaos.processes import child, finish, intake, killed, waited
from tests.chaos.world import sent
from tests.postgres import new_database

pytestmark = pytest.mark.chaos


def test_a_worker_takes_over_what_a_dead_one_had(tmp_path: Path) -> None:
    url = new_database()
    runs = intake(tmp_path, url, *(["send 1; send 2; send 3"] * 4))
    settings = {"url": url, "folder": str(tmp_path), "runs": runs, "dead_after_s": 1.0}
    other = child({**settings, "pause_s": 0.1})
    killed(settings, "effect done", "tool:send", 2)
    _, problems = other.communicate(timeout=90)
    assert other.returncode == 0, problems
    for run in runs:
        rows = sent(tmp_path / "workspaces" / run)
        assert [row["n"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_worker_that_slept_does_nothing_when_it_wakes(tmp_path: Path, engine: str) -> None:
    url = new_database() if engine == "postgresql" else f"sqlite:///{tmp_path / 'engine.db'}"
    (run,) = intake(tmp_path, url, "send 1; send 2; send 3")
    settings = {"url": url, "folder": str(tmp_path), "runs": [run], "dead_after_s": 1.0}
    where = {"point": "intent committed", "what": "tool:send", "nth": 2, "how": "SIGSTOP"}
    sleeper = child({**settings, "kill": where})
    waited(lambda: _stopped(sleeper.pid))
    time.sleep(1.1)
    finish(settings)
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.communicate(timeout=30)
    assert sleeper.returncode == 9
    assert [row["n"] for row in sent(tmp_path / "workspaces" / run)] == [1, 2, 3]


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
