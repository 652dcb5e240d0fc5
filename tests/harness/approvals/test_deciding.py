"""Decisions: by whom, on exactly what, once; and what two reviewers and an edit change."""

from __future__ import annotations

import threading
from typing import Any, Literal

import pytest

from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.record import Approval
from goldspan.harness.approvals.rules import ApprovalRule
from goldspan.harness.ledger import Intent, call_digest
from goldspan.harness.operation.outbox import unsent
from goldspan.tracing.errors import InputError
from tests.harness.approvals.conftest import Desk, both_engines, refund

Said = Literal["approve", "edit", "deny"]


def say(desk: Desk, approval: Approval, kind: Said, name: str, **more: Any) -> Approval:
    token = desk.approvals.issue(approval, name)
    return decide(desk.approvals, approval, kind, name, token, **more)


def call(approval: Approval, **changed: Any) -> Intent:
    arguments = {**approval.arguments, **changed}
    return Intent.of("run-1", 0, "issue_refund", arguments, approval=approval.id)


def events(desk: Desk) -> list[tuple[str, str | None]]:
    """The audit events so far: what happened, and by whom."""
    return [
        (event.name.removeprefix("goldspan.approval."), event.attributes.get(REVIEWER))
        for event in unsent(desk.ledger)
    ]


REVIEWER = "goldspan.approval.reviewer"


@both_engines
def test_an_approval_is_of_exactly_one_call_and_is_used_once(desk: Desk) -> None:
    asked = desk.approvals.ask(refund(), {"attributes": {"goldspan.run.id": "run-1"}})
    assert [each.id for each in desk.approvals.waiting()] == ["a1"]
    assert desk.ledger.admit(call(asked)).standing == "refused"
    desk.wait(90_000)
    done = say(desk, asked, "approve", "  Ana   Lopez ")
    assert (done.state, done.reviewer, done.wait_ms) == ("approved", "Ana Lopez", 90_000_000)
    other = Intent.of("run-1", 1, "issue_refund", {"amount_usd": 4900}, approval="a1")
    assert desk.ledger.admit(other).standing == "refused"
    exact = Intent.of("run-1", 2, "issue_refund", done.arguments, approval="a1")
    assert desk.ledger.admit(exact).fresh
    assert desk.approvals.find("a1").state == "used"
    again = Intent.of("run-1", 3, "issue_refund", done.arguments, approval="a1")
    assert desk.ledger.admit(again).standing == "refused"
    assert events(desk) == [("requested", None), ("decided", "Ana Lopez")]
    (asked_event, decided_event) = unsent(desk.ledger)
    assert asked_event.attributes["goldspan.run.id"] == "run-1"
    assert decided_event.attributes["goldspan.approval.wait_ms"] == 90_000_000
    assert decided_event.at == 1_090_000


def test_a_decision_stands(desk: Desk) -> None:
    asked = desk.approvals.ask(refund())
    with pytest.raises(InputError, match="a denial needs its reason"):
        say(desk, asked, "deny", "ana")
    say(desk, asked, "deny", "ana", reason="not paid twice")
    with pytest.raises(InputError, match="was decided already: denied by ana"):
        say(desk, asked, "approve", "bo")
    assert desk.ledger.admit(call(asked)).standing == "refused"
    assert desk.approvals.find("a1").reason == "not paid twice"
    assert [each.id for each in desk.approvals.decided()] == ["a1"]


def test_a_token_is_of_one_reviewer_one_use_and_one_approval(desk: Desk) -> None:
    asked = desk.approvals.ask(refund())
    second = desk.approvals.ask(refund("b2"))
    token = desk.approvals.issue(asked, "ana")
    with pytest.raises(InputError, match="this token was given to ana"):
        decide(desk.approvals, asked, "approve", "bo", token)
    with pytest.raises(InputError, match="not one of this approval"):
        decide(desk.approvals, second, "approve", "ana", token)
    with pytest.raises(InputError, match="not one of this approval"):
        decide(desk.approvals, asked, "approve", "ana", token + "x")
    with pytest.raises(InputError, match="amount_usd"):  # nothing happened, the token is unspent
        decide(desk.approvals, asked, "edit", "ana", token, edit={"amount_usd": "a lot"})
    assert decide(desk.approvals, asked, "approve", "Ana", token).state == "approved"


