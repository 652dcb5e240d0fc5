"""Alerts of earlier checks: the same cause keeps its id, and a known change moves the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from goldspan.evals.monitors.findings import DRIFT, Finding, new_alert_id

SAME_WITHIN = timedelta(hours=24)  # an estimated start moves a little as data comes in


@dataclass(frozen=True)
class KnownAlert:
    """An alert in the store. Times are UTC; `ended_at` is None while it lasts."""

    alert_id: str
    monitor: str
    agent_name: str | None
    started_at: datetime
    ended_at: datetime | None
    rises: bool | None


def alert_id_for(finding: Finding, known: Sequence[KnownAlert], *, simulated: bool) -> str:
    """The id of the known alert that this finding is, or a new one."""
    rises = finding.value > finding.baseline
    matches = [
        alert
        for alert in known
        if (alert.monitor, alert.agent_name, alert.rises) == (finding.monitor, finding.agent, rises)
        and _distance(finding, alert) <= SAME_WITHIN
    ]
    if matches:
        return min(matches, key=lambda alert: _distance(finding, alert)).alert_id
    return new_alert_id(finding.monitor, finding.agent, simulated, rises, finding.started_at)


def last_change(
    known: Sequence[KnownAlert], agent: str | None, *, before: datetime
) -> datetime | None:
    """When an agent's level of tool calls last changed before a time: a drift's start, or its end.

    What lies before that is no reference for what comes after.
    """
    changes = [
        alert.ended_at or alert.started_at
        for alert in known
        if (alert.monitor, alert.agent_name) == (DRIFT, agent)
    ]
    return max((c for c in changes if c <= before), default=None)


def _distance(finding: Finding, alert: KnownAlert) -> timedelta:
    return abs(finding.started_at.astimezone(UTC) - alert.started_at.astimezone(UTC))
