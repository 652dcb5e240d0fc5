"""Simulates into a store by the road that all telemetry takes: OTLP bytes, decoded, ingested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from goldspan.harness.simulator.encode import requests_of
from goldspan.harness.simulator.plan import Plan, Truth, truth_of
from goldspan.harness.simulator.script import runs_of
from goldspan.harness.simulator.traffic import draw
from goldspan.tracing.otlp import decode
from goldspan.tracing.store import Store

RUNS_A_REQUEST = 800


@dataclass(frozen=True)
class Simulation:
    """What was simulated. `stored_*` count what was not in the store before."""

    plan: Plan
    started_at: datetime
    ended_at: datetime
    truth: Truth
    runs: int
    stored_spans: int
    stored_events: int


def last_hour() -> datetime:
    """The start of the hour that it is now, in UTC."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def simulate(
    store: Store,
    plan: Plan | None = None,
    *,
    end: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Put simulated traffic up to `end` (default: the last full hour) into a store.

    Everything is labelled `goldspan.simulated`. The same plan and end again store nothing twice.
    `progress` is told how many runs of how many are stored. Raises what `Store.ingest` raises.
    """
    plan = plan or Plan()
    end = (end or last_hour()).astimezone(UTC)
    traffic = draw(plan, end)
    runs = runs_of(traffic, plan, end)
    spans = events = done = 0
    while chunk := list(islice(runs, RUNS_A_REQUEST)):
        for body in requests_of(chunk):
            result = store.ingest(decode(body, name="simulator"))
            spans += result.stored_spans
            events += result.stored_events
        done += len(chunk)
        if progress is not None:
            progress(done, traffic.runs)
    return Simulation(
        plan=plan,
        started_at=datetime.fromtimestamp(end.timestamp() - plan.days * 86_400, UTC),
        ended_at=end,
        truth=truth_of(plan, end),
        runs=traffic.runs,
        stored_spans=spans,
        stored_events=events,
    )
