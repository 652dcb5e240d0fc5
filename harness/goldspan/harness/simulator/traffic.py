"""Draws the traffic: when runs start, what they are, and what they use. Arrays, no telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from goldspan.harness.simulator.plan import Plan, truth_of
from goldspan.harness.simulator.tasks import KINDS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OUTCOMES = ("completed", "failed", "aborted", "paused")
COMPLETED, FAILED, ABORTED, PAUSED = range(4)
FAILED_SHARE, ABORTED_SHARE, ASKING_SHARE = 0.03, 0.012, 0.07
OPEN_APPROVALS_H = 24  # older requests have been decided
FIRST_INPUT_TOKENS, INPUT_TOKENS_A_STEP, OUTPUT_TOKENS = 1050.0, 260.0, 115.0


@dataclass(frozen=True)
class Traffic:
    """Runs in order of their start; all arrays have one entry a run, except those a call.

    `started_s` is seconds since the epoch. Call arrays hold the model calls of the first run, then
    those of the second, and so on; `first_call[i]` is where run i's begin.
    """

    started_s: Floats
    kind: Ints
    outcome: Ints
    asks: NDArray[np.bool_]
    tool_calls: Ints
    model_calls: Ints
    first_call: Ints
    customer: Ints
    subject: Ints
    call_input_tokens: Ints
    call_output_tokens: Ints
    call_ms: Floats

    @property
    def runs(self) -> int:
        """How many runs."""
        return len(self.started_s)

    def per_run(self, calls: Ints) -> Ints:
        """The sum over each run's calls of an array that has one entry a call."""
        return np.add.reduceat(calls, self.first_call) if self.runs else calls[:0]


def draw(plan: Plan, end: datetime) -> Traffic:
    """The traffic of `plan.days` days up to `end` (UTC). The same seed and `end` give the same."""
    rng = np.random.default_rng([plan.seed, 0x60D5])
    start = end.astimezone(UTC) - timedelta(days=plan.days)
    truth = truth_of(plan, end)
    hours = plan.days * 24
    arrivals = rng.poisson(plan.runs_per_day / 24 * _volume(start, hours))
    hour = np.repeat(np.arange(hours), arrivals)
    within = rng.uniform(0, 3600, hour.size)
    order = np.lexsort((within, hour))
    started_s = start.timestamp() + hour[order] * 3600.0 + within[order]
    runs = started_s.size

    kind = rng.choice(len(KINDS), size=runs, p=[k.share for k in KINDS])
    fate = rng.uniform(size=runs)
    outcome = np.full(runs, COMPLETED)
    outcome[fate < FAILED_SHARE + ABORTED_SHARE] = ABORTED
    outcome[fate < FAILED_SHARE] = FAILED
    asks = (rng.uniform(size=runs) < ASKING_SHARE) & (outcome == COMPLETED)
    outcome[asks & (started_s > end.timestamp() - OPEN_APPROVALS_H * 3600)] = PAUSED

    mean = np.array([k.tool_calls for k in KINDS])[kind] * _effort(started_s)
    if truth.drift_started_at is not None and truth.drift_factor is not None:
        late = started_s >= truth.drift_started_at.timestamp()
        mean = np.where(late, mean * truth.drift_factor, mean)
    tool_calls = 1 + rng.poisson(np.maximum(mean - 1, 0.05))
    model_calls = 1 + (tool_calls + 1) // 2
    first_call = np.concatenate([[0], np.cumsum(model_calls)[:-1]]).astype(np.int64)

    size = rng.lognormal(0, 0.35, runs)
    if truth.spike_started_at is not None and truth.spike_ended_at is not None and plan.spike:
        during = (started_s >= truth.spike_started_at.timestamp()) & (
            started_s < truth.spike_ended_at.timestamp()
        )
        size = np.where(during, size * plan.spike.context_factor, size)
    calls = int(model_calls.sum())
    step = np.arange(calls) - np.repeat(first_call, model_calls)
    context = (FIRST_INPUT_TOKENS + INPUT_TOKENS_A_STEP * step) * np.repeat(size, model_calls)
    call_input_tokens = (context * rng.lognormal(0, 0.08, calls)).astype(np.int64) + 40
    call_output_tokens = (OUTPUT_TOKENS * rng.lognormal(0, 0.4, calls)).astype(np.int64) + 8
    call_ms = 380 + 9.0 * call_output_tokens * rng.lognormal(0, 0.25, calls)
    return Traffic(
        started_s=started_s,
        kind=kind.astype(np.int64),
        outcome=outcome.astype(np.int64),
        asks=asks,
        tool_calls=tool_calls.astype(np.int64),
        model_calls=model_calls.astype(np.int64),
        first_call=first_call,
        customer=rng.integers(100, 400, runs),
        subject=rng.integers(1000, 9000, runs),
        call_input_tokens=call_input_tokens,
        call_output_tokens=call_output_tokens,
        call_ms=call_ms,
    )


def _volume(start: datetime, hours: int) -> Floats:
    """Arrivals of each hour relative to the week's mean: office hours, fewer at weekends."""
    at = [start + timedelta(hours=h) for h in range(hours)]
    weights = _week()
    found: Floats = np.array([weights[t.weekday(), t.hour] for t in at])
    return found


def _week() -> Floats:
    hour = np.arange(24)
    daily = 0.25 + 1.5 * np.exp(-(((hour - 13.5) / 4.2) ** 2))
    weekday = np.array([1.15, 1.2, 1.15, 1.1, 1.0, 0.5, 0.45])
    week: Floats = np.outer(weekday, daily)
    relative: Floats = week / week.mean()
    return relative


def _effort(started_s: Floats) -> Floats:
    """Tool calls per run by hour of day: tasks of the night need some more looking up."""
    hour = started_s / 3600 % 24
    effort: Floats = 1 + 0.08 * np.cos(2 * np.pi * (hour - 2) / 24)
    return effort
