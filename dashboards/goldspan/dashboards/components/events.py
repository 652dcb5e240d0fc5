"""Events of a run as people read them: decisions, guard verdicts, approvals, and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from goldspan.dashboards.components import text
from goldspan.dashboards.display import decoded, duration, known, moment, plain, pretty
from goldspan.tracing import semconv

_PREFIX = "goldspan."
# They say which run an event belongs to, which the page around it says already.
_CONTEXT = frozenset(
    {
        semconv.RUN_ID,
        semconv.RUN_ATTEMPT,
        semconv.BATCH_ID,
        semconv.AGENT_NAME,
        semconv.AGENT_VERSION,
        semconv.AGENT_DIGEST,
        semconv.CONVERSATION_ID,
        semconv.SIMULATED,
        semconv.EVENT_ID,
        semconv.EXPERIMENT_ID,
        semconv.SUITE,
        semconv.SUITE_DIGEST,
        semconv.CASE_ID,
        semconv.CASE_DIGEST,
        semconv.CASE_REPEAT,
    }
)
_FIRST = ("chosen", "name", "verdict", "decision", "kind", "tool", "severity", "outcome")
_TONES: dict[str, text.Tone] = {
    "allow": "good",
    "approve": "good",
    "completed": "good",
    "edit": "wait",
    "pause": "wait",
    "paused": "wait",
    "deny": "bad",
    "stop": "bad",
    "failed": "bad",
    "aborted": "bad",
}
_BADGES = frozenset({"verdict", "decision", "outcome", "severity"})
_SHORT = 80


def events(rows: Sequence[Mapping[str, Any]]) -> None:
    """Show events in the order in which they happened, each with all that it says."""
    if not rows:
        st.caption("No events belong to this span.")
    for row in rows:
        name = str(row["event_name"] or "log record").removeprefix(_PREFIX)
        with st.container(border=True, gap="small"):
            text.heading(name.replace(".", " "), small=True)
            st.caption(f"{moment(row['observed_at'])} UTC")
            _fields(decoded(row["attributes"]))
            if known(row["body"]) and row["body"] != "":
                text.document(pretty(decoded(row["body"])), is_json=True)


def judgements(rows: Sequence[Mapping[str, Any]]) -> None:
    """Show evaluation results: score, label, verdict and explanation of each scorer."""
    if not rows:
        st.caption("Nothing was judged here.")
    for row in rows:
        if row["unmeasured"]:
            verdict: tuple[str, text.Tone] = ("not measured", "wait")
        elif row["passed"] is None:
            verdict = (str(row["label"] or "scored"), "")
        else:
            verdict = ("passed", "good") if row["passed"] else ("not passed", "bad")
        with st.container(border=True, gap="small"):
            text.heading(str(row["name"]), verdict, small=True)
            facts: list[text.Fact] = []
            if known(row["score"]):
                facts.append(("Score", f"{float(row['score']):.3g}"))
            facts += [
                (label, str(row[key]))
                for label, key in (("Label", "label"), ("Judged by", "evaluator"))
                if row[key]
            ]
            text.facts(facts)
            if row["explanation"]:
                text.passage(str(row["explanation"]))


def _fields(attributes: Any) -> None:
    if not isinstance(attributes, Mapping):
        return
    said = {
        key.removeprefix(_PREFIX): decoded(value)
        for key, value in attributes.items()
        if key not in _CONTEXT and value is not None
    }
    facts: list[text.Fact] = []
    longer: list[tuple[str, Any]] = []
    for key in sorted(said, key=_order):
        value = said[key]
        label = key.rsplit(".", 1)[-1]
        if label == "wait_ms":
            facts.append(("waited", duration(value)))
        elif label in _BADGES:
            facts.append((label, str(value), _TONES.get(str(value), "")))
        elif isinstance(value, dict | list) or len(str(value)) > _SHORT:
            longer.append((label, value))
        else:
            facts.append((label.replace("_", " "), str(value)))
    text.facts(facts)
    for label, value in longer:
        st.caption(plain(label.replace("_", " ")))
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            text.passage("\n".join(f"• {item}" for item in value))
        elif isinstance(value, dict | list):
            text.document(pretty(value), is_json=True)
        else:
            text.passage(str(value))


def _order(key: str) -> tuple[int, str]:
    label = key.rsplit(".", 1)[-1]
    return (_FIRST.index(label) if label in _FIRST else len(_FIRST), label)
