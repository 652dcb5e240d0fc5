"""What a reviewer of the desk sees of a call before it is made."""

from __future__ import annotations

import json
from typing import Any

from goldspan.harness.demo.database import opened, usd
from goldspan.harness.tools import ToolContext


def reply(context: ToolContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """The draft that would be sent, with its claims and the risk that its author saw."""
    with opened(context.workspace) as db:
        draft = db.execute(
            "SELECT * FROM drafts WHERE draft_id = ?", (arguments.get("draft_id"),)
        ).fetchone()
    if draft is None:
        return {"risk": "there is no such draft", "recommendation": "deny"}
    return {
        "draft": draft["body"],
        "claims": json.loads(draft["claims"]),
        "risk": draft["risk"],
        "recommendation": f"send it on {draft['ticket_id']} if each claim holds",
    }


def refund(context: ToolContext, arguments: dict[str, Any]) -> dict[str, Any]:
    """The ledger of the invoice that would be refunded, as the evidence."""
    invoice = arguments.get("invoice_id")
    with opened(context.workspace) as db:
        entries = db.execute(
            "SELECT * FROM ledger WHERE invoice_id = ? ORDER BY entry_id", (invoice,)
        ).fetchall()
    paid = usd(sum(entry["amount_cents"] for entry in entries))
    return {
        "claims": [
            {
                "text": f"{e['kind']} of {usd(e['amount_cents']):.2f} USD on {e['date']}",
                "evidence": e["entry_id"],
            }
            for e in entries
        ],
        "risk": f"money leaves; {paid:.2f} USD are paid on {invoice} and not given back",
        "recommendation": f"compare {arguments.get('amount_usd')} USD with the refunds policy",
    }
