"""What the gate said about each experiment, read from the events that ended them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goldspan.dashboards.components.text import Fact, Tone
from goldspan.dashboards.display import decoded
from goldspan.tracing import semconv

VERDICT_TONES: dict[str, Tone] = {
    "pass": "good",
    "regression": "bad",
    "inconclusive": "wait",
    "unmeasured": "wait",
}


@dataclass(frozen=True)
class Parting:
    """The first step at which a failing run of a case left the way of a run that passed."""

    step: int
    baseline: str
    candidate: str
    baseline_trace: str | None
    candidate_trace: str | None


@dataclass(frozen=True)
class Verdict:
    """The gate's verdict on an experiment, the facts that it rests on, and the partings by case."""

    verdict: str | None
    baseline: str | None
    explanation: str | None
    facts: list[Fact] = field(default_factory=list)
    partings: dict[str, Parting] = field(default_factory=dict)


def read_verdicts(ended: Sequence[Mapping[str, Any]]) -> dict[str, Verdict]:
    """Return the latest verdict of each experiment, by the experiment's id."""
    return {row["experiment_id"]: _verdict(decoded(row["attributes"]) or {}) for row in ended}


def _verdict(attributes: Mapping[str, Any]) -> Verdict:
    told = decoded(attributes.get(semconv.EXPERIMENT_RESULT))
    told = told if isinstance(told, dict) else {}
    flipped = told.get("flipped")
    return Verdict(
        verdict=_text(attributes.get(semconv.VERDICT) or told.get("verdict")),
        baseline=_text(attributes.get(semconv.BASELINE)),
        explanation=_text(told.get("explanation")),
        facts=_facts(told.get("comparison")),
        partings={
            str(case["case_id"]): parting
            for case in (flipped if isinstance(flipped, list) else [])
            if isinstance(case, dict) and (parting := _parting(case.get("divergence")))
        },
    )


def _facts(comparison: Any) -> list[Fact]:
    """The comparison over cases, in percentage points; nothing where there was no baseline."""
    if not isinstance(comparison, dict):
        return []
    points = {
        key: 100 * value
        for key, value in comparison.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    facts: list[Fact] = []
    if {"effect", "low", "high"} <= points.keys():
        low, high = max(points["low"], -100.0), min(points["high"], 100.0)
        facts.append(("Effect", f"{points['effect']:+.1f} points ({low:+.1f} to {high:+.1f})"))
    if "margin" in points:
        facts.append(("Margin", f"{-points['margin']:.0f} points"))
    if 0 < points.get("mde", 0) <= 100:
        facts.append(("Found 4 times in 5", f"a loss of {points['mde']:.0f} points"))
    if "p_value" in points:
        facts.append(("p for harm", f"{points['p_value'] / 100:.3g}"))
    return facts


def _parting(told: Any) -> Parting | None:
    if not isinstance(told, dict):
        return None
    step, before, after = (told.get(key) for key in ("step", "baseline", "candidate"))
    if not isinstance(step, int) or before is None or after is None:
        return None
    return Parting(
        step,
        str(before),
        str(after),
        _text(told.get("baseline_trace")),
        _text(told.get("candidate_trace")),
    )


def _text(value: Any) -> str | None:
    return str(value) if value else None
