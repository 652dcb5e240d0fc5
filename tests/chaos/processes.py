"""Worker processes of the chaos tests, from the outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.engine import EngineConfig, enqueue_from_outside
from goldspan.harness.operation.durable import specs_of
from goldspan.harness.operation.tasks import Task
from tests.chaos.world import write_post_office

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


def intake(
    tmp_path: Path, url: str, *scripts: str, mode: str = "json", contract: str = ""
) -> list[str]:
    """Enqueue one run a script, with `contract` added to what each agrees to; returns their ids."""
    version = AgentVersion.load(write_post_office(tmp_path / "poster" / "v1.0.0", mode, contract))
    tasks = [Task(id=f"t{n}", input=script) for n, script in enumerate(scripts)]
    return enqueue_from_outside(EngineConfig(url), specs_of(version, tasks, batch="b"))


def outlived(process: subprocess.Popen[str]) -> str:
    """What a process has to say when it has ended; one that does not end is killed."""
    try:
        return process.communicate(timeout=120)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return "it did not end: " + process.communicate()[1]


def finish(settings: dict[str, Any]) -> None:
    process = child(settings)
    problems = outlived(process)
    assert process.returncode == 0, problems


def killed(settings: dict[str, Any], point: str, what: str, nth: int) -> None:
    process = child({**settings, "kill": {"point": point, "what": what, "nth": nth}})
    problems = outlived(process)
    assert process.returncode == -signal.SIGKILL, (
        f"{point} of {what} {nth}: {process.returncode} {problems}"
    )


def waited(what: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
