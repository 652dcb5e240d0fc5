"""The context window of whole runs: held without being asked for, and summed up by a model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.models.context import ContextPolicy
from goldspan.harness.models.messages import (
    ModelAnswer,
    ModelRequest,
    message_text,
    text_message,
)
from goldspan.harness.models.summary import PROMPT
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, act, write_version

TURNS = 12
WHY = "because " * 60


@dataclass
class Talks:
    """A model that looks twelve times, with many words, and sums up when it is asked to."""

    requests: list[ModelRequest] = field(default_factory=list)
    looked: int = 0

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        if request.system == PROMPT:
            text = "All was seen."
        else:
            self.looked += 1
            given: dict[str, Any] = {"what": "a"} if self.looked <= TURNS else {"text": "done"}
            text = act("look" if self.looked <= TURNS else "answer", WHY, **given)
        tokens = sum(len(message_text(each)) for each in request.messages) // 4
        message = text_message("assistant", text)
        return ModelAnswer(message, input_tokens=tokens, output_tokens=20)


def ran(folder: Path, context: ContextPolicy | None) -> tuple[RunResult, Talks, Store]:
    limits = "{max_repeats: 50, max_stale: 50, max_iterations: 40}"
    version = AgentVersion.load(write_version(folder / "desk" / "v1.0.0", contract=limits))
    version = replace(version, config=version.config.model_copy(update={"context": context}))
    model = Talks()
    with instrument(store=folder / "s.duckdb") as telemetry:
        result = asyncio.run(
            run_agent(
                version,
                "look at everything",
                model=model,
                recorder=telemetry.recorder,
                workspace=folder / "work",
                environment=Notebook(),
            )
        )
    return result, model, Store.open(folder / "s.duckdb")


def compacted(store: Store) -> int:
    (row,) = store.rows(
        "SELECT count(*) AS n FROM events WHERE event_name = 'goldspan.context.compacted'"
    )
    return int(row["n"])


def test_a_version_that_says_nothing_has_a_window(tmp_path: Path) -> None:
    config = write_version(tmp_path / "said" / "v1.0.0") / "config.yaml"
    assert AgentVersion.load(config.parent).config.context == ContextPolicy()
    config.write_text(config.read_text("utf-8") + "context: null\n", encoding="utf-8")
    assert AgentVersion.load(config.parent).config.context is None


def test_a_run_is_shortened_and_without_a_policy_it_is_not(tmp_path: Path) -> None:
    small = ContextPolicy(window_tokens=1500, reserve_tokens=100, keep_results=1)
    result, model, store = ran(tmp_path / "small", small)
    assert (result.outcome, compacted(store) > 0) == ("completed", True)
    assert "[summary by the harness" in message_text(model.requests[-1].messages[1])
    assert len(model.requests[-1].messages) < 2 * TURNS
    result, model, store = ran(tmp_path / "whole", None)
    assert (result.outcome, compacted(store)) == ("completed", 0)
    assert len(model.requests[-1].messages) == 2 * TURNS + 1


def test_the_runs_model_sums_up_as_a_call_that_counts(tmp_path: Path) -> None:
    small = ContextPolicy(
        window_tokens=1500, reserve_tokens=100, keep_results=1, summary_by="model"
    )
    result, model, store = ran(tmp_path, small)
    summaries = [asked for asked in model.requests if asked.system == PROMPT]
    assert result.outcome == "completed"
    assert summaries
    assert all(not asked.tools for asked in summaries)
    shown = message_text(model.requests[-1].messages[1])
    assert shown.startswith("[summary by a model of ")
    assert shown.endswith("All was seen.")
    assert result.usage.model_calls == len(model.requests) == TURNS + 1 + len(summaries)
    (row,) = store.rows("SELECT count(*) AS n FROM llm_calls")
    assert row["n"] == len(model.requests)
