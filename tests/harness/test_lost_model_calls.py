"""Model calls that failed, or whose process died: what they may have used stays reserved until it
is known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.failure.policy import FailurePolicy
from goldspan.harness.failure.retry import RetriedModel, Retry
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Intent, Ledger, Want
from goldspan.harness.life import Life
from goldspan.harness.models.cassette import Cassette, Scope
from goldspan.harness.models.gateway import Mode, Model, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Direct, Park, Parked, Steps, Work
from goldspan.harness.tools import JsonValue
from goldspan.tracing.errors import MeasurementError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from tests.harness.emitted import Emitted
from tests.harness.scripted import ScriptedModel, act, write_version
from tests.harness.test_failing_runs import FAST, run
from tests.harness.test_retry import Bench

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


@pytest.mark.parametrize(
    ("ends", "down", "left"),
    [
        ([MeasurementError("never asked")], True, 0),
        ([ConnectionRefusedError(), ConnectionRefusedError(), ConnectionRefusedError()], False, 0),
        ([TimeoutError(), ConnectionRefusedError(), ConnectionRefusedError()], False, 100),
    ],
)
def test_a_model_that_was_not_reached_has_used_nothing(
    ends: list[Exception], down: bool, left: float
) -> None:
    bench = Bench()

    class Failing(ScriptedModel):
        async def answer(self, request: ModelRequest) -> Any:
            raise ends.pop(0)

    intent = Intent.of("r", 1, "model:tiny", {}, action_class="model")
    assert bench.breakers.admit(intent, [Want("run:r", "tokens", 100, 1000, "budget")]).fresh
    for _ in range(3 if down else 0):  # meanwhile, in other runs
        bench.breakers.failed("model:tiny", "k", "x")
    request = ModelRequest("local", "tiny", "be kind", [text_message("user", "hi")])
    model = RetriedModel(Failing([""]), bench.retry, "r")
    with closing(bench.ledger):
        with pytest.raises(Parked):
            asyncio.run(model.answer(request.admitted(intent.key)))
        assert bench.ledger.used("run:r", "tokens") == (left, 1000)
    assert len(ends) == down


class CheapFails(ScriptedModel):
    """A model of two routes, of which the cheap one fails for this cause."""

    cause: Exception = ConnectionRefusedError()

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        if request.model == "tiny":
            raise MeasurementError("the model did not answer") from self.cause
        return await super().answer(request)


TWO_ROUTES = {"routes": [{"provider": "local", "model": name} for name in ("tiny", "large")]}


@pytest.mark.parametrize("failure", [None, {"retry": FAST}])
def test_a_model_that_was_not_reached_leaves_its_budget_to_the_next(
    tmp_path: Path, failure: Any
) -> None:
    model = CheapFails([act("answer", text="x")])
    with closing(Ledger()) as ledger:
        result = run(
            tmp_path,
            model,
            ledger=ledger,
            failure=failure,
            routing=TWO_ROUTES,
            contract={"max_tokens": 7_000},  # of which one request takes more than half
        )
        assert (result.outcome, result.answer) == ("completed", "x"), result.reason
        assert ledger.used("run:run-1", "tokens") == (20, 7_000)


@pytest.mark.parametrize("failure", [None, {"retry": FAST}])
def test_a_model_that_broke_off_counts_as_its_longest_answer(tmp_path: Path, failure: Any) -> None:
    model = CheapFails([act("answer", text="x")])
    model.cause = TimeoutError()
    with closing(Ledger()) as ledger:
        result = run(
            tmp_path,
            model,
            ledger=ledger,
            failure=failure,
            routing=TWO_ROUTES,
            contract={"max_tokens": 20_000},
        )
        assert result.outcome == "completed"
        assert ledger.used("run:run-1", "tokens") == (20 + 10 + 4_096, 20_000)


def test_a_models_breaker_closes_when_the_model_works_again(tmp_path: Path) -> None:
    class Down(ScriptedModel):
        async def answer(self, request: ModelRequest) -> ModelAnswer:
            raise MeasurementError("the model did not answer") from ConnectionRefusedError()

    now = 1_000.0
    parts: dict[str, Any] = {
        "failure": {"retry": {"attempts": 1}, "breaker": {"failures": 1, "cooldown_s": 60}},
        "contract": {"max_tokens": 20_000},
    }
    with closing(Ledger(clock=lambda: now)) as ledger:
        first = run(tmp_path / "one", Down([""]), ledger=ledger, **parts)
        assert first.outcome == "paused", first.reason
        assert ledger.used("run:run-1", "tokens") == (0, 20_000)
        now += 61
        second = run(
            tmp_path / "two", ScriptedModel([act("answer", text="x")]), ledger=ledger, **parts
        )
        assert (second.outcome, second.answer) == ("completed", "x"), second.reason
        assert Breakers(ledger).find("model:tiny").state == "closed"
