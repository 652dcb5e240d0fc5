"""Every DeepEval metric that a run can be measured by, through the adapter: real DeepEval, and a
judge that answers anything that the asked-for form allows."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goldspan.evals.judges.model import Judge
from goldspan.evals.results import Score, StepRecord
from goldspan.evals.scorers.entries import make_scorer
from goldspan.evals.scorers.scoring import RunView
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.tracing.errors import ConfigError
from tests.evals.scorers.views import score, view

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
OPTIONS: dict[str, dict[str, Any]] = {
    "AnswerRelevancy": {},
    "ArgumentCorrectness": {},
    "Bias": {},
    "ContextualPrecision": {},
    "ContextualRecall": {},
    "ContextualRelevancy": {},
    "Faithfulness": {},
    "GEval": {"evaluation_steps": ["Is it right?"], "params": ["input", "actual_output"]},
    "Hallucination": {},
    "Misuse": {"domain": "billing"},
    "NonAdvice": {"advice_types": ["medical"]},
    "PIILeakage": {},
    "PlanAdherence": {},
    "PlanQuality": {},
    "PromptAlignment": {"prompt_instructions": ["Be brief."]},
    "RoleViolation": {"role": "a clerk"},
    "StepEfficiency": {},
    "Summarization": {},
    "TaskCompletion": {},
    "Toxicity": {},
}
UNJUDGED: dict[str, dict[str, Any]] = {
    "AgentLoopDetection": {},
    "ExactMatch": {},
    "PatternMatch": {"pattern": ".*Paris.*"},
    "ToolCorrectness": {},
    "ToolPermission": {"allowed_tools": ["search"]},
}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("a scorer opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.glob(".deepeval*"))


class _Anything:
    """Answers with the least that holds to the schema."""

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        schema = request.output_schema or {"type": "string"}
        text = json.dumps(_least(schema, schema))
        return ModelAnswer(text_message("assistant", text), response_model="any-1")


def _least(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _least(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _least(schema["anyOf"][0], root)
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {name: _least(each, root) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [_least(schema.get("items", {"type": "string"}), root)]
    return {"number": 1, "integer": 1, "boolean": True}.get(str(kind), "yes")


def run() -> RunView:
    expect = {
        "tools": {"required": ["search"]},
        "answer": {"reference": "Paris"},
    }
    return view(expect, "Paris", StepRecord("search", {"q": "capital"}, None, "Paris it is"))


def measured(metric: str, options: dict[str, Any], model: _Anything | None = None) -> Score | None:
    judge = Judge(ModelGateway(Mode.LIVE, None, model), "judge") if model else None
    made = make_scorer({"deepeval": metric, **options}, judge, "suite.yaml")
    return score(made, run())


@pytest.mark.parametrize("metric", sorted(OPTIONS))
def test_a_judged_metric_gives_a_score_and_names_its_judge(metric: str) -> None:
    model = _Anything()
    said = measured(metric, OPTIONS[metric], model)
    assert said is not None
    assert not said.unmeasured, said.reason
    assert said.value is not None
    assert 0 <= said.value <= 1
    assert model.requests
    assert said.judge is not None
    assert said.judge["answered_as"] == "any-1"
    alone = measured(metric, OPTIONS[metric])
    assert alone is not None
    assert alone.unmeasured
    assert "the suite has none" in str(alone.reason)


@pytest.mark.parametrize("metric", sorted(UNJUDGED))
def test_a_metric_that_counts_needs_no_judge(metric: str) -> None:
    said = measured(metric, UNJUDGED[metric])
    assert said is not None
    assert (said.value, said.passed, said.judge) == (1.0, True, None)


def test_a_metric_says_nothing_where_the_case_has_nothing_to_compare_with() -> None:
    bare = view({}, "Paris")
    for metric in ("ContextualRecall", "Faithfulness", "ToolCorrectness", "ExactMatch"):
        made = make_scorer({"deepeval": metric}, None, "suite.yaml")
        assert score(made, bare) is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"deepeval": "KnowledgeRetention"}, "needs a conversation of several turns"),
        ({"deepeval": "ImageCoherence"}, "needs images"),
        ({"deepeval": "MCPUse"}, "needs mcp_servers"),
        ({"deepeval": "Faithfulnes"}, "has no metric"),
        ({"deepeval": "Faithfulness", "treshold": 1}, "takes no option 'treshold'"),
        ({"deepeval": "Misuse"}, "missing 1 required positional argument: 'domain'"),
        ({"deepeval": "GEval", "evaluation_steps": ["x"], "params": ["output"]}, "no 'output'"),
    ],
)
def test_what_cannot_be_measured_is_told_when_the_suite_is_loaded(
    entry: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        make_scorer(entry, None, "suite.yaml")
