"""DeepEval's metrics behind the scorer interface: real DeepEval, a recorded judge, no network."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goldspan.evals.judges.model import SYSTEM, Judge
from goldspan.evals.results import StepRecord
from goldspan.evals.scorers import score_all
from goldspan.evals.scorers.scoring import RunView
from goldspan.golden import Case
from goldspan.harness.models.cassette import Cassette, Scope
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.tracing.errors import ConfigError, MeasurementError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("a scorer opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.glob(".deepeval*"))


def view(*tools: str, answer: str = "Paris") -> RunView:
    case = Case.model_validate(
        {
            "id": "capital",
            "input": "What is the capital of France?",
            "expect": {"tools": {"required": ["search", "read"]}},
        }
    )
    return RunView(case, "completed", answer, tuple(StepRecord(t, {}) for t in tools))


def score(scorer: Any, run: RunView) -> tuple[float | None, bool | None, bool, str | None]:
    (row,) = asyncio.run(score_all([scorer], run))
    return row.value, row.passed, row.unmeasured, row.reason


def test_tool_correctness_is_deepevals_share_of_expected_tools() -> None:
    from goldspan.evals.scorers.deepeval_metric import DeepEvalMetric

    metric = DeepEvalMetric("ToolCorrectness", "ToolCorrectness", options={"threshold": 0.9})
    assert score(metric, view("search", "read"))[:2] == (1.0, True)
    assert score(metric, view("search"))[:2] == (0.5, False)
    assert score(metric, view())[:2] == (0.0, False)
    assert os.environ["DEEPEVAL_TELEMETRY_OPT_OUT"] == "1"


class _Recording:
    """Answers as a judge would, so that a cassette can be made without a server."""

    def __init__(self) -> None:
        self.prompts: list[ModelRequest] = []

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.prompts.append(request)
        text = json.dumps({"score": 8, "reason": "names the capital"})
        return ModelAnswer(text_message("assistant", text), input_tokens=50, output_tokens=9)


def test_geval_asks_the_judge_and_replays_its_answer_from_a_cassette(tmp_path: Path) -> None:
    from goldspan.evals.scorers.deepeval_metric import DeepEvalMetric

    path = tmp_path / "judge.jsonl"
    live = _Recording()
    steps = {"evaluation_steps": ["Is the answer the capital that was asked for?"]}
    for mode in (Mode.RECORD, Mode.REPLAY):
        tape = Cassette.open(path, create=mode is Mode.RECORD)
        gateway = ModelGateway(mode, tape, live if mode is Mode.RECORD else None)
        judge = Judge(gateway, "judge-model")
        metric = DeepEvalMetric("GEval", "right", judge, dict(steps))
        value, passed, unmeasured, reason = score(metric, view())
        assert (value, passed, unmeasured) == (0.8, True, False)
        assert reason == "names the capital"
    assert len(live.prompts) == 1
    assert live.prompts[0].system == SYSTEM
    assert "Paris" in str(live.prompts[0].messages)
    assert live.prompts[0].output_schema is not None


def test_an_answer_that_the_judge_never_gave_is_unmeasured_and_no_zero(tmp_path: Path) -> None:
    from goldspan.evals.scorers.deepeval_metric import DeepEvalMetric

    path = tmp_path / "judge.jsonl"
    Cassette.open(path, create=True).add(Scope("x"), 0, "y", ModelAnswer(text_message("user", "")))
    judge = Judge(ModelGateway.make(Mode.REPLAY, cassette=path), "judge-model")
    metric = DeepEvalMetric("GEval", "right", judge, {"evaluation_steps": ["Is it right?"]})
    value, passed, unmeasured, reason = score(metric, view())
    assert (value, passed, unmeasured) == (None, None, True)
    assert MeasurementError.__name__ in str(reason)
    assert "case capital/right" in str(reason)


def test_an_unknown_metric_is_named_with_the_nearest() -> None:
    from goldspan.evals.scorers.deepeval_metric import check_metric

    with pytest.raises(ConfigError, match="did you mean 'ToolCorrectness'"):
        check_metric("ToolCorectness")
