"""A drill: start harmless runs, stop them as in earnest, measure, let them go on to their end."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from goldspan.harness.drill.agent import NAME, drill_gateway, drill_specs
from goldspan.harness.drill.measuring import LIMIT_MS, Measured, measured
from goldspan.harness.engine import EngineConfig, enqueue_from_outside
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.operation.durable import SpecRunner
from goldspan.harness.operation.kill import KillSwitch
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.operation.worker import WorkerProcess
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import MeasurementError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.store import Store

SCOPE = f"agent:{NAME}"
TIMES, SECONDS = 12, 0.2
CALLS = 2  # of each run, before the stop: a model's and a tool's
SETTLE_S = 1.5 * LIMIT_MS / 1000  # after the stop, so that a call that is late is seen
POLL_S = 0.05


@dataclass(frozen=True)
class DrillResult:
    """What a drill came to. `resumed` counts the runs that completed once they were let go,
    `held_ms` is how long after the stop the last run waited; None where one never did."""

    runs: int
    measured: Measured
    held_ms: float | None
    resumed: int

    @property
    def passed(self) -> bool:
        """Whether no call began too late, every run was killed, and every one went on again."""
        found = self.measured
        all_killed = found.killed == self.resumed == self.runs
        return found.late == 0 and found.calls > 0 and all_killed and self.held_ms is not None


@dataclass(frozen=True)
class Drill:
    """A drill on the workers of one engine, whose spans arrive in `store`. `by` is who does it."""

    config: EngineConfig
    ledger: Ledger
    store: Store
    by: str
    patience_s: float = 30.0

    def practise(
        self, runs: int, *, say: Callable[[str], None] = lambda _text: None
    ) -> DrillResult:
        """Do it, which takes some ten seconds. Raises `MeasurementError` where the runs do not
        start, or their spans do not arrive. No flag is left behind, whatever happens."""
        switch = KillSwitch(self.ledger)
        batch = f"drill-{uuid.uuid4().hex[:12]}"
        specs = drill_specs(batch, runs, times=TIMES, seconds=SECONDS)
        ids = enqueue_from_outside(self.config, specs)
        say(f"{runs} runs that only wait are in the queue")
        self._until(
            lambda: all(self._calls(run_id) >= CALLS for run_id in ids),
            "the drill's runs have not all started",
            "the workers may be busy: give fewer --runs, or try again later",
        )
        flag = switch.stop(SCOPE, by=self.by, reason="a drill")
        say(f"stopped {SCOPE}")
        try:
            held_ms = self._held_ms(ids, runs, flag.at)
            time.sleep(max(0.0, SETTLE_S - (self.ledger.clock() - flag.at)))
        finally:
            resumed_at = self.ledger.clock()
            switch.resume(SCOPE, by=self.by)
        say("let go again")
        self._until(
            lambda: self._count(ids, "ended") == runs,
            "the drill's runs have not ended after they were let go",
            "goldspan runs says what they wait for",
        )
        found = self._read(ids, flag.at, resumed_at)
        states = [Runs(self.ledger).find(run_id) for run_id in ids]
        resumed = sum(s is not None and s.outcome == "completed" and s.segment > 1 for s in states)
        result = DrillResult(runs, found, held_ms, resumed)
        self._tell(batch, result)
        return result

    def _held_ms(self, ids: list[str], runs: int, stopped_at: float) -> float | None:
        """How long after the stop all runs waited; None where they do not in time."""
        end = time.monotonic() + SETTLE_S * 2
        while self._count(ids, "parked") < runs:
            if time.monotonic() > end:
                return None
            time.sleep(POLL_S)
        return (self.ledger.clock() - stopped_at) * 1000

    def _read(self, ids: list[str], stopped_at: float, resumed_at: float) -> Measured:
        """Once the spans of all runs' last segments have arrived."""
        query = """
            SELECT count(DISTINCT run_id) AS runs FROM spans
            WHERE category = 'agent' AND outcome = 'completed' AND list_contains($runs, run_id)
        """
        self._until(
            lambda: self.store.rows(query, {"runs": ids})[0]["runs"] == len(ids),
            "the spans of the drill's runs have not arrived",
            "see that the workers write to this store (goldspan worker --store)",
        )
        return measured(self.store, ids, stopped_at, resumed_at)

    def _count(self, ids: list[str], state: str) -> int:
        known = (Runs(self.ledger).find(run_id) for run_id in ids)
        return sum(run is not None and run.state == state for run in known)

    def _calls(self, run_id: str) -> int:
        with self.ledger.transaction() as tx:
            return int(tx.rows("run_calls", run_id=run_id)[0]["calls"])

    def _until(self, done: Callable[[], bool], what: str, remedy: str) -> None:
        end = time.monotonic() + self.patience_s
        while not done():
            if time.monotonic() > end:
                raise MeasurementError(f"{what} after {self.patience_s:g} s", remedy=remedy)
            time.sleep(POLL_S)

    def _tell(self, batch: str, result: DrillResult) -> None:
        about = {
            semconv.BATCH_ID: batch,
            semconv.PASSED: result.passed,
            semconv.KILL_SCOPE: SCOPE,
            semconv.KILL_BY: self.by,
            semconv.DRILL_RESULT: json.dumps(asdict(result)),
        }
        event = AuditEvent(
            event_id(semconv.DRILL, batch), semconv.DRILL, self.ledger.clock(), about
        )
        with self.ledger.transaction() as tx:
            put(tx, event)


@contextmanager
def own_worker(
    recorder: Recorder, runs: int, send: Callable[[Ledger], object]
) -> Iterator[tuple[EngineConfig, Ledger]]:
    """A worker of the drill's own, in this process, on a database that is gone afterwards: for
    where no worker runs. `send` sends the audit events of that database."""
    with TemporaryDirectory(prefix="goldspan-drill-") as folder:
        config = EngineConfig(f"sqlite:///{folder}/engine.db", concurrency=runs, beat_s=0.25)
        runner = SpecRunner(
            lambda _version: drill_gateway(), recorder, Prices(), Path(folder) / "workspaces"
        )
        ledger = Ledger(config.url)
        with WorkerProcess(config, runner, ledger=ledger, chores=[lambda: send(ledger)]):
            yield config, ledger
