"""The examples for other frameworks: ten lines of guards, and what these then do."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from goldspan.tracing.store import Store

EXAMPLES = Path(__file__).parents[2] / "examples"


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
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / f"{framework}_agent.py"), run_name="__main__")
    said = capsys.readouterr().out
    assert said == "aborted: budget of 3 tool calls is used up\nordered: acme 900\n"
    (database,) = tmp_path.glob("*.duckdb")
    store = Store.open(database)
    assert [v for v in verdicts(store) if v[1] != "allow"] == [
        ("stock_of", "deny", "breaker"),
        ("place_order", "deny", "scope"),
        ("place_order", "pause", "approval"),
        ("place_order", "stop", "budget"),
    ]
    (approval,) = store.rows("SELECT decision, reviewer FROM approvals")
    assert (approval["decision"], approval["reviewer"]) == ("approve", "ann")
    (run,) = store.rows("SELECT agent_name, outcome, tool_calls FROM runs")
    assert (run["agent_name"], run["outcome"], run["tool_calls"]) == ("buyer", "aborted", 3)


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
