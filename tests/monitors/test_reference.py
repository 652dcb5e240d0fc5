"""Which window says what is usual, and which finding is the same as one reported before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from goldspan.evals.monitors.findings import Finding
from goldspan.evals.monitors.known import KnownAlert, alert_id_for, last_change
from goldspan.evals.monitors.rules import Rule
from goldspan.evals.monitors.window import Reference, choose_reference, hour_of, period, time_of

AT = datetime(2026, 11, 16, 6, tzinfo=UTC)
RULE = Rule(reference_days=7, min_reference_runs=100, min_reference_hours=48)


def _hours(first: int, before: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.repeat(np.arange(first, before), 2)


def _finding(started: datetime, value: float = 3.0) -> Finding:
    return Finding(
        alert_id="",
        monitor="tool-call-drift",
        agent="desk",
        severity="warning",
        metric="tool calls per run",
        unit="calls",
        value=value,
        baseline=2.0,
        started_at=started,
        detected_at=started,
        ended_at=None,
        runs=10,
        false_alarm_days=365,
        explanation="",
        simulated=False,
    )


def _known(started: datetime, ended: datetime | None = None, agent: str = "desk") -> KnownAlert:
    return KnownAlert("known", "tool-call-drift", agent, started, ended, rises=True)


def test_the_time_before_the_range_is_the_reference() -> None:
    chosen = choose_reference(_hours(0, 400), 300, RULE)
    assert chosen == Reference(first=132, before=300, watched=300, runs=336)


def test_without_it_the_first_days_of_the_range_are() -> None:
    chosen = choose_reference(_hours(290, 600), 280, RULE)
    assert chosen == Reference(first=290, before=458, watched=458, runs=336)


def test_what_lies_before_the_last_change_is_no_reference() -> None:
    chosen = choose_reference(_hours(0, 400), 300, RULE, not_before=200)
    assert isinstance(chosen, Reference)
    assert chosen.first == 200
    late = choose_reference(_hours(0, 600), 300, RULE, not_before=280)
    assert late == Reference(first=300, before=468, watched=468, runs=336)


def test_a_finding_keeps_its_id_while_its_start_moves() -> None:
    moved = _finding(AT + timedelta(hours=20))
    assert alert_id_for(moved, [_known(AT)], simulated=False) == "known"
    far = _finding(AT + timedelta(hours=30))
    other = [_known(AT, agent="other")]
    falls = _finding(AT, value=1.0)
    ids = {
        alert_id_for(far, [_known(AT)], simulated=False),
        alert_id_for(_finding(AT), other, simulated=False),
        alert_id_for(falls, [_known(AT)], simulated=False),
        alert_id_for(_finding(AT), [], simulated=True),
    }
    assert "known" not in ids
    assert len(ids) == 4


def test_the_last_change_is_a_start_or_an_end_before_the_range() -> None:
    day = timedelta(days=1)
    known = [_known(AT - 3 * day, AT - 2 * day), _known(AT + day), _known(AT, agent="other")]
    assert last_change(known, "desk", before=AT) == AT - 2 * day
    assert last_change(known, "desk", before=AT + 2 * day) == AT + day
    assert last_change(known, "desk", before=AT - 5 * day) is None


def test_the_default_range_is_a_fortnight_in_whole_hours() -> None:
    now = datetime(2026, 11, 21, 6, 25, tzinfo=UTC)
    since, until = period(None, None, now)
    assert (since, until) == (datetime(2026, 11, 7, 6, tzinfo=UTC), now)
    assert time_of(hour_of(now)) == now.replace(minute=0)


@pytest.mark.parametrize("hours", [np.array([], dtype=np.int64), np.arange(0, 40)])
def test_too_little_is_said_and_why(hours: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    chosen = choose_reference(hours, 0, RULE)
    assert isinstance(chosen, str)
    assert chosen.startswith(("no runs", "too little reference: 40 runs in 40 hours"))
