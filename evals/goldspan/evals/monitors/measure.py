"""One rule on one agent's runs: from arrays to findings and to what they were measured with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from goldspan.evals.monitors.drift import DriftSettings, Shift, find_shifts
from goldspan.evals.monitors.findings import DRIFT, SPIKE, Finding, Measured
from goldspan.evals.monitors.hourly import Floats, Ints, by_hour
from goldspan.evals.monitors.rules import CostSpike, ToolCallDrift
from goldspan.evals.monitors.spike import Spike, SpikeSettings, blocks_of, find_spikes
from goldspan.evals.monitors.window import Reference, choose_reference, time_of

SHOWN_RUNS = 5
CRITICAL_DRIFT = 2.0  # twice the tool calls, or half of them
_END = 2**62


@dataclass(frozen=True)
class AgentRuns:
    """An agent's ended runs, one entry each; `usd` and `input_tokens` are NaN where unknown."""

    agent: str | None
    hour: Ints
    completed: NDArray[np.bool_]
    tool_calls: Ints
    llm_calls: Ints
    input_tokens: Floats
    usd: Floats
    unpriced: Ints
    run_ids: tuple[str, ...]
    trace_ids: tuple[str | None, ...]


@dataclass(frozen=True)
class Watched:
    """What one rule said about one agent."""

    measured: Measured
    findings: tuple[Finding, ...] = ()


def watch_tool_calls(
    runs: AgentRuns, rule: ToolCallDrift, since: int, last_change: int | None
) -> Watched | str:
    """Tool-call drift over completed runs from hour `since` on, or why it cannot be measured."""
    chosen = np.flatnonzero(runs.completed)
    hours = runs.hour[chosen]
    reference = choose_reference(hours, since, rule, not_before=last_change)
    if isinstance(reference, str):
        return reference
    data = by_hour(hours, runs.tool_calls[chosen])
    settings = DriftSettings(rule.shift, rule.false_alarm_days, rule.rebaseline_hours)
    found = find_shifts(
        data.between(reference.first, reference.before),
        data.between(reference.watched, _END),
        settings,
    )
    measured = Measured(
        monitor=DRIFT,
        agent=runs.agent,
        metric="tool calls per run",
        unit="calls",
        baseline=found.baseline,
        reference_from=time_of(reference.first),
        reference_until=time_of(reference.before),
        reference_runs=reference.runs,
        watched_runs=found.runs,
        threshold=f"a CUSUM of {max(found.thresholds):.1f} (log-likelihood ratio), "
        f"tuned for {rule.shift:+.0%}, overdispersion {found.dispersion:.2f}",
        false_alarm_days=rule.false_alarm_days,
    )
    findings = tuple(_drift(runs, shift, rule) for shift in found.shifts)
    return Watched(measured, findings)


def watch_cost(runs: AgentRuns, rule: CostSpike, since: int) -> Watched | str:
    """Cost spikes over ended runs with a known cost, or why they cannot be measured."""
    priced = np.isfinite(runs.usd) & (runs.unpriced == 0)
    chosen = np.flatnonzero(priced)
    unpriced = int((~priced & (runs.hour >= since)).sum())
    if unpriced and not (runs.hour[chosen] >= since).any():
        return f"no cost is known: {unpriced} runs have model calls without a price"
    hours = runs.hour[chosen]
    reference = choose_reference(hours, since, rule)
    if isinstance(reference, str):
        return reference
    settings = SpikeSettings(
        rule.factor,
        rule.min_runs,
        rule.max_block_hours,
        rule.merge_hours,
        rule.false_alarm_days,
    )
    usual = (hours >= reference.first) & (hours < reference.before)
    watched = hours >= since  # the reference is robust, so its own hours are watched too
    before = blocks_of(hours[usual], runs.usd[chosen][usual], settings)
    after = blocks_of(hours[watched], runs.usd[chosen][watched], settings)
    if not len(before) or not len(after):
        return f"no stretch of {rule.max_block_hours} hours has {rule.min_runs} runs"
    found = find_spikes(before, after, settings)
    measured = Measured(
        monitor=SPIKE,
        agent=runs.agent,
        metric="cost per run",
        unit="USD",
        baseline=found.baseline,
        reference_from=time_of(reference.first),
        reference_until=time_of(reference.before),
        reference_runs=reference.runs,
        watched_runs=found.runs,
        threshold=f"{found.ratio:.1f} times the median of the reference's hours",
        false_alarm_days=rule.false_alarm_days,
        unpriced_runs=unpriced,
    )
    findings = tuple(_spike(runs, spike, rule, reference, chosen) for spike in found.spikes)
    return Watched(measured, findings)


