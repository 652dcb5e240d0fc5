"""A proposal as a reviewer should see it: the call, its draft, claims and risk, who said what."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from goldspan.dashboards import navigation
from goldspan.dashboards.components import text
from goldspan.dashboards.components.table import Cell, Column, Row, Tone, table
from goldspan.dashboards.display import duration, line, moment, pretty
from goldspan.harness.approvals.record import Approval

WHO = {
    "reviewer": "a reviewer",
    "two-reviewers": "two reviewers",
    "user": "the user concerned",
}


def proposal(approval: Approval, now: float) -> None:
    """Show one approval. `now` is seconds since the epoch."""
    asked = approval.proposal
    text.heading(asked.tool, (approval.state, "wait" if approval.state == "asked" else "info"))
    concerns = f" ({asked.concerns})" if asked.concerns else ""
    facts: list[text.Fact] = [
        ("Needs", WHO[approval.kind] + concerns),
        ("Agent", str(approval.context.get("agent") or "unknown")),
        ("Asked (UTC)", moment(datetime.fromtimestamp(approval.asked_at, UTC))),
        ("Waits", duration((now - approval.asked_at) * 1000)),
        ("Why", asked.why or "unknown"),
    ]
    if asked.confidence:
        facts.append(("Confidence", asked.confidence))
    text.facts(facts)
    st.caption("Arguments, as corrected so far" if approval.edited else "Arguments")
    text.document(pretty(approval.arguments), is_json=True)
    if asked.draft:
        text.passage(asked.draft, label="draft", tone="made")
    if asked.claims:
        _claims(approval)
    for label, value, tone in _notes(approval):
        if value:
            text.passage(value, label=label, tone=tone)
    for each in approval.signatures:
        reason = f": {each.reason}" if each.reason else ""
        st.text(f"{each.reviewer} said {each.decision}{reason}")
    trace = approval.context.get("trace_id")
    if trace and st.button(
        "Open the trace", key="approvals.trace", type="tertiary", icon=":material/open_in_new:"
    ):
        span = approval.context.get("span_id")
        navigation.open_page(navigation.TRACES, trace=trace, span=span)


def waiting_table(approvals: list[Approval], chosen: str | None, now: float, *, key: str) -> None:
    """Show approvals, the longest waiting first; a click chooses one."""
    columns = (
        Column("Waits", "right", "96px"),
        Column("Tool", width="150px"),
        Column("Needs", width="124px"),
        Column("Said so far", width="120px"),
        Column("Arguments"),
    )
    rows = []
    for each in approvals:
        said = ", ".join(f"{one.reviewer}: {one.decision}" for one in each.signatures)
        cells = (
            Cell(duration((now - each.asked_at) * 1000)),
            Cell(line(each.proposal.tool, 60)),
            Cell(WHO[each.kind]),
            Cell(line(said, 80) if said else "nobody yet", "muted"),
            Cell(line(pretty(each.arguments), 300), "muted"),
        )
        here = navigation.href(navigation.APPROVALS, approval=each.id)
        rows.append(Row(each.id, cells, href=here, selected=each.id == chosen))
    opened = table("Waiting for a person", columns, rows, key=key)
    if opened and opened != chosen:
        navigation.set_parameters(approval=opened)


def _claims(approval: Approval) -> None:
    rows = []
    for number, claim in enumerate(approval.proposal.claims, 1):
        evidence = str(claim.get("evidence") or "")
        said = str(claim.get("text") or claim.get("claim") or "")
        cited = Cell(evidence or "nothing", "mono" if evidence else "badge", _tone(evidence))
        rows.append(Row(str(number), (Cell(said, "wrap"), cited)))
    columns = (Column("Claim"), Column("Evidence", width="30%"))
    table("Claims", columns, rows, key=f"approvals.claims.{approval.id}")


def _tone(evidence: str) -> Tone:
    return "" if evidence else "bad"


def _notes(approval: Approval) -> tuple[tuple[str, str | None, Tone], ...]:
    asked = approval.proposal
    return (
        ("risk", asked.risk, "bad"),
        ("advice", asked.recommendation, "info"),
        ("agent's reason", asked.reason, ""),
    )
