"""Lint with scorers and the store: what a do-nothing agent passes, and what never varied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from goldspan.evals.lint import history_findings, idle_findings, idle_run, lint
from goldspan.evals.results import Score
from goldspan.evals.scorers.scoring import RunView
from goldspan.evals.suite import load_suite
from goldspan.golden import Case, CaseSet, bundled
from goldspan.golden.formats import import_cases
from goldspan.harness.agents.bundled import bundled_agent
from goldspan.harness.agents.version import AgentVersion
from goldspan.tracing import semconv
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store

TASKS = Path(__file__).parents[3] / "shared" / "trajectories" / "airline-gpt-4o.jsonl"


def set_of(**expectations: dict[str, Any]) -> CaseSet:
    return CaseSet.of(
        Case.model_validate({"id": name.replace("_", "-"), "input": name, "expect": expect})
        for name, expect in expectations.items()
    )


def test_what_a_do_nothing_agent_passes() -> None:
    cases = set_of(
        nothing={},
        no_effects={"effects": []},
        bounds={"bounds": {"max_tool_calls": 3}},
        forbids={"tools": {"forbidden": ["refund"]}},
        excludes={"answer": {"excludes": ["sorry"]}},
        empty_state={"end_state": {"count(refunds)": 0}},
        tool={"tools": {"required": ["refund"]}},
        arguments={"arguments": [{"tool": "refund", "where": {"a": 1}}]},
        says={"answer": {"contains": ["done"]}},
        json={"answer": {"json_schema": {"type": "object"}}},
        effects={"effects": [{"tool": "refund", "arguments": {}}]},
        state={"end_state": {"count(refunds)": 1}},
        paused={"outcome": "paused"},
    )
    found = idle_findings(cases)
    assert [each.case for each in found] == [
        *("nothing", "no-effects", "bounds", "forbids", "excludes", "empty-state")
    ]
    assert {(each.kind, each.level) for each in found} == {("do-nothing", "error")}


@dataclass(frozen=True)
class AsksAModel:
    """A scorer that would wait for a model."""

    name: str = "rubric"

    async def score(self, run: RunView) -> Score | None:
        raise AssertionError("a model was asked")


@dataclass(frozen=True)
class Breaks:
    """A scorer that cannot take a run without steps."""

    name: str = "breaks"

    def score(self, run: RunView) -> Score | None:
        raise IndexError(run.case.id)


def test_a_scorer_that_asks_a_model_makes_it_a_warning() -> None:
    (case,) = set_of(plain={}).cases
    idle = idle_run(case, [AsksAModel(), Breaks()], {})
    assert (idle.passed, idle.failed, idle.undecided) == ((), (), ("rubric", "breaks"))
    (finding,) = idle_findings(set_of(plain={}), scorers=[AsksAModel()])
    assert finding.level == "warning"
    assert finding.message == "a do-nothing agent passes it; rubric may still fail it"


def test_the_end_state_is_that_of_the_environment_set_up() -> None:
    version = AgentVersion.load(bundled_agent("support-desk"))
    before = {"end_state": {"count(refunds)": 0, "count(outbox)": {"min": 1}}}
    cases = set_of(state=before)
    assert idle_findings(cases) == []
    (finding,) = idle_findings(cases, version=version)
    assert finding.case == "state"


def test_the_bundled_suite_has_no_case_for_the_idle() -> None:
    suite = load_suite(bundled("support_desk"))
    version = AgentVersion.load(bundled_agent("support-desk"))
    scorers = [each for each in suite.scorers() if each.name in suite.pass_when]
    findings = lint(suite.case_set, scorers=scorers, version=version)
    assert [each for each in findings if each.level == "error"] == []


@pytest.mark.skipif(not TASKS.exists(), reason="the recorded runs are not here")
def test_the_tasks_of_a_benchmark_that_a_do_nothing_agent_passes() -> None:
    cases = CaseSet.of(import_cases(TASKS, "tau-bench").cases)
    found = [finding.case for finding in lint(cases) if finding.kind == "do-nothing"]
    numbers = [12, 13, 15, 17, 18, 21, 24, 29, *range(35, 43), 47, 48, 49]
    assert found == [f"task-{number}" for number in numbers]
    assert len(found) == 19


def recorded(path: Path, case: Case, verdicts: dict[str, list[bool]], digest: str) -> None:
    """Verdicts of an experiment as its runner emits them."""
    with instrument(store=path, service_name="test") as telemetry:
        for scorer, passed in verdicts.items():
            for repeat, each in enumerate(passed):
                telemetry.recorder.event(
                    semconv.EVALUATION_RESULT,
                    {
                        semconv.EVALUATION_NAME: scorer,
                        semconv.EVALUATION_SCORE: float(each),
                        semconv.PASSED: each,
                        semconv.EXPERIMENT_ID: "exp-1",
                        semconv.CASE_ID: case.id,
                        semconv.CASE_DIGEST: digest,
                        semconv.CASE_REPEAT: repeat,
                    },
                )


def test_what_no_run_met_or_failed(tmp_path: Path) -> None:
    cases = set_of(one={"tools": {"required": ["t"]}, "answer": {"contains": ["x"]}})
    (case,) = cases.cases
    path = tmp_path / "s.duckdb"
    verdicts = {"tools": [False] * 5, "answer": [True] * 5, "outcome": [True, False] * 3}
    recorded(path, case, {**verdicts, "bounds": [True] * 4, "pass": [True] * 9}, case.digest)
    recorded(path, case, {"end_state": [False] * 9}, "another content")
    found = history_findings(cases, Store.open(path))
    assert [(each.kind, each.level, each.message) for each in found] == [
        ("never-failed", "note", "answer: none of 5 runs failed it"),
        ("never-met", "warning", "tools: none of 5 runs met it"),
    ]
    assert len(history_findings(cases, Store.open(path), min_runs=6)) == 0
    kinds = [each.kind for each in lint(cases, store=Store.open(path), min_share=0)]
    assert kinds == ["never-met", "never-failed"]
