"""Calls that wait for a person: their word counts, once; what a tool says is held to the rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from goldspan.harness.approvals.unknown import resolve, unknown_calls
from goldspan.harness.ledger import Intent
from goldspan.harness.ledger.runs import RunState
from goldspan.harness.models.messages import message_text
from goldspan.harness.operation.durable import specs_of
from goldspan.harness.operation.outbox import unsent
from goldspan.harness.operation.tasks import Task
from goldspan.harness.run_spec import RunSpec
from goldspan.harness.tools import Tool
from tests.harness.scripted import ScriptedModel, act
from tests.harness.test_engine import Office, office, waited
from tests.harness.test_failing_runs import FAST, Archive, run

__all__ = ["office"]


def test_an_output_that_waits_for_a_person_takes_what_they_say(office: Office) -> None:
    """What is made wrong a second time waits a second time; what they give as the result counts."""
    rule = {"range": {"sent": {"min": 5}}, "otherwise": "pause"}
    task = Task(id="t", input="count 1; throw 2", contract={"outputs": {"count": rule}})
    (spec,) = specs_of(office.version, [task], batch="b")
    office.worker.engine.enqueue(spec)
    key = Intent.of(spec.run_id, 0, "count", {"n": 1}).key
    for segment in (1, 2):
        state = waited(partial(_waits, office, spec, f"unknown:{key}", segment))
        assert "count cannot be used: sent is 0" in state.why
        (action,) = waited(partial(_told, office, spec))
        assert f"(goldspan approvals unknown {key} --as NAME" in action
        (asked,) = unknown_calls(office.ledger)
        assert (asked.key, asked.tool) == (key, "count")
        last = segment == 2
        resolve(office.ledger, key, "ana", made=last, result={"sent": 7} if last else None)
    state = office.until(spec, "ended")
    assert (state.outcome, state.segment) == ("completed", 3)
    assert office.letters(spec) == [2]
    told = [event for event in unsent(office.ledger) if event.name == "goldspan.call.resolved"]
    assert [event.attributes["goldspan.call.made"] for event in told] == [False, True]
    results = office.rows("SELECT result FROM tool_calls WHERE tool_name = 'count' ORDER BY ALL")
    assert [json.loads(row["result"]) for row in results] == [{"sent": 0}, {"sent": 0}, {"sent": 7}]


def test_what_a_tool_says_of_an_earlier_call_is_held_to_the_rules(office: Office) -> None:
    rule = {"range": {"sent": {"min": 5}}, "otherwise": "pause"}
    task = Task(id="t", input="send 1", contract={"outputs": {"send": rule}})
    (spec,) = specs_of(office.version, [task], batch="b")
    office.worker.engine.enqueue(spec)
    key = Intent.of(spec.run_id, 0, "send", {"n": 1}).key
    waited(lambda: _waits(office, spec, f"unknown:{key}", 1))
    waited(lambda: office.worker.engine.wake(spec.run_id))  # once the engine has let go of it
    state = waited(lambda: _waits(office, spec, f"unknown:{key}", 2))
    assert "send was made, do not repeat it" in state.why
    resolve(office.ledger, key, "ana", made=True, result={"sent": 7})
    assert office.until(spec, "ended").outcome == "completed"
    assert office.letters(spec) == [1]


def test_what_was_said_not_to_be_made_is_made_once(office: Office) -> None:
    """The process dies after a person said so, and before what was made is recorded."""
    (spec,) = specs_of(office.version, [Task(id="t", input="throw 1")], batch="b")
    intent = Intent.of(spec.run_id, 0, "throw", {"n": 1}, agent="poster")
    office.ledger.admit(intent)
    office.worker.engine.enqueue(spec)
    waited(lambda: _waits(office, spec, f"unknown:{intent.key}", 1))
    resolve(office.ledger, intent.key, "ana", made=False)
    assert office.until(spec, "ended").outcome == "completed"
    assert office.letters(spec) == [1]
    assert office.ledger.resolution(intent.key) is None


class Ledgered(Archive):
    """An archive whose moves can be asked about."""

    def tools(self) -> Sequence[Tool]:
        fetch, count, move = super().tools()
        return fetch, count, replace(move, ask=lambda _context, shelf: {"result": {"n": shelf.n}})


def test_what_a_tool_says_of_an_attempt_that_broke_off_is_held_to_the_rules(
    tmp_path: Path,
) -> None:
    (tmp_path / "down").touch()
    model = ScriptedModel([act("move", n=1), act("answer", text="moved")])
    run(
        tmp_path,
        model,
        environment="tests.harness.test_unknown_calls:Ledgered",
        failure={"retry": FAST},
        contract={"outputs": {"move": {"required": ["to"], "otherwise": "deny"}}},
    )
    told = message_text(model.requests[-1].messages[-1])
    assert "move was made, do not repeat it: the output of move cannot be used" in told


def _told(office: Office, run: RunSpec) -> list[str] | None:
    """The next actions of a run, once they are in the store."""
    rows = office.rows(f"SELECT next_actions FROM runs WHERE run_id = '{run.run_id}'")
    return json.loads(rows[0]["next_actions"]) if rows and rows[0]["next_actions"] else None


def _waits(office: Office, run: RunSpec, what: str, segment: int) -> RunState | None:
    state = office.worker.engine.runs.find(run.run_id)
    if state is None or (state.state, state.waits_for, state.segment) != ("parked", what, segment):
        return None
    return state
