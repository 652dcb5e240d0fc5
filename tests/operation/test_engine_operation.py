"""What operation asks of the engine: schedules, rates, resolution, retention; on a real worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dbos import DBOS

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.engine import EngineConfig, OutsideEngine, apply_schedules
from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.operation.durable import SpecRunner, specs_of
from goldspan.harness.operation.intake import Asked, Schedule
from goldspan.harness.operation.kill import KillSwitch
from goldspan.harness.operation.outbox import unsent
from goldspan.harness.operation.retention import KEPT_FIGURES, prune_engine
from goldspan.harness.operation.tasks import Task
from goldspan.harness.operation.worker import WorkerProcess
from goldspan.harness.run_spec import RunSpec
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store import Store
from tests.chaos.world import Turns, sent, write_post_office
from tests.operation.commands import waited
from tests.postgres import new_database

on_sqlite = pytest.mark.parametrize("office", ["sqlite"], indirect=True)
SLOW = "tests.operation.slow_office:SlowOffice"
QUEUING = "tests.operation.slow_office:QueuingOffice"


class Office:
    """A worker process in this one, on the post office."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.folder, self.url, self.stack = folder, url, stack
        self.version = AgentVersion.load(write_post_office(folder / "poster" / "v1.0.0"))
        self.telemetry = telemetry = stack.enter_context(instrument(store=folder / "s.duckdb"))
        gateway = ModelGateway(Mode.LIVE, None, Turns())
        self.runner = SpecRunner(
            lambda _version: gateway, telemetry.recorder, Prices(), folder / "workspaces"
        )
        self.ledger = stack.enter_context(closing(Ledger(url)))

    def work(self, rate: tuple[int, float] | None = None) -> WorkerProcess:
        config = EngineConfig(self.url, concurrency=8, dead_after_s=2.0, beat_s=0.25, rate=rate)
        return WorkerProcess(config, self.runner)

    def works(self, rate: tuple[int, float] | None = None) -> None:
        """Until the test's end."""
        self.stack.enter_context(self.work(rate))

    def moves(self, environment: str) -> None:
        """To another environment."""
        config = self.version.path / "config.yaml"
        text = config.read_text("utf-8")
        config.write_text(text.replace("tests.chaos.world:PostOffice", environment), "utf-8")
        self.version = AgentVersion.load(self.version.path)

    def specs(self, *names: str, script: str = "send 1") -> list[RunSpec]:
        tasks = [Task(id=name, input=script) for name in names]
        return specs_of(self.version, tasks, batch="b")

    def enqueue(self, specs: list[RunSpec]) -> list[str]:
        with OutsideEngine(EngineConfig(self.url)) as outside:
            return outside.enqueue(specs)

    def ended(self, *run_ids: str) -> bool:
        states = [Runs(self.ledger).find(run_id) for run_id in run_ids]
        return all(state is not None and state.state == "ended" for state in states)


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    sqlite = f"sqlite:///{tmp_path / 'engine.db'}"
    with ExitStack() as stack:
        yield Office(tmp_path, sqlite if request.param == "sqlite" else new_database(), stack)


@on_sqlite
def test_a_schedule_fires_each_due_time_once_and_goes_when_it_is_taken_out(
    office: Office,
) -> None:
    office.works()
    asked = Asked(input="send 1")
    folder = str(office.version.path)
    always = Schedule(name="always", cron="* * * * * *", agent=folder, task=asked)
    broken = always.model_copy(update={"name": "broken", "agent": str(office.folder / "none")})
    for _ in range(2):  # as a second worker does
        apply_schedules([always, broken])
    names = {known["schedule_name"] for known in DBOS.list_schedules()}
    assert names == {"always", "broken"}

    def fired() -> list[str]:
        told = [e for e in unsent(office.ledger) if e.name == "goldspan.run.queued"]
        return [str(e.attributes["goldspan.run.id"]) for e in told]

    waited(lambda: len(fired()) >= 2)
    apply_schedules([])
    first = fired()
    assert len(first) == len(set(first))
    waited(lambda: office.ended(*fired()))
    specs = [always.spec(datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=n))
             for n in range(120)]  # fmt: skip
    assert set(first) <= {spec.run_id for spec in specs}, "a due time is a whole second"
    incidents = [e for e in unsent(office.ledger) if e.name == "goldspan.incident"]
    assert {e.attributes["goldspan.run.source"] for e in incidents} == {"schedule:broken"}
    assert DBOS.list_schedules() == []
    with pytest.raises(ConfigError, match=r"always: .*Invalid cron"):
        apply_schedules([always.model_copy(update={"cron": "now and then"})])


