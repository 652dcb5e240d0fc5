"""The arguments of the desk's tools. Names are short: the whole list stands in every request."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Customer = Annotated[str, StringConstraints(pattern=r"^C-[0-9]{3}$")]
Invoice = Annotated[str, StringConstraints(pattern=r"^INV-[0-9]{4}$")]
TicketId = Annotated[str, StringConstraints(pattern=r"^T-[0-9]{3}$")]
DraftId = Annotated[str, StringConstraints(pattern=r"^D-[0-9]{1,3}$")]
Minute = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$")
]
# What may be cited: a ledger entry, invoice, refund, log entry, ticket or policy section.
Evidence = Annotated[
    str,
    StringConstraints(pattern=r"^(L-[0-9]{4}|INV-[0-9]{4}|[RGT]-[0-9]{3}|[a-z]{5,10}-[0-9])$"),
]
Name = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Lines = Annotated[list[Line], Field(max_length=3)]
Body = Annotated[str, StringConstraints(min_length=1, max_length=320)]
Service = Literal["api-gateway", "auth", "billing-worker", "checkout", "mail-relay"]
Policy = Literal["credits", "incidents", "plans", "privacy", "refunds"]


class Arguments(BaseModel):
    """What all have in common: no field beyond those named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchLogs(Arguments):
    """Times are UTC, such as 2026-11-17T06:00; `end` is not included."""

    service: Service
    start: Minute
    end: Minute


class GetTicket(Arguments):
    """A ticket by id."""

    ticket_id: TicketId


class GetAccount(Arguments):
    """A customer by id."""

    customer_id: Customer


class GetLedger(Arguments):
    """A slice of a customer's ledger: everything, or one invoice.

    By invoice and not by date, since small models fill in the years of their training data.
    """

    customer_id: Customer
    invoice_id: Invoice | None = None


class ReadPolicy(Arguments):
    """A policy by name."""

    name: Policy


class ReadAttachment(Arguments):
    """An attachment by name."""

    name: Name


class PostNote(Arguments):
    """An internal note with its four kinds of statement kept apart."""

    ticket_id: TicketId
    observations: Lines
    inferences: Lines
    unknowns: Lines
    requests: Lines


class Claim(Arguments):
    """A statement of a draft and the id of what shows it."""

    text: Line
    evidence: Evidence


class DraftReply(Arguments):
    """A reply that nobody outside sees yet."""

    ticket_id: TicketId
    body: Body
    claims: Annotated[list[Claim], Field(min_length=1, max_length=2)]
    risk: Line


class SendReply(Arguments):
    """A draft by id."""

    draft_id: DraftId


class IssueRefund(Arguments):
    """Money back on an invoice, in USD."""

    customer_id: Customer
    invoice_id: Invoice
    amount_usd: Annotated[float, Field(gt=0, le=10_000)]


class AskQuestion(Arguments):
    """A question to a team or to the customer's contact."""

    to: Literal["customer", "engineering", "finance", "legal"]
    question: Annotated[str, StringConstraints(min_length=1, max_length=200)]
