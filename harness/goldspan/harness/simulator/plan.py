"""What is simulated: how much traffic, with which season, and which changes are planted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from goldspan.tracing.errors import ConfigError

MAX_RUNS = 200_000


@dataclass(frozen=True)
class Drift:
    """From a day on (1 is the first), tool calls per run are multiplied by `factor`, for good."""

    day: int = 10
    factor: float = 1.4


@dataclass(frozen=True)
class Spike:
    """For some hours of one day, runs carry a context that is `context_factor` times as long.

    It starts at that hour of the day (UTC). With the simulated model's prices a context 11 times
    as long makes a run about 8 times as expensive.
    """

    day: int = 6
    hour: int = 13
    hours: int = 4
    context_factor: float = 11.0


@dataclass(frozen=True)
class Plan:
    """A stretch of traffic; `runs_per_day` is the mean over a week, `error_rate` per tool call."""

    seed: int = 12
    days: int = 14
    runs_per_day: float = 85.0
    error_rate: float = 0.03
    drift: Drift | None = Drift()
    spike: Spike | None = Spike()

    def __post_init__(self) -> None:
        """Raises ConfigError for numbers that make no traffic."""
        if not 1 <= self.days <= 366:
            raise ConfigError(f"{self.days} days cannot be simulated", remedy="give 1 to 366")
        if not 0 < self.runs_per_day * self.days <= MAX_RUNS:
            raise ConfigError(
                f"{self.runs_per_day:g} runs a day for {self.days} days cannot be simulated",
                remedy=f"more than 0 and at most {MAX_RUNS} runs in all",
            )
        if not 0 <= self.error_rate < 1:
            raise ConfigError("error_rate must be from 0 to below 1")

    @property
    def stem(self) -> str:
        """What the ids of all its runs begin with; another plan has another one."""
        numbers = json.loads(json.dumps(asdict(self)), parse_int=float)  # 20 a day is 20.0 a day
        text = json.dumps(numbers, sort_keys=True)
        return f"sim-{self.seed}-{hashlib.sha256(text.encode()).hexdigest()[:4]}-"


@dataclass(frozen=True)
class Truth:
    """What was planted, for a monitor to find. None where it was not; times are UTC."""

    drift_started_at: datetime | None = None
    drift_factor: float | None = None
    spike_started_at: datetime | None = None
    spike_ended_at: datetime | None = None


def truth_of(plan: Plan, end: datetime) -> Truth:
    """When the planted changes happen, in traffic that ends at `end`."""
    start = end - timedelta(days=plan.days)
    drift_at = start + timedelta(days=plan.drift.day - 1) if plan.drift else None
    if drift_at is not None and not start <= drift_at < end:
        drift_at = None
    spike_at = spike_end = None
    if plan.spike is not None:
        day = (start + timedelta(days=plan.spike.day - 1)).astimezone(UTC)
        spike_at = day.replace(hour=plan.spike.hour, minute=0, second=0, microsecond=0)
        if spike_at < day:
            spike_at += timedelta(days=1)
        spike_end = spike_at + timedelta(hours=plan.spike.hours)
        if not start <= spike_at < end:
            spike_at = spike_end = None
    return Truth(
        drift_started_at=drift_at,
        drift_factor=plan.drift.factor if plan.drift and drift_at else None,
        spike_started_at=spike_at,
        spike_ended_at=spike_end,
    )
