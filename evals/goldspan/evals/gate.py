"""The gate: a candidate experiment against a baseline, as one verdict with its evidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any, Literal, TypeAlias

from goldspan.evals.results import CaseRun, Experiment, StepRecord
from goldspan.evals.statistics import Comparison, compare_cases
from goldspan.tracing.errors import InputError

GateVerdict: TypeAlias = Literal["pass", "regression", "inconclusive", "unmeasured", "measured"]
EXIT_CODES: dict[str, int] = {
    "pass": 0,
    "measured": 0,
    "regression": 1,
    "inconclusive": 3,
    "unmeasured": 4,
}


@dataclass(frozen=True)
class Divergence:
    """The first step at which two runs of a case differ; step 1 is the first tool call."""

    step: int
    baseline: str
    candidate: str
    baseline_trace: str | None = None
    candidate_trace: str | None = None


@dataclass(frozen=True)
class CaseChange:
    """One case in both experiments: its pass rates, and where the runs part."""

    case_id: str
    baseline: float
    candidate: float
    tags: tuple[str, ...] = ()
    divergence: Divergence | None = None
    reasons: tuple[str, ...] = ()

    @property
    def difference(self) -> float:
        """Candidate minus baseline."""
        return self.candidate - self.baseline


@dataclass(frozen=True)
class Slice:
    """The pass rates of the cases with one tag."""

    tag: str
    cases: int
    baseline: float
    candidate: float


@dataclass(frozen=True)
class GateResult:
    """The verdict and all that it rests on. `measured` is the verdict without a baseline."""

    verdict: GateVerdict
    candidate: Experiment
    baseline: Experiment | None = None
    comparison: Comparison | None = None
    changes: tuple[CaseChange, ...] = ()
    slices: tuple[Slice, ...] = ()
    left_out: tuple[str, ...] = ()
    unmeasured_share: float = 0.0
    means: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 pass, 1 regression, 3 inconclusive, 4 could not measure."""
        return EXIT_CODES[self.verdict]

    @property
    def flipped(self) -> list[CaseChange]:
        """Cases whose pass rate changed, worst first."""
        return sorted((c for c in self.changes if c.difference), key=lambda c: c.difference)

    def summary(self) -> dict[str, Any]:
        """The verdict as JSON values, without the runs."""
        return {
            "verdict": self.verdict,
            "pass_rate": self.candidate.pass_rate,
            "baseline_pass_rate": self.baseline.pass_rate if self.baseline else None,
            "comparison": asdict(self.comparison) if self.comparison else None,
            "unmeasured_share": self.unmeasured_share,
            "means": self.means,
            "slices": [asdict(each) for each in self.slices],
            "flipped": [{**asdict(c), "difference": c.difference} for c in self.flipped],
            "left_out": list(self.left_out),
        }


def compare_experiments(
    baseline: Experiment | None,
    candidate: Experiment,
    *,
    margin: float = 0.15,
    alpha: float = 0.05,
    max_unmeasured: float = 0.05,
) -> GateResult:
    """Judge a candidate. Only cases whose content is the same in both are compared.

    More than `max_unmeasured` of the candidate's runs unmeasured: *unmeasured*, whatever the rest
    says. Raises `InputError` where the experiments have no case in common.
    """
    share = len(candidate.unmeasured) / len(candidate.runs) if candidate.runs else 1.0
    too_many = share > max_unmeasured or not candidate.measured
    if baseline is None:
        verdict: GateVerdict = "unmeasured" if too_many else "measured"
        return GateResult(
            verdict,
            candidate,
            slices=_slices(_changes(candidate, candidate)),
            unmeasured_share=share,
            means=_means(None, candidate),
        )
    changes, left_out = _changes(baseline, candidate), _left_out(baseline, candidate)
    if not changes and candidate.measured:
        raise InputError(
            f"baseline {baseline.id} and this experiment have no case in common",
            remedy="save a new baseline of this suite with --save-baseline",
        )
    comparison = None
    if changes:
        comparison = compare_cases(
            [c.baseline for c in changes],
            [c.candidate for c in changes],
            margin=margin,
            alpha=alpha,
        )
    return GateResult(
        verdict="unmeasured" if too_many or comparison is None else comparison.verdict,
        candidate=candidate,
        baseline=baseline,
        comparison=comparison,
        changes=tuple(changes),
        slices=_slices(changes),
        left_out=left_out,
        unmeasured_share=share,
        means=_means(baseline, candidate),
    )


