"""The contract's guards in a run of the harness: what the model is told, and how the run ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.life import Life
from goldspan.harness.operation.outbox import unsent
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Direct
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version


def run(
    tmp_path: Path,
    texts: Sequence[str],
    contract: dict[str, Any],
    *,
    ledger: Ledger | None = None,
    run_id: str = "run-1",
) -> tuple[RunResult, list[str]]:
    """How the run ended, and what the model was told last before each of its answers."""
    path = tmp_path / run_id / "keeper" / "v1.0.0"
    version = AgentVersion.load(write_version(path, contract=json.dumps(contract)))
    model = ScriptedModel(texts)
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        result = asyncio.run(
            run_agent(
                version,
                "keep a note",
                model=model,
                recorder=telemetry.recorder,
                workspace=tmp_path / run_id / "work",
                environment=Notebook(),
                run_id=run_id,
                approver=NamedApprover("approve"),
                life=None if ledger is None else Life(ledger, Direct()),
            )
        )
    return result, [r.messages[-1]["parts"][0]["content"] for r in model.requests]


def objections(tmp_path: Path) -> list[tuple[str, str]]:
    rows = Store.open(tmp_path / "s.duckdb").rows(
        "SELECT attributes FROM events WHERE event_name = 'goldspan.guard.verdict'"
        " ORDER BY observed_at"
    )
    found = [json.loads(row["attributes"]) for row in rows]
    verdicts = [(v["goldspan.guard.name"], v["goldspan.guard.verdict"]) for v in found]
    return [verdict for verdict in verdicts if verdict[1] != "allow"]


LOOK, WRITE, DONE = act("look", what="a"), act("write", text="hi"), act("answer", text="done")


def test_an_argument_out_of_scope_is_told_to_the_model(tmp_path: Path) -> None:
    rule = {"write": {"text": {"kind": "exact", "allow": ["hello"]}}}
    result, told = run(tmp_path, [WRITE, act("write", text="hello"), DONE], {"targets": rule})
    assert "text: hi is not allowed; allowed: hello" in told[1]
    assert result.end_state == {"note-0.txt": "hello"}
    assert objections(tmp_path) == [("scope", "deny"), ("approval", "pause")]


@pytest.mark.parametrize(
    ("otherwise", "outcome"), [("deny", "completed"), ("stop", "aborted"), ("pause", "paused")]
)
def test_an_output_that_is_not_whole_never_reaches_the_model(
    tmp_path: Path, otherwise: str, outcome: str
) -> None:
    rule = {"look": {"range": {"luck": {"min": 2}}, "otherwise": otherwise}}
    result, told = run(tmp_path, [LOOK, DONE], {"outputs": rule})
    assert result.outcome == outcome
    assert objections(tmp_path) == [("outputs", otherwise)]
    assert not any('"luck"' in text for text in told)
    if otherwise == "deny":
        assert "the output of look cannot be used: luck is 0." in told[1]
        assert result.steps[0].error_type == "OutputRejected"
    else:
        assert "the output of look cannot be used" in str(result.reason)


def test_errors_that_say_nothing_new_end_in_a_loop(tmp_path: Path) -> None:
    texts = [act("look", what="b", thought=str(n)) for n in range(9)]
    result, told = run(tmp_path, texts, {"max_repeats": 50, "max_stale": 2})
    assert result.outcome == "aborted"
    assert "the last 2 results said nothing new" in told[4]
    assert objections(tmp_path)[0] == ("loop", "deny")


def test_a_dry_run_leaves_nothing_behind(tmp_path: Path) -> None:
    result, told = run(tmp_path, [WRITE, DONE], {"dry_run": ["act"]})
    assert result.end_state == {}
    assert result.artifacts == []
    assert '"dry_run":true' in told[1]


def test_a_cap_counts_over_runs_and_stops_the_one_too_many(tmp_path: Path) -> None:
    contract = {"caps": [{"of": "write", "max_calls": 2}]}
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        ended = [
            run(tmp_path, [WRITE, DONE], contract, ledger=ledger, run_id=f"r{n}")[0].outcome
            for n in range(3)
        ]
        again, _ = run(tmp_path / "again", [WRITE, DONE], contract, ledger=ledger, run_id="r2")
        (told,) = unsent(ledger)
    assert ended == ["completed", "completed", "aborted"]
    assert again.outcome == "aborted"
    assert ("caps", "stop") in objections(tmp_path)
    assert told.name == semconv.CAP_REACHED
    assert told.trace_id is not None
    known = (semconv.RUN_ID, semconv.TOOL_NAME, semconv.CAP_UNIT, semconv.CAP_LIMIT)
    assert [told.attributes[name] for name in known] == ["r2", "write", "calls", 2]
    assert not caps_reached(tmp_path)


def test_a_cap_that_only_this_process_knows_is_told_at_once(tmp_path: Path) -> None:
    contract = {"caps": [{"of": "write", "max_calls": 1}], "max_tool_calls": 3}
    result, _ = run(tmp_path, [WRITE, act("write", text="more")], contract)
    assert result.outcome == "aborted"
    (told,) = caps_reached(tmp_path)
    assert told[semconv.CAP_SCOPE].startswith("cap:write:")
    assert told[semconv.RUN_ID] == "run-1"


def caps_reached(tmp_path: Path) -> list[dict[str, Any]]:
    rows = Store.open(tmp_path / "s.duckdb").rows(
        "SELECT attributes FROM events WHERE event_name = ?", [semconv.CAP_REACHED]
    )
    return [json.loads(row["attributes"]) for row in rows]


def test_a_run_of_an_agent_with_a_history_is_held_to_it(tmp_path: Path) -> None:
    texts = [act("look", what=what) for what in "ab" * 30]
    contract = {"max_iterations": 90, "max_tool_calls": 90, "max_repeats": 90, "max_cycles": 90}
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        runs = Runs(ledger)
        for number in range(10):
            runs.begin_segment(f"r{number}", "keeper", "", queue=None, batch=None)
            runs.end(f"r{number}", "completed", None, 20, None)
        result, _ = run(tmp_path, texts, {**contract, "max_stale": 90}, ledger=ledger)
    assert (result.outcome, result.usage.tokens) == ("aborted", 1000)
    assert "50 times what a run of this agent takes" in str(result.reason)
    rows = Store.open(tmp_path / "s.duckdb").rows("SELECT kind FROM incidents")
    assert [row["kind"] for row in rows] == ["guard:cost"] * 2  # the alarm, and the stop


def test_a_rule_that_can_never_apply_is_an_error_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no tool 'wirte'"):
        run(tmp_path, [DONE], {"dry_run": ["wirte"]})
    assert not (tmp_path / "run-1" / "work").exists()
