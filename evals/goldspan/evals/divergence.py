"""Where the runs of a case part: the first step at which one that fails left one that passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from goldspan.evals.results import CaseRun
from goldspan.harness.replay.divergence import parting, step_text


@dataclass(frozen=True)
class Divergence:
    """The first step at which two runs of a case differ; step 1 is the first tool call."""

    step: int
    baseline: str
    candidate: str
    baseline_trace: str | None = None
    candidate_trace: str | None = None


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
    same_end = (first.outcome, first.answer) == (second.outcome, second.answer)
    return parting(first.steps, second.steps, same_end=same_end)


def _step(run: CaseRun, index: int) -> str:
    return step_text(run.steps, index, answer=run.answer, outcome=run.outcome)
