"""The first diverging step of a case, side by side, with the arguments that differ."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from goldspan.evals.divergence import Divergence
from goldspan.evals.presentation.quoting import Quoted, quoted
from goldspan.evals.results import CaseRun, StepRecord
from goldspan.harness.replay.divergence import called

MOST_ARGUMENTS = 6
CONTEXT = 16  # characters before the first difference of two long texts
ABSENT = Quoted("(not given)")


@dataclass(frozen=True)
class Argument:
    """One argument that differs, by its dotted path; `(not given)` on the side that lacks it."""

    path: Quoted
    baseline: Quoted
    candidate: Quoted


@dataclass(frozen=True)
class StepPair:
    """The step at which two runs part. `baseline` and `candidate` say what was done.

    Where both called one tool, `arguments` are those that differ (at most six, `left_out` more),
    and `same` counts the others.
    """

    step: int
    baseline: Quoted
    candidate: Quoted
    arguments: tuple[Argument, ...] = ()
    left_out: int = 0
    same: int = 0
    baseline_trace: str | None = None
    candidate_trace: str | None = None


def step_pair(
    divergence: Divergence, baseline: Iterable[CaseRun], candidate: Iterable[CaseRun]
) -> StepPair:
    """The diverging step of one case, from its runs where they are at hand, else from its texts."""
    at = divergence.step - 1
    before = _record(at, divergence.baseline, divergence.baseline_trace, baseline)
    after = _record(at, divergence.candidate, divergence.candidate_trace, candidate)
    traces = divergence.baseline_trace, divergence.candidate_trace
    if before is None or after is None or before.tool != after.tool:
        said = _apart(
            _told(before, divergence.baseline),
            _told(after, divergence.candidate),
        )
        return StepPair(divergence.step, *said, baseline_trace=traces[0], candidate_trace=traces[1])
    old, new = _leaves(before.arguments), _leaves(after.arguments)
    paths = list(dict.fromkeys((*old, *new)))
    differ = [path for path in paths if old.get(path) != new.get(path)]
    arguments = tuple(
        Argument(quoted(path, 60), *_apart(old.get(path), new.get(path)))
        for path in differ[:MOST_ARGUMENTS]
    )
    return StepPair(
        divergence.step,
        _named(before),
        _named(after),
        arguments,
        max(0, len(differ) - MOST_ARGUMENTS),
        len(paths) - len(differ),
        *traces,
    )


def _record(at: int, text: str, trace: str | None, runs: Iterable[CaseRun]) -> StepRecord | None:
    """The tool call that a divergence tells of: its text is cut, its arguments are not."""
    found = [
        run.steps[at]
        for run in runs
        if len(run.steps) > at
        and text.startswith(f"{run.steps[at].tool}(")
        and (trace is None or run.trace_id is None or run.trace_id == trace)
    ]
    return max(found, key=lambda step: _agrees(step, text), default=None)


def _agrees(step: StepRecord, text: str) -> bool:
    return text.startswith(called(step)[: len(text)])


def _told(step: StepRecord | None, text: str) -> str:
    if step is None:
        return text
    values = ", ".join(f"{path}: {value}" for path, value in _leaves(step.arguments).items())
    failed = f" → {step.error_type}" if step.error_type else ""
    return f"{step.tool}({values}){failed}"


def _named(step: StepRecord) -> Quoted:
    return quoted(f"{step.tool} → {step.error_type}" if step.error_type else step.tool)


def _leaves(value: Any, path: str = "") -> dict[str, str]:
    """The values within some arguments, by path, each as JSON."""
    if isinstance(value, Mapping) and (value or path):
        inner = {f"{path}.{key}" if path else str(key): each for key, each in value.items()}
    elif isinstance(value, list | tuple):
        inner = {f"{path}[{index}]": each for index, each in enumerate(value)}
    else:
        inner = {}
    if inner:
        return {p: text for key, each in inner.items() for p, text in _leaves(each, key).items()}
    if not path and (value is None or value == {}):
        return {}
    return {path: json.dumps(value, ensure_ascii=False, default=str)}


def _or_absent(text: str | None) -> Quoted:
    return ABSENT if text is None else quoted(text)


def _apart(before: str | None, after: str | None) -> tuple[Quoted, Quoted]:
    """Two texts, both from shortly before they differ where they are long and begin alike."""
    if before is None or after is None:
        return _or_absent(before), _or_absent(after)
    alike = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    if max(len(before), len(after)) <= 80 or alike <= 2 * CONTEXT:
        return quoted(before), quoted(after)
    start = alike - CONTEXT
    return quoted(f"…{before[start:]}"), quoted(f"…{after[start:]}")
