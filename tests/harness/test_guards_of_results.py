"""Guards of what a call brings, or that keep it from being made: outputs, dry runs, rehearsals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.guards import (
    OutputGuard,
    OutputRejected,
    RehearsalGuard,
    with_dry_runs,
)
from goldspan.harness.rules.stated import OutputRule
from goldspan.harness.tools import ActionClass, JsonValue, Tool, ToolContext, seeded
from tests.harness.test_guards import NOON, Arguments, call, judge, tool

RULE = OutputRule.model_validate(
    {
        "required": ["rows.id", "total"],
        "not_empty": ["rows"],
        "partial": ["truncated", "errors"],
        "range": {"rows.usd": {"min": 0, "max": 1000}},
        "window": {"at": {"max_age_days": 2}},
    }
)
WHOLE: dict[str, Any] = {
    "rows": [{"id": 1, "usd": 5}],
    "total": 0,
    "truncated": False,
    "errors": [],
    "at": "2026-11-20T13:00:00Z",
}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, None),
        ({"rows": []}, "rows is empty"),
        ({"rows": [{"id": 1}, {"usd": 3}]}, "rows.id is missing in 1 place"),
        ({"total": None}, "total is missing in 1 place"),
        ({"truncated": True}, "truncated says that it is not complete"),
        ({"errors": ["x"]}, "errors says that it is not complete"),
        ({"rows": [{"id": 1, "usd": 1001}]}, "rows.usd is 1001, not in 0 to 1000"),
        ({"rows": [{"id": 1, "usd": "n/a"}]}, "rows.usd is 'n/a', not in"),
        ({"at": "2026-11-18"}, "at is '2026-11-18', outside the expected time"),
        ({"at": "2026-11-22T00:00:00+00:00"}, "outside the expected time"),
        ({"at": "yesterday"}, "outside the expected time"),
    ],
)
def test_an_output_that_is_not_whole_is_rejected(change: dict[str, Any], fault: str | None) -> None:
    guard = OutputGuard({"look": RULE}, lambda: NOON)
    made = call("look")
    if fault is None:
        guard.verify(made, tool("look", "read"), WHOLE)
        return
    with pytest.raises(OutputRejected) as rejected:
        guard.verify(made, tool("look", "read"), {**WHOLE, **change})
    assert fault in str(rejected.value)
    assert rejected.value.retryable


def test_the_expected_time_may_stand_in_the_arguments() -> None:
    window = {"rows.day": {"from_argument": "day", "to_argument": "day"}}
    guard = OutputGuard({"look": OutputRule.model_validate({"window": window})}, lambda: NOON)
    made = call("look", day="2026-05-01")
    guard.verify(made, tool("look", "read"), {"rows": [{"day": "2026-05-01T23:59:00"}]})
    with pytest.raises(OutputRejected):
        guard.verify(made, tool("look", "read"), {"rows": [{"day": "2026-05-02"}]})


@pytest.mark.parametrize(
    ("otherwise", "action", "ruling", "retryable"),
    [
        ("retry", "read", "deny", True),
        ("retry", "act", "deny", False),
        ("deny", "write", "deny", False),
        ("deny", "read", "deny", False),
        ("pause", "read", "pause", False),
        ("stop", "read", "stop", False),
    ],
)
def test_only_what_changes_nothing_is_made_again(
    otherwise: Any, action: ActionClass, ruling: str, retryable: bool
) -> None:
    guard = OutputGuard({"look": OutputRule(not_empty=("",), otherwise=otherwise)})
    with pytest.raises(OutputRejected) as rejected:
        guard.verify(call("look"), tool("look", action), [])
    assert (rejected.value.verdict.ruling, rejected.value.retryable) == (ruling, retryable)
    assert ("look was made, do not repeat it" in str(rejected.value)) == (action != "read")


# -- dry runs


def test_a_dry_tool_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    ran: list[str] = []

    def really(context: ToolContext, arguments: Arguments) -> JsonValue:
        ran.append("really")
        return {}

    plain = Tool("send", "", Arguments, really, action_class="act", artifact="mail")
    own = Tool("pay", "", Arguments, really, "act", dry_run=lambda _c, a: {"usd": a.amount_usd})
    read = Tool("look", "", Arguments, really)
    tools = with_dry_runs([plain, own, read], ["act"])
    context = ToolContext(tmp_path, "r", seeded("s", "t", 0), NOON, 0)
    results = [t.run(context, Arguments(note="x")) for t in tools]
    assert ran == ["really"]
    assert results[0]["dry_run"] is True
    assert results[0]["would"]["send"]["note"] == "x"
    assert results[1] == {"dry_run": True, "would": {"usd": 5.0}}
    assert [t.artifact for t in tools] == [None, None, None]


def test_a_real_call_needs_a_rehearsal_of_the_same_call() -> None:
    guard = RehearsalGuard({"send": "preview"})
    rehearsal, real = call(note="x", preview=True), call(note="x")
    assert judge(guard, real).ruling == "deny"
    assert judge(guard, rehearsal).ruling == "allow"
    guard.observe(rehearsal, tool(), {})
    assert judge(guard, call(note="y")).ruling == "deny"
    assert judge(guard, real).ruling == "allow"
    guard.observe(real, tool(), {})
    assert judge(guard, real).ruling == "deny"
    assert judge(guard, call(note="x", preview="true")).ruling == "deny"
