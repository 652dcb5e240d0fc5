"""Approvals on a terminal. What agents and customers wrote is shown as text and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from goldspan.cli.console import out

if TYPE_CHECKING:
    from goldspan.harness.approvals.record import Approval
    from goldspan.harness.approvals.unknown import UnknownCall

LONGEST_CELL = 70
WHO = {
    "reviewer": "a reviewer",
    "two-reviewers": "two reviewers",
    "user": "the user concerned",
}


def show_list(approvals: Sequence[Approval], now: float, nothing: str) -> None:
    """One row for each approval; `now` is seconds since the epoch."""
    if not approvals:
        out.print(nothing)
        return
    table = Table("id", "waited", "for", "state", "tool", "arguments", "agent", "said so far")
    for column in table.columns[::4]:  # id and tool are for other commands: never in two lines
        column.no_wrap = True
    for each in approvals:
        said = ", ".join(f"{one.reviewer}: {one.decision}" for one in each.signatures)
        row = (
            each.id[:12],
            lasted((each.decided_at or now) - each.asked_at),
            WHO[each.kind],
            each.state,
            each.proposal.tool,
            _short(_json(each.arguments)),
            str(each.context.get("agent") or "—"),
            said or "—",
        )
        table.add_row(*(Text(visible(cell), overflow="fold") for cell in row))
    out.print(table)


def show_approval(approval: Approval, now: float) -> None:
    """All that a reviewer decides by; `now` is seconds since the epoch."""
    proposal = approval.proposal
    asked = datetime.fromtimestamp(approval.asked_at, UTC)
    out.print(Text(f"{proposal.tool}  {approval.state}", style="bold"))
    waited = lasted((approval.decided_at or now) - approval.asked_at)
    waited = f"waited {waited}" if approval.decided_at else f"waits since {waited}"
    _field("approval", approval.id)
    _field("run", f"{approval.run_id}  {approval.context.get('agent') or ''}")
    _field("asked", f"{asked:%Y-%m-%d %H:%M:%S} UTC, {waited}")
    concerns = f" ({proposal.concerns})" if proposal.concerns else ""
    _field("needs", f"{WHO[approval.kind]}{concerns}")
    _field("because", proposal.why)
    _field("arguments", _json(approval.arguments, indent=2))
    if approval.edited:
        _field("proposed", _json(proposal.arguments, indent=2))
    _field("agent says", proposal.reason)
    _field("confidence", proposal.confidence)
    _field("draft", proposal.draft)
    for number, claim in enumerate(proposal.claims, 1):
        evidence = claim.get("evidence") or "no evidence"
        _field(f"claim {number}", f"{claim.get('text', '')}  [{evidence}]")
    _field("risk", proposal.risk)
    _field("advice", proposal.recommendation)
    for each in approval.signatures:
        reason = f": {each.reason}" if each.reason else ""
        _field("said", f"{each.reviewer} {each.decision}{reason}")


def show_unknown(calls: Sequence[UnknownCall], now: float) -> None:
    """One row for each call that a crash left unknown; `now` is seconds since the epoch."""
    if not calls:
        out.print("no run waits for somebody to say what became of a call")
        return
    table = Table("key", "waits", "tool", "agent", "run", "why")
    for each in calls:
        waits = lasted(now - each.at)
        row = (each.key[:12], waits, each.tool, each.agent, each.run_id[:12], each.why or "")
        table.add_row(*(Text(visible(cell), overflow="fold") for cell in row))
    out.print(table)


def told(approval: Approval) -> str:
    """One line on what a decision came to."""
    name = f"{approval.id[:12]} {approval.proposal.tool}"
    if approval.state == "asked":
        return visible(f"{name}: waits for another reviewer to approve the same arguments")
    arguments = f" as {_json(approval.arguments)}" if approval.state == "edited" else ""
    return visible(f"{name}: {approval.state}{arguments} by {approval.reviewer}")


def visible(text: str) -> str:
    """Text whose control characters, and those that reverse the reading order, are replaced: a
    draft must not rewrite what the reviewer reads around it."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def lasted(seconds: float) -> str:
    """How long something took, in the unit that a person would say."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _field(name: str, value: Any) -> None:
    if value in (None, ""):
        return
    lines = visible(str(value)).split("\n")
    out.print(Text.assemble((f"{name:<12}", "dim"), ("\n" + " " * 12).join(lines)))


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