def test_a_token_is_spent_also_where_the_call_waits_on(desk: Desk) -> None:
    asked = desk.approvals.ask(refund(kind="two-reviewers"))
    token = desk.approvals.issue(asked, "ana")
    decide(desk.approvals, asked, "approve", "ana", token)
    with pytest.raises(InputError, match="this token was used before"):
        decide(desk.approvals, asked, "approve", "ana", token)


@pytest.mark.parametrize(
    "changed",
    [
        refund(amount=4900.0),
        refund(claims=[{"text": "paid thrice", "evidence": "L-5001"}]),
        refund(draft="another text"),
    ],
)
def test_a_call_that_changes_before_the_decision_makes_tokens_void(
    desk: Desk, changed: Any
) -> None:
    asked = desk.approvals.ask(refund())
    token = desk.approvals.issue(asked, "ana")
    renewed = desk.approvals.ask(changed)
    assert renewed.proposal == changed
    with pytest.raises(InputError, match="the call has changed since this token was given"):
        decide(desk.approvals, asked, "approve", "ana", token)
    assert say(desk, renewed, "approve", "ana").digest == call_digest(
        "issue_refund", changed.arguments
    )


@both_engines
def test_asking_again_changes_nothing_and_forgets_nothing(desk: Desk) -> None:
    asked = desk.approvals.ask(refund())
    desk.wait(5)
    assert desk.approvals.ask(refund()) == asked
    done = say(desk, asked, "approve", "ana")
    assert desk.approvals.ask(refund(amount=1)) == done
    assert len(unsent(desk.ledger)) == 2


def test_a_correction_replaces_what_it_names_and_nothing_else_is_allowed_then(
    desk: Desk,
) -> None:
    asked = desk.approvals.ask(refund())
    done = say(desk, asked, "edit", "ana", edit={"amount_usd": 24.5}, reason="half")
    assert done.state == "edited"
    assert done.arguments == {"invoice_id": "INV-1", "amount_usd": 24.5}
    assert desk.ledger.admit(call(asked)).standing == "refused"
    mended = Intent.of("run-1", 1, "issue_refund", done.arguments, approval="a1")
    assert desk.ledger.admit(mended).standing == "admitted"
    (_, decided) = unsent(desk.ledger)
    assert decided.attributes["goldspan.approval.decision"] == "edit"
    assert "24.5" in decided.attributes["goldspan.approval.arguments"]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({}, "names the arguments that it changes"),
        ({"amount_usd": "49"}, "amount_usd: '49' is not of type 'number'"),
        ({"amount": 49}, "unexpected"),
        ({"amount_usd": float("nan")}, "is no JSON"),
    ],
)
def test_a_correction_that_does_not_fit_the_tool_is_refused(
    desk: Desk, edit: dict[str, Any], told: str
) -> None:
    asked = desk.approvals.ask(refund())
    with pytest.raises(InputError, match=told):
        say(desk, asked, "edit", "ana", edit=edit)
    assert desk.approvals.find("a1") == asked


def test_a_correction_that_changes_nothing_is_an_approval(desk: Desk) -> None:
    asked = desk.approvals.ask(refund())
    assert say(desk, asked, "edit", "ana", edit={"amount_usd": 49.0}).state == "approved"


def test_two_reviewers_are_two_people(desk: Desk) -> None:
    asked = desk.approvals.ask(refund(kind="two-reviewers"))
    first = say(desk, asked, "approve", "Ana")
    again = say(desk, first, "approve", " ANA ")
    assert (first.state, again.state) == ("asked", "asked")
    assert desk.ledger.admit(call(asked)).standing == "refused"
    done = say(desk, again, "approve", "Bo")
    assert (done.state, done.reviewer) == ("approved", "ANA, Bo")
    names = [name for name, _ in events(desk)]
    assert (names.count("signed"), names.count("decided")) == (2, 1)


