"""What a final answer must pass: artifacts on disk, citations, the goal; and who is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from goldspan.harness.approvals import NamedApprover
from goldspan.harness.final import CitationGate, CitePolicy, Condition, GoalGate, Seen
from goldspan.harness.result import Step
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError
from tests.harness.approvals.test_runs import Office
from tests.harness.calling import Asked, Desk, Library
from tests.harness.scripted import ScriptedModel, act


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


STEPS = [
    Step("call_1", "search", {}, {"hits": [{"id": "faq-3", "text": "Refunds take 5 days."}]}),
    Step("call_2", "read", {}, "no page lost-9", "NotFound"),
    Step("call_3", "read", {}, None, "Denied"),
]


def seen(**more: Any) -> Seen:
    state = {"tickets": [{"status": "closed"}, {"status": "open"}], "mails": []}
    made = [{"name": "report", "kind": "write", "sha256": "0"}]
    return Seen(Path(), STEPS, made, lambda: state, **more)


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        ("Refunds take a while.", []),
        ("Refunds take 5 days [faq-3].", []),
        ("Refunds take 5 days. [faq-3] That is all.", []),
        ("Refunds take 5 days [call_1; faq-3].", []),
        ("1. Refunds are slow.\n2) They are paid.\n- Done.", []),
        ("See [the page](https://example.com/a).", []),
        ("Refunds take 5 days.", ["'Refunds take 5 days.'"]),
        ("They take 5 days [faq-3]. Fees are 2 %.", ["'Fees are 2 %.'"]),
        ("They take 5 days [faq-4].", ["[faq-4]"]),
        ("They take long [faq].", ["[faq]"]),
        ("They take 5 days [5].", ["[5]"]),
        ("They take long [call_2].", ["[call_2]"]),
        ("They take long [call_3, lost-9].", ["[call_3]", "[lost-9]"]),
        ("They take long [faq-3,].", ["[]"]),
        ("[faq-3] says 5 days.", []),
        ("3 of them\n" + "x" * 200 + " 4", ["'3 of them'", "xxx…"]),
    ],
)
def test_what_is_cited_is_there_and_figures_cite(answer: str, faults: list[str]) -> None:
    found = CitationGate(CitePolicy()).faults(answer, seen())
    assert len(found) == len(faults)
    assert all(part in text for part, text in zip(faults, found, strict=True))


def test_an_environment_says_what_may_be_cited() -> None:
    gate = CitationGate(CitePolicy(figures=False))
    known = seen(citable=lambda _workspace: ["faq-3", "faq-4", "5"])
    assert gate.faults("Take 5 days [faq-3] [5].", known) == []
    (unread, text) = gate.faults("Take 5 days [faq-4] [hits].", known)
    assert unread.startswith("[faq-4] is cited")
    assert text.startswith("[hits] is cited")
    own = CitationGate(CitePolicy(pattern=r"\(see ([^)]+)\)"))
    assert own.faults("They take 5 days (see faq-3) [sic].", seen()) == []
    for pattern in ("[", "x", "(a)(b)"):
        with pytest.raises(ValidationError, match=r"regular expression|one group"):
            CitePolicy(pattern=pattern)


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ({"called": "search"}, None),
        ({"called": "search", "times": 2}, "search was not called 2 times"),
        ({"called": "read"}, "read was not called with success"),
        ({"artifact": "report"}, None),
        ({"artifact": "letter"}, "letter was not made"),
        ({"state": "tickets.status"}, None),
        ({"state": "tickets.status", "equals": "closed"}, "is 'closed' in the end, not"),
        ({"state": "mails"}, "there is no mails in the end"),
    ],
)
def test_a_goal_is_met_where_its_conditions_hold(
    condition: dict[str, Any], fault: str | None
) -> None:
    found = GoalGate([Condition.model_validate(condition)]).faults("", seen())
    if fault is None or "not" not in fault.split():
        assert (found == []) is (fault is None)
    else:
        assert len(found) == 1


def test_a_condition_says_one_thing() -> None:
    for wrong in ({}, {"called": "a", "artifact": "b"}, {"called": "a", "equals": 1}):
        with pytest.raises(ValidationError, match=r"a condition is one of|goes with state"):
            Condition.model_validate(wrong)


def printed(n: int) -> list[Asked]:
    return [("print", {"n": n})]


@pytest.mark.parametrize(("n", "wrong"), [(0, "page-0.txt is empty"), (-1, "page--1.txt is not")])
def test_an_owed_file_is_there_and_not_empty(desk: Desk, n: int, wrong: str) -> None:
    owed = {"required_artifacts": ["print"]}
    result = desk.run(printed(n), "done", printed(3), contract=owed)
    assert result.outcome == "completed"
    assert result.artifacts[1]["path"] == "page-3.txt"
    told = desk.model.requests[2].messages[-1]["parts"][0]["content"]
    assert told.startswith(f"Still owed: print ({wrong}")
    outcomes = [event[semconv.ANSWER_OUTCOME] for event in desk.events(semconv.ANSWER_CHECKED)]
    assert outcomes == ["told", "passed"]
    failed = desk.run(printed(n), "done", contract=owed)
    assert failed.outcome == "failed"
    assert f"ended without print ({wrong}" in str(failed.reason)


CITE: dict[str, Any] = {"final": {"cite": {}}}
READ: list[Asked] = [("read", {"n": 7})]


def test_an_answer_that_cites_what_is_not_there_is_mended(desk: Desk) -> None:
    result = desk.run(READ, "Page 7 is there [page-7].", "Page 7 is there [call_1].", config=CITE)
    assert (result.outcome, result.answer) == ("completed", "Page 7 is there [call_1].")
    told = desk.model.requests[2].messages[-1]["parts"][0]["content"]
    assert "- [page-7] is cited, and nothing that was read in this run is called so" in told
    assert "Make nothing up." in told
    first, second = desk.events(semconv.ANSWER_CHECKED)
    assert (first[semconv.ANSWER_GATE], first[semconv.ANSWER_OUTCOME]) == ("citations", "told")
    assert len(first[semconv.ANSWER_FAULTS]) == 1
    assert second[semconv.ANSWER_OUTCOME] == "passed"


@pytest.mark.parametrize("tries", [0, 1, 2])
def test_an_answer_that_stays_unfounded_fails_the_run(desk: Desk, tries: int) -> None:
    config = {"final": {"cite": {}, "tries": tries}}
    result = desk.run(READ, *["It has 7 lines."] * 4, config=config)
    assert result.outcome == "failed"
    assert "a sentence with a figure cites nothing: 'It has 7 lines.'" in str(result.reason)
    assert result.answer is None
    outcomes = [event[semconv.ANSWER_OUTCOME] for event in desk.events(semconv.ANSWER_CHECKED)]
    assert outcomes == ["told"] * tries + ["failed"]


@pytest.mark.parametrize(
    ("approver", "outcome", "answer"),
    [
        (NamedApprover("none"), "paused", None),
        (NamedApprover("approve"), "completed", "It has 7 lines."),
        (NamedApprover("edit", {"text": "It has some lines."}), "completed", "It has some lines."),
        (NamedApprover("deny"), "failed", None),
    ],
)
def test_a_person_decides_about_an_answer_that_does_not_pass(
    desk: Desk, approver: NamedApprover, outcome: str, answer: str | None
) -> None:
    config = {"final": {"cite": {}, "tries": 0, "otherwise": "escalate"}}
    result = desk.run(READ, "It has 7 lines.", config=config, approver=approver)
    assert (result.outcome, result.answer) == (outcome, answer)
    (asked,) = desk.events(semconv.APPROVAL_REQUESTED)
    assert asked[semconv.APPROVAL_TOOL] == "answer"
    assert asked[semconv.APPROVAL_DRAFT] == "It has 7 lines."
    (checked,) = desk.events(semconv.ANSWER_CHECKED)
    assert checked[semconv.ANSWER_OUTCOME] == "escalated"


def test_the_goal_is_checked_by_what_was_done_then_by_the_model(desk: Desk) -> None:
    goal = [{"called": "print"}, {"state": "prints.name", "equals": "page-2.txt"}]
    config = {"final": {"goal": goal, "ask_model": True, "tries": 2}}
    met = json.dumps({"reason": "it is printed", "met": True})
    no = json.dumps({"reason": "nothing was said about it", "met": False})
    # The judge's request begins a conversation of its own, so the turns are told by requests.
    texts: list[Any] = ["printed", printed(2), "hm", no, "Page two is printed.", f"So:\n{met}"]
    answer, asked = desk.model_type.answer, iter(texts)

    async def in_order(self: Any, request: Any) -> Any:
        self.turns = [next(asked)] * 9
        return await answer(self, request)

    desk.model_type = type("InOrder", (desk.model_type,), {"answer": in_order})
    result = desk.run(config=config)
    assert (result.outcome, result.answer) == ("completed", "Page two is printed.")
    told = [r.messages[-1]["parts"][0].get("content", "") for r in desk.model.requests]
    assert "print was not called with success" in told[1]
    assert "there is no prints.name in the end" in told[1]
    assert "the goal is not met: nothing was said about it" in told[4]
    judged = json.loads(told[5])
    assert judged["task"] == "read"
    assert judged["calls"] == [{"tool": "print", "arguments": '{"n": 2}', "error": None}]
    assert not desk.model.requests[5].tools
    checked = [
        (event[semconv.ANSWER_GATE], event[semconv.ANSWER_OUTCOME])
        for event in desk.events(semconv.ANSWER_CHECKED)
    ]
    assert checked == [
        ("goal", "told"),
        ("goal", "passed"),
        ("goal:model", "told"),
        ("goal", "passed"),
        ("goal:model", "passed"),
    ]
    assert result.usage.model_calls == 6


def test_a_check_that_cannot_be_read_or_made_lets_nothing_pass(desk: Desk) -> None:
    class Broken(Library):
        def citable(self, workspace: Path) -> Collection[str]:
            raise OSError("the index is gone")

    desk.library = Broken()
    result = desk.run("All is well [x].", config={"final": {"cite": {}, "tries": 0}})
    assert result.outcome == "failed"
    assert "citations could not be checked: OSError: the index is gone" in str(result.reason)
    other = Desk(desk.folder / "other")
    config = {"final": {"ask_model": True, "tries": 0}}
    result = other.run("I think so.", config=config)
    assert (result.outcome, "could not be read" in str(result.reason)) == ("failed", True)


def test_an_environment_has_gates_of_its_own(desk: Desk) -> None:
    class Polite:
        name = "polite"

        def faults(self, answer: str, _seen: Seen) -> list[str]:
            assert threading.current_thread() is not threading.main_thread(), "it may be slow"
            return [] if "please" in answer else ["say please"]

    class Strict(Library):
        def answer_gates(self) -> list[Polite]:
            return [Polite()]

    desk.library = Strict()
    result = desk.run("Give it to me.", "Give it to me, please.")
    assert (result.outcome, result.answer) == ("completed", "Give it to me, please.")
    assert desk.events(semconv.ANSWER_CHECKED)[0][semconv.ANSWER_FAULTS] == ["say please"]


def test_a_goal_names_a_tool_that_is_there(desk: Desk) -> None:
    config = {"final": {"goal": [{"called": "prnt"}]}}
    with pytest.raises(ConfigError, match=r"no tool 'prnt'.*there are print, read, write"):
        desk.run("done", config=config)


@pytest.mark.parametrize(
    ("said", "outcome", "answer"),
    [
        ({"kind": "approve"}, "completed", "It has 7 lines."),
        ({"kind": "edit", "edit": {"text": "Many."}}, "completed", "Many."),
        ({"kind": "deny", "reason": "count them"}, "failed", None),
    ],
)
def test_the_person_may_take_days(
    tmp_path: Path, said: dict[str, Any], outcome: str, answer: str | None
) -> None:
    office = Office(tmp_path, "{}\nfinal: {cite: {}, tries: 0, otherwise: escalate}")
    office.model = ScriptedModel([act("answer", text="It has 7 lines.")])
    for _ in range(2):
        waiting = office.live()
        assert waiting.outcome == "paused"
    (asked,) = office.rows("SELECT * FROM approvals")
    assert (asked["tool_name"], asked["draft"]) == ("answer", "It has 7 lines.")
    assert "a sentence with a figure cites nothing" in asked["why"]
    office.say(**said)
    result = office.live()
    assert (result.outcome, result.answer) == (outcome, answer)
    assert len(office.model.requests) == 1
    used = office.rows("SELECT 1 FROM events WHERE event_name = 'goldspan.approval.used'")
    assert len(used) == (1 if answer else 0)
    checked = office.rows("SELECT 1 FROM events WHERE event_name = 'goldspan.answer.checked'")
    assert len(checked) == 1
