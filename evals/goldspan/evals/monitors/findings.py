"""What a check says: findings, what was measured, and what could not be."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

RuleName: TypeAlias = Literal["tool-call-drift", "cost-spike"]
DRIFT: RuleName = "tool-call-drift"
SPIKE: RuleName = "cost-spike"


@dataclass(frozen=True)
class Finding:
    """One drift or spike: which metric, since when, how much against what, and which runs show it.

    Times are UTC. `detected_at` is when the data first sufficed for an alarm; `ended_at` is None
    while it lasts. `value` and `baseline` are in `unit`. `run_ids` are the runs that show it best,
    and `trace_ids` their traces.
    """

    alert_id: str
    monitor: RuleName
    agent: str | None
    severity: Literal["warning", "critical"]
    metric: str
    unit: str
    value: float
    baseline: float
    started_at: datetime
    detected_at: datetime
    ended_at: datetime | None
    runs: int
    false_alarm_days: float
    explanation: str
    simulated: bool
    run_ids: tuple[str, ...] = ()
    trace_ids: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """The value as a multiple of the baseline."""
        return self.value / self.baseline if self.baseline else float("inf")

    @property
    def event_id(self) -> str:
        """Deterministic: a finding is stored once while it lasts, and once when it has ended."""
        state = "firing" if self.ended_at is None else "ended"
        return f"alert-{self.alert_id}-{state}"

    def to_json(self) -> dict[str, Any]:
        """As JSON values; times in ISO 8601."""
        values = {**asdict(self), "ratio": self.ratio, "event_id": self.event_id}
        return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


@dataclass(frozen=True)
class Measured:
    """One rule on one agent that could be measured, and with what."""

    monitor: RuleName
    agent: str | None
    metric: str
    unit: str
    baseline: float
    reference_from: datetime
    reference_until: datetime
    reference_runs: int
    watched_runs: int
    threshold: str
    false_alarm_days: float
    unpriced_runs: int = 0


@dataclass(frozen=True)
class Unmeasured:
    """One rule (on one agent, or on all of them) that could not be measured, and why."""

    monitor: RuleName
    agent: str | None
    reason: str


@dataclass(frozen=True)
class CheckResult:
    """What the rules say about [since, until)."""

    since: datetime
    until: datetime
    simulated: bool
    findings: tuple[Finding, ...] = ()
    measured: tuple[Measured, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    hint: str | None = None
    enabled: tuple[RuleName, ...] = field(default=(DRIFT, SPIKE))

    @property
    def exit_code(self) -> int:
        """1 if anything fires; 4 if some rule could measure no agent at all; else 0."""
        if self.findings:
            return 1
        done = {m.monitor for m in self.measured}
        return 0 if done.issuperset(self.enabled) else 4


def new_alert_id(
    monitor: RuleName, agent: str | None, simulated: bool, rises: bool, started: datetime
) -> str:
    """The id of a finding that no earlier check has reported: 16 hex digits."""
    at = started.astimezone(UTC).isoformat()
    text = "\0".join([monitor, agent or "", str(simulated), str(rises), at])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
