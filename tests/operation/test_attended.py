"""Runs that a person starts and watches: the limits over all runs are theirs too."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from goldspan.cli.app import app
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.guards import recent_costs
from goldspan.harness.ledger import Intent, Ledger, Settlement, default_url
from goldspan.harness.ledger.runs import Runs, RunState
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.operation.attended import end_gone, note_process
from goldspan.harness.operation.kill import KillSwitch
from goldspan.harness.operation.outbox import unsent
from goldspan.harness.operation.tasks import Task, Worker
from goldspan.harness.result import RunResult
from goldspan.tracing import semconv
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import PriceEntry, Prices
from goldspan.tracing.recorder import Recorder
from tests.harness.scripted import act, write_version

PRICED = Prices([PriceEntry(provider="local", model="tiny", input_usd=1, output_usd=1)])


@dataclass
class Writes:
    """A model that writes one note and answers; `before` is called before each answer."""

    before: Callable[[], object] = lambda: None
    hangs: bool = False
    requests: list[ModelRequest] = field(default_factory=list)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        self.before()
        if self.hangs:
            await asyncio.sleep(60)
        text = act("write", text="hello") if len(request.messages) < 2 else act("answer", text="ok")
        message = text_message("assistant", text)
        return ModelAnswer(message, "stop", "tiny", input_tokens=10, output_tokens=10)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with instrument(store=tmp_path / "s.duckdb") as telemetry:
        yield telemetry.recorder


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(default_url(tmp_path / "s.duckdb"))) as opened:
        yield opened


def worked(
    folder: Path,
    recorder: Recorder,
    ledger: Ledger,
    model: Writes,
    *tasks: Task,
    contract: str = "{}",
) -> list[RunResult]:
    """What the tasks' runs came to, in one process of its own ledger."""
    path = folder / "agents" / "desk" / "v1.0.0"
    version = AgentVersion.load(path if path.exists() else write_version(path, contract=contract))
    gateway = ModelGateway(Mode.LIVE, None, model)
    worker = Worker(version, gateway, recorder, PRICED, folder / "work", ledger=ledger)
    return asyncio.run(worker.work_through(tasks, batch="b"))


def task(name: str, approver: str = "approve") -> Task:
    return Task.model_validate({"id": name, "input": f"note {name}", "approver": approver})


def known(ledger: Ledger, run_id: str) -> RunState:
    found = Runs(ledger).find(run_id)
    assert found is not None
    return found


def test_a_cap_holds_over_processes_that_run_side_by_side(
    tmp_path: Path, recorder: Recorder
) -> None:
    tasks = [task(f"t{n}") for n in range(6)]
    cap = "{caps: [{of: act, max_calls: 5}]}"
    write_version(tmp_path / "agents" / "desk" / "v1.0.0", contract=cap)

    def process(_: int) -> list[RunResult]:
        with closing(Ledger(default_url(tmp_path / "s.duckdb"))) as own:
            return worked(tmp_path, recorder, own, Writes(), *tasks)

    with ThreadPoolExecutor(2) as pool:
        results = [each for some in pool.map(process, range(2)) for each in some]
    ends = sorted(result.outcome for result in results)
    assert ends == ["aborted"] * 7 + ["completed"] * 5
    assert len(list((tmp_path / "work").glob("*/note-*.txt"))) == 5


def test_a_stop_holds_and_says_what_is_true_of_a_run_that_is_over(
    tmp_path: Path, recorder: Recorder, ledger: Ledger
) -> None:
    KillSwitch(ledger).stop("agent:desk", by="ana", reason="look into it")
    model = Writes()
    (killed,) = worked(tmp_path, recorder, ledger, model, task("t"))
    assert (killed.outcome, model.requests) == ("killed", [])
    assert killed.next_actions[0].startswith(
        "the run is over: run it again once the stop is lifted"
    )
    assert (known(ledger, killed.run_id).state, KillSwitch(ledger).held("all").going) == (
        "ended",
        0,
    )
    KillSwitch(ledger).resume("agent:desk", by="ana")
    (paused,) = worked(tmp_path, recorder, ledger, Writes(), task("t", "none"))
    assert paused.outcome == "paused"
    assert "goldspan enqueue" in paused.next_actions[0]


