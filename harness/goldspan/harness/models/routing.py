"""Which model answers a step: a cheap one first, a better one where that does not do.

The routes stand in a row, the cheapest first. A step begins with the route that its number or its
run's history asks for. An answer that cannot be read, or that the model itself is not sure of, is
asked for once more from the next route; a model that fails is replaced by the next one, and after
the last by those before. What is decided here follows from recorded answers alone, so that a run
that starts again takes the same routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from goldspan.harness.models.gateway import LOCAL, Closing, Model, ModelChoice
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.models.protocol import Turn
from goldspan.harness.run_events import Events
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, MeasurementError

Why: TypeAlias = Literal["failure", "unreadable", "confidence", "stumble"]
Answered = TypeVar("Answered")
_WORDS = {"low": 0.25, "medium": 0.5, "high": 0.9}


class Route(BaseModel):
    """One model. `settings` are laid over the agent version's; `base_url` is that of an
    OpenAI-compatible server, where the provider is none that pydantic-ai knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str
    model: str
    settings: dict[str, Any] = {}
    base_url: str | None = None

    @property
    def name(self) -> str:
        """Provider and model, as one word."""
        return f"{self.provider}/{self.model}"


class Routing(BaseModel):
    """The `routing` part of an agent version's `config.yaml`.

    `routes` are the models, the cheapest first. `first` names the place in that row at which a
    step begins, by the step's number from 1 (`first: {1: 1}` plans with the second model); other
    steps begin with the first. `escalate_below` is the confidence under which an answer is asked
    for again; None never does. After a stumble (a call that was denied, or had wrong arguments)
    the next `hold_steps` steps begin one place further on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    routes: tuple[Route, ...] = Field(min_length=1)
    first: dict[int, int] = {}
    escalate_below: float | None = Field(default=None, ge=0, le=1)
    hold_steps: int = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [route.name for route in self.routes]
        if len(set(names)) < len(names):
            raise ValueError("two routes name the same model")
        for step, place in self.first.items():
            if step < 1 or not 0 <= place < len(names):
                raise ValueError(
                    f"first: step {step} begins with route {place}; steps count from 1, and the"
                    f" routes are 0 to {len(names) - 1}"
                )
        return self


@dataclass(frozen=True)
class Routed(Generic[Answered]):
    """What was taken: the route, and what came of it."""

    route: Route
    answered: Answered


@dataclass
class Router:
    """The routes of one run. `confidence` reads an answer's, from 0 to 1, None where it has none.

    A model that could not be asked comes after all others for the rest of the run.
    """

    routing: Routing
    events: Events
    confidence: Callable[[Turn], float | None] = lambda turn: said_confidence(turn.confidence)
    _step: int = 0
    _held: int = 0
    _failed: set[str] = field(default_factory=set)

    async def turn(
        self,
        ask: Callable[[Route], Awaitable[Answered]],
        read: Callable[[Answered], Turn],
    ) -> Routed[Answered]:
        """The next step's answer. `ask` asks the model of a route, and raises `MeasurementError`
        where it cannot be asked; `read` says what the answer means.

        An unreadable or unsure answer of the last route is returned as it is: there is nobody
        better to ask. Raises the last route's `MeasurementError` where none can be asked.
        """
        self._step += 1
        routes = self.routing.routes
        start = self._start()
        order = [*routes[start:], *reversed(routes[:start])]
        order.sort(key=lambda route: route.name in self._failed)
        answer: Routed[Answered] | None = None
        for place, route in enumerate(order):
            better = order[place + 1] if place + 1 < len(order) else None
            if answer is not None and routes.index(route) < routes.index(answer.route):
                break  # a cheaper model replaces one that fails, and betters no answer
            try:
                answered = await ask(route)
            except MeasurementError as error:
                self._failed.add(route.name)
                if better is None:
                    if answer is not None:
                        break
                    raise
                self._moved(route, better, "failure", str(error))
                continue
            answer = Routed(route, answered)
            doubt = self._doubt(read(answered))
            if doubt is None:
                break
            if better is not None and routes.index(better) > routes.index(route):
                self._moved(route, better, *doubt)
        assert answer is not None
        return answer

    def stumbled(self, reason: str) -> None:
        """What the model asked for was denied, or was no call that can be made: the next steps
        begin with a better model."""
        if self.routing.hold_steps and len(self.routing.routes) > 1:
            self._held = self.routing.hold_steps
            routes = self.routing.routes
            usual = self._place(self._step + 1)
            better = min(usual + 1, len(routes) - 1)
            if better > usual:
                self._moved(routes[usual], routes[better], "stumble", reason)

    def _start(self) -> int:
        place = self._place(self._step)
        if self._held:
            self._held -= 1
            place = min(place + 1, len(self.routing.routes) - 1)
        return place

    def _place(self, step: int) -> int:
        return self.routing.first.get(step, 0)

    def _doubt(self, turn: Turn) -> tuple[Why, str] | None:
        if turn.fault is not None:
            return "unreadable", turn.fault
        limit, sure = self.routing.escalate_below, self.confidence(turn)
        if limit is not None and sure is not None and sure < limit:
            return "confidence", f"confidence {sure:g}, below {limit:g}"
        return None

    def _moved(self, here: Route, there: Route, why: Why, reason: str) -> None:
        self.events.event(
            semconv.MODEL_ROUTED,
            {
                semconv.STEP: self._step,
                semconv.ROUTE_FROM: here.name,
                semconv.ROUTE_TO: there.name,
                semconv.ROUTE_WHY: why,
                semconv.REASON: reason,
            },
        )


@dataclass(frozen=True)
class RoutedModels:
    """Models by route: a request goes to the one that it names."""

    models: Mapping[tuple[str, str], Model]

    @classmethod
    def live(cls, routing: Routing, base_url: str | None = None) -> RoutedModels:
        """The real models of the routes, those of the provider `local` at `base_url` where they
        name no server of their own. Raises `ConfigError` for an unknown model or a missing key."""
        # pydantic-ai and the providers' SDKs take a second to import; a replay needs none.
        from goldspan.harness.models.live import LiveModel

        made: dict[tuple[str, str], Model] = {}
        for route in routing.routes:
            url = route.base_url or (base_url if route.provider == LOCAL else None)
            named = ModelChoice(route.provider, route.model).address(url)
            made[route.provider, route.model] = LiveModel.make(named, base_url=url)
        return cls(made)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """The answer of the model that the request names. Raises `ConfigError` where there is
        none of that name, and what the model raises."""
        model = self.models.get((request.provider, request.model))
        if model is None:
            known = ", ".join(f"{provider}/{name}" for provider, name in self.models)
            raise ConfigError(
                f"there is no model {request.provider}/{request.model}",
                where="routing",
                remedy=f"there are {known}" if known else "name one",
            )
        return await model.answer(request)

    async def aclose(self) -> None:
        """Close the models' connections, in the event loop that they were used in."""
        for model in self.models.values():
            if isinstance(model, Closing):
                await model.aclose()


def said_confidence(said: object) -> float | None:
    """A confidence as a model says it, from 0 to 1: a number, a per cent, or low, medium or high.
    None where it is none of these."""
    if isinstance(said, bool) or said is None:
        return None
    text = str(said).strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
