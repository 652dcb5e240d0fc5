"""Model calls whose process died: what they may have used stays reserved until it is known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.failure.policy import FailurePolicy
from goldspan.harness.failure.retry import RetriedModel, Retry
from goldspan.harness.ledger import Ledger
from goldspan.harness.life import Life
from goldspan.harness.models.cassette import Cassette, Scope
from goldspan.harness.models.gateway import Mode, Model, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Direct, Park, Steps, Work
from goldspan.harness.tools import JsonValue
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from tests.harness.emitted import Emitted
from tests.harness.scripted import ScriptedModel, act, write_version

LIMITS = {"max_tokens": 20_000, "max_usd": 1}
PRICES = "prices:\n- {model: tiny, input_usd: 10, output_usd: 30}\n"
ANSWER_TOKENS = 4_096  # what is left of the budget, and no more than this


class Dead(BaseException):
    """The process is gone."""


class Dying:
    """A model in whose call the process dies."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        raise Dead


class DyingRecord(Dying):
    """A process that dies while it reads a record."""

    free = True


class Recorded(ScriptedModel):
    """A model whose answers cost nothing."""

    free = True


class DyingAsItWaits(Direct):
    """A process that is gone when its run begins to wait."""

    async def park(self, park: Park, ready: Work) -> JsonValue:
        raise Dead


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        yield opened


def live(
    tmp_path: Path, ledger: Ledger, name: str, model: Model, steps: Steps | None = None
) -> RunResult:
    """One life of the run; each has a folder of its own."""
    folder = write_version(tmp_path / name / "v1.0.0", contract=json.dumps(LIMITS))
    (tmp_path / "prices.yaml").write_text(PRICES, encoding="utf-8")
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        return asyncio.run(
            run_agent(
                AgentVersion.load(folder),
                "look at a",
                model=model,
                recorder=telemetry.recorder,
                workspace=tmp_path / name / "work",
                run_id="run-1",
                prices=Prices.load(tmp_path / "prices.yaml"),
                life=Life(ledger, steps or Direct()),
            )
        )


def used(ledger: Ledger) -> tuple[float, float]:
    tokens, usd = ledger.used("run:run-1", "tokens"), ledger.used("run:run-1", "usd")
    assert tokens is not None
    assert usd is not None
    return tokens[0], round(usd[0], 9)


DONE = [act("look", what="a"), act("answer", text="done")]


def test_a_lost_call_is_counted_with_the_longest_answer_that_it_was_allowed(
    tmp_path: Path, ledger: Ledger
) -> None:
    for life in ("one", "two"):
        with pytest.raises(Dead):
            live(tmp_path, ledger, life, Dying())
    assert used(ledger)[0] > 2 * ANSWER_TOKENS + 2_000  # the bytes of the input
    result = live(tmp_path, ledger, "three", ScriptedModel(DONE))
    assert (result.outcome, result.usage.tokens) == ("completed", 40)
    lost = (2 * (10 + ANSWER_TOKENS), 2 * (10 * 10 + ANSWER_TOKENS * 30) / 1e6)
    own = (40, (20 * 10 + 20 * 30) / 1e6)
    assert used(ledger) == (lost[0] + own[0], round(lost[1] + own[1], 9))


def test_lost_calls_of_what_costs_nothing_used_nothing(tmp_path: Path, ledger: Ledger) -> None:
    for life in range(LIMITS["max_tokens"] // ANSWER_TOKENS + 1):
        with pytest.raises(Dead):
            live(tmp_path, ledger, f"life{life}", DyingRecord())
    result = live(tmp_path, ledger, "last", Recorded(DONE))
    assert result.outcome == "completed"
    assert used(ledger) == (40, round((20 * 10 + 20 * 30) / 1e6, 9))


def test_a_session_is_free_that_has_a_cassette_and_no_model(tmp_path: Path) -> None:
    for gateway, free in (
        (ModelGateway(Mode.REPLAY, Cassette(tmp_path / "c.jsonl")), True),
        (ModelGateway(Mode.RECORD, Cassette(tmp_path / "c.jsonl"), Dying()), False),
        (ModelGateway(Mode.LIVE, None, Dying()), False),
    ):
        session = gateway.session(Scope("case"))
        assert session.free is free
        assert RetriedModel(session, Retry(FailurePolicy(), Emitted()), "run-1").free is free


def test_a_run_that_loses_its_calls_again_and_again_ends_within_its_budget(
    tmp_path: Path, ledger: Ledger
) -> None:
    for life in range(LIMITS["max_tokens"] // ANSWER_TOKENS + 1):
        try:
            end = live(tmp_path, ledger, f"life{life}", Dying())
        except Dead:
            continue
        break
    assert life > 1
    assert (end.outcome, end.usage.model_calls) == ("aborted", 0)
    assert "tokens" in (end.reason or "")
    assert used(ledger)[0] <= LIMITS["max_tokens"]


def test_what_a_run_used_is_settled_before_it_waits(tmp_path: Path, ledger: Ledger) -> None:
    model = ScriptedModel([act("write", text="hi")])
    with pytest.raises(Dead):
        live(tmp_path, ledger, "one", model, DyingAsItWaits())
    assert used(ledger)[0] == 20
