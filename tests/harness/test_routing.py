"""Which model answers: the cheap one first, a better one where that does not do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.models.protocol import Protocol, Turn
from goldspan.harness.models.routing import Route, RoutedModels, Router, Routing, said_confidence
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, MeasurementError
from tests.harness.emitted import Emitted
from tests.harness.scripted import Notebook, ScriptedModel, act
from tests.harness.test_live import Server, server

__all__ = ["server"]

CHEAP, GOOD, BEST = (Route(provider="p", model=name) for name in ("cheap", "good", "best"))
UNREADABLE = Turn({}, fault="no action")
DOWN = MeasurementError("the model did not answer")


def sure(confidence: str | None = None) -> Turn:
    return Turn({}, answer="yes", confidence=confidence)


class Bench:
    """A router over three models that answer as a test says."""

    def __init__(self, **more: Any) -> None:
        self.events = Emitted()
        routing = Routing(routes=(CHEAP, GOOD, BEST), **more)
        self.router = Router(routing, self.events)

    def step(self, **says: Turn | MeasurementError) -> tuple[list[str], str]:
        """Whom one step asked, and whose answer it took."""
        asked: list[str] = []

        async def ask(route: Route) -> Turn:
            asked.append(route.model)
            said = says.get(route.model, sure())
            if isinstance(said, MeasurementError):
                raise said
            return said

        routed = asyncio.run(self.router.turn(ask, lambda turn: turn))
        return asked, routed.route.model

    def moves(self) -> list[tuple[str, str, str]]:
        return [
            (e[semconv.ROUTE_FROM], e[semconv.ROUTE_TO], e[semconv.ROUTE_WHY])
            for e in self.events.of(semconv.MODEL_ROUTED)
        ]


def test_a_cheap_answer_that_does_is_taken() -> None:
    bench = Bench()
    assert bench.step() == (["cheap"], "cheap")
    assert bench.events == []


def test_an_unreadable_answer_is_asked_for_again_from_a_better_model() -> None:
    bench = Bench()
    assert bench.step(cheap=UNREADABLE) == (["cheap", "good"], "good")
    assert bench.moves() == [("p/cheap", "p/good", "unreadable")]
    assert bench.events[0][1][semconv.STEP] == 1
    assert bench.step() == (["cheap"], "cheap")


def test_the_last_model_has_the_last_word() -> None:
    bench = Bench()
    says = {"cheap": UNREADABLE, "good": UNREADABLE, "best": UNREADABLE}
    assert bench.step(**says) == (["cheap", "good", "best"], "best")


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("0.5", ["cheap", "good"]),
        ("low", ["cheap", "good"]),
        ("55%", ["cheap", "good"]),
        ("0.6", ["cheap"]),
        ("high", ["cheap"]),
        (None, ["cheap"]),
        ("certainly", ["cheap"]),
    ],
)
def test_low_confidence_escalates(said: str | None, asked: list[str]) -> None:
    assert Bench(escalate_below=0.6).step(cheap=sure(said))[0] == asked
    assert Bench().step(cheap=sure(said))[0] == ["cheap"]


def test_a_model_that_fails_is_replaced_and_asked_last_from_then_on() -> None:
    bench = Bench()
    assert bench.step(cheap=DOWN) == (["cheap", "good"], "good")
    assert bench.moves() == [("p/cheap", "p/good", "failure")]
    assert bench.step() == (["good"], "good")
    assert bench.step(good=DOWN, best=DOWN) == (["good", "best", "cheap"], "cheap")


def test_the_best_model_falls_back_to_those_before_it() -> None:
    bench = Bench(first={1: 2})
    assert bench.step(best=DOWN, good=DOWN) == (["best", "good", "cheap"], "cheap")


def test_an_answer_stands_where_the_better_model_fails() -> None:
    assert Bench().step(cheap=UNREADABLE, good=DOWN, best=DOWN) == (
        ["cheap", "good", "best"],
        "cheap",
    )
    assert Bench(first={1: 1}).step(good=UNREADABLE, best=DOWN)[0] == ["good", "best"]


def test_where_no_model_answers_the_last_error_is_raised_and_the_next_step_asks_again() -> None:
    bench = Bench()
    with pytest.raises(MeasurementError):
        bench.step(cheap=DOWN, good=DOWN, best=DOWN)
    assert bench.step() == (["cheap"], "cheap")


def test_a_step_may_begin_with_a_better_model() -> None:
    bench = Bench(first={2: 1})
    assert [bench.step()[0] for _ in range(3)] == [["cheap"], ["good"], ["cheap"]]


def test_after_a_stumble_the_next_steps_begin_further_on() -> None:
    bench = Bench(hold_steps=2)
    bench.step()
    bench.router.stumbled("arguments of look are invalid")
    assert bench.moves() == [("p/cheap", "p/good", "stumble")]
    assert [bench.step()[0] for _ in range(3)] == [["good"], ["good"], ["cheap"]]
    still = Bench(hold_steps=0)
    still.router.stumbled("x")
    assert still.step()[0] == ["cheap"]


@given(
    st.lists(
        st.fixed_dictionaries(
            {m: st.sampled_from([sure(), UNREADABLE, DOWN]) for m in ("cheap", "good", "best")}
        ),
        max_size=6,
    ),
    st.integers(0, 2),
)
def test_each_model_is_asked_at_most_once_a_step_and_a_run_repeats_itself(
    steps: list[dict[str, Any]], first: int
) -> None:
    def taken(bench: Bench) -> list[Any]:
        out: list[Any] = []
        for says in steps:
            try:
                asked, route = bench.step(**says)
            except MeasurementError:
                out.append("failed")
                assert all(said is DOWN for said in says.values())
                continue
            assert len(set(asked)) == len(asked)
            assert says[route] is not DOWN
            out.append((asked, route))
        return [out, bench.events]

    begins = {1: first}
    assert taken(Bench(first=begins)) == taken(Bench(first=begins))


def test_two_models_in_a_run_each_get_their_own_requests() -> None:
    cheap, good = ScriptedModel(["hm"]), ScriptedModel([act("answer", text="yes")])
    models = RoutedModels({("p", "cheap"): cheap, ("p", "good"): good})
    protocol = Protocol("json", Notebook().tools())
    router = Router(Routing(routes=(CHEAP, GOOD)), Emitted())

    async def ask(route: Route) -> ModelAnswer:
        messages = [text_message("user", "well?")]
        return await models.answer(ModelRequest(route.provider, route.model, "be kind", messages))

    routed = asyncio.run(router.turn(ask, lambda answer: protocol.read(answer, 0)))
    assert protocol.read(routed.answered, 0).answer == "yes"
    assert [r.model for r in cheap.requests + good.requests] == ["cheap", "good"]
    with pytest.raises(ConfigError, match="there is no model p/best"):
        asyncio.run(ask(BEST))


def test_live_routes_go_to_their_own_servers(server: Server) -> None:
    routes = [
        Route(provider="local", model="tiny", base_url=server.url),
        Route(provider="openai", model="gpt-5", base_url=server.url),
    ]
    models = RoutedModels.live(Routing(routes=tuple(routes)))
    server.replies = [{"content": "one"}, {"content": "two"}]
    for route in routes:
        messages = [text_message("user", "well?")]
        request = ModelRequest(route.provider, route.model, "be kind", messages)
        asyncio.run(models.answer(request))
    assert [body["model"] for body in server.seen] == ["tiny", "gpt-5"]
    with pytest.raises(ConfigError, match="nowhere:x"):
        RoutedModels.live(Routing(routes=(Route(provider="nowhere", model="x"),)))


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        ({"routes": []}, "at least 1 item"),
        ({"routes": [{"provider": "p", "model": "m"}] * 2}, "two routes name the same model"),
        (
            {"routes": [{"provider": "p", "model": "m"}], "first": {1: 1}},
            "the routes are 0 to 0",
        ),
    ],
)
def test_a_faulty_routing_is_refused(faulty: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Routing.model_validate(faulty)


@given(st.none() | st.booleans() | st.floats() | st.text(max_size=6))
def test_a_confidence_is_from_nothing_to_one(said: object) -> None:
    found = said_confidence(said)
    assert found is None or 0 <= found <= 1
