"""Which hours are watched, and which reference says what is usual. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from goldspan.evals.monitors.hourly import HOUR_S, Ints
from goldspan.evals.monitors.rules import Rule
from goldspan.tracing.errors import ConfigError

DEFAULT_SPAN = timedelta(days=14)


@dataclass(frozen=True)
class Reference:
    """A reference window and the hours watched against it: [first, before) and [watched, …)."""

    first: int
    before: int
    watched: int
    runs: int


def period(
    since: datetime | None, until: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """The range to check, in UTC: by default the fortnight up to now, in whole hours.

    Raises ConfigError if it ends before it starts.
    """
    end = (until or now).astimezone(UTC)
    start = since.astimezone(UTC) if since else _hour_start(end - DEFAULT_SPAN)
    if start >= end:
        raise ConfigError(
            f"the range ends ({end:%Y-%m-%d %H:%M}) before it starts ({start:%Y-%m-%d %H:%M})",
            remedy="give --since before --until",
        )
    return start, end


def hour_of(at: datetime) -> int:
    """The hour since the epoch that a time lies in."""
    return int(at.timestamp()) // HOUR_S


def time_of(hour: int) -> datetime:
    """When an hour since the epoch starts, in UTC."""
    return datetime.fromtimestamp(hour * HOUR_S, UTC)


def choose_reference(
    hours: Ints, since: int, rule: Rule, *, not_before: int | None = None
) -> Reference | str:
    """The reference window, or why there is none.

    `hours` are those of the runs, one entry a run. The reference is the time before `since`; where
    too little is known of that, the first days of the range itself. `not_before` is when the level
    last changed, as far as that is known: what lies before it is not usual any more.
    """
    length = int(rule.reference_days * 24)
    before = max(since - length, not_before or 0)
    if _enough(hours, before, since, rule):
        return Reference(before, since, since, _runs(hours, before, since))
    inside = hours[hours >= max(since, not_before or 0)]
    if len(inside) == 0:
        return "no runs in this range"
    first = int(inside.min())
    end = first + length
    if not _enough(hours, first, end, rule):
        chosen = hours[(hours >= first) & (hours < end)]
        return (
            f"too little reference: {len(chosen)} runs in {len(np.unique(chosen))} hours from "
            f"{time_of(first):%Y-%m-%d %H:%M} to {time_of(end):%Y-%m-%d %H:%M}; "
            f"{rule.min_reference_runs} runs in {rule.min_reference_hours} hours are needed"
        )
    if int(inside.max()) < end:
        return f"no runs after the reference window, which ends {time_of(end):%Y-%m-%d %H:%M}"
    return Reference(first, end, end, _runs(hours, first, end))


def _enough(hours: Ints, first: int, before: int, rule: Rule) -> bool:
    chosen = hours[(hours >= first) & (hours < before)]
    return (
        len(chosen) >= rule.min_reference_runs
        and len(np.unique(chosen)) >= rule.min_reference_hours
    )


def _runs(hours: Ints, first: int, before: int) -> int:
    return int(((hours >= first) & (hours < before)).sum())


def _hour_start(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
