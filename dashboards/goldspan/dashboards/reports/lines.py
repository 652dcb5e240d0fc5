"""Rows to the lines of a report's tables: runs, approvals, incidents, artifacts, tools, costs."""

from __future__ import annotations

from goldspan.dashboards import display
from goldspan.dashboards.reports.figures import Context, Row, grouped, known_sum
from goldspan.dashboards.reports.model import (
    TRAFFICS,
    AlertLine,
    ApprovalLine,
    ArtifactLine,
    CostLine,
    Evidence,
    ExperimentLine,
    Figure,
    IncidentLine,
    RunLine,
    ToolLine,
)
from goldspan.dashboards.reports.reading import trace_ids

# What needs a person's eye stands first.
_ATTENTION = ("paused", "killed", "aborted", "failed", "running", "completed")


def run_line(run: Row, context: Context, unspent_calls: int = 0) -> RunLine:
    """One run. `unspent_calls` is how many of its calls were paid for at an unknown price."""
    trace = context.evidence(run)

    def figure(column: str) -> Figure:
        return context.figure(run[column], [run])

    tokens = [run[c] for c in ("input_tokens", "output_tokens") if run[c] is not None]
    case = run["case_id"]
    if case is not None and run["case_repeat"] is not None:
        case = f"{case}, repeat {run['case_repeat']}"
    return RunLine(
        run_id=run["run_id"],
        trace=trace,
        traffic=context.traffic(run),
        agent=agent_of(run),
        outcome=run["outcome"],
        reason=run["reason"],
        started_at=run["started_at"],
        ended_at=run["ended_at"],
        duration=context.figure(run["duration_ms"], [run], "ms"),
        model_calls=figure("llm_calls"),
        tool_calls=figure("tool_calls"),
        tool_errors=figure("tool_errors"),
        tokens=context.figure(sum(tokens) if tokens else None, [run], "tokens"),
        spent=_money(run, "spent_usd", unspent_calls, context),
        as_recorded=_money(run, "cost_usd", run["unpriced_calls"], context),
        unpriced_calls=figure("unpriced_calls"),
        batch_id=run["batch_id"],
        experiment_id=run["experiment_id"],
        case=case,
        task=run["input"],
        answer=run["output"],
        segments=run["segments"],
    )


def agent_of(row: Row) -> str:
    """An agent's name and version, as far as they are known."""
    return " ".join(str(row[c]) for c in ("agent_name", "agent_version") if row[c]) or "unknown"


def by_attention(run: Row) -> tuple[int, float]:
    """Sorts runs: those that need a person first, and the newest of them first."""
    known = run["outcome"] in _ATTENTION
    rank = _ATTENTION.index(run["outcome"]) if known else 0
    return rank, -(run["started_at"].timestamp() if run["started_at"] else 0)


def approval_lines(rows: list[Row], context: Context) -> list[ApprovalLine]:
    """Pending ones first, the longest waiting at the top; then the decided ones, newest first."""

    def order(row: Row) -> tuple[int, bool, float]:
        asked = row["requested_at"].timestamp() if row["requested_at"] else 0
        pending = row["status"] == "pending"
        return TRAFFICS.index(context.traffic(row)), not pending, asked if pending else -asked

    return [
        ApprovalLine(
            approval_id=row["approval_id"],
            traffic=context.traffic(row),
            trace=context.evidence(row),
            status=row["status"],
            tool=row["tool_name"],
            requested_at=row["requested_at"],
            decision=row["decision"],
            reviewer=row["reviewer"],
            waited=context.figure(row["wait_ms"], [row], "ms"),
            risk=row["risk"],
            recommendation=row["recommendation"],
            arguments=row["arguments"],
            draft=row["draft"],
            claims=None if row["claims"] in ("[]", "null") else row["claims"],
            corrected=row["edited_arguments"],
            because=row["reason"],
        )
        for row in sorted(rows, key=order)
    ]


def incident_lines(rows: list[Row], context: Context) -> list[IncidentLine]:
    """Real ones first, newest first."""

    def order(row: Row) -> tuple[int, float]:
        return TRAFFICS.index(context.traffic(row)), -row["observed_at"].timestamp()

    return [
        IncidentLine(
            traffic=context.traffic(row),
            trace=context.evidence(row),
            observed_at=row["observed_at"],
            kind=row["kind"],
            severity=row["severity"],
            tool=row["tool_name"],
            reason=row["reason"],
        )
        for row in sorted(rows, key=order)
    ]


