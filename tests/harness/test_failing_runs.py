"""Whole runs whose tools and models fail, as their agent version says what becomes of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals.unknown import resolve, unknown_calls
from goldspan.harness.engine import EngineConfig
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import RunState
from goldspan.harness.life import Life
from goldspan.harness.models.gateway import Mode, Model, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, message_text, text_message
from goldspan.harness.operation.durable import SpecRunner, specs_of
from goldspan.harness.operation.outbox import drain
from goldspan.harness.operation.tasks import Task
from goldspan.harness.operation.worker import WorkerProcess
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Direct
from goldspan.harness.tools import Tool, ToolContext
from goldspan.tracing import semconv
from goldspan.tracing.errors import MeasurementError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store import Store
from tests.chaos.world import Turns
from tests.harness.scripted import ScriptedModel, act


class Shelf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    n: int


def _outside(context: ToolContext) -> Path:
    return context.workspace.parent


def _fetch(context: ToolContext, shelf: Shelf) -> dict[str, Any]:
    with (_outside(context) / "calls").open("a", encoding="utf-8") as log:
        log.write(f"{shelf.n}\n")
    if (_outside(context) / "down").exists():
        raise TimeoutError("the archive did not answer")
    torn = _outside(context) / "torn"  # how many of the first answers are not whole
    calls = len((_outside(context) / "calls").read_text(encoding="utf-8").splitlines())
    text = "word " * 400
    if torn.exists() and calls <= int(torn.read_text(encoding="utf-8")):
        return {"fetched": shelf.n, "text": text[:9], "truncated": True}
    return {"fetched": shelf.n, "text": text}


class Archive:
    """Two tools over one archive, which is down while a file says so."""

    def tools(self) -> Sequence[Tool]:
        return (
            Tool("fetch", "Fetch a shelf.", Shelf, _fetch),
            Tool("count", "Count a shelf.", Shelf, lambda _context, shelf: {"count": shelf.n}),
            Tool("move", "Move a shelf.", Shelf, _fetch, action_class="act"),
        )

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        workspace.mkdir(parents=True)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        return {}


def write_archivist(folder: Path, **parts: Any) -> AgentVersion:
    """An agent version on the archive, with these parts of `config.yaml`."""
    folder.mkdir(parents=True)
    (folder / "system-prompt.md").write_text("You keep an archive.\n", encoding="utf-8")
    tools = "- name: fetch\n- name: count\n- name: move\n"
    (folder / "tools.yaml").write_text(tools, encoding="utf-8")
    config = {
        "model": "tiny",
        "provider": "local",
        "tool_mode": "json",
        "environment": "tests.harness.test_failing_runs:Archive",
        **parts,
    }
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    return AgentVersion.load(folder)


def run(
    tmp_path: Path, model: Model, task: str = "go", ledger: Ledger | None = None, **parts: Any
) -> RunResult:
    version = write_archivist(tmp_path / "archivist" / "v1.0.0", **parts)
    with (
        instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry,
        closing(Ledger()) as own,
    ):
        return asyncio.run(
            run_agent(
                version,
                task,
                model=model,
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
                run_id="run-1",
                life=Life(ledger or own, Direct()),
            )
        )


def events(tmp_path: Path, name: str) -> list[dict[str, Any]]:
    rows = Store.open(tmp_path / "s.duckdb").rows(
        "SELECT attributes, run_id FROM events WHERE event_name = ? ORDER BY observed_at", [name]
    )
    assert {row["run_id"] for row in rows} <= {"run-1"}
    return [json.loads(row["attributes"]) for row in rows]


FAST = {"attempts": 2, "first_wait_s": 0}


def test_a_run_goes_on_without_a_part_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    model = ScriptedModel([act("fetch", n=1), act("count", n=2), act("answer", text="counted 2")])
    rule = {"when_down": "pending"}
    policy = {"retry": FAST, "breaker": {"failures": 2}, "tools": {"fetch": rule}}
    result = run(tmp_path, model, failure=policy)
    assert result.outcome == "completed"
    assert result.answer == ('counted 2\n\nPending:\n- fetch({"n":1}): the archive did not answer')
    assert result.next_actions == [
        'fill in what is pending: fetch({"n":1}): the archive did not answer'
    ]
    told = message_text(model.requests[1].messages[-1])
    assert '"pending":true' in told
    failed = events(tmp_path, semconv.CALL_FAILED)
    assert [event[semconv.RUN_ATTEMPT] for event in failed] == [1, 2]
    assert len(events(tmp_path, semconv.PART_PENDING)) == 1
    (opened,) = events(tmp_path, semconv.BREAKER_CHANGED)
    assert opened[semconv.BREAKER_STATE] == "open"


def torn(tmp_path: Path, answers: int, otherwise: str) -> dict[str, Any]:
    """The archive's first answers are cut off; the contract that says so."""
    (tmp_path / "torn").write_text(str(answers), encoding="utf-8")
    return {"outputs": {"fetch": {"partial": ["truncated"], "otherwise": otherwise}}}


