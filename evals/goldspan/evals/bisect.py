"""`goldspan bisect`: between two agent versions, which change made it worse.

Versions between the two are made of the good one and some of the bad one's changes, each is an
experiment of its own, and the gate against the good one is the oracle of a delta debugging search.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from goldspan.evals.agent_promotion import RunSession, measure_version, run_plainly
from goldspan.evals.bisect_result import BisectResult, Ending, Probe
from goldspan.evals.delta_debugging import (
    Causes,
    Outcome,
    each_alone,
    find_causes,
    most_probes,
    probes_if_one,
)
from goldspan.evals.gate import GateResult
from goldspan.evals.history import finished_runs
from goldspan.evals.results import CaseRun, Experiment
from goldspan.evals.session import EvalOptions, EvalResult
from goldspan.evals.suite import Suite
from goldspan.harness.agents.diff import diff_versions
from goldspan.harness.agents.mix import check_tools_exist, mix_versions
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.models.gateway import ModelChoice
from goldspan.tracing.errors import ConfigError, InputError, PricingError
from goldspan.tracing.pricing import Prices, prices_path
from goldspan.tracing.store import Store

Strategy: TypeAlias = Literal["ddmin", "each"]
Announce: TypeAlias = Callable[[Probe], None]


class _Stopped(Exception):
    """The limit of costs does not allow another probe."""


@dataclass
class Bisection:
    """A search, checked before anything runs. `options` are those of each experiment.

    `fresh` runs again what an earlier bisection has measured. Raises `ConfigError` where the
    versions do not differ, `PricingError` where `max_cost_usd` could not be kept.
    """

    good: AgentVersion
    bad: AgentVersion
    suite: Suite
    options: EvalOptions
    strategy: Strategy = "ddmin"
    hunks: bool = False
    max_cost_usd: float | None = None
    fresh: str | None = None
    run_session: RunSession = run_plainly
    announce: Announce = lambda probe: None
    probes: dict[frozenset[str], Probe] = field(default_factory=dict, init=False)
    spent_usd: float = field(default=0.0, init=False)
    _dearest: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Compare the versions."""
        self.diff = diff_versions(self.good, self.bad, hunks=self.hunks)
        self.parts = [change.part for change in self.diff.changes]
        if not self.parts:
            raise ConfigError(
                "they differ only in comments and layout"
                if self.diff.only_layout
                else "they are the same: same digest",
                where=f"{self.good.version} and {self.bad.version}",
                remedy="name two versions that differ",
            )
        self._callable = bool(self.options.target or self.suite.file.target)
        if not self._callable:
            for version in (self.good, self.bad):
                check_tools_exist(version)
        if self.max_cost_usd is not None:
            self._check_prices()

    @property
    def plan(self) -> list[str]:
        """What will be run, in sentences."""
        cases = self.suite.case_set.select(
            ids=list(self.options.case_ids) or None, tags=list(self.options.tags) or None
        )
        repeats = self.options.repeats or self.suite.file.repeats
        n = len(self.parts)
        said = [
            f"{_counted(n, 'change')} from {self.good.version} to "
            f"{self.bad.version}: {', '.join(self.parts)}.",
            f"Experiments of at least {_counted(len(cases) * repeats, 'run')} "
            f"({_counted(len(cases), 'case')}, {_counted(repeats, 'repeat')}): 2 for the two "
            "versions",
        ]
        if n == 1:
            said[1] += "; there is only one change that can have done it."
        elif self.strategy == "each":
            said[1] += f", then {n}, each change alone, and 1 for the rest."
        else:
            said[1] += (
                f", then some {probes_if_one(n)} if one change did it, "
                f"at most {most_probes(n)} to find one cause."
            )
        return said

    def run(self) -> BisectResult:
        """Measure GOOD and BAD, then search. Raises what `EvalSession` raises for these two."""
        with tempfile.TemporaryDirectory(prefix="goldspan-bisect-") as folder:
            self._folder = Path(folder)
            self._baseline: str | None = None
            before = self._measure(self.good)
            self._baseline = before.experiment.id
            if before.gate.verdict == "unmeasured":
                reason = f"{self.good.version} could not be measured: {_missing(before.experiment)}"
                return self._result("unmeasured", reason=reason)
            try:
                worse = self._probe(frozenset(self.parts))
                if worse.outcome != "fail":
                    return self._no_regression(worse)
                return self._found(self._search())
            except _Stopped as stop:
                return self._result("stopped", reason=str(stop))

    def _search(self) -> Causes:
        def oracle(parts: frozenset[str]) -> Outcome:
            return self._probe(parts).outcome

        if len(self.parts) == 1:
            return Causes(((self.parts[0],),), None)
        return (find_causes if self.strategy == "ddmin" else each_alone)(self.parts, oracle)

    def _probe(self, parts: frozenset[str]) -> Probe:
        """The verdict on one version; each is asked for once."""
        if parts in self.probes:
            return self.probes[parts]
        named = tuple(part for part in self.parts if part in parts)
        try:
            version = mix_versions(self.diff, parts, self._folder)
            if not self._callable:
                check_tools_exist(version)
        except (ConfigError, InputError) as error:
            probe = Probe(named, "invalid", reason=error.message)
        else:
            gate = self._measure(version).gate
            probe = self._told(named, version, gate)
        self.probes[parts] = probe
        self.announce(probe)
        return probe

    def _measure(self, version: AgentVersion) -> EvalResult:
        """The experiment of a version, gone on with where the store has some of it."""
        self._check_budget()
        name = self._experiment_id(version)
        self._known = {_key(run) for run in self._stored_runs(name)}
        left = None if self.max_cost_usd is None else self.max_cost_usd - self.spent_usd
        options = replace(
            self.options,
            experiment_id=name,
            resume=True,
            baseline=self._baseline,
            agent=None,
            max_cost_usd=left,
        )
        result = measure_version(version, self.suite, options, self.run_session)
        cost = self._new_cost(result.experiment)
        if cost is None and self.max_cost_usd is not None:
            raise PricingError(
                "nobody knows what its runs cost, so --max-cost cannot be kept",
                where=f"experiment {name}",
                remedy="give the model a price in prices.yaml, or leave out --max-cost",
            )
        self.spent_usd += cost or 0.0
        self._dearest = max(self._dearest, cost or 0.0)
        return result

    def _told(self, parts: tuple[str, ...], version: AgentVersion, gate: GateResult) -> Probe:
        experiment, comparison = gate.candidate, gate.comparison
        reason = None
        if gate.verdict == "unmeasured":
            reason = _missing(experiment)
        elif gate.verdict == "inconclusive" and comparison is not None:
            more = comparison.cases_needed
            reason = f"some {more} cases like these would settle it" if more else None
        return Probe(
            parts,
            gate.verdict,
            version=version.version,
            digest=version.digest,
            experiment=experiment.id,
            pass_rate=experiment.pass_rate,
            effect=comparison.effect if comparison else None,
            low=comparison.low if comparison else None,
            high=comparison.high if comparison else None,
            runs=len(experiment.runs),
            kept_runs=sum(_key(run) in self._known for run in experiment.runs),
            cost_usd=self._new_cost(experiment),
            reason=reason,
        )

    def _no_regression(self, worse: Probe) -> BisectResult:
        if worse.verdict == "pass":
            return self._result("no regression", reason="the gate lets it pass: nothing to explain")
        if worse.verdict == "unmeasured":
            return self._result("unmeasured", reason=f"it could not be measured: {worse.reason}")
        reason = "it is not settled that there is a regression"
        return self._result(
            "inconclusive", reason=f"{reason}; {worse.reason}" if worse.reason else reason
        )

    def _found(self, found: Causes) -> BisectResult:
        by_part = {change.part: change for change in self.diff.changes}
        causes = tuple(tuple(by_part[part] for part in cause) for cause in found.causes)
        return replace(self._result("found"), causes=causes, rest=found.rest)

    def _result(self, ending: Ending, *, reason: str | None = None) -> BisectResult:
        return BisectResult(
            ending, self.diff, self._baseline, tuple(self.probes.values()), reason=reason
        )

    def _experiment_id(self, version: AgentVersion) -> str:
        """The same for the same version, cases and way of running: so a probe is found again."""
        options = self.options
        deciding = (
            version.digest,
            self.suite.digest,
            options.repeats or self.suite.file.repeats,
            options.case_ids,
            options.tags,
            options.seed,
            options.mode,
            options.model,
            options.base_url,
            options.target,
            self.fresh,
        )
        digest = hashlib.sha256(repr(deciding).encode()).hexdigest()[:12]
        return f"bisect-{self.suite.name}-{digest}"

    def _stored_runs(self, experiment: str) -> list[CaseRun]:
        if not self.options.store.exists():
            return []
        return finished_runs(Store.open(self.options.store), experiment)

    def _new_cost(self, experiment: Experiment) -> float | None:
        spent = [run.spent_usd for run in experiment.measured if _key(run) not in self._known]
        known = [usd for usd in spent if usd is not None]
        return sum(known) if len(known) == len(spent) else None

    def _check_budget(self) -> None:
        limit = self.max_cost_usd
        if limit is not None and self.spent_usd + self._dearest > limit:
            raise _Stopped(
                f"stopped: ${self.spent_usd:.4g} of --max-cost ${limit:.4g} are spent and the next "
                f"experiment may cost ${self._dearest:.4g}; the same command with more goes on"
            )

    def _check_prices(self) -> None:
        if self._callable or self.options.mode == "replay":
            return
        prices = Prices.load(prices_path(self.options.store))
        for version in (self.good, self.bad):
            asked = ModelChoice.of(
                version.config, self.options.model, base_url=self.options.base_url
            )
            if not prices.knows(asked.provider, asked.name):
                raise PricingError(
                    f"--max-cost cannot be kept: {asked.provider}/{asked.name} has no price",
                    remedy="give it a price in prices.yaml",
                )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _key(run: CaseRun) -> tuple[str, str, int]:
    return run.case_id, run.case_digest, run.repeat


def _missing(experiment: Experiment) -> str:
    runs = experiment.unmeasured
    if not runs:
        return "no run was measured"
    return f"{len(runs)} of {len(experiment.runs)} runs; the first: {runs[0].error}"
