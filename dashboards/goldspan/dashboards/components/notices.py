"""Tables of alerts, incidents and approvals, each row leading to the trace behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from goldspan.dashboards import navigation
from goldspan.dashboards.components.table import Cell, Column, Row, Tone, table
from goldspan.dashboards.display import count, duration, known, line, moment

Records = Sequence[Mapping[str, Any]]

_SEVERITY_TONES: dict[str, Tone] = {
    "critical": "bad",
    "high": "bad",
    "error": "bad",
    "stop": "bad",
    "warning": "wait",
    "alarm": "wait",
    "medium": "wait",
}


def alert_table(rows: Records, *, key: str, short: bool = False) -> None:
    """Show alerts: which monitor, on what, since when, and why in its own words."""
    if not rows:
        st.caption("No alerts. `goldspan monitor check` looks for drift and cost spikes.")
        return
    columns = [
        Column("Fired (UTC)", width="104px" if short else "144px"),
        Column("Monitor", width="24%" if short else "170px"),
        Column("Severity", width="86px"),
        Column("What happened"),
    ]
    if not short:
        columns[2:2] = [Column("From - to (UTC)", width="196px"), Column("Value", "right", "150px")]
    table("Alerts", columns, [_alert(row, short) for row in rows], key=key)


def _alert(row: Mapping[str, Any], short: bool) -> Row:
    name = f"simulated · {row['monitor']}" if row["simulated"] else str(row["monitor"])
    cells = [
        Cell(_when(row["fired_at"], short)),
        Cell(line(name, 60), tone="made" if row["simulated"] else "", title=name),
        _severity(row["severity"]),
        Cell(line(row["explanation"], 400), "wrap", title=row["metric"]),
    ]
    if not short:
        span = f"{moment(row['started_at'])[:16]} - {moment(row['ended_at'])[5:16]}"
        cells[2:2] = [Cell(span), Cell(_value(row), title=line(row["metric"]))]
    return Row(str(row["alert_id"]), cells)


def _value(row: Mapping[str, Any]) -> str:
    unit = f" {row['unit']}" if row["unit"] else ""
    before = f" (was {_number(row['baseline'])})" if known(row["baseline"]) else ""
    return f"{_number(row['value'])}{unit}{before}"


def _number(value: Any) -> str:
    return f"{float(value):.3g}" if known(value) else count(None)


def incident_table(rows: Records, *, key: str, short: bool = False) -> None:
    """Show incidents: what was stopped, why, and by which run."""
    if not rows:
        st.caption("No incidents.")
        return
    columns = [
        Column("When (UTC)", width="104px" if short else "142px"),
        Column("Kind", width="130px"),
        Column("Severity", width="86px"),
        Column("Reason"),
    ]
    if not short:
        columns[2:2] = [Column("Agent", width="160px"), Column("Tool", width="150px")]
    shown = []
    for row in rows:
        kind = f"simulated · {row['kind']}" if row["simulated"] else str(row["kind"])
        cells = [
            Cell(_when(row["observed_at"], short)),
            Cell(line(kind, 60), tone="made" if row["simulated"] else ""),
            _severity(row["severity"]),
            Cell(line(row["reason"], 300), "text" if short else "wrap", title=row["reason"]),
        ]
        if not short:
            cells[2:2] = [Cell(line(row["agent_name"], 60)), Cell(line(row["tool_name"], 60))]
        shown.append(_linked(str(row["event_id"]), cells, row, span=row["span_id"]))
    _open(table("Incidents", columns, shown, key=key), rows, "event_id")


def approval_table(rows: Records, *, key: str, short: bool = False) -> None:
    """Show approvals: what was asked, how risky it was said to be, and what was decided."""
    if not rows:
        st.caption("Nobody is waited for.")
        return
    columns = [
        Column("Asked (UTC)", width="104px" if short else "142px"),
        Column("For", width="160px"),
        Column("Status", width="86px"),
        Column("With"),
    ]
    if not short:
        columns[3:3] = [Column("Waited", "right", "90px"), Column("Risk", width="22%")]
    shown = []
    for row in rows:
        what = str(row["tool_name"] or row["kind"] or "question")
        what = f"simulated · {what}" if row["simulated"] else what
        status = str(row["decision"] or row["status"])
        tones: dict[str, Tone] = {"pending": "wait", "approve": "good", "deny": "bad"}
        cells = [
            Cell(_when(row["requested_at"], short)),
            Cell(line(what, 60), tone="made" if row["simulated"] else ""),
            Cell(status, "badge", tones.get(status, "info"), title=row["reviewer"]),
            Cell(line(row["draft"] or row["arguments"], 300), "muted"),
        ]
        if not short:
            risk = Cell(line(row["risk"], 300), "wrap", title=row["recommendation"])
            cells[3:3] = [Cell(duration(row["wait_ms"])), risk]
        shown.append(_linked(str(row["approval_id"]), cells, row))
    _open(table("Approvals", columns, shown, key=key), rows, "approval_id")


def _when(value: Any, short: bool) -> str:
    return moment(value)[5:16] if short and known(value) else moment(value)


def _severity(value: Any) -> Cell:
    name = str(value) if known(value) else "unstated"
    return Cell(name, "badge", _SEVERITY_TONES.get(name.lower(), "info"))


def _linked(
    row_id: str, cells: Sequence[Cell], row: Mapping[str, Any], span: str | None = None
) -> Row:
    if not row["trace_id"]:
        return Row(row_id, cells)
    return Row(
        row_id, cells, href=navigation.href(navigation.TRACES, trace=row["trace_id"], span=span)
    )


def _open(opened: str | None, rows: Records, id_column: str) -> None:
    for row in rows:
        if opened is not None and str(row[id_column]) == opened:
            navigation.open_page(navigation.TRACES, trace=row["trace_id"], span=row.get("span_id"))
