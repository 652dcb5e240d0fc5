"""One arm of an experiment: what runs (or what ran), and which models answer it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from goldspan.evals.command_target import CommandTarget
from goldspan.evals.judges.model import Judge
from goldspan.evals.judges.settings import JudgeEntry
from goldspan.evals.recorded_target import RecordedTraces
from goldspan.evals.results import Experiment
from goldspan.evals.suite import Suite
from goldspan.evals.targets import AgentTarget, CallableTarget, Target
from goldspan.golden import Case
from goldspan.harness.agents.bundled import bundled_agent
from goldspan.harness.agents.version import AgentConfig, AgentVersion
from goldspan.harness.models.gateway import Mode, ModelChoice, ModelGateway
from goldspan.harness.models.routing import RoutedModels, Routing
from goldspan.harness.operation.tasks import Worker
from goldspan.tracing.errors import ConfigError, InputError, PricingError
from goldspan.tracing.pricing import Prices, prices_path
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.redaction import Policy
from goldspan.tracing.store import Store

RECORDED = "traces:"


@dataclass(frozen=True)
class ModelOptions:
    """Who answers the model calls of an arm, and by which prices.

    The gateways that it makes are open until `aclose`.
    """

    store: Path
    mode: str
    cassette: Path | None
    model: str | None
    base_url: str | None
    redaction: Policy
    _open: list[ModelGateway] = field(default_factory=list, compare=False, repr=False)

    @property
    def prices(self) -> Prices:
        """The prices in force."""
        return Prices.load(prices_path(self.store))

    def chosen(self, config: AgentConfig) -> ModelChoice:
        """The model that an agent version is run with, where its routes do not name others."""
        return ModelChoice.of(config, self.model, base_url=self.base_url)

    def routing(self, config: AgentConfig) -> Routing | None:
        """The version's routes, None where it has none or another model takes their place."""
        return config.routing if self.model is None else None

    def gateway(
        self,
        mode: Mode,
        choice: ModelChoice,
        cassette: Path | None,
        routing: Routing | None = None,
    ) -> ModelGateway:
        """A model's gateway, or that of all models of `routing`. Raises `ConfigError` where
        something needed is missing."""
        made = ModelGateway.make(
            mode,
            cassette=cassette,
            model=None if routing is not None else choice.address(self.base_url),
            base_url=self.base_url,
            routes=None if routing is None else partial(RoutedModels.live, routing, self.base_url),
            redaction=self.redaction,
        )
        self._open.append(made)
        return made

    async def aclose(self) -> None:
        """Close the gateways made so far, in the event loop that they were used in."""
        while self._open:
            await self._open.pop().aclose()


