"""kill -9 at every boundary of a durable call: nothing is done twice, nothing is missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.durable import specs_of
from goldspan.harness.engine import EngineConfig, enqueue_from_outside
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.tasks import Task
from goldspan.harness.versions import AgentVersion
from goldspan.tracing.store import Store
from tests.chaos.child import POINTS
from tests.chaos.world import sent, write_post_office

pytestmark = pytest.mark.chaos
ROOT = Path(__file__).parents[2]


def child(settings: dict[str, Any]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.child", json.dumps(settings)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def intake(tmp_path: Path, url: str, *scripts: str) -> list[str]:
    """Enqueue one run a script; returns their ids."""
    version = AgentVersion.load(write_post_office(tmp_path / "poster" / "v1.0.0"))
    tasks = [Task(id=f"t{n}", input=script) for n, script in enumerate(scripts)]
    return enqueue_from_outside(EngineConfig(url), specs_of(version, tasks, batch="b"))


def finish(settings: dict[str, Any]) -> None:
    process = child(settings)
    _, problems = process.communicate(timeout=90)
    assert process.returncode == 0, problems


def killed(settings: dict[str, Any], point: str, what: str, nth: int) -> None:
    process = child({**settings, "kill": {"point": point, "what": what, "nth": nth}})
    _, problems = process.communicate(timeout=90)
    assert process.returncode == -signal.SIGKILL, f"{point} of {what} {nth}: {problems}"


def test_sqlite_survives_a_kill_at_each_boundary_of_model_and_tool(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    letters = list(range(1, 7))
    (run,) = intake(tmp_path, url, "; ".join(f"send {n}" for n in letters))
    settings = {"url": url, "folder": str(tmp_path), "runs": [run]}
    for nth, point in enumerate(POINTS, 1):
        killed(settings, point, "tool:send", nth)
    for point, nth in (("in the step", 6), ("effect done", 6), ("result recorded", 7)):
        killed(settings, point, "model", nth)
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