TORN = "the output of fetch cannot be used: truncated says that it is not complete"


@pytest.mark.parametrize("failure", [None, {"retry": {**FAST, "attempts": 3}}])
def test_an_output_that_is_not_whole_is_had_again(tmp_path: Path, failure: Any) -> None:
    model = ScriptedModel([act("fetch", n=1), act("answer", text="x")])
    contract = torn(tmp_path, 1, "retry")
    result = run(tmp_path, model, contract=contract, failure=failure)
    assert [step.error_type for step in result.steps] == [None]
    assert "truncated" not in result.steps[0].result
    (failed,) = events(tmp_path, semconv.CALL_FAILED)
    known = (semconv.ERROR_TYPE, semconv.ERROR_CLASS, semconv.RUN_ATTEMPT)
    assert [failed[name] for name in known] == ["OutputRejected", "retry", 1]
    assert TORN in failed[semconv.REASON]
    assert semconv.RETRY_AT in failed
    assert failed.get(semconv.BREAKER_FAILURES) == (1 if failure else None)
    rows = Store.open(tmp_path / "s.duckdb").rows("SELECT error_type FROM tool_calls ORDER BY 1")
    assert [row["error_type"] for row in rows] == ["OutputRejected", None]


def test_outputs_that_stay_torn_leave_the_part_pending(tmp_path: Path) -> None:
    model = ScriptedModel([act("fetch", n=1), act("answer", text="x")])
    failure = {"retry": FAST, "tools": {"fetch": {"when_down": "pending"}}}
    contract = torn(tmp_path, 9, "retry")
    result = run(tmp_path, model, contract=contract, failure=failure)
    assert len(events(tmp_path, semconv.CALL_FAILED)) == 2
    assert f'Pending:\n- fetch({{"n":1}}): {TORN}' in str(result.answer)


@pytest.mark.parametrize("otherwise", ["retry", "deny"])
def test_torn_outputs_open_the_breaker_and_the_run_waits(tmp_path: Path, otherwise: str) -> None:
    texts = [act("fetch", n=n) for n in range(1, 9)]
    once = {"attempts": 1, "first_wait_s": 0}
    failure = {"retry": once, "breaker": {"failures": 2}}
    contract = torn(tmp_path, 9, otherwise)
    result = run(tmp_path, ScriptedModel(texts), contract=contract, failure=failure)
    assert result.outcome == "paused"
    assert TORN in str(result.reason)
    assert (tmp_path / "calls").read_text() == "1\n2\n"
    (changed,) = events(tmp_path, semconv.BREAKER_CHANGED)
    assert changed[semconv.BREAKER_STATE] == "open"
    counted = [e[semconv.BREAKER_FAILURES] for e in events(tmp_path, semconv.CALL_FAILED)]
    assert counted == [1, 2]


def test_wrong_arguments_are_told_with_the_right_ones(tmp_path: Path) -> None:
    model = ScriptedModel([act("fetch", shelf=1), act("answer", text="no")])
    run(tmp_path, model, failure={})
    told = json.loads(message_text(model.requests[1].messages[-1]).partition(": ")[2])
    assert told["expected"] == {"n": {"type": "integer"}}
    assert told["try_again"] == "with other arguments"


