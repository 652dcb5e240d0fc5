"""What a report says: plain data, the same for Markdown, HTML and JSON.

A number is a `Figure`: its value, its unit, and the traces that show it. What is not known is
None and reads "unknown", never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from goldspan.dashboards import display

UNKNOWN = "unknown"
Kind: TypeAlias = Literal["run", "batch", "period"]
Traffic: TypeAlias = Literal["real", "experiment", "simulated"]
Unit: TypeAlias = Literal["count", "tokens", "usd", "ms", "share"]
OUTCOMES = ("completed", "paused", "failed", "aborted", "killed", "running")
TRAFFICS: tuple[Traffic, ...] = ("real", "experiment", "simulated")


@dataclass(frozen=True)
class Evidence:
    """A trace that shows a number; `label` is what a link to it says."""

    label: str
    trace_id: str
    span_id: str | None = None


@dataclass(frozen=True)
class Figure:
    """A number with its evidence. `at_least` says that an unknown part is missing from it."""

    value: float | int | None
    unit: Unit = "count"
    evidence: tuple[Evidence, ...] = ()
    more: int = 0
    at_least: bool = False

    @property
    def text(self) -> str:
        """The number for people, with its unit."""
        if self.value is None:
            return UNKNOWN
        shown = {
            "count": lambda v: f"{v:,.0f}",
            "tokens": lambda v: f"{v:,.0f}",
            "usd": display.usd,
            "ms": display.duration,
            "share": display.share,
        }[self.unit](self.value)
        return f"at least {shown}" if self.at_least else shown


@dataclass(frozen=True)
class Totals:
    """The sums over one kind of traffic: real, in experiments, or simulated."""

    traffic: Traffic
    runs: Figure
    outcomes: dict[str, Figure]
    outside_runs: Figure
    model_calls: Figure
    replayed_calls: Figure
    tool_calls: Figure
    tool_errors: Figure
    input_tokens: Figure
    output_tokens: Figure
    spent: Figure
    as_recorded: Figure
    unpriced_calls: Figure
    approvals: Figure
    approvals_pending: Figure
    incidents: Figure
    artifacts: Figure


@dataclass(frozen=True)
class RunLine:
    """One run, as a row and, in a run report, as the page's subject."""

    run_id: str
    trace: Evidence | None
    traffic: Traffic
    agent: str
    outcome: str
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None
    duration: Figure
    model_calls: Figure
    tool_calls: Figure
    tool_errors: Figure
    tokens: Figure
    spent: Figure
    as_recorded: Figure
    unpriced_calls: Figure
    batch_id: str | None = None
    experiment_id: str | None = None
    case: str | None = None
    task: str | None = None
    answer: str | None = None
    segments: int = 0


@dataclass(frozen=True)
class BudgetLine:
    """One limit: what was used of it. Over several runs: by the run that used most of it."""

    traffic: Traffic
    limit_name: str
    limit: Figure
    used: Figure
    share: Figure
    runs: int
    reached: Figure


@dataclass(frozen=True)
class ApprovalLine:
    """One request to a person, and what became of it. `corrected` is the arguments as the person
    changed them, None where that was not done."""

    approval_id: str
    traffic: Traffic
    trace: Evidence | None
    status: str
    tool: str | None
    requested_at: datetime | None
    decision: str | None
    reviewer: str | None
    waited: Figure
    risk: str | None
    recommendation: str | None
    arguments: str | None
    draft: str | None
    claims: str | None
    corrected: str | None
    because: str | None


@dataclass(frozen=True)
class IncidentLine:
    """One stop by a guard, one opened breaker, one repeated failure."""

    traffic: Traffic
    trace: Evidence | None
    observed_at: datetime | None
    kind: str | None
    severity: str | None
    tool: str | None
    reason: str | None


@dataclass(frozen=True)
class FailureLine:
    """The same failure several times: a tool's error, or runs that ended for one reason."""

    traffic: Traffic
    what: str
    how: str
    times: Figure
    runs: int


@dataclass(frozen=True)
class ArtifactLine:
    """One thing that a run made."""

    traffic: Traffic
    trace: Evidence | None
    name: str | None
    kind: str | None
    path: str | None
    sha256: str | None


@dataclass(frozen=True)
class ToolLine:
    """One tool: its calls and errors; `errors` leads to the first failed call of each trace."""

    traffic: Traffic
    name: str | None
    calls: Figure
    errors: Figure
    error_types: tuple[str, ...]
    mean_duration: Figure


@dataclass(frozen=True)
class CostLine:
    """One model: what was spent, and what the same calls cost when they were recorded."""

    traffic: Traffic
    provider: str | None
    model: str | None
    calls: Figure
    replayed_calls: Figure
    input_tokens: Figure
    output_tokens: Figure
    spent: Figure
    as_recorded: Figure
    unpriced_calls: Figure


@dataclass(frozen=True)
class ExperimentLine:
    """One execution of a suite."""

    experiment_id: str
    suite: str | None
    agent: str
    simulated: bool
    started_at: datetime | None
    cases: int
    repeats: int
    passed: int
    failed: Figure
    unmeasured: int
    verdict: str | None


@dataclass(frozen=True)
class AlertLine:
    """One report of a monitor."""

    alert_id: str
    traffic: Traffic
    fired_at: datetime | None
    monitor: str | None
    severity: str | None
    metric: str | None
    started_at: datetime | None
    ended_at: datetime | None
    value: float | None
    baseline: float | None
    unit: str | None
    explanation: str | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class NextAction:
    """What a person is to do. `runs` is how many runs ask for the same."""

    traffic: Traffic
    text: str
    evidence: tuple[Evidence, ...]
    more: int = 0


@dataclass(frozen=True)
class Report:
    """A run's, a batch's or a period's report. `left_out` says what a list does not show."""

    kind: Kind
    subject: str
    since: datetime | None
    until: datetime | None
    totals: tuple[Totals, ...]
    run: RunLine | None
    terms: dict[str, str]
    budget: tuple[BudgetLine, ...]
    approvals: tuple[ApprovalLine, ...]
    incidents: tuple[IncidentLine, ...]
    artifacts: tuple[ArtifactLine, ...]
    tools: tuple[ToolLine, ...]
    costs: tuple[CostLine, ...]
    experiments: tuple[ExperimentLine, ...]
    alerts: tuple[AlertLine, ...]
    runs: tuple[RunLine, ...]
    next_actions: tuple[NextAction, ...]
    left_out: dict[str, str]
    dashboard_url: str
    failures: tuple[FailureLine, ...] = ()
    day: date | None = None

    @property
    def title(self) -> str:
        """The report's heading, as plain text."""
        if self.day is not None:
            return f"Day report: {self.day}"
        if self.kind == "period":
            return "Period report"
        return f"{self.kind.capitalize()} report: {self.subject}"

    @property
    def simulated(self) -> bool:
        """Whether any simulated traffic is in it."""
        return any(total.traffic == "simulated" for total in self.totals) or any(
            alert.traffic == "simulated" for alert in self.alerts
        )