def artifact_lines(rows: list[Row], context: Context) -> list[ArtifactLine]:
    """What the runs made, in that order; real ones first."""
    return [
        ArtifactLine(
            traffic=context.traffic(row),
            trace=context.evidence(row, "span_id"),
            name=row["name"],
            kind=row["kind"],
            path=row["path"],
            sha256=row["sha256"],
        )
        for row in sorted(rows, key=lambda r: TRAFFICS.index(context.traffic(r)))
    ]


def tool_lines(rows: list[Row], context: Context) -> list[ToolLine]:
    """One line a tool and kind of traffic, the most called first."""
    lines = []
    groups = grouped(rows, lambda r: (TRAFFICS.index(context.traffic(r)), r["tool_name"]))
    for (rank, name), found in groups.items():
        failed = [row for row in found if row["errors"]]
        calls = sum(row["calls"] for row in found)
        taken = known_sum(found, "duration_ms")
        lines.append(
            ToolLine(
                traffic=TRAFFICS[rank],
                name=name,
                calls=context.total(found, "calls", span="first_span_id"),
                errors=context.total(failed, "errors", span="first_error_span_id"),
                error_types=tuple(sorted({str(row["first_error_type"]) for row in failed})),
                mean_duration=Figure(None if taken is None else taken / calls, "ms"),
            )
        )
    return sorted(
        lines, key=lambda t: (TRAFFICS.index(t.traffic), -(t.calls.value or 0), t.name or "")
    )


def cost_lines(rows: list[Row], context: Context) -> list[CostLine]:
    """One line a model and kind of traffic, the dearest as recorded first."""
    groups = grouped(
        rows, lambda r: (TRAFFICS.index(context.traffic(r)), r["provider"], r["model"])
    )
    lines = [
        CostLine(
            traffic=TRAFFICS[rank],
            provider=provider,
            model=model,
            calls=context.total(found, "calls"),
            replayed_calls=context.total(found, "replayed_calls"),
            input_tokens=context.total(found, "input_tokens", "tokens"),
            output_tokens=context.total(found, "output_tokens", "tokens"),
            spent=context.money(found, "spent_usd", "unspent_calls"),
            as_recorded=context.money(found, "cost_usd", "unpriced_calls"),
            unpriced_calls=context.total(found, "unpriced_calls"),
        )
        for (rank, provider, model), found in groups.items()
    ]
    return sorted(
        lines,
        key=lambda c: (TRAFFICS.index(c.traffic), -(c.as_recorded.value or 0), c.model or ""),
    )


def experiment_lines(rows: list[Row], context: Context) -> list[ExperimentLine]:
    """As they started."""
    return [
        ExperimentLine(
            experiment_id=row["experiment_id"],
            suite=row["suite"],
            agent=agent_of(row),
            simulated=row["simulated"],
            started_at=row["started_at"],
            cases=row["cases"],
            repeats=row["repeats"],
            passed=row["passed"],
            failed=context.figure(row["failed"], [{"trace_id": row["failed_trace_id"]}]),
            unmeasured=row["unmeasured"],
            verdict=row["verdict"],
        )
        for row in rows
    ]


def alert_lines(rows: list[Row], context: Context) -> list[AlertLine]:
    """Real ones first, newest first; each with the traces that its monitor named."""
    lines = []
    for row in sorted(rows, key=lambda r: (bool(r["simulated"]), -r["fired_at"].timestamp())):
        shown = [t for t in trace_ids(row["trace_ids"]) if t in context.known_traces]
        lines.append(
            AlertLine(
                alert_id=row["alert_id"],
                traffic="simulated" if row["simulated"] else "real",
                fired_at=row["fired_at"],
                monitor=row["monitor"],
                severity=row["severity"],
                metric=row["metric"],
                started_at=row["started_at"],
                ended_at=row["ended_at"],
                value=row["value"],
                baseline=row["baseline"],
                unit=row["unit"],
                explanation=row["explanation"],
                evidence=tuple(
                    Evidence(display.short_id(t), t, context.known_traces[t]) for t in shown[:3]
                ),
            )
        )
    return lines


def _money(run: Row, column: str, unknown_calls: int, context: Context) -> Figure:
    value = run[column]
    missing = bool(unknown_calls) and value is not None
    return context.figure(value, [run], "usd", at_least=missing)
