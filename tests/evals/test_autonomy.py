"""Autonomy: who always says yes is told apart from who said yes a few times."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from goldspan.evals.autonomy import ToolHistory, autonomy, histories
from goldspan.tracing import semconv
from goldspan.tracing.errors import StoreError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.integration.test_command_line import goldspan


def rows(tool: str, decisions: str, amounts: list[float] | None = None) -> list[dict[str, Any]]:
    """Decisions as a string of a(pprove), e(dit), d(eny)."""
    words = {"a": "approve", "e": "edit", "d": "deny"}
    return [
        {
            "agent_name": "desk",
            "agent_version": "v1",
            "tool_name": tool,
            "arguments": json.dumps({"id": "x", "amount": amounts[n] if amounts else 1}),
            "decision": words[letter],
            "reviewer": ("ana", "ana, bo")[n % 2],
        }
        for n, letter in enumerate(decisions)
    ]


def one(decisions: list[dict[str, Any]], let_go: tuple[dict[str, Any], ...] = ()) -> ToolHistory:
    (found,) = histories(decisions, let_go, at_least=0.95, alpha=0.05)
    return found


def test_a_long_unbroken_history_is_a_candidate_and_a_short_one_is_not() -> None:
    long = one(rows("send", "a" * 72))
    assert (long.advice, long.decided, long.reviewers, long.needed) == ("loosen", 72, 2, None)
    short = one(rows("send", "a" * 30))
    assert (short.advice, short.needed) == ("more history", 42)
    assert one(rows("send", "a" * 71)).needed == 1


def test_what_people_change_or_deny_is_kept() -> None:
    found = one(rows("send", "a" * 60 + "e" * 12 + "d" * 8))
    assert (found.advice, found.edited, found.denied) == ("keep", 12, 8)
    assert found.unchanged is not None
    assert found.unchanged.high < 0.95
    assert one(rows("send", "a" * 72 + "e")).advice == "more history"


def test_a_limit_below_which_all_was_approved_is_found() -> None:
    amounts = [float(n % 50) for n in range(400)] + [100.0 + n for n in range(100)]
    found = one(rows("refund", "a" * 400 + "d" * 100, amounts))
    assert found.advice == "loosen below"
    assert found.bound is not None
    assert found.bound.argument == "amount"
    assert 40 <= found.bound.limit < 100
    assert found.bound.unchanged.low >= 0.95


def test_a_limit_is_not_found_by_looking_at_many() -> None:
    """Approved at random in 93 of 100: no limit of the amount makes it better."""
    rng = random.Random(5)
    wrong = 0
    for _ in range(40):
        decisions = "".join("a" if rng.random() < 0.93 else "d" for _ in range(300))
        wrong += one(rows("r", decisions, [rng.random() for _ in decisions])).bound is not None
    assert wrong <= 3


def test_an_argument_that_is_not_always_stated_limits_nothing() -> None:
    decisions = rows("refund", "a" * 200 + "d" * 100, [1.0] * 200 + [9.0] * 100)
    assert one(decisions).bound is not None
    decisions[0]["arguments"] = '{"id": "x"}'
    decisions[1]["arguments"] = "no JSON"
    assert one(decisions).bound is None


def test_calls_let_go_that_people_find_wrong_tighten_the_rule() -> None:
    alone = {"agent_name": "desk", "tool_name": "send", "let_go": 90}
    bad = one(rows("send", "a" * 100), ({**alone, "looked_at": 10, "found_wrong": 2},))
    assert (bad.advice, bad.let_go) == ("tighten", 90)
    assert bad.right is not None
    assert bad.right.estimate == 0.8
    good = one([], ({**alone, "looked_at": 10, "found_wrong": 0},))
    assert (good.advice, good.decided, good.unchanged) == ("keep", 0, None)


@pytest.fixture
def decided(tmp_path: Path) -> Path:
    """A store in which one tool was always approved, and others of an experiment or simulated."""
    path = tmp_path / "s.duckdb"
    for simulated, experiment, tool in (
        (False, None, "send"),
        (True, None, "send"),
        (False, "exp", "send"),
        (False, None, "refund"),
    ):
        with instrument(store=path, simulated=simulated) as telemetry:
            for number in range(80 if tool == "send" else 5):
                about = {
                    semconv.APPROVAL_ID: f"{simulated}{experiment}{tool}{number}",
                    semconv.APPROVAL_TOOL: tool,
                    semconv.AGENT_NAME: "desk",
                    semconv.EXPERIMENT_ID: experiment,
                    semconv.APPROVAL_ARGUMENTS: "{}",
                }
                telemetry.recorder.event(semconv.APPROVAL_REQUESTED, about)
                said = {semconv.APPROVAL_DECISION: "approve", semconv.APPROVAL_REVIEWER: "ana"}
                telemetry.recorder.event(semconv.APPROVAL_DECIDED, about | said)
    return path


def test_history_is_of_real_traffic_alone(decided: Path) -> None:
    found = autonomy(Store.open(decided))
    assert [(each.tool, each.decided, each.advice) for each in found] == [
        ("refund", 5, "more history"),
        ("send", 80, "loosen"),
    ]


def test_the_command_says_what_and_why(decided: Path) -> None:
    done = goldspan("autonomy", "--store", str(decided))
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.replace("│", " ").split())
    assert "80 by 1" in said
    assert "loosen" in said
    assert "67 more in" in said
    told = json.loads(goldspan("autonomy", "--store", str(decided), "--json").stdout)
    assert told[1]["unchanged"]["low"] > 0.95
    wrong = goldspan("autonomy", "--store", str(decided), "--since", "soon")
    assert (wrong.returncode, wrong.stderr[:7]) == (2, "error: ")


def test_an_empty_history_is_said(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    Store.open(path).close()
    assert autonomy(Store.open(path)) == []
    assert "no call of real traffic" in goldspan("autonomy", "--store", str(path)).stdout
    with pytest.raises(StoreError):
        autonomy(Store.open(tmp_path / "none.duckdb", create=False))