def test_a_run_pauses_where_nobody_knows_whether_a_call_was_made(tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    result = run(tmp_path, ScriptedModel([act("move", n=1)]), failure={"retry": FAST})
    assert result.outcome == "paused"
    assert "nobody knows whether move was done (the archive did not answer)" in str(result.reason)
    assert (tmp_path / "calls").read_text() == "1\n"


def test_a_model_that_fails_is_tried_again_then_replaced(tmp_path: Path) -> None:
    class Cheap(ScriptedModel):
        async def answer(self, request: ModelRequest) -> ModelAnswer:
            answer = await super().answer(request)
            if request.model == "tiny":
                raise MeasurementError("the model did not answer") from TimeoutError()
            return answer

    model = Cheap([act("answer", text="never"), act("answer", text="nor"), act("answer", text="x")])
    routes = [{"provider": "local", "model": name} for name in ("tiny", "large")]
    result = run(tmp_path, model, failure={"retry": FAST}, routing={"routes": routes})
    assert (result.outcome, result.answer) == ("completed", "x")
    assert [r.model for r in model.requests] == ["tiny", "tiny", "large"]
    (moved,) = events(tmp_path, semconv.MODEL_ROUTED)
    assert (moved[semconv.ROUTE_TO], moved[semconv.ROUTE_WHY]) == ("local/large", "failure")
    calls = Store.open(tmp_path / "s.duckdb").rows(
        "SELECT request_model FROM llm_calls ORDER BY started_at"
    )
    assert [call["request_model"] for call in calls] == ["tiny", "large"]


def test_a_denied_call_takes_the_next_step_to_a_better_model(tmp_path: Path) -> None:
    model = ScriptedModel([act("burn", n=1), act("answer", text="a"), act("answer", text="b")])
    routes = [{"provider": "local", "model": name} for name in ("tiny", "large")]
    run(tmp_path, model, routing={"routes": routes})
    assert [r.model for r in model.requests] == ["tiny", "large"]


def test_a_long_run_stays_within_its_window(tmp_path: Path) -> None:
    class Counting(Turns):
        sizes: list[int] = []  # noqa: RUF012  one test's

        async def answer(self, request: ModelRequest) -> ModelAnswer:
            text = json.dumps(list(request.messages))
            self.sizes.append(len(text) // 3)
            turn = self.sizes.__len__() - 1
            said = act("fetch", n=turn) if turn < 12 else act("answer", text="done")
            return ModelAnswer(
                text_message("assistant", said), input_tokens=len(text) // 3, output_tokens=9
            )

    model = Counting()
    result = run(tmp_path, model, context={"window_tokens": 5000}, contract={"max_iterations": 40})
    assert (result.outcome, len(result.steps)) == ("completed", 12), result.reason
    assert max(model.sizes) < 2600
    assert events(tmp_path, semconv.CONTEXT_COMPACTED)
    assert not any("compacted" in message_text(m) for m in result.transcript)


def waited(worker: WorkerProcess, run_id: str, *states: str) -> RunState:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        state = worker.engine.runs.find(run_id)
        if state is not None and state.state in states:
            return state
        time.sleep(0.02)
    raise AssertionError(f"{run_id} did not come to be {states}")


def test_runs_that_need_a_broken_tool_wait_while_others_go_on(tmp_path: Path) -> None:
    spaces = tmp_path / "workspaces"
    spaces.mkdir()
    (spaces / "down").touch()
    version = write_archivist(
        tmp_path / "archivist" / "v1.0.0",
        failure={
            "retry": FAST,
            "breaker": {"failures": 2, "cooldown_s": 1.5, "probe_s": 5},
        },
    )
    config = EngineConfig(f"sqlite:///{tmp_path / 'engine.db'}", dead_after_s=1.0)
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        gateway = ModelGateway(Mode.LIVE, None, Turns())
        runner = SpecRunner(lambda _version: gateway, telemetry.recorder, Prices(), spaces)
        tasks = [Task(id=f"needs{n}", input=f"count {n}; fetch {n}") for n in range(3)]
        needs = specs_of(version, tasks, batch="b")
        other = specs_of(version, [Task(id="other", input="count 9")], batch="b")[0]
        with WorkerProcess(config, runner) as worker:
            ledger = worker.ledger
            for spec in needs:
                worker.engine.enqueue(spec)
            for spec in needs:
                state = waited(worker, spec.run_id, "parked")
                assert state.waits_for == "breaker:fetch"
            worker.engine.enqueue(other)
            assert waited(worker, other.run_id, "ended").outcome == "completed"
            made = len((spaces / "calls").read_text().splitlines())
            (spaces / "down").unlink()
            for spec in needs:
                assert waited(worker, spec.run_id, "ended").outcome == "completed"
            changed = "SELECT * FROM events WHERE event_name = ? ORDER BY observed_at"
            telemetry.flush()
            store = Store.open(tmp_path / "s.duckdb")
            assert store.rows(changed, [semconv.BREAKER_CHANGED]) == []
            drain(ledger, lambda: instrument(store=tmp_path / "s.duckdb", service_name="audit"))
    assert made <= 4
    rows = store.rows(changed, [semconv.BREAKER_CHANGED])
    states = [json.loads(row["attributes"])[semconv.BREAKER_STATE] for row in rows]
    assert (states[0], states[-1]) == ("open", "closed")
    assert "half" in states
    assert {row["run_id"] for row in rows} <= {spec.run_id for spec in needs}
    assert all(row["trace_id"] for row in rows)
    incidents = Store.open(tmp_path / "s.duckdb").rows("SELECT kind, tool_name FROM incidents")
    assert {"kind": "breaker", "tool_name": "fetch"} in incidents
    # What people were to do while a run waited is over with the run.
    left = Store.open(tmp_path / "s.duckdb").rows("SELECT DISTINCT next_actions FROM runs")
    assert left == [{"next_actions": "[]"}]


@pytest.mark.parametrize("tool", ["fetch", "move"])
def test_what_a_person_says_of_an_output_is_what_the_run_goes_on_with(
    tmp_path: Path, tool: str
) -> None:
    spaces = tmp_path / "workspaces"
    spaces.mkdir()
    rule = {"required": ["rows"], "otherwise": "pause"}
    version = write_archivist(tmp_path / "archivist" / "v1.0.0", contract={"outputs": {tool: rule}})
    config = EngineConfig(f"sqlite:///{tmp_path / 'engine.db'}", beat_s=0.2)
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        model = Turns()
        runner = SpecRunner(
            lambda _version: ModelGateway(Mode.LIVE, None, model),
            telemetry.recorder,
            Prices(),
            spaces,
        )
        (spec,) = specs_of(version, [Task(id="t", input=f"{tool} 1")], batch="b")
        with WorkerProcess(config, runner) as worker:
            worker.engine.enqueue(spec)
            waits = waited(worker, spec.run_id, "parked").waits_for
            (call,) = unknown_calls(worker.ledger)
            assert waits == f"unknown:{call.key}"
            resolve(worker.ledger, call.key, "ana", made=True, result={"rows": [7]})
            assert waited(worker, spec.run_id, "ended").outcome == "completed"
    assert (spaces / "calls").read_text() == "1\n"
    rows = Store.open(tmp_path / "s.duckdb").rows("SELECT result FROM tool_calls ORDER BY 1")
    assert '{"rows":[7]}' in [row["result"] for row in rows]


def test_a_faulty_failure_part_names_file_and_field(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"config\.yaml: failure\.retry\.attempts"):
        write_archivist(tmp_path / "archivist" / "v1.0.0", failure={"retry": {"attempts": 0}})


def test_what_people_are_to_do_about_a_run_that_cannot_wait(tmp_path: Path) -> None:
    (tmp_path / "down").touch()
    failure = {"retry": FAST, "breaker": {"failures": 1}}
    result = run(tmp_path, ScriptedModel([act("fetch", n=1)]), failure=failure)
    (action,) = result.next_actions
    assert result.outcome == "paused"
    assert action.startswith("the run is over, since it cannot wait here")
    assert action.endswith("the archive did not answer")
    other = tmp_path / "other"
    other.mkdir()
    (other / "down").touch()
    result = run(other, ScriptedModel([act("move", n=1)]), failure={"retry": FAST})
    (action,) = result.next_actions
    assert action.startswith("look whether it was done before anybody runs this again: nobody")