def first_divergence(
    baseline: Sequence[CaseRun], candidate: Sequence[CaseRun]
) -> Divergence | None:
    """Where a run that fails now parts from one that passed, taken between the nearest two.

    None where no pair differs in its steps or its end.
    """
    good = [run for run in baseline if run.passed] or list(baseline)
    bad = [run for run in candidate if run.passed is False] or list(candidate)
    pairs = [(_parting(b, c), b, c) for b in good for c in bad]
    real = [(at, b, c) for at, b, c in pairs if at is not None]
    if not real:
        return None
    at, before, after = max(real, key=lambda pair: pair[0])
    return Divergence(at + 1, _step(before, at), _step(after, at), before.trace_id, after.trace_id)


def _parting(first: CaseRun, second: CaseRun) -> int | None:
    one, two = [_key(s) for s in first.steps], [_key(s) for s in second.steps]
    for index in range(max(len(one), len(two))):
        if one[index : index + 1] != two[index : index + 1]:
            return index
    same_end = (first.outcome, first.answer) == (second.outcome, second.answer)
    return None if same_end else len(one)


def _key(step: StepRecord) -> str:
    return json.dumps([step.tool, step.arguments, step.error_type], sort_keys=True, default=str)


def _step(run: CaseRun, index: int) -> str:
    if index < len(run.steps):
        step = run.steps[index]
        arguments = json.dumps(step.arguments, ensure_ascii=False, default=str)
        failed = f" → {step.error_type}" if step.error_type else ""
        return f"{step.tool}({arguments[1:-1]}){failed}"[:200]
    if run.answer is not None:
        return f"answered: {' '.join(run.answer.split())}"[:200]
    return f"ended {run.outcome}"


def _changes(baseline: Experiment, candidate: Experiment) -> list[CaseChange]:
    before, after = _measured_cases(baseline), _measured_cases(candidate)
    changes = []
    for key in sorted(before.keys() & after.keys()):
        old, new = before[key], after[key]
        rates = fmean(bool(r.passed) for r in old), fmean(bool(r.passed) for r in new)
        worse = rates[1] < rates[0]
        changes.append(
            CaseChange(
                key[0],
                *rates,
                tags=new[0].tags,
                divergence=first_divergence(old, new) if worse else None,
                reasons=_reasons(new) if worse else (),
            )
        )
    return changes


def _measured_cases(experiment: Experiment) -> dict[tuple[str, str], list[CaseRun]]:
    cases: dict[tuple[str, str], list[CaseRun]] = {}
    for run in experiment.measured:
        cases.setdefault((run.case_id, run.case_digest), []).append(run)
    return cases


def _reasons(runs: Sequence[CaseRun]) -> tuple[str, ...]:
    said = [f"{s.name}: {s.reason}" for r in runs for s in r.scores if s.passed is False]
    return tuple(dict.fromkeys(said))[:3]


def _left_out(baseline: Experiment, candidate: Experiment) -> tuple[str, ...]:
    before = {run.case_id: run.case_digest for run in baseline.runs}
    after = {run.case_id: run.case_digest for run in candidate.runs}
    told = []
    for case_id in sorted(before.keys() | after.keys()):
        if case_id not in before:
            told.append(f"{case_id}: not in the baseline")
        elif case_id not in after:
            told.append(f"{case_id}: not in this experiment")
        elif before[case_id] != after[case_id]:
            told.append(f"{case_id}: the case has changed")
    return tuple(told)


def _slices(changes: Sequence[CaseChange]) -> tuple[Slice, ...]:
    tags = sorted({tag for change in changes for tag in change.tags})
    slices = []
    for tag in tags:
        some = [change for change in changes if tag in change.tags]
        rates = fmean(c.baseline for c in some), fmean(c.candidate for c in some)
        slices.append(Slice(tag, len(some), *rates))
    return tuple(slices)


def _means(
    baseline: Experiment | None, candidate: Experiment
) -> dict[str, tuple[float | None, float | None]]:
    def mean(experiment: Experiment | None, name: str) -> float | None:
        runs = experiment.measured if experiment else []
        values = [float(len(r.steps)) if name == "tool_calls" else getattr(r, name) for r in runs]
        return None if not values or None in values else fmean(values)

    return {
        name: (mean(baseline, name), mean(candidate, name))
        for name in ("tool_calls", "cost_usd", "duration_ms")
    }
