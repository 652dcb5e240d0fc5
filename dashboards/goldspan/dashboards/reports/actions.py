"""What is left for people to do, from what the runs asked for and what the store shows."""

from __future__ import annotations

from goldspan.dashboards import display
from goldspan.dashboards.reports.figures import SHOWN_TRACES, Context, Row, grouped
from goldspan.dashboards.reports.lines import by_attention
from goldspan.dashboards.reports.model import (
    TRAFFICS,
    AlertLine,
    CostLine,
    Evidence,
    NextAction,
    Traffic,
)

_UNFINISHED = {"failed", "aborted", "killed"}


def next_actions(
    runs: list[Row],
    approvals: list[Row],
    costs: list[CostLine],
    alerts: list[AlertLine],
    context: Context,
) -> list[NextAction]:
    """What the runs say is to be done, real traffic first; the same text of several runs once.

    Added where the runs do not say it: a pending approval, a run that did not finish, an alert, a
    model without a price.
    """
    asked: list[tuple[Traffic, str, Evidence | None]] = []
    pending = grouped(
        (row for row in approvals if row["status"] == "pending"), lambda row: row["run_id"]
    )
    for run in sorted(runs, key=by_attention):
        told = display.decoded(run["next_actions"])
        texts = [str(text) for text in told] if isinstance(told, list) else []
        waiting = pending.pop(run["run_id"], [])
        if not texts:
            texts = [_decide(row) for row in waiting]
        if not texts and run["outcome"] in _UNFINISHED:
            texts = [f"look at the trace: the run {_ended(run)}"]
        asked += [(context.traffic(run), text, context.evidence(run)) for text in texts]
    for rows in pending.values():
        asked += [(context.traffic(row), _decide(row), context.evidence(row)) for row in rows]
    actions: dict[tuple[Traffic, str], list[Evidence]] = {}
    for traffic, text, evidence in asked:
        found = actions.setdefault((traffic, text), [])
        if evidence is not None and evidence not in found:
            found.append(evidence)
    lines = [
        NextAction(traffic, text, tuple(found[:SHOWN_TRACES]), max(0, len(found) - SHOWN_TRACES))
        for (traffic, text), found in actions.items()
    ]
    lines += [
        NextAction(
            alert.traffic,
            f"look at the {alert.severity or 'unrated'} alert of {alert.monitor}",
            alert.evidence,
        )
        for alert in alerts
    ]
    lines += [
        NextAction(
            cost.traffic,
            f"give {cost.provider or 'an unknown provider'}/{cost.model or 'an unknown model'} "
            f"a price in prices.yaml: {cost.unpriced_calls.text} calls have none",
            cost.unpriced_calls.evidence,
            cost.unpriced_calls.more,
        )
        for cost in costs
        if cost.unpriced_calls.value
    ]
    return sorted(lines, key=lambda line: TRAFFICS.index(line.traffic))


def _decide(row: Row) -> str:
    return f"decide the approval of {row['tool_name'] or row['kind'] or 'a call'}"


def _ended(run: Row) -> str:
    return f"{run['outcome']}: {run['reason']}" if run["reason"] else str(run["outcome"])
