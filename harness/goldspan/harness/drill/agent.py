"""The drill's agent: a scripted model, and one tool that waits. It reaches nothing."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, message_text, text_message
from goldspan.harness.operation.durable import specs_of
from goldspan.harness.operation.tasks import Task
from goldspan.harness.run_spec import RunSpec
from goldspan.harness.tools import Tool, ToolContext
from goldspan.tracing import semconv

NAME = "goldspan-drill"
MODEL_S = 0.05
_TASK = "Wait {times} times, {seconds} seconds each."
_ASKED = re.compile(r"Wait (\d+) times, ([\d.]+) seconds each")


class Wait(BaseModel):
    """For how long."""

    model_config = ConfigDict(extra="forbid")
    seconds: float = Field(ge=0, le=60)
    nth: int


async def _wait(context: ToolContext, asked: Wait) -> dict[str, Any]:
    await asyncio.sleep(asked.seconds)
    return {"waited": asked.nth}


class WaitingRoom:
    """An environment of one tool that changes nothing."""

    def tools(self) -> Sequence[Tool]:
        """`wait`."""
        return (Tool("wait", "Wait for some seconds.", Wait, _wait),)

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        """An empty folder."""
        workspace.mkdir(parents=True)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        """Nothing is there."""
        return {}


class Waiter:
    """A model that waits as often as the task says, then answers."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """The next turn."""
        first = next(m for m in request.messages if m["role"] == "user")
        found = _ASKED.search(message_text(first))
        times, seconds = (int(found[1]), float(found[2])) if found else (0, 0.0)
        turn = sum(message["role"] == "assistant" for message in request.messages)
        act: dict[str, Any] = {"thought": "done", "action": "answer", "arguments": {"text": "done"}}
        if turn < times:
            arguments = {"seconds": seconds, "nth": turn}
            act = {"thought": "not yet", "action": "wait", "arguments": arguments}
        await asyncio.sleep(MODEL_S)
        return ModelAnswer(
            text_message("assistant", json.dumps(act)),
            response_model=request.model,
            input_tokens=1,
            output_tokens=1,
        )


@cache
def drill_gateway() -> ModelGateway:
    """The drill's model, which every worker has."""
    return ModelGateway(Mode.LIVE, None, Waiter())


def drill_specs(batch: str, runs: int, *, times: int, seconds: float) -> list[RunSpec]:
    """Runs of the drill's agent, marked as no real traffic."""
    folder = Path(str(files("goldspan.harness.drill"))) / "agents" / NAME / "v1.0.0"
    text = _TASK.format(times=times, seconds=seconds)
    tasks = [Task(id=f"drill-{n}", input=text) for n in range(runs)]
    specs = specs_of(AgentVersion.load(folder), tasks, batch=batch)
    return [
        RunSpec(**{**spec.to_json(), "attributes": {semconv.SIMULATED: True}}) for spec in specs
    ]
