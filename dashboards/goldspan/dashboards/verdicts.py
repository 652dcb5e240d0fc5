"""What the gate said about each experiment, read from the events that ended them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goldspan.dashboards.components.text import Fact, Tone
from goldspan.dashboards.display import decoded, known, line
from goldspan.tracing import semconv

VERDICT_TONES: dict[str, Tone] = {
    "pass": "good",
    "regression": "bad",
    "inconclusive": "wait",
    "unmeasured": "wait",
}
_SHOWN_APART = frozenset({"verdict", "baseline", "explanation", "reason", "message"})


@dataclass(frozen=True)
class Verdict:
    """The gate's verdict on an experiment, and the facts that it rests on."""

    verdict: str | None
    baseline: str | None
    explanation: str | None
    facts: list[Fact] = field(default_factory=list)


def read_verdicts(ended: Sequence[Mapping[str, Any]]) -> dict[str, Verdict]:
    """Return the latest verdict of each experiment, by the experiment's id."""
    return {row["experiment_id"]: _verdict(decoded(row["attributes"]) or {}) for row in ended}


def _verdict(attributes: Mapping[str, Any]) -> Verdict:
    told = decoded(attributes.get(semconv.EXPERIMENT_RESULT))
    told = told if isinstance(told, dict) else {}
    explanation = next((told[k] for k in ("explanation", "reason", "message") if told.get(k)), None)
    return Verdict(
        verdict=_text(attributes.get(semconv.VERDICT) or told.get("verdict")),
        baseline=_text(attributes.get(semconv.BASELINE)),
        explanation=_text(explanation),
        facts=[fact for key, value in told.items() if (fact := _fact(key, value))],
    )


def _fact(key: str, value: Any) -> Fact | None:
    if key in _SHOWN_APART or not known(value) or isinstance(value, dict):
        return None
    label = key.replace("_", " ")
    if isinstance(value, list):
        # An interval is a fact; a list of cases stands in the table below.
        numbers = len(value) == 2 and all(_is_number(item) for item in value)
        return (label, f"{_number(value[0])} to {_number(value[1])}") if numbers else None
    return (label, _number(value) if _is_number(value) else line(value, 80))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3g}"


def _text(value: Any) -> str | None:
    return str(value) if value else None
