"""What a bisection tried and found, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from goldspan.evals.delta_debugging import Outcome
from goldspan.evals.gate import GateVerdict
from goldspan.harness.agents.diff import Change, VersionDiff

ProbeVerdict: TypeAlias = GateVerdict | Literal["invalid"]
Ending: TypeAlias = Literal["found", "no regression", "inconclusive", "unmeasured", "stopped"]
EXIT_CODES: dict[Ending, int] = {
    "found": 1,
    "no regression": 0,
    "inconclusive": 3,
    "unmeasured": 4,
    "stopped": 4,
}


@dataclass(frozen=True)
class Probe:
    """One version that was measured against GOOD: GOOD with these parts of BAD.

    `verdict` is the gate's, or *invalid* for parts that make no version together; `reason` says why
    it is not conclusive. Effects are differences of pass rates. `kept_runs` of its `runs` were in
    the store already. `cost_usd` is what the new ones cost, None where nobody knows.
    """

    parts: tuple[str, ...]
    verdict: ProbeVerdict
    version: str | None = None
    digest: str | None = None
    experiment: str | None = None
    pass_rate: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    runs: int = 0
    kept_runs: int = 0
    cost_usd: float | None = 0.0
    reason: str | None = None

    @property
    def outcome(self) -> Outcome:
        """What the search is told: only a regression fails, only a pass passes."""
        if self.verdict == "regression":
            return "fail"
        return "pass" if self.verdict == "pass" else "unresolved"


@dataclass(frozen=True)
class BisectResult:
    """The answer: `causes`, each a set of changes that makes a regression of GOOD by itself.

    `rest` is the outcome of BAD without the causes, None where nothing else differs. `probes` are
    in the order they were made, BAD itself first; `baseline` is GOOD's experiment.
    """

    ending: Ending
    diff: VersionDiff
    baseline: str | None
    probes: tuple[Probe, ...]
    causes: tuple[tuple[Change, ...], ...] = ()
    rest: Outcome | None = None
    reason: str | None = None

    @property
    def exit_code(self) -> int:
        """1 a regression and its cause, 0 no regression, 3 inconclusive, 4 not measured."""
        return EXIT_CODES[self.ending]

    @property
    def undecided(self) -> list[Probe]:
        """Probes that told nothing: they may have kept the answer larger than it need be."""
        return [probe for probe in self.probes if probe.outcome == "unresolved"]

    def answer(self) -> list[str]:
        """The answer in sentences, the first of them the answer itself."""
        who = f"{self.diff.old.version} → {self.diff.new.version}"
        if self.ending != "found":
            return [f"{who}: {self.reason or self.ending}."]
        named = [" with ".join(change.part for change in cause) for cause in self.causes]
        if not named:
            return [f"{who}: no change did it alone; a combination did. Try --strategy ddmin."]
        said = [f"{who}: {named[0]} did it."]
        if len(named) > 1:
            said = [f"{who}: {len(named)} causes, each enough by itself: {'; '.join(named)}."]
        if self.rest == "pass":
            said.append("All other changes together pass.")
        elif self.rest == "unresolved":
            said.append("Whether all other changes together pass is not settled.")
        elif self.rest == "fail":
            said.append("The other changes together are a regression too, and none of them alone.")
        if any(len(cause) > 1 for cause in self.causes):
            said.append("Where a cause has several changes, none of them was shown to be enough.")
        if self.undecided:
            said.append(
                f"{len(self.undecided)} probes settled nothing: more repeats or cases may narrow "
                "this down."
            )
        return said

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "schema": "goldspan.bisect/1",
            "ending": self.ending,
            "answer": self.answer(),
            "exit_code": self.exit_code,
            "baseline": self.baseline,
            "causes": [
                [{**asdict(change), "lines": change.lines()} for change in cause]
                for cause in self.causes
            ],
            "rest": self.rest,
            "probes": [{**asdict(probe), "outcome": probe.outcome} for probe in self.probes],
            "diff": self.diff.to_json(),
        }
