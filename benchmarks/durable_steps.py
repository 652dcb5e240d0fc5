"""Our durable step beside DBOS's own bare one, in one workflow on one database."""

from __future__ import annotations

import gc
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.trace import NoOpTracerProvider
from tests.postgres import new_database

from goldspan.harness.admission import Admissions
from goldspan.harness.contract import Usage
from goldspan.harness.engine import EngineConfig
from goldspan.harness.ledger import Want
from goldspan.harness.life import Life
from goldspan.harness.operation.worker import WorkerProcess
from goldspan.harness.result import RunResult
from goldspan.harness.run_events import RunEvents
from goldspan.harness.run_spec import RunSpec
from goldspan.harness.tools import JsonValue
from goldspan.tracing.recorder import Recorder

Step = Callable[[int], Awaitable[object]]
BARE = "DBOS's own step"


@dataclass
class Measurement:
    """A run whose steps are measured: the worker takes it for any other."""

    steps: int
    rounds: int
    wall_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)

    async def __call__(self, spec: RunSpec, life: Life) -> RunResult:
        """One life of the run."""
        ways = _ways(spec, life)
        number = 0
        for measured in range(self.rounds + 1):  # the first warms up
            for name, step in ways.items():
                gc.collect()
                wall, cpu = time.perf_counter(), time.process_time()
                for _ in range(self.steps):
                    await step(number)
                    number += 1
                took = time.perf_counter() - wall, time.process_time() - cpu
                if measured:
                    self.wall_ms.setdefault(name, []).append(took[0] * 1e3 / self.steps)
                    self.cpu_ms.setdefault(name, []).append(took[1] * 1e3 / self.steps)
        return RunResult(spec.run_id, "", "", "completed", None, "done", [], Usage(), None)


def _ways(spec: RunSpec, life: Life) -> dict[str, Step]:
    events = RunEvents(Recorder(NoOpTracerProvider(), NoOpLoggerProvider()), spec.run_id, 1)
    admissions = Admissions(spec.run_id, spec.agent, life.ledger, life.steps, events)
    scope = f"run:{spec.run_id}"

    async def work() -> JsonValue:
        return {"result": "ok"}

    async def bare(number: int) -> object:
        return await DBOS.run_step_async({"name": "bare"}, work)

    async def recorded(number: int) -> object:
        return await life.steps.reserve("tool:t")(work)

    async def admitted(number: int) -> object:
        """A model's and a tool's step in turns; the former's settlement rides in the latter."""
        runner = life.steps.reserve("tool:t")
        model = number % 2 == 0
        want = Want(
            scope, "tokens" if model else "tool_calls", 100.0 if model else 1, 1e9, "budget"
        )
        intent = admissions.intent(number, "t", {"n": number}, "act")
        admission = await admissions.admit(intent, [want])
        if not admission.fresh:
            raise SystemExit(f"not admitted: {admission}")
        result = await runner(work)
        if model:
            admissions.settle(intent.key, {"tokens": 90})
        return result

    return {BARE: bare, "ours, recorded": recorded, "ours, admitted and recorded": admitted}


def cost_of_steps(database: str, url: str, steps: int, rounds: int) -> list[dict[str, Any]]:
    """One row a way, on one database."""
    measurement = Measurement(steps, rounds)
    with WorkerProcess(EngineConfig(url), measurement) as worker:
        run = worker.engine.enqueue(RunSpec(uuid.uuid4().hex, "agent", "", "", {}))
        if worker.engine.result(run)["outcome"] != "completed":
            raise SystemExit("the run failed")
    wall = {name: min(took) for name, took in measurement.wall_ms.items()}
    cpu = {name: min(took) for name, took in measurement.cpu_ms.items()}
    return [
        {
            "way": f"{name}, {database}",
            "wall_ms": round(wall[name], 2),
            "cpu_ms": round(cpu[name], 2),
            "ratio": round(wall[name] / wall[BARE], 2),
            "cpu_ratio": round(cpu[name] / cpu[BARE], 2),
        }
        for name in wall
    ]


def databases(*, sqlite_only: bool = False) -> Iterator[tuple[str, str]]:
    """The name and URL of each that there is."""
    folder = Path(tempfile.mkdtemp())
    try:
        yield "SQLite", f"sqlite:///{folder / 'engine.db'}"
    finally:
        shutil.rmtree(folder)
    if sqlite_only:
        return
    try:
        url = new_database()
    except pytest.skip.Exception as why:
        print(f"PostgreSQL is left out: {why}", file=sys.stderr)
        return
    yield "PostgreSQL", url
