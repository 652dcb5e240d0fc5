"""The examples for other frameworks: ten lines of guards, and what these then do."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from goldspan.tracing.store import Store

EXAMPLES = Path(__file__).parents[2] / "examples"


WAITS = "place_order waits for a reviewer (approval 1ab9eb148ff2)"
OVER = "budget of 3 tool calls is used up"
BEFORE_THE_ORDER = [("stock_of", "deny", "breaker"), ("place_order", "deny", "scope")]


@pytest.mark.parametrize("framework", ["pydantic_ai", "langgraph"])
def test_a_guarded_agent_shows_budget_approval_and_breaker(
    framework: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if framework == "langgraph":
        pytest.importorskip(
            "langgraph.graph", reason="langgraph is not installed: pip install langgraph"
        )
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.delenv(name, raising=False)  # would send the graph's run to somebody's server
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / f"{framework}_agent.py"), run_name="__main__")
    said = capsys.readouterr().out.splitlines()
    assert said == [f"paused: {WAITS}", f"aborted: {OVER}", "ordered: acme 900"]
    (database,) = tmp_path.glob("*.duckdb")
    store = Store.open(database)
    # The first life reads twice, and the breaker opens; the second finds it open from the start.
    assert [v for v in verdicts(store) if v[1] != "allow"] == [
        *BEFORE_THE_ORDER,
        ("place_order", "pause", "approval"),
        ("stock_of", "deny", "breaker"),
        ("stock_of", "deny", "breaker"),
        *BEFORE_THE_ORDER,
        ("place_order", "pause", "approval"),
        ("place_order", "stop", "budget"),
    ]
    calls = store.rows("SELECT tool_name, error_type, result FROM tool_calls ORDER BY started_at")
    assert [tuple(call.values()) for call in calls] == [
        ("stock_of", "ConnectionRefusedError", None),
        ("stock_of", "ConnectionRefusedError", None),
        ("place_order", None, "ordered"),
    ]
    (approval,) = store.rows("SELECT * FROM approvals")
    assert (approval["status"], approval["decision"], approval["reviewer"]) == (
        "decided",
        "approve",
        "ann",
    )
    assert approval["decided_at"] > approval["requested_at"]
    incidents = store.rows("SELECT kind, tool_name, reason FROM incidents ORDER BY observed_at")
    assert [(i["kind"], i["tool_name"]) for i in incidents] == [
        ("breaker", "stock_of"),
        ("guard:budget", "place_order"),
    ]
    assert incidents[1]["reason"] == OVER
    (run,) = store.rows("SELECT agent_name, outcome, segments, tool_calls FROM runs")
    assert tuple(run.values()) == ("buyer", "aborted", 2, 3)
    roots = store.rows(
        "SELECT trace_id FROM spans WHERE category = 'agent' AND run_id = 'restock-1'"
    )
    assert len({root["trace_id"] for root in roots}) == 2


@pytest.mark.parametrize("framework", ["pydantic_ai", "langgraph"])
def test_the_guards_are_at_most_ten_lines(framework: str) -> None:
    text = (EXAMPLES / f"{framework}_agent.py").read_text(encoding="utf-8")
    guards = text.partition("# -- the guards\n")[2].partition("    # -- to here")[0]
    assert 5 < len(guards.splitlines()) <= 10


def verdicts(store: Store) -> list[tuple[Any, Any, Any]]:
    """Tool, ruling and guard of every verdict, in order."""
    rows = store.rows(
        "SELECT attributes FROM events WHERE event_name = 'goldspan.guard.verdict'"
        " ORDER BY observed_at"
    )
    found = [json.loads(row["attributes"]) for row in rows]
    return [
        (v.get("gen_ai.tool.name"), v["goldspan.guard.verdict"], v["goldspan.guard.name"])
        for v in found
    ]
