"""A run that a guard stops is an incident, and is handed over with what a person needs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.run import run_agent
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import ScriptedModel, act, write_version
from tests.harness.test_run import events, run, stored_run

NOTES = [act("write", text=str(i)) for i in range(9)]


@pytest.mark.parametrize(
    ("texts", "contract", "kind", "calls"),
    [
        ([act("look", what="a")], "{}", "guard:loop", ["look", "look", "look"]),
        (NOTES, "{max_iterations: 3}", "guard:budget", ["write"] * 3),
        (NOTES, "{max_tokens: 30}", "guard:budget", []),
        (NOTES, "{max_tool_calls: 1}", "guard:budget", ["write"]),
    ],
)
def test_a_stop_is_one_incident_and_is_handed_over_with_its_context(
    tmp_path: Path, texts: list[str], contract: str, kind: str, calls: list[str]
) -> None:
    result = run(
        tmp_path, ScriptedModel(texts), contract=contract, approver=NamedApprover("approve")
    )
    (incident,) = Store.open(tmp_path / "s.duckdb").rows("SELECT kind, reason FROM incidents")
    assert incident == {"kind": kind, "reason": result.reason}
    (handed,) = events(tmp_path, "goldspan.run.escalated")
    assert handed["goldspan.reason"] == result.reason
    assert handed["goldspan.escalation.task"] == "keep a note"
    told = json.loads(handed["goldspan.escalation.calls"])
    assert [call["tool"] for call in told] == calls
    assert [call["arguments"] for call in told] == [step.arguments for step in result.steps]
    (_, handover) = result.next_actions
    assert handover in json.loads(stored_run(tmp_path)["next_actions"])
    assert handover.startswith(f"take over: its last calls were {calls[0]}" if calls else "take")
    if calls:
        assert handed["goldspan.escalation.said"] in texts
        assert json.loads(told[0]["result"]) == result.steps[0].result


def test_a_run_that_ends_by_itself_is_not_handed_over(tmp_path: Path) -> None:
    run(tmp_path, ScriptedModel([act("answer", text="x")]))
    assert events(tmp_path, "goldspan.run.escalated") == []
    assert Store.open(tmp_path / "s.duckdb").rows("SELECT kind FROM incidents") == []


def test_where_content_is_not_captured_none_is_handed_over(tmp_path: Path) -> None:
    version = AgentVersion.load(write_version(tmp_path / "keeper" / "v1.0.0"))
    with instrument(store=tmp_path / "s.duckdb", capture_content=False) as telemetry:
        result = asyncio.run(
            run_agent(
                version,
                "a secret task",
                model=ScriptedModel([act("look", what="a", thought="a secret")]),
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
            )
        )
    (handed,) = events(tmp_path, "goldspan.run.escalated")
    assert [set(call) for call in json.loads(handed["goldspan.escalation.calls"])] == [
        {"tool", "error_type"}
    ] * 3
    assert "secret" not in json.dumps([handed, result.next_actions])
    assert '"a"' not in json.dumps(result.next_actions)
