"""Approvals: what waits for a person, decided here; and how often people are asked."""

from __future__ import annotations

import json
from typing import Any, Literal

import streamlit as st

from goldspan.dashboards import navigation, reading
from goldspan.dashboards.components.boundary import empty_store, nothing_yet
from goldspan.dashboards.components.controls import scope
from goldspan.dashboards.components.notices import approval_table
from goldspan.dashboards.components.proposal import proposal, waiting_table
from goldspan.dashboards.components.table import Cell, Column, Row, table
from goldspan.dashboards.deciding import approvals_here, judge, say
from goldspan.dashboards.display import count, duration, line, share
from goldspan.harness.approvals.record import Approval
from goldspan.harness.approvals.register import Approvals
from goldspan.tracing.errors import GoldspanError

LIMIT = 200
LONGEST_NAME = 60
_NAME = "goldspan.approvals.by"
_CAME_TO = "goldspan.approvals.came_to"
Said = Literal["approve", "edit", "deny"]


def page() -> None:
    """Draw the page."""
    stored = reading.one("store_totals") or {}
    approvals = approvals_here()
    if not stored.get("traces") and approvals is None:
        empty_store("Nobody is waited for: nothing is recorded yet.")
        return
    waiting = approvals.waiting() if approvals is not None else []
    sampled = approvals.sampled() if approvals is not None else []
    _came_to()
    tabs = st.tabs(
        [f"Waiting ({len(waiting)})", f"To look at ({len(sampled)})", "History and rates"]
    )
    with tabs[0]:
        if approvals is None:
            nothing_yet(
                "No run can wait here: there is no engine's database beside this store.",
                ("Durable runs, which wait for people, begin so:", "goldspan enqueue --help"),
            )
        else:
            _waiting(approvals, waiting)
    with tabs[1]:
        if approvals is not None:
            _sampled(approvals, sampled)
    with tabs[2]:
        _history(stored)


def _waiting(approvals: Approvals, waiting: list[Approval]) -> None:
    if not waiting:
        st.success("Nobody is waited for.")
        return
    asked = navigation.parameter("approval")
    chosen = next((each for each in waiting if each.id == asked), waiting[0])
    now = approvals.ledger.clock()
    waiting_table(waiting, chosen.id, now, key="approvals.waiting")
    if asked and asked != chosen.id:
        st.caption("The approval of this address waits no more, or is not in this database.")
    shown, decided = st.columns([64, 36], gap="medium")
    with shown, st.container(border=True):
        proposal(chosen, now)
    with decided:
        _decision(approvals, chosen)


def _decision(approvals: Approvals, shown: Approval) -> None:
    """The form. What it decides is what this drawing of the page showed: a call that has changed
    since is not decided."""
    by = _reviewer("approvals.by")
    # A part of the digest in the keys: what was typed about another state of the call is not kept.
    state = f"{shown.id}.{shown.seen[:8]}"
    reason_key, edit_key = f"approvals.reason.{state}", f"approvals.edit.{state}"

    def on(said: Said) -> dict[str, Any]:
        kept = (approvals, shown, said, by, reason_key, edit_key)
        return {"on_click": _decide, "args": kept, "disabled": not by, "width": "stretch"}

    with st.form(f"approvals.form.{state}", enter_to_submit=False):
        st.text_area(
            "Reason", key=reason_key, height=80, placeholder="needed to deny; the agent is told"
        )
        st.form_submit_button("Approve", key="approvals.approve", type="primary", **on("approve"))
        st.form_submit_button("Deny", key="approvals.deny", **on("deny"))
        with st.expander("Correct the arguments"):
            st.text_area(
                "Arguments, as JSON",
                value=json.dumps(shown.arguments, indent=2, ensure_ascii=False),
                key=edit_key,
                height=180,
            )
            st.form_submit_button("Approve as corrected", key="approvals.edit", **on("edit"))
        st.caption(
            "It is stored with your name, and holds for exactly this call, once."
            if by
            else "Say first who you are: each decision is stored with a name."
        )


