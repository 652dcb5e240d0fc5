"""A run from its contract to its end, with every decision in the store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.models.gateway import Model
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.tracing.errors import MeasurementError, PricingError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import PriceEntry, Prices
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version


def run(tmp_path: Path, model: Model, *, contract: str = "{}", **more: Any) -> RunResult:
    version = AgentVersion.load(write_version(tmp_path / "keeper" / "v1.0.0", contract=contract))
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        return asyncio.run(
            run_agent(
                version,
                "keep a note",
                model=model,
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
                environment=Notebook(),
                run_id="run-1",
                **more,
            )
        )


def events(tmp_path: Path, name: str) -> list[dict[str, Any]]:
    rows = Store.open(tmp_path / "s.duckdb").rows(
        "SELECT attributes FROM events WHERE event_name = ? ORDER BY observed_at", [name]
    )
    return [json.loads(row["attributes"]) for row in rows]


def stored_run(tmp_path: Path) -> dict[str, Any]:
    (row,) = Store.open(tmp_path / "s.duckdb").rows("SELECT * FROM runs")
    return row


def test_a_completed_run_is_whole_in_result_and_store(tmp_path: Path) -> None:
    model = ScriptedModel([act("look", what="a"), act("answer", text="a is there")])
    result = run(tmp_path, model)
    assert (result.outcome, result.answer) == ("completed", "a is there")
    assert [(s.tool, s.error_type) for s in result.steps] == [("look", None)]
    row = stored_run(tmp_path)
    assert row["outcome"] == "completed"
    assert (row["llm_calls"], row["tool_calls"]) == (2, 1)
    assert row["input_tokens"] == 20
    chosen = [e["goldspan.decision.chosen"] for e in events(tmp_path, "goldspan.decision")]
    assert chosen == ["look", "answer"]
    (first, _) = events(tmp_path, "goldspan.decision")
    assert first["goldspan.reason"] == "because"
    assert first["goldspan.decision.alternatives"] == ["write", "answer"]
    assert len(events(tmp_path, "goldspan.run.contract")) == 1


def test_a_tool_error_goes_back_to_the_model(tmp_path: Path) -> None:
    model = ScriptedModel([act("look", what="b"), act("answer", text="not there")])
    result = run(tmp_path, model)
    assert result.steps[0].error_type == "NotFound"
    told = model.requests[1].messages[-1]["parts"][0]["content"]
    assert told == 'Result of look: {"error":"b is not there"}'
    assert stored_run(tmp_path)["tool_errors"] == 1
    (call,) = Store.open(tmp_path / "s.duckdb").rows("SELECT error_type FROM tool_calls")
    assert call["error_type"] == "NotFound"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "no action in the JSON form"),
        (act("look", what="z"), "arguments of look are invalid: what:"),
        (act("fly", high=1), "no tool 'fly'; there are look, write"),
    ],
)
def test_what_cannot_be_done_is_told_to_the_model(tmp_path: Path, text: str, told: str) -> None:
    model = ScriptedModel([text, act("answer", text="sorry")])
    assert run(tmp_path, model).outcome == "completed"
    assert told in model.requests[1].messages[-1]["parts"][0]["content"]


@pytest.mark.parametrize(
    ("contract", "reason"),
    [
        ("{max_iterations: 3}", "budget of 3 iterations is used up"),
        ("{max_tokens: 30}", "budget of 30 tokens has 30 left"),
        ("{max_tool_calls: 1}", "budget of 1 tool calls is used up"),
    ],
)
def test_a_budget_stops_before_the_call_that_would_exceed_it(
    tmp_path: Path, contract: str, reason: str
) -> None:
    texts = [act("write", text=str(i)) for i in range(9)]
    result = run(
        tmp_path, ScriptedModel(texts), contract=contract, approver=NamedApprover("approve")
    )
    assert result.outcome == "aborted"
    assert reason in str(result.reason)
    assert len(result.end_state) == {"iterations": 3, "tokens": 0, "tool": 1}[reason.split()[3]]
    row = stored_run(tmp_path)
    assert (row["outcome"], reason in row["reason"]) == ("aborted", True)


def test_a_usd_budget_counts_recorded_prices_and_needs_a_price(tmp_path: Path) -> None:
    prices = Prices([PriceEntry(model="tiny", input_usd=1_000_000, output_usd=0)])
    texts = [act("look", what="a"), act("answer", text="x")]
    result = run(tmp_path / "a", ScriptedModel(texts), contract="{max_usd: 10}", prices=prices)
    assert result.outcome == "aborted"
    assert "budget of 10 usd has 10 left" in str(result.reason)
    assert result.usage.usd == 0
    with pytest.raises(PricingError, match=r"local/tiny has no price .*prices\.yaml"):
        run(tmp_path / "b", ScriptedModel(texts), contract="{max_usd: 10}")


def test_a_loop_is_denied_then_stopped_and_is_an_incident(tmp_path: Path) -> None:
    model = ScriptedModel([act("look", what="a")])
    result = run(tmp_path, model)
    assert result.outcome == "aborted"
    assert "look was called 4 times" in str(result.reason)
    assert [s.error_type for s in result.steps] == [None, None, "Denied"]
    (incident,) = events(tmp_path, "goldspan.incident")
    assert incident["goldspan.incident.kind"] == "guard:loop"
    assert stored_run(tmp_path)["incidents"] == 1


def test_nobody_to_approve_pauses_the_run_before_the_effect(tmp_path: Path) -> None:
    result = run(tmp_path, ScriptedModel([act("write", text="hello")]))
    assert result.outcome == "paused"
    assert result.end_state == {}
    assert [(s.tool, s.error_type) for s in result.steps] == [("write", "AwaitingApproval")]
    row = stored_run(tmp_path)
    assert (row["outcome"], row["approvals_pending"]) == ("paused", 1)
    (asked,) = Store.open(tmp_path / "s.duckdb").rows("SELECT * FROM approvals")
    assert (asked["status"], asked["draft"], asked["risk"]) == ("pending", "hello", "low")


@pytest.mark.parametrize(
    ("approver", "left", "decision"),
    [
        (NamedApprover("approve"), {"note-0.txt": "hello"}, "approve"),
        (NamedApprover("edit", {"text": "mended"}), {"note-0.txt": "mended"}, "edit"),
        (NamedApprover("deny"), {}, "deny"),
    ],
)
def test_a_reviewer_decides(
    tmp_path: Path, approver: NamedApprover, left: dict[str, str], decision: str
) -> None:
    model = ScriptedModel([act("write", text="hello"), act("answer", text="done")])
    result = run(tmp_path, model, approver=approver)
    assert result.outcome == "completed"
    assert result.end_state == left
    (row,) = Store.open(tmp_path / "s.duckdb").rows("SELECT * FROM approvals")
    assert (row["status"], row["decision"]) == ("decided", decision)
    assert [a["name"] for a in result.artifacts] == (["note"] if left else [])


def test_an_owed_artifact_is_asked_for_once_and_then_fails_the_run(tmp_path: Path) -> None:
    model = ScriptedModel([act("answer", text="done")])
    result = run(tmp_path, model, contract="{required_artifacts: [note]}")
    assert (result.outcome, result.reason) == ("failed", "ended without note")
    assert model.requests[1].messages[-1]["parts"][0]["content"] == "Still owed: note."


def test_a_model_that_cannot_be_asked_is_a_failed_run_and_no_measurement(tmp_path: Path) -> None:
    class Gone:
        async def answer(self, request: object) -> Any:
            raise MeasurementError("the model did not answer", where="tiny")

    with pytest.raises(MeasurementError):
        run(tmp_path, Gone())
    assert stored_run(tmp_path)["outcome"] == "failed"


def test_a_workspace_that_cannot_be_made_is_no_failure_of_the_agent(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(MeasurementError, match="work: the environment cannot be prepared: FileEx"):
        run(tmp_path, ScriptedModel([act("answer", text="x")]))


def test_a_fault_in_the_code_ends_the_run_as_failed_and_is_raised(tmp_path: Path) -> None:
    class Broken:
        async def answer(self, request: object) -> Any:
            raise ZeroDivisionError("planted")

    with pytest.raises(ZeroDivisionError):
        run(tmp_path, Broken())
    assert stored_run(tmp_path)["reason"] == "ZeroDivisionError: planted"


def test_the_tools_luck_depends_on_the_scope_alone(tmp_path: Path) -> None:
    lucks = []
    for folder, scope in (("a", "case/0"), ("b", "case/0"), ("c", "case/1")):
        model = ScriptedModel([act("look", what="a"), act("answer", text="x")])
        lucks.append(run(tmp_path / folder, model, tool_scope=scope).steps[0].result["luck"])
    assert lucks[0] == lucks[1] != lucks[2]
