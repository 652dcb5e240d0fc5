"""The summary: sums over each kind of traffic, which are never added together."""

from __future__ import annotations

from goldspan.dashboards import display
from goldspan.dashboards.reports.figures import Context, Row
from goldspan.dashboards.reports.model import OUTCOMES, TRAFFICS, Totals, Traffic
from goldspan.dashboards.reports.reading import Rows


def totals(rows: Rows, context: Context) -> tuple[Totals, ...]:
    """One `Totals` for each kind of traffic that is there, real traffic first."""
    return tuple(
        found for traffic in TRAFFICS if (found := _totals(rows, context, traffic)) is not None
    )


def _totals(rows: Rows, context: Context, traffic: Traffic) -> Totals | None:
    def of(found: list[Row]) -> list[Row]:
        return [row for row in found if context.traffic(row) == traffic]

    runs, calls, tools = of(rows.runs), of(rows.model_calls), of(rows.tool_calls)
    approvals, incidents, outside = of(rows.approvals), of(rows.incidents), of(rows.outside)
    if not any((runs, calls, tools, approvals, incidents, outside)):
        return None
    figure, total = context.figure, context.total
    pending = [row for row in approvals if row["status"] == "pending"]
    made = [row for row in runs if _artifacts(row)]
    outcomes = sorted({row["outcome"] for row in runs} - set(OUTCOMES))
    ending = {name: [r for r in runs if r["outcome"] == name] for name in (*OUTCOMES, *outcomes)}
    return Totals(
        traffic=traffic,
        runs=figure(len(runs), runs),
        outcomes={name: figure(len(found), found) for name, found in ending.items()},
        outside_runs=figure(len(outside), outside),
        model_calls=total(calls, "calls"),
        replayed_calls=total(calls, "replayed_calls"),
        tool_calls=total(tools, "calls"),
        tool_errors=total(tools, "errors", span="first_error_span_id"),
        input_tokens=total(calls, "input_tokens", "tokens"),
        output_tokens=total(calls, "output_tokens", "tokens"),
        spent=context.money(calls, "spent_usd", "unspent_calls"),
        as_recorded=context.money(calls, "cost_usd", "unpriced_calls"),
        unpriced_calls=total(calls, "unpriced_calls"),
        approvals=figure(len(approvals), approvals),
        approvals_pending=figure(len(pending), pending),
        incidents=figure(len(incidents), incidents),
        artifacts=figure(sum(_artifacts(row) for row in made), made),
    )


def _artifacts(run: Row) -> int:
    found = display.decoded(run["artifacts"])
    return len(found) if isinstance(found, list) else 0
