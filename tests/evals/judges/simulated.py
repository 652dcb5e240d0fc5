"""A judge and an agent of known quality, so that what a report says can be held against the truth.

The judge is behind the model API like any other: it reads the prompt and answers in the form that
the schema asks for. Its errors are fixed by the answer that it grades, as with a temperature of 0.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldspan.evals.judges.model import Judge
from goldspan.evals.results import CaseRun, Experiment
from goldspan.evals.scorers.scoring import RunView, score_all
from goldspan.evals.suite import Suite, load_suite
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, message_text, text_message


def chance(*parts: object) -> float:
    """A number from 0 to 1 that depends on nothing but the parts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
    return int(digest[:12], 16) / 16**12


@dataclass
class SimulatedModel:
    """Passes right answers with probability `sees`, wrong ones with probability `lets`."""

    seed: int = 0
    sees: float = 0.95
    lets: float = 0.08
    answers_as: str | None = "judge-2026-01"
    long_bias: float = 0.0
    first_bias: float = 0.0
    breaks: int = 0
    requests: list[ModelRequest] = field(default_factory=list)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """A grade, as JSON; the first `breaks` answers are not in the form."""
        self.requests.append(request)
        await asyncio.sleep(0)
        prompt = message_text(request.messages[0])
        shown = json.loads(prompt[prompt.index("{") : prompt.rindex("}") + 1])
        assert request.output_schema is not None
        grades = request.output_schema["properties"]["grade"]["enum"]
        text = json.dumps({"reason": "as I see it", "grade": self._grade(shown["answer"], grades)})
        if len(self.requests) <= self.breaks:
            text = "no JSON"
        return ModelAnswer(
            text_message("assistant", text),
            response_model=self.answers_as,
            input_tokens=100,
            output_tokens=10,
        )

    def _grade(self, answer: str, grades: list[Any]) -> Any:
        if chance(self.seed, answer, "first") < self.first_bias:
            return grades[0]
        likely = self.sees if answer.startswith("right") else self.lets
        likely += self.long_bias * (len(answer) > 200)
        passed = chance(self.seed, answer) < likely
        worst, best = grades[-1], grades[0]
        if isinstance(best, int):
            worst, best = min(grades), max(grades)
        elif "fail" in grades:
            worst, best = "fail", "pass"
        return best if passed else worst


def judge(model: SimulatedModel, name: str = "judge", **fields: Any) -> Judge:
    """The model as a judge behind a name."""
    return Judge(ModelGateway(Mode.LIVE, None, model), name, **fields)


def suite(folder: Path, cases: int = 40, control: int = 60, **keys: Any) -> Suite:
    """A suite with one rubric, and a control set of which half are right answers."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"id": f"case-{i}", "input": f"task {i}", "expect": {}}) for i in range(cases)
    ]
    (folder / "cases.jsonl").write_text("\n".join(lines))
    items = [
        {
            "id": f"item-{i}",
            "input": f"task {i}",
            "answer": f"{'right' if i % 2 else 'wrong'} control {i}",
            "label": "pass" if i % 2 else "fail",
        }
        for i in range(control)
    ]
    (folder / "control.jsonl").write_text("\n".join(map(json.dumps, items)))
    file = {
        "name": "simulated",
        "target": "nothing:here",
        "cases": ["cases.jsonl"],
        "scorers": [{"rubric": {"criteria": "Is the answer right?"}, "name": "right"}],
        "judge": {"model": "judge"},
        **({"control": "control.jsonl"} if control else {}),
        **keys,
    }
    (folder / "suite.yaml").write_text(json.dumps(file))
    return load_suite(folder / "suite.yaml")


def run(
    made: Suite, by: Judge, quality: float, *, seed: int = 0, repeats: int = 3, name: str = "e"
) -> Experiment:
    """An experiment with an agent that answers rightly with probability `quality`."""
    return asyncio.run(_run(made, by, quality, seed, repeats, name))


async def _run(
    made: Suite, by: Judge, quality: float, seed: int, repeats: int, name: str
) -> Experiment:
    scorers = made.scorers(by)
    runs = []
    for case in made.case_set.cases:
        for repeat in range(repeats):
            right = chance(seed, name, case.id, repeat) < quality
            answer = f"{'right' if right else 'wrong'} {name} {seed} {case.id} {repeat}"
            view = RunView(case, "completed", answer, repeat=repeat)
            scores = await score_all(scorers, view)
            passed = None if any(s.unmeasured for s in scores) else all(s.passed for s in scores)
            runs.append(
                CaseRun(
                    case.id,
                    case.digest,
                    repeat,
                    passed,
                    scores=scores,
                    answer=answer,
                    outcome="completed",
                )
            )
    return Experiment(name, made.name, made.digest, "agent", None, None, "", runs=tuple(runs))
