"""Several calls in one turn: reads side by side, effects one after the other, one order of all."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.approvals import NamedApprover
from goldspan.harness.approvals.unknown import resolve
from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.life import Life
from goldspan.harness.result import RunResult
from goldspan.harness.tools import JsonValue
from goldspan.tracing.store import Store
from tests.harness.approvals.test_runs import Recorded
from tests.harness.calling import Asked, Desk, Library


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def read(n: int, after: int | None = None) -> Asked:
    return "read", {"n": n} if after is None else {"n": n, "after": after}


def write(n: int) -> Asked:
    return "write", {"n": n}


def pages(result: RunResult) -> list[Any]:
    return [step.result["page"] if step.result else step.error_type for step in result.steps]


def test_reads_of_one_turn_are_under_way_together_and_told_as_asked(desk: Desk) -> None:
    # Each waits for one that was asked for later: one after the other, this would never end.
    result = desk.run([read(1, after=2), read(2, after=3), read(3)])
    assert result.outcome == "completed"
    assert desk.library.log[:3] == ["read 1", "read 2", "read 3"]
    assert desk.library.log[3:] == ["end 3", "end 2", "end 1"]
    assert [told["page"] for told in desk.told()] == [1, 2, 3] == pages(result)
    assert [step.call_id for step in result.steps] == ["call_1", "call_2", "call_3"]
    assert result.usage.tool_calls == 3


def test_an_effect_waits_for_the_reads_before_it_and_holds_up_those_after(desk: Desk) -> None:
    result = desk.run([read(1, after=2), read(2), write(3), write(4), read(5, after=6), read(6)])
    assert result.outcome == "completed"
    log = desk.library.log
    effects = ["write 3", "written 3", "write 4", "written 4"]
    assert (sorted(log[:4]), log[4:8]) == (["end 1", "end 2", "read 1", "read 2"], effects)
    assert sorted(log[8:]) == ["end 5", "end 6", "read 5", "read 6"]


def test_what_a_call_draws_does_not_depend_on_which_is_over_first(desk: Desk) -> None:
    drawn = []
    for turn in ([read(1, after=2), read(2)], [read(1), read(2, after=1)]):
        desk.library = Library()
        result = desk.run(turn)
        drawn.append([(s.result["call"], s.result["luck"]) for s in result.steps])
    assert drawn[0] == drawn[1]
    assert [call for call, _ in drawn[0]] == [0, 1]


def test_only_so_many_are_under_way_at_once(desk: Desk) -> None:
    desk.run([read(n) for n in range(6)], contract={"parallel_reads": 2})
    under_way = most = 0
    for line in desk.library.log:
        under_way += 1 if line.startswith("read") else -1
        most = max(most, under_way)
    assert most == 2
    one = Desk(desk.folder / "one")
    one.run([read(1), read(2)], contract={"parallel_reads": 1})
    assert one.library.log == ["read 1", "end 1", "read 2", "end 2"]


def test_fifty_calls_in_one_turn_of_a_budget_of_ten_are_ten(desk: Desk) -> None:
    result = desk.run([read(n) for n in range(50)], contract={"max_tool_calls": 10})
    assert result.outcome == "aborted"
    assert result.reason == "budget of 10 tool calls is used up"
    assert sorted(desk.library.log) == sorted(
        f"{w} {n}" for n in range(10) for w in ("read", "end")
    )
    assert pages(result) == list(range(10))
    (row,) = Store.open(desk.folder / "s.duckdb").rows("SELECT tool_calls, incidents FROM runs")
    assert row == {"tool_calls": 10, "incidents": 1}


def test_the_guards_judge_in_the_order_of_the_calls(desk: Desk) -> None:
    result = desk.run([read(1, after=2), read(1, after=2), read(1, after=2), read(2)])
    assert pages(result) == [1, 1, "Denied", 2]
    assert "was called 3 times with the same arguments" in desk.told()[2]["error"]


def test_a_call_that_ends_the_run_lets_those_beside_it_end(desk: Desk) -> None:
    rule = {"read": {"range": {"page": {"max": 1}}, "otherwise": "stop"}}
    result = desk.run([read(2), read(1, after=2), write(3)], contract={"outputs": rule})
    assert result.outcome == "aborted"
    assert "page is 2" in str(result.reason)
    assert pages(result) == [1]
    assert desk.library.log == ["read 2", "read 1", "end 2", "end 1"]


def test_a_read_that_waits_for_a_person_is_alone(desk: Desk) -> None:
    approvals = {"read": {"above": {"n": 8}}}
    turn = [read(1, after=3), read(3), read(9), read(4)]
    result = desk.run(turn, config={"approvals": approvals})
    assert result.outcome == "paused"
    assert pages(result) == [1, 3, "AwaitingApproval"]
    assert sorted(desk.library.log) == ["end 1", "end 3", "read 1", "read 3"]
    desk.library = Library()
    result = desk.run(turn, config={"approvals": approvals}, approver=NamedApprover("approve"))
    assert pages(result) == [1, 3, 9, 4]
    assert desk.library.log[4:] == ["read 9", "end 9", "read 4", "end 4"]


def test_a_life_that_waits_tells_what_the_next_one_tells_at_the_same_place(desk: Desk) -> None:
    rule = {"read": {"range": {"page": {"max": 1}}, "otherwise": "pause"}}
    safety = {"safety": {"mark": "delimit", "trust_user": True}}
    turn, recorded = [read(1), read(2), read(0)], dict[int, JsonValue]()
    reading, *others = desk.library.tools()
    desk.library.tools = lambda: (replace(reading, untrusted_output=True), *others)  # type: ignore[method-assign]  # its pages are of others
    with closing(Ledger()) as ledger:

        def life(segment: int) -> RunResult:
            mine = Life(ledger, Recorded(recorded), segment)
            contract = {"outputs": rule}
            return desk.run(turn, contract=contract, config=safety, run_id="r", life=mine)

        waiting = life(1)
        assert (waiting.outcome, pages(waiting)) == ("paused", [1])
        key = Intent.of("r", 1, "read", {"n": 2}).key
        Runs(ledger).begin_segment("r", "reader", "d", queue="q", batch=None)
        Runs(ledger).park("r", f"unknown:{key}", str(waiting.reason))
        resolve(ledger, key, "ana", made=True, result={"page": 7})
        assert pages(life(2)) == [1, 7, 0]
    assert desk.library.log.count("read 0") == 1, "it was recorded, though not told"
    texts = Store.open(desk.folder / "s.duckdb").rows(
        "SELECT DISTINCT attributes->>'goldspan.text.sha256' FROM events"
        " WHERE event_name = 'goldspan.text.seen'"
    )
    assert len(texts) == 3, "each once: an event of a known id is not kept again"


def test_a_fault_in_the_code_cuts_the_others_and_is_raised(desk: Desk) -> None:
    async def broken(_context: Any, _page: Any) -> Any:
        raise ZeroDivisionError("planted")

    reading, writing, _ = desk.library.tools()
    desk.library.tools = lambda: (reading, replace(writing, action_class="read", run=broken), _)  # type: ignore[method-assign]  # the fault is planted
    with pytest.raises(ZeroDivisionError, match="planted"):
        desk.run([read(1, after=9), write(2)])
