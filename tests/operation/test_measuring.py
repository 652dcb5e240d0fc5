"""What a drill reads out of the store: which calls began too late, and whether it passed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from goldspan.harness.drill import DrillResult, Measured, measured
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store

STOP = 1_800_000_000.0
GOOD = DrillResult(
    runs=3,
    measured=Measured(
        calls=6, last_begun_ms=-5.0, late=0, under_way=3, last_ended_ms=200.0, killed=3
    ),
    held_ms=300.0,
    resumed=3,
)


def test_calls_are_told_by_when_they_began(tmp_path: Path) -> None:
    now = STOP

    def clock() -> int:
        return round(now * 1e9)

    # Begin and end of each call, in seconds after the stop.
    calls = [(-3.0, -2.0), (-0.5, 0.25), (0.9, 0.95), (1.5, 1.75), (4.0, 5.0)]
    with instrument(store=tmp_path / "s.duckdb", batch=False, clock=clock) as telemetry:
        recorder = telemetry.recorder
        for run_id, outcome in (("r", "killed"), ("other", "completed")):
            with recorder.agent("desk", run_id=run_id) as span:
                for begun, ended in calls:
                    now = STOP + begun
                    with recorder.tool("look", arguments={}):
                        now = STOP + ended
                span.set_outcome(outcome)
    store = Store.open(tmp_path / "s.duckdb")
    found = measured(store, ["r"], STOP, STOP + 3.0)
    assert found == Measured(
        calls=4,
        last_begun_ms=1500.0,
        late=1,
        under_way=1,
        last_ended_ms=1750.0,
        killed=1,
    )
    assert measured(store, ["r"], STOP).calls == 5
    assert measured(store, ["none"], STOP) == Measured(0, None, 0, 0, None, 0)


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(GOOD, measured=replace(GOOD.measured, late=1)),
        replace(GOOD, measured=replace(GOOD.measured, killed=2)),
        replace(GOOD, measured=replace(GOOD.measured, calls=0)),
        replace(GOOD, held_ms=None),
        replace(GOOD, resumed=2),
    ],
)
def test_a_drill_passes_only_if_all_of_it_is_well(spoilt: DrillResult) -> None:
    assert GOOD.passed
    assert not spoilt.passed
