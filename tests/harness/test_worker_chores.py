"""A worker's chores beside each other: none waits for another, and its end waits for none."""

from __future__ import annotations

import threading
from pathlib import Path

from goldspan.harness.engine import EngineConfig
from goldspan.harness.life import Life
from goldspan.harness.operation.worker import WorkerProcess
from goldspan.harness.result import RunResult
from goldspan.harness.run_spec import RunSpec
from tests.harness.test_engine import waited


def test_a_chore_that_hangs_holds_up_neither_another_nor_the_end(tmp_path: Path) -> None:
    done: list[int] = []
    hangs, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        goes_on.wait()

    async def none(_spec: RunSpec, _life: Life) -> RunResult:
        raise AssertionError("nothing is in the queue")

    config = EngineConfig(f"sqlite:///{tmp_path / 'engine.db'}", beat_s=0.1)
    worker = WorkerProcess(config, none, chores=[hang, lambda: done.append(1)])
    ending = threading.Thread(target=worker.close, kwargs={"grace_s": 0.1})
    worker.start()
    try:
        assert hangs.wait(20)
        waited(lambda: len(done) > 2)
        assert not worker.hurries()
        ending.start()
        ending.join(20)
        assert not ending.is_alive()
        assert worker.hurries()
    finally:
        goes_on.set()
        ending.join()
