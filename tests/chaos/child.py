"""A worker process of the chaos tests, which kills itself where it is told to.

    python -m tests.chaos.child SETTINGS

The settings are JSON: `url`, `folder`, `kill` (where, or nothing), and which runs to wait for.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goldspan.harness.durable import SpecRunner
from goldspan.harness.engine import Durable, EngineConfig
from goldspan.harness.ledger import Admission, Intent, Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.steps import StepRunner, Work
from goldspan.harness.tools import JsonValue
from goldspan.harness.worker import WorkerProcess
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from tests.chaos import world

POINTS = (
    "before the intent",
    "intent committed",
    "in the step",
    "effect done",
    "result recorded",
)


class Reaper:
    """Kills this process at one point of one call: `point` at the call whose step is `step`."""

    def __init__(self, point: str | None, what: str, nth: int, how: int) -> None:
        self.point, self.what, self.nth, self.how = point, what, nth, how
        self.begun = 0

    def at(self, point: str) -> None:
        if point == self.point and self.begun >= self.nth:
            self.point = None
            os.kill(os.getpid(), self.how)

    def plant(self) -> None:
        """Around the real parts; they do what they always do."""
        reserve, admit = Durable.reserve, Ledger.admit

        def admitted(ledger: Ledger, intent: Intent, *more: Any) -> Admission:
            mine = intent.tool == self.what.removeprefix("tool:")
            if mine:
                self.at("before the intent")
            answer = admit(ledger, intent, *more)
            if mine:
                self.at("intent committed")
            return answer

        def reserved(steps: Durable, name: str) -> StepRunner:
            runner = reserve(steps, name)
            if name != self.what:
                return runner
            self.begun += 1

            async def run(work: Work) -> JsonValue:
                async def watched() -> JsonValue:
                    self.at("in the step")
                    result = await work()
                    self.at("effect done")
                    return result

                result = await runner(watched)
                self.at("result recorded")
                return result

            return run

        # Faults are planted into the real parts: what a type checker is there to keep out.
        Durable.reserve = reserved  # type: ignore[method-assign, assignment]
        Ledger.admit = admitted  # type: ignore[method-assign, assignment]


def main(settings: dict[str, Any]) -> None:
    kill = settings.get("kill") or {}
    Reaper(
        kill.get("point"),
        kill.get("what", ""),
        kill.get("nth", 0),
        getattr(signal, kill.get("how", "SIGKILL")),
    ).plant()
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
