"""Simulated fortnights: as arrays for the statistics, and once as a store for the whole road."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from goldspan.evals.monitors.hourly import Floats, HourlyCalls, Ints, by_hour
from goldspan.harness.simulator import Plan, Simulation, Traffic, draw, simulate
from goldspan.tracing.store import Store

END = datetime(2026, 11, 21, 6, tzinfo=UTC)
WEEK_H = 168


class Fortnight(NamedTuple):
    """A fortnight as arrays. `start` is its first hour since the epoch; `usd` is a cost per run."""

    start: int
    traffic: Traffic
    hour: Ints
    usd: Floats
    reference: HourlyCalls
    watched: HourlyCalls


def fortnight(plan: Plan, end: datetime = END) -> Fortnight:
    traffic = draw(plan, end)
    start = int(end.timestamp()) // 3600 - plan.days * 24
    hour = (traffic.started_s // 3600).astype(np.int64)
    completed = traffic.outcome == 0
    calls = by_hour(hour[completed], traffic.tool_calls[completed])
    tokens_in = traffic.per_run(traffic.call_input_tokens)
    tokens_out = traffic.per_run(traffic.call_output_tokens)
    usd = (0.15 * tokens_in + 0.60 * tokens_out) / 1e6
    split = start + WEEK_H
    return Fortnight(
        start,
        traffic,
        hour,
        usd,
        calls.between(start, split),
        calls.between(split, start + plan.days * 24),
    )


@pytest.fixture(scope="session")
def arrays() -> Callable[..., Fortnight]:
    return fortnight


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Simulation]:
    """A store with a planted fortnight. Tests that write take a copy."""
    store = Store.open(tmp_path_factory.mktemp("simulated") / "goldspan.duckdb")
    return store, simulate(store, Plan(), end=END)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "goldspan.duckdb")


@pytest.fixture
def end() -> datetime:
    return END