def _decide(
    approvals: Approvals, shown: Approval, said: Said, by: str, reason_key: str, edit_key: str
) -> None:
    try:
        st.session_state[_CAME_TO] = (
            True,
            say(
                reading.current_store(),
                approvals,
                shown,
                said,
                by,
                reason=str(st.session_state.get(reason_key) or ""),
                correction=str(st.session_state.get(edit_key) or ""),
            ),
        )
    except GoldspanError as error:
        st.session_state[_CAME_TO] = False, str(error)


def _sampled(approvals: Approvals, sampled: list[Approval]) -> None:
    if not sampled:
        st.caption(
            "No call waits to be looked at. A rule's `review_share` chooses some of the calls that"
            " it lets go by themselves."
        )
        return
    by = _reviewer("approvals.judge_by")
    shown = sampled[0]
    with st.container(border=True):
        proposal(shown, approvals.ledger.clock())
    reason_key = f"approvals.judged.{shown.id}"
    with st.form(f"approvals.judge.{shown.id}", enter_to_submit=False):
        st.text_area("Reason", key=reason_key, height=80, placeholder="what was wrong")
        with st.container(horizontal=True):
            for label, right in (("It was right to let it go", True), ("It was wrong", False)):
                st.form_submit_button(
                    label,
                    key=f"approvals.judge.{right}",
                    disabled=not by,
                    on_click=_judge,
                    args=(approvals, shown, by, right, reason_key),
                )


def _judge(approvals: Approvals, shown: Approval, by: str, right: bool, reason_key: str) -> None:
    reason = str(st.session_state.get(reason_key) or "")
    try:
        store = reading.current_store()
        said = judge(store, approvals, shown, by, right=right, reason=reason)
        st.session_state[_CAME_TO] = True, said
    except GoldspanError as error:
        st.session_state[_CAME_TO] = False, str(error)


def _came_to() -> None:
    done, said = st.session_state.pop(_CAME_TO, (True, ""))
    if said and done:
        st.success(said)
    elif said:
        st.error("**Nothing was decided.** The details below say why.")
        st.code(said, language=None, wrap_lines=True)


def _history(stored: dict[str, Any]) -> None:
    asked = scope(stored).parameters
    rows = reading.records("escalations", **asked)
    if not rows:
        st.caption("No call was put to a person in this time.")
        return
    columns = (
        Column("Agent", width="16%"),
        Column("Tool", width="16%"),
        Column("Calls", "right"),
        Column("To a person", "right", title="the share that was not let go by a rule"),
        Column("Approved", "right"),
        Column("Edited", "right"),
        Column("Denied", "right"),
        Column("Waiting", "right"),
        Column("Longest wait", "right"),
        Column("Let go", "right", title="approved by a rule; looked at later, and found wrong"),
    )
    shown = [
        Row(
            f"{row['agent_name']}/{row['tool_name']}",
            (
                Cell(line(row["agent_name"], 60)),
                Cell(line(row["tool_name"], 60)),
                Cell(count(row["calls"])),
                Cell(share(row["escalation_rate"])),
                *(Cell(count(row[name])) for name in ("approved", "edited", "denied", "pending")),
                Cell(duration(row["wait_max_ms"])),
                Cell(_let_go(row)),
            ),
        )
        for row in rows
    ]
    table("Escalations", columns, shown, key="approvals.rates")
    approval_table(
        reading.records("approvals", status=None, limit=LIMIT, **asked), key="approvals.history"
    )


def _let_go(row: dict[str, Any]) -> str:
    looked = f", {row['found_wrong']} of {row['looked_at']} wrong" if row["looked_at"] else ""
    return f"{count(row['let_go'])}{looked}"


def _reviewer(key: str) -> str:
    """Who decides. Kept for the session, but not in the address: a link must not carry a name."""
    said = st.text_input(
        "Your name",
        value=st.session_state.get(_NAME, ""),
        max_chars=LONGEST_NAME,
        placeholder="recorded with each decision",
        key=key,
    )
    name = " ".join(said.split())
    st.session_state[_NAME] = name
    return name
