"""What an agent may do alone, from what people decided: which calls they always approve unchanged.

A call is a candidate where the share that was approved unchanged is surely high, not where it was
high a few times: the lower end of its exact interval counts. The interval takes decisions as
independent, and a reviewer's attention for granted: it says how people decided, not whether they
looked.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from goldspan.evals.queries import sql
from goldspan.evals.statistics import Estimate
from goldspan.evals.statistics.exact import clopper_pearson, unbroken_needed
from goldspan.tracing.store import Store

Advice: TypeAlias = Literal["loosen", "loosen below", "keep", "more history", "tighten"]
MOST_BOUNDS = 12
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Bound:
    """Calls whose `argument` is at most `limit`, and how often they were approved unchanged."""

    argument: str
    limit: float
    unchanged: Estimate


@dataclass(frozen=True)
class ToolHistory:
    """What people decided about one agent's calls of one tool.

    `unchanged` estimates the share approved as proposed, `right` the share of calls that went by
    themselves and were right, of those that somebody looked at; None where there are none.
    `needed` is how many more in a row would have to be approved unchanged to make it a candidate.
    `bound` is the widest limit of an argument below which it is one.
    """

    agent: str
    tool: str
    decided: int
    edited: int
    denied: int
    reviewers: int
    versions: tuple[str, ...]
    let_go: int
    unchanged: Estimate | None
    right: Estimate | None
    bound: Bound | None
    needed: int | None
    advice: Advice


def autonomy(
    store: Store, *, since: datetime | None = None, at_least: float = 0.95, alpha: float = 0.05
) -> list[ToolHistory]:
    """The history of every agent and tool about which people decided, or which a rule let go.

    Simulated traffic and experiments are left out. `at_least` is the share of unchanged approvals
    that a candidate surely has, with confidence `1 - alpha / 2`.
    """
    decisions = store.rows(sql("human_decisions"), {"since": since})
    let_go = store.rows(sql("calls_let_go"), {"since": since})
    return histories(decisions, let_go, at_least=at_least, alpha=alpha)


def histories(
    decisions: Sequence[Row], let_go: Sequence[Row], *, at_least: float, alpha: float
) -> list[ToolHistory]:
    """The same from rows of human_decisions.sql and calls_let_go.sql, by agent and tool."""
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in decisions:
        grouped[_key(row)].append(row)
    alone = {_key(row): row for row in let_go}
    return [
        _history(key, grouped.get(key, []), alone.get(key), at_least, alpha)
        for key in sorted({*grouped, *alone})
    ]


def _key(row: Row) -> tuple[str, str]:
    return str(row["agent_name"] or ""), str(row["tool_name"] or "")


def _history(
    key: tuple[str, str], rows: Sequence[Row], alone: Row | None, at_least: float, alpha: float
) -> ToolHistory:
    approved = sum(row["decision"] == "approve" for row in rows)
    unchanged = clopper_pearson(approved, len(rows), alpha) if rows else None
    right = None
    if alone is not None and alone["looked_at"]:
        good = alone["looked_at"] - alone["found_wrong"]
        right = clopper_pearson(good, alone["looked_at"], alpha)
    bound = None
    if unchanged is not None and unchanged.low < at_least:
        bound = _widest(rows, at_least, alpha)
    needed = None
    if unchanged is not None and unchanged.low < at_least:
        needed = unbroken_needed(approved, len(rows), at_least, alpha)
    reviewers = {name for row in rows for name in str(row["reviewer"] or "").split(", ") if name}
    return ToolHistory(
        agent=key[0],
        tool=key[1],
        decided=len(rows),
        edited=sum(row["decision"] == "edit" for row in rows),
        denied=sum(row["decision"] == "deny" for row in rows),
        reviewers=len(reviewers),
        versions=tuple(sorted({str(row["agent_version"] or "") for row in rows})),
        let_go=0 if alone is None else int(alone["let_go"]),
        unchanged=unchanged,
        right=right,
        bound=bound,
        needed=needed,
        advice=_advice(unchanged, right, bound, at_least),
    )


def _advice(
    unchanged: Estimate | None, right: Estimate | None, bound: Bound | None, at_least: float
) -> Advice:
    if right is not None and right.estimate < at_least:
        return "tighten"
    if unchanged is None:
        return "keep"
    if unchanged.low >= at_least:
        return "loosen"
    if bound is not None:
        return "loosen below"
    return "keep" if unchanged.high < at_least else "more history"


def _widest(rows: Sequence[Row], at_least: float, alpha: float) -> Bound | None:
    """The widest limit of a numeric argument below which calls surely are approved unchanged.

    Limits are chosen by the arguments alone, never by what was decided, and `alpha` is shared out
    among all that are tried (Bonferroni).
    """
    by_name: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for row in rows:
        for name, value in _numbers(row["arguments"]):
            by_name[name].append((value, row["decision"] == "approve"))
    # An argument that some calls do not state limits nothing.
    whole = {name: pairs for name, pairs in by_name.items() if len(pairs) == len(rows)}
    tried = [(name, limit) for name, pairs in whole.items() for limit in _limits(pairs)]
    found = []
    for name, limit in tried:
        below = [approved for value, approved in whole[name] if value <= limit]
        share = clopper_pearson(sum(below), len(below), alpha / len(tried))
        if share.low >= at_least:
            found.append(Bound(name, limit, share))
    return max(found, key=lambda bound: bound.unchanged.n, default=None)


def _limits(pairs: Sequence[tuple[float, bool]]) -> list[float]:
    """At most `MOST_BOUNDS` limits, which part the calls evenly; not the one that holds for all."""
    values = sorted(value for value, _ in pairs)
    places = (math.ceil(len(values) * k / (MOST_BOUNDS + 1)) - 1 for k in range(1, MOST_BOUNDS + 1))
    return sorted({values[max(place, 0)] for place in places} - {values[-1]})


def _numbers(arguments: Any) -> list[tuple[str, float]]:
    try:
        known = json.loads(arguments)
    except (TypeError, ValueError):
        return []
    if not isinstance(known, dict):
        return []
    return [
        (str(name), float(value))
        for name, value in known.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    ]
