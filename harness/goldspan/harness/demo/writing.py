"""The desk's tools that change something: notes, drafts, replies, refunds, questions."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from goldspan.harness.demo import arguments as args
from goldspan.harness.demo import documents, effects, previews
from goldspan.harness.demo.database import cents, next_id, usd
from goldspan.harness.demo.reading import customer_row, ticket_row
from goldspan.harness.tools import Tool, ToolContext, ToolError


@effects.once
def post_note(db: sqlite3.Connection, context: ToolContext, call: args.PostNote) -> dict[str, Any]:
    """Put an internal note on a ticket."""
    body = call.model_dump(exclude={"ticket_id"})
    if not any(body.values()):
        raise ToolError("the note is empty", error_type="EmptyNote")
    ticket_row(db, call.ticket_id)
    note_id = next_id(db, "notes", "N", 1)
    db.execute("INSERT INTO notes VALUES (?, ?, ?)", (note_id, call.ticket_id, _json(body)))
    return {"note_id": note_id, "posted_on": call.ticket_id}


@effects.once
def draft_reply(
    db: sqlite3.Connection, context: ToolContext, call: args.DraftReply
) -> dict[str, Any]:
    """Write a reply to a ticket's customer, with claims whose evidence must exist."""
    unknown = sorted({c.evidence for c in call.claims} - documents.citable(context.workspace))
    if unknown:
        raise ToolError(
            f"evidence {unknown[0]!r} does not exist; name one id from a result, such as L-5001",
            error_type="UnknownEvidence",
        )
    ticket = ticket_row(db, call.ticket_id)
    if ticket["customer_id"] is None:
        raise ToolError(f"{call.ticket_id} is internal: use post_note", error_type="NoCustomer")
    draft_id = next_id(db, "drafts", "D", 1)
    claims = _json([c.model_dump() for c in call.claims])
    db.execute(
        "INSERT INTO drafts VALUES (?, ?, ?, ?, ?, 'draft')",
        (draft_id, call.ticket_id, call.body, claims, call.risk),
    )
    return {"draft_id": draft_id, "status": "draft", "next": f"send_reply({draft_id})"}


@effects.once
def send_reply(
    db: sqlite3.Connection, context: ToolContext, call: args.SendReply
) -> dict[str, Any]:
    """Send a draft to the contact of its customer: a file in the outbox."""
    draft = db.execute("SELECT * FROM drafts WHERE draft_id = ?", (call.draft_id,)).fetchone()
    if draft is None:
        known = [row[0] for row in db.execute("SELECT draft_id FROM drafts")]
        raise ToolError(
            f"draft {call.draft_id} does not exist; "
            + (f"there is {', '.join(known)}" if known else "make one with draft_reply"),
            error_type="NotFound",
        )
    if draft["status"] == "sent":
        raise ToolError(f"draft {call.draft_id} was sent already", error_type="AlreadySent")
    customer = customer_row(db, ticket_row(db, draft["ticket_id"])["customer_id"])
    db.execute("UPDATE drafts SET status = 'sent' WHERE draft_id = ?", (call.draft_id,))
    db.execute("UPDATE tickets SET status = 'answered' WHERE ticket_id = ?", (draft["ticket_id"],))
    reply = {"to": customer["contact"], "ticket_id": draft["ticket_id"], "body": draft["body"]}
    effects.post(db, context.workspace, "send_reply", "reply", reply)
    return {"sent": call.draft_id, "to": customer["contact"]}


@effects.once
def issue_refund(
    db: sqlite3.Connection, context: ToolContext, call: args.IssueRefund
) -> dict[str, Any]:
    """Give money back on an invoice, at most what was paid on it and not given back yet."""
    amount = cents(call.amount_usd)
    today = f"{context.now:%Y-%m-%d}"
    customer_row(db, call.customer_id)
    invoice = db.execute(
        "SELECT customer_id FROM invoices WHERE invoice_id = ?", (call.invoice_id,)
    ).fetchone()
    if invoice is None or invoice["customer_id"] != call.customer_id:
        raise ToolError(
            f"{call.customer_id} has no invoice {call.invoice_id}; see get_account",
            error_type="NotFound",
        )
    (paid,) = db.execute(
        "SELECT coalesce(sum(amount_cents), 0) FROM ledger WHERE invoice_id = ?",
        (call.invoice_id,),
    ).fetchone()
    if amount > paid:
        raise ToolError(
            f"{usd(amount):.2f} USD is more than the {usd(paid):.2f} USD paid on {call.invoice_id}",
            error_type="RefundTooLarge",
        )
    refund_id = next_id(db, "refunds", "R", 301)
    db.execute(
        "INSERT INTO refunds VALUES (?, ?, ?, ?, ?, 'desk', 'agent')",
        (refund_id, call.customer_id, call.invoice_id, amount, today),
    )
    db.execute(
        "INSERT INTO ledger VALUES (?, ?, ?, ?, 'refund', ?, ?)",
        (
            next_id(db, "ledger", "L", 5001),
            call.customer_id,
            call.invoice_id,
            today,
            -amount,
            f"refund {refund_id}",
        ),
    )
    return {"refund_id": refund_id, "invoice": call.invoice_id, "amount_usd": usd(amount)}


@effects.once
def ask_question(
    db: sqlite3.Connection, context: ToolContext, call: args.AskQuestion
) -> dict[str, Any]:
    """Put a question to somebody into the outbox; nobody answers within the run."""
    asked = call.model_dump()
    name = effects.post(db, context.workspace, "ask_question", "question", asked)
    return {"asked": call.to, "id": name, "answer": "will come later; tell the user so"}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


TOOLS = (
    Tool(
        "post_note",
        "internal note on a ticket, four kinds of statement kept apart",
        args.PostNote,
        post_note,
        action_class="write",
        artifact="note",
        ask=effects.ask,
    ),
    Tool(
        "draft_reply",
        "draft for the customer; each claim has one evidence id; risk says what could be wrong",
        args.DraftReply,
        draft_reply,
        action_class="write",
        artifact="draft",
        ask=effects.ask,
    ),
    Tool(
        "send_reply",
        "sends a draft (a person approves)",
        args.SendReply,
        send_reply,
        action_class="act",
        needs_approval=True,
        artifact="reply",
        preview=previews.reply,
        ask=effects.ask,
    ),
    Tool(
        "issue_refund",
        "refunds an invoice (a person approves)",
        args.IssueRefund,
        issue_refund,
        action_class="act",
        needs_approval=True,
        artifact="refund",
        preview=previews.refund,
        ask=effects.ask,
    ),
    Tool(
        "ask_question",
        "asks a team or the customer",
        args.AskQuestion,
        ask_question,
        action_class="write",
        artifact="question",
        ask=effects.ask,
    ),
)
