"""A worker process of the chaos tests, which kills itself where it is told to.

    python -m tests.chaos.child SETTINGS

The settings are JSON: `url`, `folder`, `kill` (where, or nothing), and which runs to wait for.
"""

from __future__ import annotations

import faulthandler
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goldspan.harness.engine import EngineConfig
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.operation.durable import SpecRunner
from goldspan.harness.operation.worker import WorkerProcess
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from tests.chaos import world
from tests.chaos.reaper import Reaper


def main(settings: dict[str, Any]) -> None:
    if kill := settings.get("kill"):
        how = getattr(signal, kill.get("how", "SIGKILL"))
        Reaper(kill["point"], kill["what"], kill["nth"], how).plant()
    folder = Path(settings["folder"])
    dead_after_s = settings.get("dead_after_s", 60.0)
    config = EngineConfig(settings["url"], dead_after_s=dead_after_s, beat_s=0.2)
    gateway = ModelGateway(Mode.LIVE, None, world.Turns(settings.get("pause_s", 0.0)))
    with instrument(
        store=folder / settings.get("store", "s.duckdb"), service_name="chaos"
    ) as telemetry:
        runner = SpecRunner(
            lambda _version: gateway, telemetry.recorder, Prices(), folder / "workspaces"
        )
        with WorkerProcess(config, runner) as worker:
            print("ready", flush=True)
            _until(lambda: _all_done(worker.engine.runs, settings), settings.get("seconds", 60.0))


def _all_done(runs: Runs, settings: dict[str, Any]) -> bool:
    states = [runs.find(run_id) for run_id in settings["runs"]]
    wanted = settings.get("until", ["ended"])
    return all(state is not None and state.state in wanted for state in states)


def _until(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            faulthandler.dump_traceback()
            sys.exit("the runs did not end")
        time.sleep(0.05)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