def _drift(runs: AgentRuns, shift: Shift, rule: ToolCallDrift) -> Finding:
    ended = _END if shift.ended is None else shift.ended
    inside = np.flatnonzero(runs.completed & (runs.hour >= shift.started) & (runs.hour < ended))
    rises = shift.value > shift.baseline
    most = inside[np.argsort(-runs.tool_calls[inside] * (1 if rises else -1), kind="stable")]
    ratio = shift.value / shift.baseline
    explanation = (
        f"Tool calls per run {'rose' if rises else 'fell'} from {shift.baseline:.2f} to "
        f"{shift.value:.2f} ({ratio - 1:+.0%}) around {time_of(shift.started):%Y-%m-%d %H:%M} UTC, "
        f"over {shift.runs} runs{_until(shift.ended)}. "
        f"{_stated(rule.false_alarm_days)}"
    )
    return Finding(
        alert_id="",
        monitor=DRIFT,
        agent=runs.agent,
        severity=_severity(max(ratio, 1 / max(ratio, 1e-9)), CRITICAL_DRIFT),
        metric="tool calls per run",
        unit="calls",
        value=shift.value,
        baseline=shift.baseline,
        started_at=time_of(shift.started),
        detected_at=time_of(shift.detected + 1),
        ended_at=None if shift.ended is None else time_of(shift.ended),
        runs=shift.runs,
        false_alarm_days=rule.false_alarm_days,
        explanation=explanation,
        simulated=False,
        run_ids=tuple(runs.run_ids[i] for i in most[:SHOWN_RUNS]),
        trace_ids=_traces(runs, most),
    )


def _spike(
    runs: AgentRuns, spike: Spike, rule: CostSpike, reference: Reference, chosen: Ints
) -> Finding:
    ended = _END if spike.ended is None else spike.ended
    hours = runs.hour[chosen]
    inside = chosen[(hours >= spike.started) & (hours < ended)]
    usual = chosen[(hours >= reference.first) & (hours < reference.before)]
    most = inside[np.argsort(-runs.usd[inside], kind="stable")]
    ratio = spike.value / spike.baseline
    explanation = (
        f"A run cost {spike.value:.4g} USD instead of {spike.baseline:.4g} ({ratio:.1f} times) "
        f"from {time_of(spike.started):%Y-%m-%d %H:%M} UTC on, over {spike.runs} runs"
        f"{_until(spike.ended)}; {_because(runs, inside, usual)}. "
        f"{_stated(rule.false_alarm_days)}"
    )
    return Finding(
        alert_id="",
        monitor=SPIKE,
        agent=runs.agent,
        severity=_severity(ratio, rule.critical_factor),
        metric="cost per run",
        unit="USD",
        value=spike.value,
        baseline=spike.baseline,
        started_at=time_of(spike.started),
        detected_at=time_of(spike.started + 1),
        ended_at=None if spike.ended is None else time_of(spike.ended),
        runs=spike.runs,
        false_alarm_days=rule.false_alarm_days,
        explanation=explanation,
        simulated=False,
        run_ids=tuple(runs.run_ids[i] for i in most[:SHOWN_RUNS]),
        trace_ids=_traces(runs, most),
    )


def _because(runs: AgentRuns, inside: Ints, usual: Ints) -> str:
    """What of a run's use grew along with its cost: medians against the reference's."""
    tokens = runs.input_tokens / np.maximum(runs.llm_calls, 1)
    parts = []
    for name, values in (("input tokens a call", tokens), ("model calls", runs.llm_calls)):
        before = float(np.nanmedian(values[usual])) if np.isfinite(values[usual]).any() else 0.0
        if before > 0 and np.isfinite(values[inside]).any():
            parts.append(f"{name} {float(np.nanmedian(values[inside])) / before:.1f} times")
    return ", ".join(parts) or "token counts are not known"


def _until(ended: int | None) -> str:
    return ", and lasts" if ended is None else f", until {time_of(ended):%Y-%m-%d %H:%M} UTC"


def _stated(days: float) -> str:
    return f"The threshold is set for one false alarm in {days:g} days."


def _severity(ratio: float, critical: float) -> Literal["warning", "critical"]:
    return "critical" if ratio >= critical else "warning"


def _traces(runs: AgentRuns, order: Ints) -> tuple[str, ...]:
    found = (runs.trace_ids[i] for i in order[:SHOWN_RUNS])
    return tuple(trace for trace in found if trace)
