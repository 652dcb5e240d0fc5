"""Simulates into a store by the road that all telemetry takes: OTLP bytes, decoded, ingested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from itertools import islice

from goldspan.harness.simulator.encode import requests_of
from goldspan.harness.simulator.plan import Plan, Truth, truth_of
from goldspan.harness.simulator.script import END_FORMAT, runs_of
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


def earlier_end(store: Store, plan: Plan) -> datetime | None:
    """Where this plan's traffic in the store ends, or None if it holds none. UTC."""
    question = files(__package__).joinpath("earlier_run.sql").read_text("utf-8")
    (row,) = store.rows(question, {"stem": plan.stem})
    if row["run_id"] is None:
        return None
    end = str(row["run_id"]).removeprefix(plan.stem).partition("-")[0]
    return datetime.strptime(end, END_FORMAT).replace(tzinfo=UTC)


def simulate(
    store: Store,
    plan: Plan | None = None,
    *,
    end: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Put simulated traffic up to `end`, a whole minute, into a store.

    By default it ends where this plan's traffic in the store ends, else at the last full hour: a
    second fortnight on top of the first would double all volumes, and what was planted with them.
    Everything is labelled `goldspan.simulated`. The same plan and end again store nothing twice.
    `progress` is told how many runs of how many are stored. Raises what `Store.ingest` raises.
    """
    plan = plan or Plan()
    end = (end or earlier_end(store, plan) or last_hour()).astimezone(UTC)
    end = end.replace(second=0, microsecond=0)
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