@dataclass(frozen=True)
class Arm:
    """An agent version, a function by its name, the suite's command, or recorded runs."""

    suite: Suite
    models: ModelOptions
    version: AgentVersion | None
    function: str | None
    command: tuple[str, ...] | None = None

    @classmethod
    def choose(
        cls, suite: Suite, models: ModelOptions, *, agent: Path | None, target: str | None
    ) -> Arm:
        """What options name, else what the suite does. Raises `ConfigError` where neither does."""
        function = target or (None if agent else suite.file.target)
        if function is not None:
            return cls(suite, models, None, function)
        if agent is None and suite.file.command is not None:
            return cls(suite, models, None, None, suite.file.command)
        return cls(suite, models, AgentVersion.load(_agent_path(suite, agent)), None)

    @classmethod
    def again(cls, suite: Suite, models: ModelOptions, baseline: Experiment) -> Arm:
        """What an experiment ran. Raises `InputError` where that version is not there as it was."""
        if suite.file.command is not None and baseline.target == Path(suite.file.command[0]).name:
            return cls(suite, models, None, None, suite.file.command)
        if baseline.agent_version is None:
            return cls(suite, models, None, baseline.target)
        try:
            path = _agent_path(suite, Path(baseline.agent_version))
            version = AgentVersion.load(path)
        except (ConfigError, InputError) as error:
            raise InputError(
                f"cannot be run again: {error.message}",
                where=f"baseline {baseline.id}",
                remedy=f"put back version {baseline.agent_version}, or compare with another one",
            ) from None
        if version.digest != baseline.agent_digest:
            raise InputError(
                f"cannot be run again: {baseline.agent_version} has changed since",
                where=f"baseline {baseline.id}",
                remedy=f"put back what {path} held, or save a new baseline",
            )
        return cls(suite, models, version, None)

    @property
    def label(self) -> str:
        """What reports call it."""
        if self.version is None:
            return self.command[0] if self.command else str(self.function)
        return f"{self.version.name} {self.version.version}"

    @property
    def recorded(self) -> str | None:
        """The experiment whose recorded runs are scored again, None where something runs."""
        if self.function is None or not self.function.startswith(RECORDED):
            return None
        return self.function.removeprefix(RECORDED)

    def repeats(self, cases: Sequence[Case], planned: int) -> dict[str, int]:
        """How often each case will be run, by its id; of recorded runs how often it was.

        Raises `InputError` where the store has no such recorded runs.
        """
        traces = self._traces
        if traces is None:
            return {case.id: planned for case in cases}
        return {case.id: len(traces.repeats_of(case)) for case in cases}

    @cached_property
    def _traces(self) -> RecordedTraces | None:
        if self.recorded is None:
            return None
        return RecordedTraces.load(Store.open(self.models.store), self.recorded)

    def check_priced(self) -> None:
        """Raises `PricingError` where a limit in USD could not be kept."""
        if self.version is None or self.models.mode == "replay":
            return
        config = self.version.config
        choice, routing = self.models.chosen(config), self.models.routing(config)
        asked = [(choice.provider, choice.name)]
        asked += [(r.provider, r.model) for r in (routing.routes if routing else ())]
        prices = self.models.prices
        for provider, name in asked:
            if not prices.knows(provider, name):
                raise PricingError(
                    f"--max-cost cannot be kept: {provider}/{name} has no price",
                    remedy="give it a price in prices.yaml",
                )

    def target(self, recorder: Recorder, workspaces: Path, concurrency: int) -> Target:
        """As something that cases can be put to. Raises `ConfigError` where it cannot be."""
        if self._traces is not None:
            return self._traces
        if self.command is not None:
            self._check_command(self.command[0])
            folder, timeout_s = self.suite.path.parent, self.suite.file.timeout_s
            return CommandTarget(self.command, recorder, timeout_s=timeout_s, folder=folder)
        if self.version is None:
            folder = self.suite.path.parent.resolve()
            return CallableTarget.load(str(self.function), recorder, concurrency, folder=folder)
        models = self.models
        choice = models.chosen(self.version.config)
        routing = models.routing(self.version.config)
        return AgentTarget(
            Worker(
                self.version,
                models.gateway(Mode(models.mode), choice, models.cassette, routing),
                recorder,
                models.prices,
                workspaces,
                model_name=None if routing is not None else choice.name,
                provider=None if routing is not None else choice.provider,
            )
        )

    def _check_command(self, program: str) -> None:
        """Raises `ConfigError` for a program that is not there: no outage, and no run will do."""
        beside = self.suite.path.parent / program
        if beside.is_file() if "/" in program else shutil.which(program):
            return
        raise ConfigError(
            f"command: there is no program {program!r}",
            where=str(self.suite.path),
            remedy="name one on the PATH, or by its path from the suite's folder",
        )

    def judge(self, recorder: Recorder) -> Judge | None:
        """The suite's judge, None where it has none."""
        entry = self.suite.file.judge
        return None if entry is None else self._judge(entry, recorder, "judge")

    def second_judge(self, recorder: Recorder) -> Judge | None:
        """The judge that grades a share of the runs again, None where there is none."""
        entry = self.suite.file.judges.second
        return None if entry is None else self._judge(entry, recorder, "second")

    def _judge(self, entry: JudgeEntry, recorder: Recorder, role: str) -> Judge:
        models = self.models
        cassette = self.suite.path.parent / entry.cassette if entry.cassette else None
        return Judge(
            models.gateway(
                Mode(models.mode) if cassette else Mode.LIVE, ModelChoice.of(entry), cassette
            ),
            entry.model,
            entry.provider,
            entry.settings,
            recorder,
            prices=models.prices,
            role=role,
        )


def _agent_path(suite: Suite, chosen: Path | None) -> Path:
    """The folder of a version: as named, or of that name within the suite's agent."""
    named = suite.file.agent
    home = None
    if named is not None:
        beside = suite.path.parent / named
        home = beside if beside.exists() else bundled_agent(Path(named).name)
    if chosen is None:
        if home is None:
            raise ConfigError(
                "the suite names neither an agent nor a target",
                where=str(suite.path),
                remedy="add one, or give --agent or --target",
            )
        return home
    if not chosen.exists() and home is not None and len(chosen.parts) == 1:
        root = home if (home / "current").exists() else home.parent
        if (root / chosen).exists():
            return root / chosen
    return chosen