@both_engines
def test_what_one_of_two_corrects_another_must_approve(desk: Desk) -> None:
    asked = desk.approvals.ask(refund(kind="two-reviewers"))
    first = say(desk, asked, "approve", "ana")
    token = desk.approvals.issue(first, "cy")
    changed = say(desk, first, "edit", "bo", edit={"amount_usd": 20})
    assert changed.state == "asked"
    with pytest.raises(InputError, match="the call has changed since this token"):
        decide(desk.approvals, first, "approve", "cy", token)
    done = say(desk, changed, "approve", "ana")
    assert (done.state, done.reviewer) == ("edited", "bo, ana")
    assert done.arguments["amount_usd"] == 20


def test_either_of_two_may_deny(desk: Desk) -> None:
    asked = desk.approvals.ask(refund(kind="two-reviewers"))
    first = say(desk, asked, "approve", "ana")
    assert say(desk, first, "deny", "bo", reason="no").reviewer == "bo"


def test_a_correction_takes_no_reviewer_away_and_may_add_one(desk: Desk) -> None:
    rule = ApprovalRule(two_reviewers_above={"amount_usd": 500}).model_dump()
    small = desk.approvals.ask(refund(rule=rule))
    raised = say(desk, small, "edit", "ana", edit={"amount_usd": 900})
    assert (raised.state, raised.kind) == ("asked", "two-reviewers")
    large = desk.approvals.ask(refund("b2", 900.0, kind="two-reviewers", rule=rule))
    lowered = say(desk, large, "edit", "ana", edit={"amount_usd": 5})
    assert (lowered.state, lowered.kind) == ("asked", "two-reviewers")


def test_only_the_user_concerned_confirms_and_anybody_may_deny(desk: Desk) -> None:
    rule = ApprovalRule(kind="user", user="invoice_id").model_dump()
    given: dict[str, Any] = {"kind": "user", "concerns": "INV-1", "rule": rule}
    asked = desk.approvals.ask(refund(**given))
    with pytest.raises(InputError, match="for the user concerned to confirm, and that is INV-1"):
        say(desk, asked, "approve", "ana")
    with pytest.raises(InputError, match="concerns INV-2, who was not asked"):
        say(desk, asked, "edit", "inv-1", edit={"invoice_id": "INV-2"})
    assert say(desk, asked, "approve", "inv-1").state == "approved"
    unknown = desk.approvals.ask(refund("b2", **given | {"concerns": None}))
    with pytest.raises(InputError, match="not known"):
        say(desk, unknown, "approve", "None")
    assert say(desk, unknown, "deny", "ana", reason="whose is it?").state == "denied"


def test_only_named_reviewers_count(desk: Desk) -> None:
    asked = desk.approvals.ask(refund(rule=ApprovalRule(reviewers=("Bo",)).model_dump()))
    with pytest.raises(InputError, match="ana is no reviewer of issue_refund"):
        say(desk, asked, "approve", "ana")
    assert say(desk, asked, "approve", "bo").state == "approved"


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[31m", "x" * 101])
def test_a_decision_has_a_name(desk: Desk, name: str) -> None:
    asked = desk.approvals.ask(refund())
    with pytest.raises(InputError, match="needs the name of who decides"):
        desk.approvals.issue(asked, name)
    with pytest.raises(InputError, match="needs the name of who decides"):
        decide(desk.approvals, asked, "approve", name, "t")


@both_engines
def test_of_many_who_decide_at_once_one_does(desk: Desk) -> None:
    asked = desk.approvals.ask(refund())
    tokens = {f"r{n}": desk.approvals.issue(asked, f"r{n}") for n in range(8)}
    outcomes: list[str] = []

    def one(name: str) -> None:
        try:
            decide(desk.approvals, asked, "approve", name, tokens[name])
        except InputError as error:
            outcomes.append(error.message[:7])
        else:
            outcomes.append("decided")

    threads = [threading.Thread(target=one, args=(name,)) for name in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("decided") == 1
    assert len(outcomes) == 8
    assert len(unsent(desk.ledger)) == 2


@both_engines
def test_an_id_may_be_cut_where_it_is_clear(desk: Desk) -> None:
    desk.approvals.ask(refund("abc1"))
    desk.approvals.ask(refund("abd2"))
    assert desk.approvals.find("abc").id == "abc1"
    for start, told in (("ab", "several approvals begin so"), ("x", "no such"), (" ", "no such")):
        with pytest.raises(InputError, match=told):
            desk.approvals.find(start)
    with pytest.raises(InputError, match="no such"):
        desk.approvals.find("%")
