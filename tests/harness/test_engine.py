"""Durable runs in one process: they park, are woken, killed, resumed; nothing is done twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import Decision, Proposal
from goldspan.harness.engine import EngineConfig, JsonSerializer
from goldspan.harness.guards import recent_costs
from goldspan.harness.ledger import Intent, Ledger, call_digest
from goldspan.harness.ledger.executors import Executors
from goldspan.harness.ledger.runs import RunState
from goldspan.harness.life import Life
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.operation.durable import SpecRunner, specs_of
from goldspan.harness.operation.tasks import Task
from goldspan.harness.operation.worker import BURIED, WorkerProcess
from goldspan.harness.result import RunResult
from goldspan.harness.run_spec import RunSpec
from goldspan.tracing.errors import ConfigError, MeasurementError
from goldspan.tracing.instrument import Telemetry, instrument
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store import Store
from tests.chaos.world import Turns, seen, sent, write_post_office
from tests.postgres import new_database


def sql(ledger: Ledger, text: str) -> None:
    with ledger.transaction() as tx:
        tx.execute(text)  # type: ignore[attr-defined]  # a test's way to what has no query yet


@dataclass
class TableApprover:
    """Asks by a row, and takes the decision out of it."""

    ledger: Ledger

    async def decide(self, proposal: Proposal) -> Decision | None:
        digest = call_digest(proposal.tool, proposal.arguments)
        sql(
            self.ledger,
            "INSERT INTO goldspan_approvals (id, run_id, digest, kind, proposal, state, asked_at)"
            f" VALUES ('{proposal.id}', '{proposal.run_id}', '{digest}', 'reviewer', '', 'asked',"
            " 1) ON CONFLICT DO NOTHING",
        )
        with self.ledger.transaction() as tx:
            text = f"SELECT state FROM goldspan_approvals WHERE id = '{proposal.id}'"
            (row,) = tx.read(text)  # type: ignore[attr-defined]  # as above
        return Decision("approve", "ana", approval=proposal.id) if row["state"] != "asked" else None


class Office:
    """One worker process on a database of its own, and its queue."""

    def __init__(self, folder: Path, url: str, telemetry: Telemetry) -> None:
        self.folder = folder
        self.config = EngineConfig(url, concurrency=3, dead_after_s=60.0, beat_s=0.2)
        self.version = AgentVersion.load(write_post_office(folder / "poster" / "v1.0.0"))
        (folder / "workspaces").mkdir()
        self.turns = Turns()
        self.telemetry = telemetry
        self.open()

    def open(self) -> None:
        """Begin to work, also after the worker was closed."""
        self.ledger = Ledger(self.config.url)
        gateway = ModelGateway(Mode.LIVE, None, self.turns)
        recorder = self.telemetry.recorder
        runner = SpecRunner(
            lambda _version: gateway, recorder, Prices(), self.folder / "workspaces"
        )
        runner.approver = TableApprover(self.ledger)
        self.worker = WorkerProcess(self.config, runner, ledger=self.ledger)
        self.worker.start()

    def enqueue(self, script: str, name: str = "t") -> RunSpec:
        (spec,) = specs_of(self.version, [Task(id=name, input=script)], batch="b")
        self.worker.engine.enqueue(spec)
        return spec

    def until(self, run: RunSpec, *states: str) -> RunState:
        state: RunState = waited(lambda: self._in(run, states))
        return state

    def _in(self, run: RunSpec, states: tuple[str, ...]) -> RunState | None:
        state = self.worker.engine.runs.find(run.run_id)
        return state if state is not None and state.state in states else None

    def letters(self, run: RunSpec) -> list[int]:
        return [row["n"] for row in sent(self.folder / "workspaces" / run.run_id)]

    def rows(self, query: str) -> list[dict[str, Any]]:
        self.telemetry.flush()
        return Store.open(self.folder / "s.duckdb").rows(query)


def waited(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
    return found


BOTH = pytest.mark.parametrize("office", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    sqlite = f"sqlite:///{tmp_path / 'engine.db'}"
    url = new_database() if getattr(request, "param", "sqlite") == "postgresql" else sqlite
    with ExitStack() as stack:
        telemetry = stack.enter_context(
            instrument(store=tmp_path / "s.duckdb", service_name="test")
        )
        opened = Office(tmp_path, url, telemetry)
        stack.callback(lambda: opened.worker.close())
        yield opened


@BOTH
def test_a_run_ends_once_however_often_it_is_enqueued(office: Office) -> None:
    first, second = office.enqueue("send 1; count 0; send 2"), office.enqueue("send 1; send 2")
    assert first.run_id == second.run_id
    state = office.until(first, "ended")
    assert (state.outcome, state.segment, state.tokens) == ("completed", 1, 40)
    assert office.letters(first) == [1, 2]
    result = office.worker.engine.result(first.run_id)
    assert (result["answer"], result["tool_calls"]) == ("done after 3", 3)
    (row,) = office.rows("SELECT * FROM runs")
    assert (row["outcome"], row["llm_calls"], row["tool_calls"]) == ("completed", 4, 3)


@BOTH
def test_a_run_that_needs_approval_waits_without_a_worker_and_goes_on(office: Office) -> None:
    waiting = [office.enqueue("send 1; sign 2; send 3", f"w{n}") for n in range(4)]
    for run in waiting:
        state = office.until(run, "parked")
        assert str(state.waits_for).startswith("approval:")
        assert office.letters(run) == [1]
    assert office.until(office.enqueue("send 9", "other"), "ended").outcome == "completed"
    decided = waiting[0]
    sql(
        office.ledger,
        f"UPDATE goldspan_approvals SET state = 'approved' WHERE run_id = '{decided.run_id}'",
    )
    state = office.until(decided, "ended")
    assert (state.outcome, state.segment) == ("completed", 2)
    assert office.letters(decided) == [1, 2, 3]
    assert office.letters(waiting[1]) == [1]
    (row,) = office.rows(f"SELECT * FROM runs WHERE run_id = '{decided.run_id}'")
    assert (row["outcome"], row["segments"], row["tool_calls"]) == ("completed", 2, 3)
    (asked,) = office.rows(f"SELECT * FROM approvals WHERE run_id = '{decided.run_id}'")
    assert (asked["status"], asked["reviewer"]) == ("decided", "ana")
    assert len(office.rows("SELECT 1 FROM runs WHERE outcome = 'paused'")) == 3
    first, second = office.rows(
        "SELECT trace_id, span_id, links FROM spans"
        f" WHERE run_id = '{decided.run_id}' AND category = 'agent' ORDER BY started_at"
    )
    assert first["links"] is None
    (link,) = json.loads(second["links"])
    assert (link["trace_id"], link["span_id"]) == (first["trace_id"], first["span_id"])
    assert first["trace_id"] != second["trace_id"]


def test_a_kill_flag_cuts_what_is_under_way_and_is_lifted_by_an_act(office: Office) -> None:
    office.turns.pause_s = 0.05
    run = office.enqueue("; ".join(f"send {n}" for n in range(30)), "long")
    waited(lambda: len(office.letters(run)) > 2)
    sql(office.ledger, "INSERT INTO goldspan_kills VALUES ('agent:poster', 'ana', 'why', 1)")
    state = office.until(run, "parked")
    assert (state.waits_for, state.why) == (
        "kill:agent:poster",
        "stopped by ana (agent:poster): why",
    )
    done = len(office.letters(run))
    assert done < 30
    later = office.enqueue("send 1", "later")
    assert office.until(later, "parked").waits_for == "kill:agent:poster"
    assert office.letters(later) == []
    assert len(office.letters(run)) == done
    waited(lambda: len(office.rows("SELECT 1 FROM runs WHERE outcome = 'killed'")) == 2)
    sql(office.ledger, "DELETE FROM goldspan_kills")
    assert office.until(run, "ended").outcome == "completed"
    assert office.letters(run) == list(range(30))


@pytest.mark.parametrize(
    ("contract", "why"),
    [
        ({"max_usd": 1}, "local/tiny has no price"),
        ({"max_tool_call": 1}, "contract: max_tool_call: unknown key (did you mean"),
        ({"max_tool_calls": 41}, "contract.max_tool_calls: a task may tighten"),
    ],
)
def test_a_run_that_cannot_begin_has_failed_and_is_seen(
    office: Office, contract: dict[str, Any], why: str
) -> None:
    (spec,) = specs_of(office.version, [Task(id="t", input="send 1")], batch="b")
    office.worker.engine.enqueue(replace(spec, task={**spec.task, "contract": contract}))
    state = office.until(spec, "ended")
    assert state.outcome == "failed"
    assert why in str(state.why)
    (row,) = office.rows("SELECT * FROM runs")
    assert (row["outcome"], row["agent_name"], row["batch_id"]) == ("failed", "poster", "b")


@pytest.mark.parametrize("error", [MeasurementError("no model"), ValueError("a fault")])
def test_what_a_failed_run_used_is_known(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    answer = office.turns.answer

    async def fails_in_the_end(request: ModelRequest) -> ModelAnswer:
        if len(request.messages) > 4:
            raise error
        return await answer(request)

    monkeypatch.setattr(office.turns, "answer", fails_in_the_end)
    state = office.until(office.enqueue("send 1; send 2; send 3"), "ended")
    assert (state.outcome, state.tokens, state.usd) == ("failed", 20, None)
    assert recent_costs(office.ledger, "poster") == [(None, 20)]


def test_a_changed_agent_version_holds_its_runs_back(office: Office) -> None:
    (spec,) = specs_of(office.version, [Task(id="t", input="send 1")], batch="b")
    prompt = office.version.path / "system-prompt.md"
    prompt.write_text("You burn letters.\n", encoding="utf-8")
    office.worker.engine.enqueue(spec)
    state = office.until(spec, "parked")
    assert state.waits_for == f"version:{spec.digest}"
    assert "when the run began, and is" in str(state.why)
    waited(lambda: office.rows("SELECT 1 FROM runs WHERE outcome = 'paused'"))
    prompt.write_text("You send letters.\n", encoding="utf-8")
    waited(lambda: office.worker.engine.wake(spec.run_id))
    assert office.until(spec, "ended").outcome == "completed"


def test_a_call_of_which_nobody_knows_waits_for_a_person(office: Office) -> None:
    """An intent without a recorded result is what a crash leaves behind."""
    specs = specs_of(
        office.version, [Task(id=f"u{n}", input="throw 1; throw 2") for n in range(2)], batch="b"
    )
    for spec in specs:
        office.ledger.admit(Intent.of(spec.run_id, 0, "throw", {"n": 1}, agent="poster"))
        office.worker.engine.enqueue(spec)
    for spec in specs:
        key = Intent.of(spec.run_id, 0, "throw", {"n": 1}).key
        state = office.until(spec, "parked")
        assert state.waits_for == f"unknown:{key}"
        assert office.letters(spec) == []
        made = {"result": {"sent": 1}} if spec is specs[0] else {"made": False}
        assert office.ledger.resolve(key, made)
    for spec, letters in zip(specs, ([2], [1, 2]), strict=True):
        assert office.until(spec, "ended").outcome == "completed"
        assert office.letters(spec) == letters
    told = office.rows("SELECT * FROM events WHERE event_name = 'goldspan.call.recovered'")
    assert len(told) == 2
    calls = office.rows("SELECT run_id, count(*) AS n FROM tool_calls GROUP BY ALL")
    assert [row["n"] for row in calls] == [2, 2]


def test_a_call_that_can_be_asked_about_is_asked_not_made_again(office: Office) -> None:
    (spec,) = specs_of(office.version, [Task(id="t", input="send 1; send 2")], batch="b")
    first = Intent.of(spec.run_id, 0, "send", {"n": 1}, agent="poster")
    office.ledger.admit(first)
    office.ledger.admit(Intent.of(spec.run_id, 1, "send", {"n": 2}, agent="poster"))
    log = office.folder / "workspaces" / f"{spec.run_id}.sent"
    log.write_text(json.dumps({"key": first.key, "n": 1}) + "\n", encoding="utf-8")
    office.worker.engine.enqueue(spec)
    assert office.until(spec, "ended").outcome == "completed"
    assert office.letters(spec) == [1, 2]


def several_at_once(office: Office) -> None:
    """An agent version whose model asks for several calls in one turn."""
    rule = ", outputs: {count: {range: {sent: {min: 1}}, otherwise: pause}}"
    folder = office.folder / "native" / "v1.0.0"
    office.version = AgentVersion.load(write_post_office(folder, "native", rule))


@BOTH
def test_a_run_waits_only_when_what_is_under_way_beside_is_over(office: Office) -> None:
    several_at_once(office)
    workspaces = office.folder / "workspaces"
    (workspaces / "hold-1").touch()
    run = office.enqueue("peek 1 & peek 2 & count 0")
    waited(lambda: office.rows("SELECT 1 FROM events WHERE event_name = 'goldspan.run.paused'"))
    assert office.until(run, "running", "parked").state == "running"
    (workspaces / "hold-1").unlink()
    key = Intent.of(run.run_id, 2, "count", {"n": 0}).key
    assert office.until(run, "parked").waits_for == f"unknown:{key}"
    assert [row["n"] for row in seen(workspaces / run.run_id)] == [2, 1]
    (workspaces / f"{run.run_id}.sent").write_text('{"key": "", "n": 9}\n', encoding="utf-8")
    assert office.ledger.resolve(key, {"made": False})
    assert office.until(run, "ended").outcome == "completed"
    told = '{"sent":1} {"sent":2} {"sent":1}'
    assert office.worker.engine.result(run.run_id)["answer"] == f"done after 1: {told}"
    assert len(seen(workspaces / run.run_id)) == 2


def test_a_kill_flag_cuts_all_that_is_under_way(office: Office) -> None:
    several_at_once(office)
    workspaces = office.folder / "workspaces"
    for n in (1, 2):
        (workspaces / f"hold-{n}").touch()
    run = office.enqueue("peek 1 & peek 2 & peek 3")
    waited(lambda: seen(workspaces / run.run_id))
    sql(office.ledger, "INSERT INTO goldspan_kills VALUES ('all', 'ana', 'why', 1)")
    assert office.until(run, "parked").waits_for == "kill:all"
    assert [row["n"] for row in seen(workspaces / run.run_id)] == [3]
    for n in (1, 2):
        (workspaces / f"hold-{n}").unlink()
    sql(office.ledger, "DELETE FROM goldspan_kills")
    assert office.until(run, "ended").outcome == "completed"
    assert sorted(row["n"] for row in seen(workspaces / run.run_id)) == [1, 2, 3]


def test_a_worker_that_stops_leaves_its_runs_to_the_next(office: Office) -> None:
    office.turns.pause_s = 0.05
    run = office.enqueue("; ".join(f"throw {n}" for n in range(20)))
    waited(lambda: len(office.letters(run)) > 2)
    office.worker.close()
    done = len(office.letters(run))
    assert done < 20
    with closing(Ledger(office.config.url)) as ledger:
        Executors(ledger).add("one of this number, in a container that was started again")
    (row,) = office.rows("SELECT outcome, reason FROM runs")
    assert row == {"outcome": "paused", "reason": "its process was stopped"}
    office.open()
    state = office.until(run, "ended")
    assert (state.outcome, state.segment) == ("completed", 2)
    assert office.letters(run) == list(range(20))
    (row,) = office.rows("SELECT outcome, segments, reason FROM runs")
    assert row == {"outcome": "completed", "segments": 2, "reason": None}


def test_each_step_is_fenced_unless_its_worker_was_heard_a_moment_ago(office: Office) -> None:
    engine, fences = office.worker.engine, list[str]()
    engine.fence, engine.fenced = lambda: fences.append("asked"), lambda: True
    office.until(office.enqueue("send 1", "heard"), "ended")
    assert fences == []
    engine.fenced = lambda: False
    office.until(office.enqueue("send 1", "silent"), "ended")
    assert len(fences) == 4  # the preparation, two answers of the model, a letter


def test_a_worker_is_fenced_from_its_last_beat_on_for_half_its_patience(tmp_path: Path) -> None:
    died: list[int] = []
    config = EngineConfig(f"sqlite:///{tmp_path / 'engine.db'}", dead_after_s=60.0)
    worker = WorkerProcess(config, _never, die=died.append)
    worker.executors.add(worker.id)
    assert not worker.fenced()  # it has not beaten yet
    worker.fence()
    assert worker.fenced()
    assert died == []
    worker.executors.bury_one(worker.id)
    worker.beat()
    assert died == [BURIED]
    worker.ledger.close()


async def _never(spec: RunSpec, life: Life) -> RunResult:
    raise AssertionError("no run was asked for")


def test_sqlite_serves_one_worker(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        office = Office(tmp_path, url, telemetry)
        try:
            second = WorkerProcess(office.config, office.worker.engine.runner)
            with pytest.raises(ConfigError, match="SQLite serves one"):
                second.start()
            second.ledger.close()
        finally:
            office.worker.close()


def test_what_the_engine_writes_is_json(tmp_path: Path) -> None:
    serializer = JsonSerializer()
    text = serializer.serialize({"args": (1, "é"), "kwargs": {}})
    assert serializer.deserialize(text) == {"args": [1, "é"], "kwargs": {}}
    error = serializer.deserialize(serializer.serialize(ValueError("no")))
    assert (type(error), str(error)) == (RuntimeError, "ValueError: no")
