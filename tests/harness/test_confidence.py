"""A model that says no more than it is asked for states its confidence where something depends on
it, and only there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.tracing.instrument import instrument
from tests.harness.scripted import act, write_version

BY_RULE = {"approvals": {"write": {"min_confidence": 0.5}}}
ROUTES = [{"provider": "local", "model": name} for name in ("tiny", "dear")]


@dataclass
class Obedient:
    """Writes a note, then answers. Of each model's confidence it gives what the request's schema
    has a place for, and nothing that it has none for."""

    sure: dict[str, float]
    requests: list[ModelRequest] = field(default_factory=list)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        done = len(request.messages) > 1
        sure = self.sure[request.model]
        if request.output_schema is not None:
            said = json.loads(act("answer", text="done") if done else act("write", text="x"))
            if all("confidence" in one["required"] for one in request.output_schema["anyOf"]):
                said["confidence"] = sure
            return ModelAnswer(text_message("assistant", json.dumps(said)))
        if done:
            return ModelAnswer(text_message("assistant", "done"))
        arguments: dict[str, Any] = {"text": "x"}
        if "your_confidence" in request.tools[1]["parameters"]["required"]:
            arguments["your_confidence"] = sure
        call = {"type": "tool_call", "name": "write", "arguments": arguments}
        return ModelAnswer({"role": "assistant", "parts": [call]})


def run(tmp_path: Path, model: Obedient, mode: str, parts: dict[str, Any]) -> RunResult:
    folder = write_version(tmp_path / "keeper" / "v1.0.0", mode=mode)
    example = [{"task": "t", "steps": [{"action": "write", "arguments": {"text": "y"}}]}]
    (folder / "examples.yaml").write_text(json.dumps(example), encoding="utf-8")
    with (folder / "config.yaml").open("a", encoding="utf-8") as config:
        config.writelines(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        return asyncio.run(
            run_agent(
                AgentVersion.load(folder),
                "go",
                model=model,
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
                approver=NamedApprover("none"),
            )
        )


@pytest.mark.parametrize("mode", ["json", "native"])
@pytest.mark.parametrize(("sure", "outcome"), [(0.9, "completed"), (0.2, "paused")])
def test_an_unsure_call_waits_for_a_person(
    tmp_path: Path, mode: str, sure: float, outcome: str
) -> None:
    result = run(tmp_path, Obedient({"tiny": sure}), mode, BY_RULE)
    assert result.outcome == outcome
    assert [step.arguments for step in result.steps] == [{"text": "x"}]


@pytest.mark.parametrize("mode", ["json", "native"])
def test_an_unsure_step_is_asked_of_a_better_model(tmp_path: Path, mode: str) -> None:
    routing = {"routes": ROUTES, "escalate_below": 0.6}
    model = Obedient({"tiny": 0.5, "dear": 0.7})
    result = run(tmp_path, model, mode, {**BY_RULE, "routing": routing})
    assert result.outcome == "completed"
    assert [request.model for request in model.requests[:2]] == ["tiny", "dear"]


@pytest.mark.parametrize("mode", ["json", "native"])
def test_nothing_is_asked_for_where_nothing_depends_on_it(tmp_path: Path, mode: str) -> None:
    model = Obedient({"tiny": 0.9})
    parts = {"approvals": {"write": {"above": {"text": 1}}}, "routing": {"routes": ROUTES}}
    run(tmp_path, model, mode, parts)
    (request,) = model.requests
    asked = json.dumps([request.system, request.output_schema, list(request.tools)])
    assert "confidence" not in asked


def test_examples_show_the_form_that_is_asked_for(tmp_path: Path) -> None:
    model = Obedient({"tiny": 0.2})
    run(tmp_path, model, "json", BY_RULE)
    shown = model.requests[0].system.splitlines()[-1]
    assert json.loads(shown)["confidence"] == 0.9
