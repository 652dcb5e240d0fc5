"""The kinds of task that the simulated desk gets, and what is said in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of task: its share of traffic, mean number of tool calls, texts and tools.

    `acts` names the tool that needs approval where a run of this kind asks for one.
    """

    name: str
    share: float
    tool_calls: float
    tools: tuple[str, ...]
    input: str
    output: str
    acts: str = "send_reply"


KINDS = (
    Kind(
        "charge",
        0.34,
        2.3,
        ("get_account", "get_ledger", "read_policy", "draft_reply"),
        "Customer C-{n} writes that invoice INV-{m} was charged twice. Please sort it out.",
        "INV-{m} appears once in the ledger; the second entry was reversed. A draft lies ready.",
        acts="issue_refund",
    ),
    Kind(
        "incident",
        0.18,
        2.9,
        ("search_logs", "get_ticket", "search_logs", "post_note"),
        "Write the internal incident note for ticket T-{m}: slow checkout this morning.",
        "Note posted: observations, inferences, unknowns; one log window is missing.",
    ),
    Kind(
        "plan",
        0.22,
        1.6,
        ("get_account", "read_policy", "draft_reply"),
        "Customer C-{n} asks whether they can move to the yearly plan in the middle of a month.",
        "They can: the rest of the month is credited. A draft lies ready.",
    ),
    Kind(
        "meeting",
        0.10,
        1.4,
        ("read_attachment", "post_note"),
        "Turn the transcript of meeting M-{m} into action items with owners.",
        "Four action items, two of them without an owner in the transcript.",
    ),
    Kind(
        "logs",
        0.16,
        2.6,
        ("search_logs", "search_logs", "get_ticket", "post_note"),
        "Summarise the logs of the billing service for ticket T-{m} and say what is missing.",
        "Three retries and a recovery; between 02:10 and 02:40 there are no logs at all.",
    ),
)

ARGUMENTS = {
    "get_account": '{{"customer_id":"C-{n}"}}',
    "get_ledger": '{{"customer_id":"C-{n}","days":30}}',
    "read_policy": '{{"name":"refunds"}}',
    "read_attachment": '{{"name":"transcript-{m}.md"}}',
    "get_ticket": '{{"ticket_id":"T-{m}"}}',
    "search_logs": '{{"service":"billing","text":"T-{m}"}}',
    "post_note": '{{"ticket_id":"T-{m}","text":"see the incident note"}}',
    "draft_reply": '{{"customer_id":"C-{n}","text":"Dear customer, …"}}',
    "send_reply": '{{"customer_id":"C-{n}","draft_id":"D-{m}"}}',
    "issue_refund": '{{"customer_id":"C-{n}","invoice_id":"INV-{m}","amount_usd":19.0}}',
}

RESULTS = {
    "get_account": '{{"customer_id":"C-{n}","plan":"team","status":"active"}}',
    "get_ledger": '{{"entries":3,"reversed":1}}',
    "read_policy": '{{"text":"Refunds within 30 days; a second charge is always returned."}}',
    "read_attachment": '{{"characters":2140}}',
    "get_ticket": '{{"ticket_id":"T-{m}","priority":"normal"}}',
    "search_logs": '{{"lines":14,"gaps":1}}',
    "post_note": '{{"note_id":"N-{m}"}}',
    "draft_reply": '{{"draft_id":"D-{m}"}}',
    "send_reply": '{{"sent":true}}',
    "issue_refund": '{{"refund_id":"R-{m}"}}',
}

TIMEOUT = ("timeout", "the tool did not answer within 5 s")
