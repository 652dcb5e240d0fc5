"""A person's decision on a call that waits: by whom, on what exactly, and what it changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from jsonschema import Draft202012Validator

from goldspan.harness.approvals import events
from goldspan.harness.approvals.proposal import ApprovalKind, DecisionKind, Proposal
from goldspan.harness.approvals.record import Approval, Signature, State, same_person
from goldspan.harness.approvals.register import (
    Approvals,
    checked_name,
    digest_of,
    told,
)
from goldspan.harness.approvals.rules import ApprovalRule
from goldspan.harness.ledger import Transaction, call_digest
from goldspan.harness.operation.outbox import put
from goldspan.tracing import semconv
from goldspan.tracing.errors import InputError


def decide(
    approvals: Approvals,
    approval: Approval,
    kind: DecisionKind,
    reviewer: str,
    token: str,
    *,
    reason: str = "",
    edit: Mapping[str, Any] | None = None,
) -> Approval:
    """Write down what a reviewer says; returns the approval as it is then.

    `edit` replaces the arguments that it names. Where two reviewers are asked, the call waits on
    until two different ones have agreed to the same arguments: what one corrects, another must
    approve. Raises `InputError`, and changes nothing, where it was decided already, the token is
    not good for this reviewer and exactly this call, a denial has no reason, or corrected
    arguments do not fit the tool.
    """
    name, reason = checked_name(reviewer), reason.strip()
    if kind == "deny" and not reason:
        raise InputError(
            "a denial needs its reason", where=approval.id, remedy="give --because TEXT"
        )
    ledger = approvals.ledger
    with ledger.transaction() as tx:
        now = ledger.clock()
        current = _current(tx, approval)
        _spend(tx, current, name, token, now)
        arguments = _corrected(current, edit) if kind == "edit" else current.arguments
        digest = call_digest(current.proposal.tool, arguments)
        asked = current.kind
        if kind != "deny":
            _check_may_agree(current, name)
            asked = _who(current, arguments, name)
        signed = _signed(current.signatures, Signature(name, kind, digest, now, reason))
        state = _state(kind, asked, signed, digest, current.proposal)
        changed = tx.run(
            "decide_approval",
            id=current.id,
            was="asked",
            was_digest=current.digest,
            was_reviewers=_json(current.signatures) if current.signatures else "",
            state=state,
            digest=digest,
            kind=asked,
            decision=json.dumps({"arguments": arguments, "reason": reason}, ensure_ascii=False),
            reviewers=_json(signed),
            decided_at=None if state == "asked" else now,
        )
        if changed != 1:
            raise _decided_meanwhile(approval.id)
        (row,) = tx.rows("approval", id=current.id)
        found = Approval.of_row(row)
        _tell(tx, found, kind, name, reason, now)
    return found


def _current(tx: Transaction, approval: Approval) -> Approval:
    (row,) = tx.rows("approval", id=approval.id)
    current = Approval.of_row(row)
    if current.state != "asked":
        by = f" by {current.reviewer}" if current.reviewer else ""
        raise InputError(
            f"was decided already: {current.state}{by}",
            where=current.id,
            remedy="goldspan approvals show says more",
        )
    return current


def _spend(tx: Transaction, current: Approval, reviewer: str, token: str, now: float) -> None:
    known = {"token_digest": digest_of(token)}
    rows = [row for row in tx.rows("approval_token", **known) if row["approval"] == current.id]
    remedy = "goldspan approvals show ID --as NAME gives a new one"
    if not rows:
        raise InputError("this token is not one of this approval", where=current.id, remedy=remedy)
    if not same_person(rows[0]["reviewer"], reviewer):
        raise InputError(
            f"this token was given to {rows[0]['reviewer']}", where=current.id, remedy=remedy
        )
    if rows[0]["seen"] != current.seen:
        raise InputError(
            "the call has changed since this token was given", where=current.id, remedy=remedy
        )
    if tx.run("spend_approval_token", **known, approval=current.id, at=now) != 1:
        raise InputError("this token was used before", where=current.id, remedy=remedy)


def _corrected(current: Approval, edit: Mapping[str, Any] | None) -> dict[str, Any]:
    if not edit:
        raise InputError(
            "a correction names the arguments that it changes",
            where=current.id,
            remedy="give a file such as: amount_usd: 49",
        )
    arguments = {**current.arguments, **edit}
    # A correction becomes JSON in the ledger: what is no JSON must not become something else there.
    try:
        json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"the correction is no JSON: {error}", where=current.id) from None
    if current.proposal.schema is not None:
        faults = Draft202012Validator(current.proposal.schema).iter_errors(arguments)
        for fault in sorted(faults, key=lambda f: [str(part) for part in f.absolute_path]):
            field = ".".join(str(part) for part in fault.absolute_path) or "arguments"
            raise InputError(
                f"{field}: {fault.message}",
                where=current.id,
                remedy=f"these are the arguments of {current.proposal.tool}",
            )
    return arguments


def _check_may_agree(approval: Approval, reviewer: str) -> None:
    """Raise `InputError` where this person's agreement does not count. To deny is anybody's."""
    concerns = approval.proposal.concerns
    if approval.kind == "user" and (concerns is None or not same_person(reviewer, concerns)):
        raise InputError(
            f"is for the user concerned to confirm, and that is {concerns or 'not known'}",
            where=approval.id,
            remedy=f"--as {concerns}" if concerns else "deny it, and have it proposed again",
        )
    allowed = (approval.proposal.rule or {}).get("reviewers") or ()
    if allowed and not any(same_person(reviewer, name) for name in allowed):
        raise InputError(
            f"{reviewer} is no reviewer of {approval.proposal.tool}",
            where=approval.id,
            remedy=f"its rule names {', '.join(allowed)}",
        )


def _who(current: Approval, arguments: dict[str, Any], reviewer: str) -> ApprovalKind:
    """Who must answer for the call as corrected: a correction takes no reviewer away. Raises
    `InputError` where it concerns another user than the one who corrects it."""
    if current.proposal.rule is None:
        return current.kind
    kind, concerned = ApprovalRule.model_validate(current.proposal.rule).who(arguments)
    if kind == "user" and (concerned is None or not same_person(reviewer, concerned)):
        raise InputError(
            f"the corrected call concerns {concerned or 'nobody known'}, who was not asked",
            where=current.id,
            remedy="deny it, and have the other call proposed",
        )
    return kind if kind == "two-reviewers" else current.kind


def _signed(before: Sequence[Signature], new: Signature) -> tuple[Signature, ...]:
    """The signatures with a new one, which replaces what the same person said before."""
    others = (each for each in before if not same_person(each.reviewer, new.reviewer))
    return (*others, new)


def _state(
    kind: DecisionKind,
    asked: ApprovalKind,
    signed: Sequence[Signature],
    digest: str,
    proposal: Proposal,
) -> State:
    if kind == "deny":
        return "denied"
    agreed = sum(each.digest == digest for each in signed)
    if agreed < (2 if asked == "two-reviewers" else 1):
        return "asked"
    first = call_digest(proposal.tool, proposal.arguments)
    return "approved" if digest == first else "edited"


def _tell(
    tx: Transaction, found: Approval, kind: DecisionKind, name: str, reason: str, now: float
) -> None:
    decision = {"denied": "deny", "edited": "edit", "approved": "approve"}.get(found.state, kind)
    said = events.decided(
        found.proposal,
        decision,
        name if found.state == "asked" else found.reviewer,
        wait_ms=(now - found.asked_at) * 1000,
        reason=reason,
        arguments=found.arguments if found.edited else None,
    )
    if found.state == "asked":
        part = f"{name}\0{found.digest}"
        put(tx, told(found, semconv.APPROVAL_SIGNED, said, at=now, part=part))
        return
    put(tx, told(found, semconv.APPROVAL_DECIDED, said, at=now))


def _json(signatures: Sequence[Signature]) -> str:
    return json.dumps([asdict(each) for each in signatures], ensure_ascii=False)


def _decided_meanwhile(approval: str) -> InputError:
    return InputError(
        "somebody else decided it at the same moment",
        where=approval,
        remedy="goldspan approvals show says how",
    )
