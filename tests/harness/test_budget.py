"""Budgets of tokens and USD: reserved before a model call, and what a run typically costs."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import BudgetGuard, TypicalCost, recent_costs, typical_cost
from goldspan.harness.guards.budget import LONGEST_ANSWER, MESSAGE_TOKENS, price_of
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.models.messages import Message, ModelRequest, text_message
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.pricing import PriceEntry, Prices

DEAR = Prices([PriceEntry(model="tiny", input_usd=1000, output_usd=2000)])


def request(*texts: str, **more: Any) -> ModelRequest:
    messages: list[Message] = [text_message("user", text) for text in texts]
    return ModelRequest("local", more.pop("model", "tiny"), "Be kind.", messages, **more)


def guard(usage: Usage | None = None, /, **contract: Any) -> BudgetGuard:
    made = Contract.model_validate(contract)
    return BudgetGuard(made, usage or Usage(), "run:r", price_of(DEAR))


def wanted(budget: BudgetGuard, asked: ModelRequest) -> dict[str, float]:
    verdict = budget.before_model(asked)
    assert verdict.ruling == "allow", verdict.reason
    return {want.unit: want.amount for want in verdict.wants}


@given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_no_tokenizer_makes_more_of_a_request_than_is_reserved(texts: list[str]) -> None:
    asked = request(*texts, settings={"max_tokens": 7})
    spoken = sum(len(t.encode("utf-8", "replace")) for t in (*texts, "Be kind."))
    assert wanted(guard(), asked)["tokens"] >= spoken + 7


def test_what_the_last_request_counted_is_known_and_only_what_is_new_is_bounded() -> None:
    usage = Usage()
    budget = guard(usage)
    first, second = request("x" * 5000), request("x" * 5000, "more")
    before = wanted(budget, first)["tokens"]
    usage.model_calls, usage.input_tokens, usage.output_tokens = 1, 1200, 30
    after = wanted(budget, second)["tokens"]
    assert before > 5000 + LONGEST_ANSWER
    assert 1200 < after - LONGEST_ANSWER < 1200 + 100 + MESSAGE_TOKENS
    usage.model_calls, usage.input_tokens = 2, 2500
    assert wanted(budget, request("y" * 5000, "more"))["tokens"] > 5000 + LONGEST_ANSWER
    usage.model_calls, usage.input_tokens = 3, 4000
    other = request("y" * 5000, "more", model="other")
    assert wanted(budget, other)["tokens"] > 5000 + LONGEST_ANSWER


def test_a_call_that_may_exceed_its_budget_does_not_start() -> None:
    asked = request("hello", settings={"max_tokens": 100})
    needed = int(wanted(guard(), asked)["tokens"])
    assert guard(max_tokens=needed).before_model(asked).ruling == "allow"
    verdict = guard(max_tokens=needed - 1).before_model(asked)
    assert (verdict.ruling, verdict.wants) == ("stop", ())
    assert f"budget of {needed - 1} tokens has {needed - 1} left" in verdict.reason


def test_an_answer_without_a_limit_gets_what_is_left() -> None:
    asked = request("hello")
    plenty = guard(max_tokens=100_000)
    wanted(plenty, asked)
    assert plenty.answer_tokens == LONGEST_ANSWER
    scarce = guard(max_tokens=1000)
    assert wanted(scarce, asked)["tokens"] == 1000
    assert 0 < scarce.answer_tokens < 1000


def test_usd_are_reserved_at_the_price_of_the_longest_answer() -> None:
    asked = request("hello", settings={"max_tokens": 100})
    tokens = wanted(guard(), asked)["tokens"]
    usd = (tokens - 100) * 0.001 + 100 * 0.002
    assert wanted(guard(max_usd=10), asked)["usd"] == pytest.approx(usd)
    assert "usd" in guard(max_usd=usd * 0.99).before_model(asked).reason
    unpriced = BudgetGuard(Contract(max_usd=1), Usage(), "run:r", price_of(Prices()))
    assert "no price" in unpriced.before_model(asked).reason


class Heard:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def event(self, name: str, attributes: Any = None) -> str:
        self.events.append((name, attributes))
        return ""


@pytest.mark.parametrize("unit", ["usd", "tokens"])
def test_a_run_alarms_once_at_10_times_and_stops_at_50_times_what_runs_cost(unit: Any) -> None:
    usage, heard = Usage(), Heard()
    typical = TypicalCost(unit, 2.0, "the median of 12 runs")
    budget = BudgetGuard(Contract(), usage, "run:r", price_of(DEAR), typical, heard)
    rulings = []
    for spent in (0, 19, 20, 60, 99, 100):
        usage.usd, usage.input_tokens = (spent, 0) if unit == "usd" else (0.0, spent)
        rulings.append(budget.before_model(request("hello")).ruling)
        if spent == 19:
            assert heard.events == []
    assert rulings == ["allow"] * 5 + ["stop"]
    ((name, attributes),) = heard.events
    assert name == "goldspan.incident"
    assert attributes["goldspan.incident.kind"] == "guard:cost"
    assert "10 times what a run of this agent takes" in attributes["goldspan.reason"]
    assert budget.before_model(request("hello")).guard == "cost"


@pytest.mark.parametrize(
    ("contract", "costs", "expected"),
    [
        ({}, [1.0, 9.0, 2.0], (2.0, "the median of 3 runs")),
        ({"typical_usd": 7}, [1.0] * 9, (7.0, "as configured")),
        ({"typical_usd": 7}, [1.0] * 10, (1.0, "the median of 10 runs")),
        ({"typical_usd": 7}, [], (7.0, "as configured")),
        ({"max_usd": 5}, [1.0] * 9, (0.1, "max_usd through 50, for want of a history")),
        ({"max_usd": 5, "stop_at": 20}, [], (0.25, "max_usd through 20, for want of a history")),
        ({"max_usd": 5}, [1.0] * 10, (1.0, "the median of 10 runs")),
    ],
)
def test_what_a_run_costs_is_the_median_of_the_last_ones_or_what_is_configured(
    contract: dict[str, Any], costs: list[float], expected: tuple[float, str]
) -> None:
    found = typical_cost(Contract.model_validate(contract), [(c, 10) for c in costs], priced=True)
    assert found == TypicalCost("usd", *expected)


def test_without_a_price_tokens_count() -> None:
    costs = [(None, tokens) for tokens in range(1, 12)]
    assert typical_cost(Contract(), costs, priced=False) == TypicalCost(
        "tokens", 6, "the median of 11 runs"
    )
    assert typical_cost(Contract(), [], priced=False) == TypicalCost(
        "tokens", 2000, "max_tokens through 50, for want of a history"
    )


@pytest.mark.parametrize("costs", [[], [(None, 5)], [(0.0, 5)]])
def test_an_agent_whose_cost_nobody_can_judge_does_not_start(costs: Any) -> None:
    with pytest.raises(ConfigError, match="typical_usd"):
        typical_cost(Contract(), costs, priced=True)


def test_the_last_200_runs_of_this_agent_that_ended_count() -> None:
    clock = iter(range(10_000))
    with closing(Ledger(clock=lambda: float(next(clock)))) as ledger:
        runs = Runs(ledger)
        for number in range(210):
            runs.begin_segment(f"r{number}", "desk", "", queue=None, batch=None)
            runs.end(f"r{number}", "completed", None, number + 1, float(number))
        runs.begin_segment("other", "another", "", queue=None, batch=None)
        runs.end("other", "completed", None, 9, 99.0)
        runs.begin_segment("on", "desk", "", queue=None, batch=None)
        costs = recent_costs(ledger, "desk")
    assert sorted(usd for usd, _ in costs if usd is not None) == [float(n) for n in range(10, 210)]
