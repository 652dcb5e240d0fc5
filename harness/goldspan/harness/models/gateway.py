"""Where an agent's model calls go: to a live model, into a cassette, or out of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from goldspan.harness.models.cassette import Cassette, Occurrences, Scope
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.redaction import Policy

OPENAI: Final = "openai"
LOCAL: Final = "local"  # some server of one's own, which only a base_url can find


class Mode(StrEnum):
    """How model calls are answered."""

    LIVE = "live"
    RECORD = "record"
    REPLAY = "replay"


class Model(Protocol):
    """Anything that answers a request."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """Answer, or raise `MeasurementError` where the model cannot be reached."""
        ...


@runtime_checkable
class Closing(Protocol):
    """A model that holds connections."""

    async def aclose(self) -> None:
        """Close them, in the event loop that they were used in."""
        ...


@runtime_checkable
class Free(Protocol):
    """A model that can say whether it costs something to ask it: recorded answers cost nothing."""

    @property
    def free(self) -> bool:
        """True where no request of this model is ever paid for."""
        ...


class NamesModel(Protocol):
    """What names a model and who serves it: an agent's `config.yaml`, a suite's `judge`."""

    @property
    def model(self) -> str:
        """What the provider calls it."""
        ...

    @property
    def provider(self) -> str:
        """Who serves it."""
        ...


@dataclass(frozen=True)
class ModelChoice:
    """A model by its provider's name for it, and who serves it."""

    provider: str
    name: str

    @classmethod
    def of(
        cls, default: NamesModel, named: str | None = None, *, base_url: str | None = None
    ) -> ModelChoice:
        """What a caller names, `provider:name` or a bare name; what it leaves out is `default`'s.

        At a `base_url` only `openai:` and `local:` are a provider: names there may have colons.
        """
        if not named:
            return cls(default.provider, default.model)
        provider, _, name = named.partition(":")
        if provider and name and (base_url is None or provider in (OPENAI, LOCAL)):
            return cls(provider, name)
        return cls(default.provider, named)

    def address(self, base_url: str | None = None) -> str:
        """The name by which `ModelGateway.make` finds it, live."""
        prefix = f"{self.provider}:"
        if base_url is not None or self.provider in ("", LOCAL) or self.name.startswith(prefix):
            return self.name
        return prefix + self.name


@dataclass(frozen=True)
class ModelGateway:
    """The models of an experiment: one per process, a session per run.

    With `RECORD`, an answer that the cassette already has is taken from it, so an interrupted
    recording goes on where it stopped. Who makes one closes it: `async with aclosing(gateway)`.
    """

    mode: Mode
    cassette: Cassette | None = None
    live: Model | None = None

    @classmethod
    def make(
        cls,
        mode: Mode,
        *,
        cassette: Path | None = None,
        model: str | None = None,
        base_url: str | None = None,
        routes: Callable[[], Model] | None = None,
        redaction: Policy | None = None,
    ) -> ModelGateway:
        """A gateway from what a command line gives.

        `model` is `provider:name` (`openai:…`, `anthropic:…`) or a bare name with `base_url`,
        any OpenAI-compatible server; without it `routes` makes the model, as
        `RoutedModels.live` does. `redaction` is for what is recorded. Raises `ConfigError`
        where something needed is missing.
        """
        if mode is not Mode.LIVE and cassette is None:
            raise ConfigError(f"--{mode.value} needs a cassette", remedy="give --cassette FILE")
        live: Model | None = None
        if mode is not Mode.REPLAY and model is None and routes is not None:
            live = routes()
        elif mode is not Mode.REPLAY:
            # pydantic-ai and the providers' SDKs take a second to import; a replay needs none.
            from goldspan.harness.models.live import LiveModel

            live = LiveModel.make(model, base_url=base_url)
        tape = None
        if cassette is not None and mode is not Mode.LIVE:
            tape = Cassette.open(cassette, create=mode is Mode.RECORD, redaction=redaction)
        return cls(mode, tape, live)

    def session(self, scope: Scope) -> ModelSession:
        """The model as one run sees it."""
        return ModelSession(self, scope, Occurrences())

    async def aclose(self) -> None:
        """Close the live model's connections, in the event loop that they were used in."""
        if isinstance(self.live, Closing):
            await self.live.aclose()


@dataclass(frozen=True)
class ModelSession:
    """A gateway within the scope of one run."""

    gateway: ModelGateway
    scope: Scope
    occurrences: Occurrences

    @property
    def free(self) -> bool:
        """Whether all answers come from the cassette."""
        return self.gateway.live is None

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """Answer from the cassette or the model.

        Raises `MeasurementError` where a replay has no answer, naming case, repeat and request, or
        where the live model cannot be reached.
        """
        digest = request.digest()
        nth = self.occurrences.next(digest) if request.nth is None else request.nth
        cassette = self.gateway.cassette
        if cassette is not None:
            found = cassette.find(self.scope, nth, digest)
            if found is not None:
                return found
        if self.gateway.live is None:
            if cassette is None:
                raise ConfigError("this gateway has neither a model nor a cassette")
            raise cassette.missing(self.scope, nth, request)
        answer = await self.gateway.live.answer(request)
        if cassette is not None:
            answer = cassette.add(self.scope, nth, digest, answer)
        return answer
