"""The sentences from 10:00 to 14:00: a complaint, a store that is broken, a person who corrects."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from typing import Any

from goldspan.tracing import semconv
from tests.day import office
from tests.day.day import Day
from tests.day.says import says

FIGURES = ("october", "november")


@says("1000-event")
def _(day: Day) -> None:
    first, second = day.said["posted"]
    assert (first["new"], second["new"]) == (True, False)
    assert first["run_id"] == second["run_id"]
    (queued,) = day.events(semconv.RUN_QUEUED, "complaint")
    assert queued[semconv.RUN_SOURCE] == "trigger:complaint"


@says("1000-charges")
def _(day: Day) -> None:
    (found,) = day.calls("complaint", "find_charges")
    charges = json.loads(found["result"])["charges"]
    assert len({(each["date"], each["amount_usd"]) for each in charges}) == 1
    assert len(charges) == 2
    assert json.loads(_approval(day)["arguments"]) == {"invoice": "INV-90", "amount_usd": 180}


@says("1000-gate")
def _(day: Day) -> None:
    verdict = _verdicts(day, "issue_credit")[0]
    assert (verdict[semconv.GUARD_NAME], verdict[semconv.GUARD_VERDICT]) == ("approval", "pause")
    assert verdict[semconv.REASON] == "amount_usd 180 is above 50"
    (made,) = day.calls("complaint", "issue_credit")
    assert made["started_at"] > _approval(day)["decided_at"]


@says("1000-proposal")
def _(day: Day) -> None:
    asked = _approval(day)
    assert asked["draft"] == "We are sorry. 180.00 USD come back to you for INV-90."
    claims = json.loads(asked["claims"])
    assert [claim["evidence"] for claim in claims] == ["L-31", "L-32"]
    assert (asked["risk"], asked["recommendation"]) == (
        "money leaves",
        "see whether one of the charges is a fee",
    )


@says("1000-parked")
def _(day: Day) -> None:
    asked, listed = _approval(day), day.said["waiting"][day.run("complaint")]
    assert (listed["state"], listed["waits_for"]) == ("waiting", f"approval:{asked['approval_id']}")
    (paused,) = day.events(semconv.RUN_PAUSED, "complaint")
    assert paused[semconv.RUN_WAITS_FOR] == listed["waits_for"]
    # The worker that asked is dead by then, and others have begun and ended.
    assert paused["observed_at"] < day.said["killed at"] < asked["decided_at"]
    question = day.row("question")
    assert asked["requested_at"] < question["started_at"] < question["ended_at"]
    assert question["ended_at"] < asked["decided_at"]


@says("1100-half")
def _(day: Day) -> None:
    for task in FIGURES:
        assert day.events(semconv.DECISION, task)[0][semconv.DECISION_CHOSEN] == "fetch_object"
    assert _halves(day)
    for call in _halves(day):
        result = json.loads(call["result"])
        task = next(task for task in FIGURES if day.run(task) == call["run_id"])
        assert result["truncated"] is True
        assert result["bytes"] == len(_object(day, task)) // 2


@says("1100-refused")
def _(day: Day) -> None:
    assert {call["error_type"] for call in _halves(day)} == {"OutputRejected"}
    for call in _halves(day):
        assert call["error_message"] == (
            "the output of fetch_object cannot be used: truncated says that it is not complete;"
            " do not guess what it lacks"
        )
    for task in FIGURES:
        before, after = (call["input_messages"] for call in day.asked_model(task))
        assert "truncated" not in before
        assert 'truncated\\":false' in after
        assert 'truncated\\":true' not in after


@says("1100-open")
def _(day: Day) -> None:
    opened = _changes(day)[0]
    assert opened[semconv.BREAKER_STATE] == "open"
    assert opened[semconv.BREAKER_FAILURES] == opened[semconv.BREAKER_THRESHOLD] == 2
    before = [call for call in _halves(day) if call["started_at"] < opened["observed_at"]]
    assert len(before) >= 2
    incident = day.rows("SELECT * FROM incidents ORDER BY observed_at")[0]
    assert (incident["kind"], incident["tool_name"]) == ("breaker", "fetch_object")
    assert incident["reason"] == opened[semconv.REASON]


@says("1100-paused")
def _(day: Day) -> None:
    for task in FIGURES:
        paused = day.events(semconv.RUN_PAUSED, task)[0]
        assert paused[semconv.RUN_WAITS_FOR] == "breaker:fetch_object"
        listed = day.said["waiting"][day.run(task)]
        assert listed["whom"] == "fetch_object to work again"


@says("1115-others")
def _(day: Day) -> None:
    opened, closed = _changes(day)[0], _changes(day)[-1]
    (queued,) = day.events(semconv.RUN_QUEUED, "question")
    row = day.row("question")
    assert row["outcome"] == "completed"
    assert opened["observed_at"] < queued["observed_at"]
    assert row["ended_at"] < closed["observed_at"]


@says("1115-probe")
def _(day: Day) -> None:
    half, closed = _changes(day)[-2:]
    assert half[semconv.BREAKER_STATE] == "half"
    (probe,) = _between(day, half, closed)
    due = [each for each in _changes(day) if each[semconv.BREAKER_STATE] == "open"][-1]
    assert half["observed_at"] >= datetime.fromisoformat(due[semconv.BREAKER_RETRY_AT])
    assert probe["run_id"] == half["run_id"]


@says("1115-closed")
def _(day: Day) -> None:
    half, closed = _changes(day)[-2:]
    assert closed[semconv.BREAKER_STATE] == "closed"
    (probe,) = _between(day, half, closed)
    assert json.loads(probe["result"])["truncated"] is False


@says("1115-sums")
def _(day: Day) -> None:
    for task in FIGURES:
        rows = list(csv.DictReader(_object(day, task).decode().splitlines()))
        row = day.row(task)
        assert (row["outcome"], row["segments"] > 1) == ("completed", True)
        assert row["output"] == f"{sum(int(r['views']) for r in rows)} views on {len(rows)} pages"


@says("1400-shown")
def _(day: Day) -> None:
    (listed,) = day.said["listed"]
    assert listed["id"] == _approval(day)["approval_id"]
    for shown in ("issue_credit", "180.00 USD come back", "[L-31]", "money leaves", "is a fee"):
        assert shown in day.said["shown"]


@says("1400-corrected")
def _(day: Day) -> None:
    decided = _approval(day)
    assert (decided["decision"], decided["reviewer"]) == ("edit", "ana")
    assert decided["reason"] == "60 USD were a fee"
    assert json.loads(decided["edited_arguments"]) == {"invoice": "INV-90", "amount_usd": 120}


@says("1400-last-gate")
def _(day: Day) -> None:
    decided = _approval(day)
    anew = [
        each
        for each in _verdicts(day, "issue_credit")
        if each["observed_at"] > decided["decided_at"]
    ]
    said = [(each[semconv.GUARD_NAME], each[semconv.GUARD_VERDICT]) for each in anew]
    assert said == [("approval", "pause"), ("last gate", "allow")]
    assert anew[0][semconv.REASON] == "amount_usd 120 is above 50"
    (made,) = day.calls("complaint", "issue_credit")
    assert made["started_at"] > anew[-1]["observed_at"]
    (found,) = day.calls("complaint", "find_charges")
    for claim in json.loads(decided["claims"]):
        assert claim["evidence"] in found["result"]


@says("1400-credited")
def _(day: Day) -> None:
    assert office.effects(day.folder, "credit") == [{"invoice": "INV-90", "amount_usd": 120}]
    (made,) = day.calls("complaint", "issue_credit")
    assert json.loads(made["arguments"])["amount_usd"] == 120
    (used,) = day.events(semconv.APPROVAL_USED, "complaint")
    assert used[semconv.APPROVAL_ID] == _approval(day)["approval_id"]
    assert used[semconv.APPROVAL_REVIEWER] == "ana"


@says("1400-ended")
def _(day: Day) -> None:
    row = day.row("complaint")
    assert (row["outcome"], row["segments"]) == ("completed", 2)
    assert row["output"] == "120.00 USD were credited."


def _approval(day: Day) -> dict[str, Any]:
    (row,) = day.rows("SELECT * FROM approvals")
    assert row["run_id"] == day.run("complaint")
    return row


def _verdicts(day: Day, tool: str) -> list[dict[str, Any]]:
    found = day.events(semconv.GUARD_VERDICT, "complaint")
    return [each for each in found if each.get(semconv.TOOL_NAME) == tool]


def _changes(day: Day) -> list[dict[str, Any]]:
    found = day.events(semconv.BREAKER_CHANGED)
    assert {each[semconv.TOOL_NAME] for each in found} == {"fetch_object"}
    return found


def _halves(day: Day) -> list[dict[str, Any]]:
    """The calls that brought half an object."""
    found = [call for task in FIGURES for call in day.calls(task, "fetch_object")]
    return [call for call in found if json.loads(call["result"])["truncated"]]


def _between(day: Day, first: dict[str, Any], last: dict[str, Any]) -> list[dict[str, Any]]:
    calls = [call for task in FIGURES for call in day.calls(task, "fetch_object")]
    return [c for c in calls if first["observed_at"] < c["started_at"] < last["observed_at"]]


def _object(day: Day, task: str) -> bytes:
    return (day.folder / "storage" / f"{task}.csv").read_bytes()
