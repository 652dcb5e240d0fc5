"""A call that takes longer than the contract allows is cut, whatever it waits for."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.contract import Contract
from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.life import Life
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Answer, Direct
from goldspan.harness.tools import Tool
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version

PATIENCE_S = 20.0
LOOK, WRITE = act("look", what="a"), act("write", text="x")


class Slow(Notebook):
    """The notebook with these parts of its tools."""

    def __init__(self, **parts: Any) -> None:
        self.parts = parts

    def tools(self) -> Sequence[Tool]:
        return [replace(tool, **self.parts) for tool in super().tools()]


def run(
    tmp_path: Path,
    call: str,
    parts: Mapping[str, Any],
    failure: str = "",
    model: type[ScriptedModel] = ScriptedModel,
    **more: Any,
) -> RunResult:
    """One call of a run that has a second, then an answer."""
    folder = write_version(tmp_path / "keeper" / "v1.0.0", contract=json.dumps({"max_seconds": 1}))
    with (folder / "config.yaml").open("a", encoding="utf-8") as config:
        config.write(failure)
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        return asyncio.run(
            run_agent(
                AgentVersion.load(folder),
                "go",
                model=model([call, act("answer", text="done")]),
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
                environment=Slow(**parts),
                approver=NamedApprover("approve"),
                **more,
            )
        )


async def hangs(_context: object, _given: object) -> None:
    await asyncio.sleep(PATIENCE_S)


def refuses(_context: object, _given: object) -> None:
    raise ConnectionRefusedError("not yet")


@pytest.mark.parametrize(
    ("tool", "failure"),
    [
        (hangs, ""),
        (hangs, "failure: {}\n"),
        (refuses, "failure: {retry: {attempts: 20, first_wait_s: 20}, breaker: {failures: 50}}\n"),
    ],
)
def test_a_read_ends_with_the_runs_time(
    tmp_path: Path, tool: Callable[..., Any], failure: str
) -> None:
    result = run(tmp_path, LOOK, {"run": tool}, failure)
    assert (result.outcome, result.steps) == ("aborted", [])
    assert result.reason == "look took longer than the 1 s of the contract"
    store = Store.open(tmp_path / "s.duckdb")
    (incident,) = store.rows("SELECT kind, tool_name FROM incidents")
    assert incident == {"kind": "guard:budget", "tool_name": "look"}
    assert store.rows("SELECT tool_name FROM tool_calls")


def test_a_read_that_blocks_is_left_to_itself(tmp_path: Path) -> None:
    gate = threading.Event()
    result = run(tmp_path, LOOK, {"run": lambda _context, _given: gate.wait(PATIENCE_S)})
    gate.set()
    assert result.reason == "look took longer than the 1 s of the contract"


def test_a_blocking_call_that_changes_something_comes_to_its_end(tmp_path: Path) -> None:
    over = threading.Event()

    def slow(_context: object, _given: object) -> str:
        over.wait(1.5)
        return "written"

    result = run(tmp_path, WRITE, {"run": slow})
    assert (result.outcome, result.steps[0].result) == ("aborted", "written")
    assert "budget of 1 seconds is used up" in str(result.reason)


def asking(found: Any) -> dict[str, Any]:
    def ask(_context: object, _given: object) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    return {"run": hangs, "ask": ask}


@pytest.mark.parametrize(
    ("parts", "outcome", "reason"),
    [
        ({"run": hangs}, "paused", "nobody knows whether write was done"),
        (asking(OSError("no line")), "paused", "asked, it said: no line"),
        (asking(None), "aborted", "write took longer than"),
        (asking({"result": "made"}), "aborted", "budget of 1 seconds is used up"),
    ],
)
def test_of_a_call_that_changes_something_the_tool_is_asked_or_a_person(
    tmp_path: Path, parts: Mapping[str, Any], outcome: str, reason: str
) -> None:
    result = run(tmp_path, WRITE, parts)
    assert (result.outcome, reason in str(result.reason)) == (outcome, True), result.reason
    made = [step.result for step in result.steps]
    assert made == (["made"] if "used up" in reason else [])


def test_a_call_that_only_waited_for_its_next_attempt_is_no_question(tmp_path: Path) -> None:
    failure = "failure: {retry: {attempts: 20, first_wait_s: 20}, breaker: {failures: 50}}\n"
    result = run(tmp_path, WRITE, {"run": refuses}, failure)
    assert result.outcome == "aborted", result.reason
    assert result.reason == "write took longer than the 1 s of the contract"


class Dead(BaseException):
    """The process is gone."""


class Elsewhere(Direct):
    """Transactions that are waited for, as those of a worker are."""

    async def transact(self, work: Callable[[], Answer]) -> Answer:
        await asyncio.sleep(0)
        return await super().transact(work)


class Late(ScriptedModel):
    """A model whose answer takes all the time that there is, and cannot be cut."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        time.sleep(0.6)
        return await super().answer(request)


@pytest.mark.parametrize(
    ("said", "results", "reason"),
    [
        ({"result": "sent"}, ["sent"], "budget of 0.5 seconds is used up"),
        ({"made": False}, [], "write took longer than the 0.5 s of the contract"),
    ],
)
def test_what_a_person_said_counts_also_where_no_time_is_left(
    tmp_path: Path, said: dict[str, Any], results: list[str], reason: str
) -> None:
    made: list[object] = []

    async def dies(_context: object, given: object) -> None:
        made.append(given)
        raise Dead

    with closing(Ledger()) as ledger:
        known: dict[str, Any] = {"run_id": "run-1", "life": Life(ledger, Elsewhere())}
        with pytest.raises(Dead):
            run(tmp_path / "one", WRITE, {"run": dies}, **known)
        assert ledger.resolve(Intent.of("run-1", 0, "write", {"text": "x"}).key, said)
        known["contract"] = Contract(max_seconds=0.5)
        result = run(tmp_path / "two", WRITE, {"run": dies}, model=Late, **known)
    assert (result.outcome, [step.result for step in result.steps]) == ("aborted", results)
    assert reason in str(result.reason)
    assert len(made) == 1