@on_sqlite
def test_no_more_runs_start_than_the_rate_lets(office: Office) -> None:
    specs = office.specs(*(f"t{n}" for n in range(5)))
    assert len(office.enqueue(specs)) == 5
    assert office.enqueue(specs) == []
    with OutsideEngine(EngineConfig(office.url)) as outside:
        queued = outside.queued()
    assert {(q.run_id, q.agent, q.batch) for q in queued} == {
        (spec.run_id, "poster", "b") for spec in specs
    }
    office.works(rate=(2, 3600.0))

    def done() -> list[RunSpec]:
        return [spec for spec in specs if office.ended(spec.run_id)]

    waited(lambda: len(done()) >= 2)
    time.sleep(1.0)
    assert len(done()) == 2


@on_sqlite
def test_a_tool_that_blocks_holds_up_no_other_run(office: Office) -> None:
    office.moves(QUEUING)
    (counts,) = office.specs("counts", script="count 1")
    (sends,) = office.specs("sends", script="send 1")
    office.works()
    office.enqueue([counts])
    waited(lambda: _calls(office, counts.run_id) == 2)
    office.enqueue([sends])
    waited(lambda: office.ended(counts.run_id, sends.run_id))
    office.telemetry.flush()
    rows = Store.open(office.folder / "s.duckdb").rows(
        "SELECT result FROM tool_calls WHERE tool_name = 'count'"
    )
    assert [row["result"] for row in rows] == ['{"sent":1}']


def _waits(office: Office, run_id: str) -> bool:
    state = Runs(office.ledger).find(run_id)
    return state is not None and str(state.waits_for).startswith("unknown:")


@on_sqlite
def test_a_call_that_cannot_be_cut_is_reported_and_not_made_again(office: Office) -> None:
    office.moves(SLOW)
    (spec,) = office.specs("a", script="send 1; send 2")
    office.enqueue([spec])
    office.works()
    waited(lambda: _calls(office, spec.run_id) == 2)
    switch = KillSwitch(office.ledger)
    switch.stop("all", by="ana", reason="why")
    waited(lambda: switch.held("all").killed == 1)
    (cut,) = [e.attributes for e in unsent(office.ledger) if e.name == "goldspan.call.cut"]
    assert cut["goldspan.call.step"].endswith("tool:send")
    assert (cut["goldspan.call.finished"], cut["goldspan.kill.scope"]) == (True, "all")
    assert _calls(office, spec.run_id) == 2
    switch.resume("all", by="ana")
    waited(lambda: office.ended(spec.run_id))
    letters = sent(office.folder / "workspaces" / spec.run_id)
    assert [row["n"] for row in letters] == [1, 2]


def _calls(office: Office, run_id: str) -> int:
    with office.ledger.transaction() as tx:
        return int(tx.rows("run_calls", run_id=run_id)[0]["calls"])


def test_retention_takes_what_ended_runs_left_and_no_more(office: Office) -> None:
    old = office.specs("old", "new")
    with office.work() as worker:
        office.enqueue(old)
        waiting = office.specs("waiting", script="throw 1")
        office.ledger.admit(
            Intent.of(waiting[0].run_id, 0, "throw", {"n": 1}, agent="poster", action_class="act")
        )
        office.enqueue(waiting)
        waited(lambda: office.ended(*(s.run_id for s in old)) and _waits(office, waiting[0].run_id))
        cutoff = time.time()
        new = office.specs("later")
        office.enqueue(new)
        waited(lambda: office.ended(new[0].run_id))
        assert worker.engine.delivered(old[0].run_id) is not None
    assert prune_engine(office.ledger, cutoff, dry_run=True).runs == 2
    done = prune_engine(office.ledger, cutoff)
    assert (done.runs, done.compacted) == (2, office.url.startswith("sqlite"))
    assert prune_engine(office.ledger, cutoff).runs == 0
    kept = Runs(office.ledger).find(old[0].run_id)
    assert kept is not None
    assert (kept.tokens, kept.queue, kept.why) == (20, None, None)
    with office.ledger.transaction() as tx:
        calls = {s.run_id: tx.rows("run_calls", run_id=s.run_id)[0]["calls"] for s in old + new}
    assert calls == {old[0].run_id: 0, old[1].run_id: 0, new[0].run_id: 3}
    assert _waits(office, waiting[0].run_id)
    (event,) = [e for e in unsent(office.ledger) if e.name == "goldspan.engine.pruned"]
    assert event.attributes["goldspan.engine.pruned.runs"] == 2
    # What the engine had is gone: the same file is a new intake now, and the other is not.
    assert office.enqueue(old + new + waiting) == [s.run_id for s in old]


def test_of_an_agents_last_runs_the_figures_stay(tmp_path: Path) -> None:
    with closing(Ledger(f"sqlite:///{tmp_path / 'engine.db'}")) as ledger:
        runs = Runs(ledger)
        for n in range(KEPT_FIGURES + 5):
            runs.begin_segment(f"r{n}", "desk", "d", queue="q", batch=None)
            runs.end(f"r{n}", "completed", "text", n, None)
        assert prune_engine(ledger, time.time() + 1).runs == KEPT_FIGURES + 5
        left = [n for n in range(KEPT_FIGURES + 5) if runs.find(f"r{n}") is not None]
    assert left == list(range(5, KEPT_FIGURES + 5))
