"""Builds a report from the store's rows. Pure: the same rows give the same report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from goldspan.dashboards.reports.actions import next_actions
from goldspan.dashboards.reports.budget import budget, terms
from goldspan.dashboards.reports.failures import repeated_failures
from goldspan.dashboards.reports.figures import Context, Row
from goldspan.dashboards.reports.lines import (
    alert_lines,
    approval_lines,
    artifact_lines,
    by_attention,
    cost_lines,
    experiment_lines,
    incident_lines,
    run_line,
    tool_lines,
)
from goldspan.dashboards.reports.model import TRAFFICS, Report, Traffic
from goldspan.dashboards.reports.reading import Rows, Scope
from goldspan.dashboards.reports.totals import totals

MOST_LINES = 100
Line = TypeVar("Line")


def build(scope: Scope, rows: Rows, *, dashboard_url: str) -> Report:
    """The report of `scope`. Long lists are cut, and say so.

    In a period's lists the runs of experiments are left out, since their pauses and stops are what
    cases ask for; the summary counts them apart.
    """
    known = Context(rows.known_traces, {})
    traffic: dict[str, Traffic] = {r["run_id"]: known.traffic(r) for r in rows.runs}
    context = Context(rows.known_traces, traffic)
    left_out: dict[str, str] = {}

    def listed(name: str, found: list[Row]) -> list[Row]:
        if scope.kind != "period":
            return found
        kept = [row for row in found if context.traffic(row) != "experiment"]
        if len(kept) < len(found):
            left_out[name] = f"{len(found) - len(kept):,} of experiments are not listed"
        return kept

    def cut(name: str, found: Sequence[Line]) -> tuple[Line, ...]:
        if len(found) > MOST_LINES:
            more = f"{len(found) - MOST_LINES:,} more are not shown"
            left_out[name] = f"{left_out[name]}; {more}" if name in left_out else more
        return tuple(found[:MOST_LINES])

    unspent: Counter[str] = Counter()
    for row in rows.model_calls:
        unspent[row["run_id"]] += row["unspent_calls"]
    runs = listed("runs", rows.runs)
    failed = listed("failures", rows.tool_failures)
    approvals = listed("approvals", rows.approvals)
    costs = cost_lines(rows.model_calls, context)
    alerts = alert_lines(rows.alerts, context)
    artifacts = artifact_lines(listed("artifacts", rows.artifacts), context)
    in_order = sorted(runs, key=lambda r: (TRAFFICS.index(context.traffic(r)), *by_attention(r)))
    lines = [run_line(run, context, unspent[run["run_id"]]) for run in in_order]
    single = scope.kind == "run"
    return Report(
        kind=scope.kind,
        subject=scope.run or scope.batch or "",
        since=scope.since,
        until=scope.until,
        totals=totals(rows, context),
        run=lines[0] if single else None,
        terms=terms(runs[0]) if single else {},
        budget=budget(runs, context),
        approvals=cut("approvals", approval_lines(approvals, context)),
        incidents=cut("incidents", incident_lines(listed("incidents", rows.incidents), context)),
        artifacts=cut("artifacts", artifacts),
        tools=cut("tools", tool_lines(rows.tool_calls, context)),
        costs=cut("cost", costs),
        experiments=cut("experiments", experiment_lines(rows.experiments, context)),
        alerts=cut("alerts", alerts),
        runs=() if single else cut("runs", lines),
        next_actions=cut("next_actions", next_actions(runs, approvals, costs, alerts, context)),
        left_out=left_out,
        dashboard_url=dashboard_url,
        failures=cut("failures", repeated_failures(failed, runs, context)),
        day=scope.day,
    )
