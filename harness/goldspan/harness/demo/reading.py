"""The desk's read tools: logs, tickets, accounts, ledger, policies, attachments."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from goldspan.harness.demo import arguments as args
from goldspan.harness.demo import documents, logs
from goldspan.harness.demo.database import opened, usd
from goldspan.harness.tools import Tool, ToolContext, ToolError

TICKET_TIMEOUTS = 0.06
ENTRIES_SHOWN = 8


def search_logs(context: ToolContext, call: args.SearchLogs) -> dict[str, Any]:
    """Entries of a service, and the hours of the range that were never collected."""
    start, end = _minute("start", call.start), _minute("end", call.end)
    if end <= start or (end - start).days >= 2:
        raise ToolError("end must be after start, by less than 2 days", error_type="InvalidRange")
    found = logs.search(context.workspace, call.service, start, end)
    shown = found.entries[:ENTRIES_SHOWN]
    result: dict[str, Any] = {
        "entries": [f"{e['id']} {e['time']} {e['level']} {e['text']}" for e in shown]
    }
    if len(found.entries) > len(shown):
        result["more"] = len(found.entries) - len(shown)
    if found.missing:
        result["hours_without_logs"] = found.missing
    if found.gaps:
        result["gaps"] = found.gaps
    return result


def get_ticket(context: ToolContext, call: args.GetTicket) -> dict[str, Any]:
    """A ticket's metadata. The ticket service times out now and then, from the run's seed."""
    with opened(context.workspace) as db:
        fault = db.execute("SELECT rate FROM faults WHERE tool = 'get_ticket'").fetchone()
        if context.rng.random() < (TICKET_TIMEOUTS if fault is None else fault["rate"]):
            raise ToolError(
                "the ticket service timed out, try again", error_type="TimeoutError", retryable=True
            )
        row = ticket_row(db, call.ticket_id)
    return {key: row[key] for key in row.keys() if row[key] is not None}  # noqa: SIM118


def get_account(context: ToolContext, call: args.GetAccount) -> dict[str, Any]:
    """Plan, status, open balance and invoices of a customer."""
    with opened(context.workspace) as db:
        row = customer_row(db, call.customer_id)
        invoices = db.execute(
            "SELECT * FROM invoices WHERE customer_id = ? ORDER BY issued, invoice_id",
            (call.customer_id,),
        ).fetchall()
    owed = sum(i["amount_cents"] for i in invoices if i["status"] == "open")
    return {
        **{key: row[key] for key in ("customer_id", "name", "plan", "seats", "status", "contact")},
        "balance_usd": usd(owed),
        "invoices": [
            f"{i['invoice_id']} {i['issued']} {usd(i['amount_cents']):.2f} USD {i['status']}"
            for i in invoices
        ],
    }


def get_ledger(context: ToolContext, call: args.GetLedger) -> dict[str, Any]:
    """The charges, reversals and refunds of a customer, oldest first."""
    with opened(context.workspace) as db:
        customer_row(db, call.customer_id)
        entries = db.execute(
            "SELECT * FROM ledger WHERE customer_id = ? ORDER BY date, entry_id",
            (call.customer_id,),
        ).fetchall()
    if not entries:
        return {"entries": [], "note": "nothing was charged; open invoices are in get_account"}
    result: dict[str, Any] = {}
    if call.invoice_id is not None:
        chosen = [e for e in entries if e["invoice_id"] == call.invoice_id]
        if not chosen:
            result["note"] = f"nothing for {call.invoice_id}; this is the whole ledger"
        entries = chosen or entries
    result["entries"] = [
        f"{e['entry_id']} {e['date']} {e['kind']} {usd(e['amount_cents']):.2f} USD"
        f" for {e['invoice_id']}, {e['memo']}"
        for e in entries
    ]
    return result


def read_policy(context: ToolContext, call: args.ReadPolicy) -> dict[str, Any]:
    """A policy's sections by id."""
    return documents.sections(context.workspace, call.name)


def read_attachment(context: ToolContext, call: args.ReadAttachment) -> dict[str, Any]:
    """An attachment's text, as somebody outside wrote it."""
    known = documents.names(context.workspace, "attachments")
    if call.name not in known:
        raise ToolError(
            f"no attachment {call.name!r}; there are {', '.join(known)}", error_type="NotFound"
        )
    return {"name": call.name, "text": documents.read(context.workspace, "attachments", call.name)}


def ticket_row(db: sqlite3.Connection, ticket_id: str) -> sqlite3.Row:
    """A ticket. Raises `ToolError` where there is none."""
    return _row(db, "tickets", "ticket_id", ticket_id, "for a customer use get_account")


def customer_row(db: sqlite3.Connection, customer_id: str) -> sqlite3.Row:
    """A customer. Raises `ToolError` where there is none."""
    return _row(db, "customers", "customer_id", customer_id, "say so in the answer")


def _row(db: sqlite3.Connection, table: str, key: str, value: str, advice: str) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        f"SELECT * FROM {table} WHERE {key} = ?", (value,)
    ).fetchone()
    if row is None:
        raise ToolError(f"{key} {value} does not exist; {advice}", error_type="NotFound")
    return row


def _minute(name: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M")
    except ValueError:
        raise ToolError(
            f"{name} is not a time: {text!r}; write 2026-11-17T06:00", error_type="InvalidRange"
        ) from None


TOOLS = (
    Tool(
        "get_account",
        "a customer's plan, seats, status, contact, balance, open and paid invoices",
        args.GetAccount,
        get_account,
    ),
    Tool(
        "get_ledger",
        "a customer's charges, reversals and refunds; all, or of one invoice",
        args.GetLedger,
        get_ledger,
    ),
    Tool("read_policy", "the sections of a policy, with ids", args.ReadPolicy, read_policy),
    Tool(
        "read_attachment",
        "the full text of an attachment, such as meeting notes",
        args.ReadAttachment,
        read_attachment,
        untrusted_output=True,
    ),
    Tool(
        "get_ticket",
        "a ticket's customer, subject, priority and channel; may time out: try again",
        args.GetTicket,
        get_ticket,
        untrusted_output=True,
    ),
    Tool(
        "search_logs",
        "server logs of a service, start to end in UTC; nothing on customers or money",
        args.SearchLogs,
        search_logs,
        untrusted_output=True,
    ),
)
