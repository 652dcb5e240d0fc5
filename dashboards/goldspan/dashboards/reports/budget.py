"""The contract's limits against what was used of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from goldspan.dashboards import display
from goldspan.dashboards.reports.figures import Context, Row, grouped
from goldspan.dashboards.reports.model import TRAFFICS, BudgetLine, Figure, Unit


def _tokens(run: Row) -> float | None:
    known = [run[c] for c in ("input_tokens", "output_tokens") if run[c] is not None]
    return sum(known) if known else None


def _seconds(run: Row) -> float | None:
    return None if run["duration_ms"] is None else float(run["duration_ms"])


# A limit of the contract: what people call it, its unit, and what a run used of it.
_LIMITS: dict[str, tuple[str, Unit, Callable[[Row], float | None]]] = {
    "max_tokens": ("tokens", "tokens", _tokens),
    "max_tool_calls": ("tool calls", "count", lambda run: run["tool_calls"]),
    "max_iterations": ("model calls", "count", lambda run: run["llm_calls"]),
    "max_usd": ("cost as recorded", "usd", lambda run: run["cost_usd"]),
    "max_seconds": ("wall-clock time", "ms", _seconds),
}


def budget(runs: list[Row], context: Context) -> tuple[BudgetLine, ...]:
    """One line a limit and kind of traffic; over several runs it shows the one that used most.

    A share is used / limit; it is unknown where the use is, and a least one where some calls have
    no price. Runs without a contract are left out.
    """
    lines = []
    by_traffic = grouped(runs, context.traffic)
    for traffic in TRAFFICS:
        for key, (name, unit, used_of) in _LIMITS.items():
            held = []
            for run in by_traffic.get(traffic, []):
                limit = _limit(run, key)
                if limit is not None:
                    used = used_of(run)
                    share = None if used is None else _share(used, limit)
                    held.append((run, limit, used, share))
            if not held:
                continue
            run, limit, used, share = max(held, key=lambda h: -1.0 if h[3] is None else h[3])
            missing = key == "max_usd" and bool(run["unpriced_calls"]) and used is not None
            reached = [h[0] for h in held if h[3] is not None and h[3] >= 1]
            lines.append(
                BudgetLine(
                    traffic=traffic,
                    limit_name=name,
                    limit=Figure(limit, unit),
                    used=context.figure(used, [run], unit, at_least=missing),
                    share=Figure(share, "share", at_least=missing),
                    runs=len(held),
                    reached=context.figure(len(reached), reached),
                )
            )
    return tuple(lines)


def terms(run: Row) -> dict[str, str]:
    """What else a run's contract says, beside the limits that `budget` shows."""
    return {
        key.replace("_", " "): display.line(
            ", ".join(map(str, value)) if isinstance(value, list) else value, 400
        )
        for key, value in _contract(run).items()
        if key not in _LIMITS and value not in (None, [], {}, "")
    }


def _contract(run: Row) -> dict[str, Any]:
    found = display.decoded(run["contract"])
    return found if isinstance(found, dict) else {}


def _limit(run: Row, key: str) -> float | None:
    value = _contract(run).get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value * 1000.0 if key == "max_seconds" else value


def _share(used: float, limit: float) -> float:
    if limit <= 0:
        return 1.0
    return used / limit
