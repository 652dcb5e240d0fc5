"""A worker process at the support desk, made as `goldspan worker --cassette` makes one.

Processes are forked from one that has imported all there is to import (multiprocessing's fork
server): starting one takes a tenth of a second, and so many can be killed.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import genai_prices.data  # noqa: F401  what workers import late is here before they are forked
import pandas  # noqa: F401

import goldspan.harness.demo.desk  # noqa: F401
from goldspan.harness.engine import EngineConfig
from goldspan.harness.ledger import Ledger
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.operation.durable import SpecRunner
from goldspan.harness.operation.outbox import drain
from goldspan.harness.operation.worker import WorkerProcess
from goldspan.tracing.instrument import Telemetry, instrument
from goldspan.tracing.pricing import Prices
from tests.chaos.desk_queue import PRICES
from tests.chaos.reaper import Reaper


@dataclass(frozen=True)
class Place:
    """Where one queue is worked through: the engine's database, and a folder for all else."""

    url: str
    folder: Path

    @property
    def store(self) -> Path:
        return self.folder / "store.duckdb"

    @property
    def workspaces(self) -> Path:
        return self.folder / "workspaces"

    @property
    def cassette(self) -> Path:
        return self.folder / "answers.jsonl"

    def ready(self, pid: int) -> Path:
        """A file that is there as soon as a worker takes runs."""
        return self.folder / f"worker-{pid}.ready"

    def said(self) -> str:
        """What the workers had to say."""
        return "\n".join(path.read_text("utf-8") for path in self.folder.glob("worker-*.log"))


def fork(place: Place, reaper: Reaper | None) -> ForkServerProcess:
    """A worker that runs from now on, until it is told to stop (SIGTERM), or dies."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=work, args=(place, reaper), daemon=True)
    process.start()
    return process


def work(place: Place, reaper: Reaper | None) -> None:
    """Take runs until SIGTERM."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    log = os.open(place.folder / f"worker-{os.getpid()}.log", os.O_CREAT | os.O_WRONLY, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.register(signal.SIGUSR1)
    if reaper is not None:
        reaper.plant()
    gateway = ModelGateway.make(Mode.REPLAY, cassette=place.cassette)
    ledger = Ledger(place.url)
    telemetry_of: Callable[[], Telemetry] = partial(
        instrument, store=place.store, service_name="desk"
    )
    with telemetry_of() as telemetry:
        runner = SpecRunner(
            lambda _version: gateway, telemetry.recorder, Prices.load(PRICES), place.workspaces
        )
        config = EngineConfig(place.url, beat_s=0.4)
        chores = [lambda: drain(ledger, telemetry_of)]
        with WorkerProcess(config, runner, ledger=ledger, chores=chores):
            place.ready(os.getpid()).touch()
            while not told:
                time.sleep(0.05)
        telemetry.deliver(remedy="see the store")