def test_a_call_under_way_is_cut_by_a_stop(
    tmp_path: Path, recorder: Recorder, ledger: Ledger
) -> None:
    switch = KillSwitch(ledger)
    model = Writes(lambda: switch.stop("all", by="ana", reason="why"), hangs=True)
    (killed,) = worked(tmp_path, recorder, ledger, model, task("t"))
    assert (killed.outcome, len(model.requests)) == ("killed", 1)
    (cut,) = [e.attributes for e in unsent(ledger) if e.name == semconv.CALL_CUT]
    assert (cut[semconv.CALL_STEP], cut[semconv.CALL_FINISHED]) == ("model", False)


def test_runs_make_the_history_by_which_the_next_is_stopped(
    tmp_path: Path, recorder: Recorder, ledger: Ledger
) -> None:
    tasks = [task(f"t{n}") for n in range(10)]
    done = worked(
        tmp_path, recorder, ledger, Writes(), *tasks, contract="{stop_at: 0.5, max_usd: 1}"
    )
    assert {each.outcome for each in done} == {"completed"}
    row = known(ledger, done[0].run_id)
    assert (row.state, row.tokens, row.queue, row.why) == ("ended", 40, None, None)
    (stopped,) = worked(tmp_path, recorder, ledger, Writes(), task("more"))
    assert (stopped.outcome, "the median of 10 runs" in str(stopped.reason)) == ("aborted", True)


def test_what_a_run_used_until_it_raised_counts(
    tmp_path: Path, recorder: Recorder, ledger: Ledger
) -> None:
    def fails() -> None:
        if len(model.requests) == 2:
            raise ValueError("a fault")

    model = Writes(fails)
    with pytest.RaisesGroup(ValueError):
        worked(tmp_path, recorder, ledger, model, task("t"))
    ((usd, tokens),) = recent_costs(ledger, "desk")
    assert tokens == 20
    assert usd == pytest.approx(20e-6)


def test_a_run_whose_process_is_gone_is_no_longer_under_way(ledger: Ledger) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    runs = Runs(ledger)
    for name, queue in (("dead", None), ("here", None), ("queued", "q"), ("elsewhere", None)):
        runs.begin_segment(name, "desk", "d", queue=queue, batch=None)
    note_process(ledger, "here")
    why = known(ledger, "here").why
    assert why is not None
    with ledger.transaction() as tx:
        dead = why.replace(str(os.getpid()), str(gone.pid))
        tx.run("note_process", run_id="dead", why=dead)
        tx.run("note_process", run_id="queued", why=dead)
        tx.run("note_process", run_id="elsewhere", why="on another.example, in process 1")
    call = Intent.of("dead", 1, "model:tiny", "asked", agent="desk", action_class="model")
    ledger.admit(call)
    ledger.settle([Settlement(call.key, {"tokens": 20, "usd": 0.5})])
    assert end_gone(ledger) == 1
    assert (known(ledger, "dead").tokens, known(ledger, "dead").usd) == (20, 0.5)
    states = {name: known(ledger, name).state for name in ("dead", "here", "queued", "elsewhere")}
    assert states == {**dict.fromkeys(states, "running"), "dead": "ended"}


def test_the_command_takes_the_ledger_beside_the_store(tmp_path: Path, ledger: Ledger) -> None:
    agent = write_version(tmp_path / "agents" / "desk" / "v1.0.0")
    KillSwitch(ledger).stop("all", by="ana", reason="why")
    at = ["--store", str(tmp_path / "s.duckdb"), "--base-url", "http://127.0.0.1:9/v1", "--json"]
    done = CliRunner().invoke(app, ["run", str(agent), "note it", *at], catch_exceptions=False)
    (made,) = json.loads(done.stdout)["runs"]
    assert (done.exit_code, made["outcome"]) == (0, "killed")
    assert known(ledger, made["run_id"]).outcome == "killed"
