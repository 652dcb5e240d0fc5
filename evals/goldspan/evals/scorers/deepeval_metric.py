"""DeepEval's metrics as scorers, by name: `ToolCorrectness`, `GEval` and the others.

DeepEval takes seconds to import, loads `.env` files and reports usage unless it is told not to:
nothing but this module imports it, with those switched off first.
"""

from __future__ import annotations

import asyncio
import difflib
import os
from dataclasses import dataclass, field
from typing import Any

os.environ["DEEPEVAL_TELEMETRY_OPT_OUT"] = "1"
os.environ["DEEPEVAL_DISABLE_DOTENV"] = "1"

from deepeval import metrics
from deepeval.models import DeepEvalBaseLLM
from deepeval.test_case import LLMTestCase, SingleTurnParams, ToolCall

from goldspan.evals.judge import Judge, JudgeSession
from goldspan.evals.results import Score
from goldspan.evals.scorers.scoring import RunView
from goldspan.tracing.errors import ConfigError

# They measure by arithmetic; the model that their constructor asks for is never called.
UNJUDGED = frozenset({"ToolCorrectness"})


class _JudgeModel(DeepEvalBaseLLM):  # type: ignore[no-untyped-call]
    """A judge of ours in the form that DeepEval asks for."""

    def __init__(self, session: JudgeSession | None) -> None:
        self.session = session
        super().__init__("goldspan-judge")

    def load_model(self) -> _JudgeModel:
        return self

    def get_model_name(self) -> str:
        return self.session.judge.model if self.session else "none"

    async def a_generate(self, prompt: str, schema: Any = None) -> Any:
        if self.session is None:
            raise ConfigError("this metric asks a judge", remedy="give the suite a judge")
        bound = None if schema is None else schema.model_json_schema()
        text = await self.session.complete(prompt, bound)
        return text if schema is None else schema.model_validate_json(text)

    def generate(self, prompt: str, schema: Any = None) -> Any:
        return asyncio.run(self.a_generate(prompt, schema))


@dataclass(frozen=True)
class DeepEvalMetric:
    """One DeepEval metric. `options` go to its constructor, `judge` answers for its model."""

    metric: str
    name: str
    judge: Judge | None = None
    options: dict[str, Any] = field(default_factory=dict)

    async def score(self, run: RunView) -> Score | None:
        """DeepEval's score, held to 0..1; passes at the metric's threshold.

        None for `ToolCorrectness` where the case expects no tools.
        """
        expected = _expected_tools(run)
        if self.metric == "ToolCorrectness" and not expected:
            return None
        session = None
        if self.judge is not None and self.metric not in UNJUDGED:
            session = self.judge.session(self.name, run.case.id, run.repeat)
        metric = _metric_class(self.metric)(model=_JudgeModel(session), **self._options())
        test_case = LLMTestCase(
            input=run.case.input,
            actual_output=run.answer or "",
            tools_called=[_call(step.tool, step.arguments) for step in run.steps],
            expected_tools=expected,
        )
        value = float(await metric.a_measure(test_case, _show_indicator=False))
        return Score(
            self.name,
            value=min(max(value, 0.0), 1.0),
            passed=bool(metric.is_successful()),
            reason=" ".join((metric.reason or "").split())[:300] or None,
        )

    def _options(self) -> dict[str, Any]:
        options = dict(self.options)
        if self.metric == "GEval":
            options["name"] = self.name
            given = options.pop("params", ["input", "actual_output"])
            options["evaluation_params"] = [SingleTurnParams(value) for value in given]
        return options


def _metric_class(name: str) -> type[Any]:
    offered = {n.removesuffix("Metric"): n for n in metrics.__all__ if n.endswith("Metric")}
    offered["GEval"] = "GEval"
    if name not in offered:
        near = difflib.get_close_matches(name, offered, 1)
        raise ConfigError(
            f"DeepEval has no metric {name!r}",
            remedy=f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(offered))}",
        )
    made: type[Any] = getattr(metrics, offered[name])
    return made


def check_metric(name: str) -> None:
    """Raises `ConfigError`, with the nearest name, where DeepEval has no such metric."""
    _metric_class(name)


def _expected_tools(run: RunView) -> list[ToolCall]:
    tools = run.case.expect.tools
    if tools is None:
        return []
    return [_call(name, None) for name in dict.fromkeys([*tools.required, *tools.order])]


def _call(name: str, arguments: Any) -> ToolCall:
    return ToolCall(name=name, input_parameters=arguments if isinstance(arguments, dict) else None)
