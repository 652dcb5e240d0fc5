"""The support desk's tools: each one's result, and each one's way to fail."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.demo import previews
from goldspan.harness.demo.desk import SupportDesk
from goldspan.harness.tools import ToolContext, ToolError, result_text, seeded

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
TOOLS = {tool.name: tool for tool in SupportDesk().tools()}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    SupportDesk().prepare(tmp_path / "run", {"faults": {"get_ticket": 0.0}})
    return tmp_path / "run"


def use(workspace: Path, tool: str, **arguments: Any) -> Any:
    context = ToolContext(workspace, "run-1", random.Random(1), NOW, 0)
    return TOOLS[tool].run(context, TOOLS[tool].parse(arguments))


def draft(workspace: Path, ticket_id: str = "T-401", evidence: str = "L-5005") -> Any:
    return use(
        workspace,
        "draft_reply",
        ticket_id=ticket_id,
        body="INV-1102 was charged twice.",
        claims=[{"text": "charged twice", "evidence": evidence}],
        risk="the refund is not issued yet",
    )


def test_account_has_plan_balance_and_invoices(workspace: Path) -> None:
    account = use(workspace, "get_account", customer_id="C-105")
    assert account["plan"] == "starter"
    assert account["balance_usd"] == 19.0
    assert account["invoices"][-1] == "INV-1105 2026-11-01 19.00 USD open"


def test_ledger_is_whole_or_of_one_invoice(workspace: Path) -> None:
    whole = use(workspace, "get_ledger", customer_id="C-102")
    one = use(workspace, "get_ledger", customer_id="C-102", invoice_id="INV-1102")
    assert len(whole["entries"]) == 3
    assert one["entries"] == whole["entries"][1:]
    assert whole["entries"][0] == "L-5003 2026-10-02 charge 49.00 USD for INV-1002, card"


def test_ledger_of_another_invoice_shows_what_there_is(workspace: Path) -> None:
    wrong = use(workspace, "get_ledger", customer_id="C-102", invoice_id="INV-9999")
    assert "nothing for INV-9999" in wrong["note"]
    assert len(wrong["entries"]) == 3


def test_policy_comes_as_sections_with_ids(workspace: Path) -> None:
    sections = use(workspace, "read_policy", name="refunds")
    assert list(sections) == ["refunds-1", "refunds-2", "refunds-3", "refunds-4"]
    assert "30 days" in sections["refunds-2"]


def test_attachment_is_text_or_the_names_that_exist(workspace: Path) -> None:
    assert "Priya" in use(workspace, "read_attachment", name="standup-notes")["text"]
    with pytest.raises(ToolError, match="standup-notes"):
        use(workspace, "read_attachment", name="../policies/refunds")


def test_ticket_is_metadata(workspace: Path) -> None:
    ticket = use(workspace, "get_ticket", ticket_id="T-404")
    assert (ticket["customer_id"], ticket["priority"]) == ("C-104", "urgent")
    assert "customer_id" not in use(workspace, "get_ticket", ticket_id="T-406")


def test_ticket_times_out_by_the_seed_and_the_share(tmp_path: Path) -> None:
    SupportDesk().prepare(tmp_path / "run", {"faults": {"get_ticket": 0.5}})

    def outcomes(scope: str) -> list[str]:
        found = []
        for call in range(20):
            rng = seeded(scope, "get_ticket", call)
            context = ToolContext(tmp_path / "run", "run-1", rng, NOW, call)
            try:
                TOOLS["get_ticket"].run(context, TOOLS["get_ticket"].parse({"ticket_id": "T-404"}))
                found.append("ok")
            except ToolError as error:
                found.append(f"{error.error_type} {error.retryable}")
        return found

    assert outcomes("case/1") == outcomes("case/1") != outcomes("case/2")
    assert set(outcomes("case/1")) == {"ok", "TimeoutError True"}


def test_logs_tell_silence_from_ignorance(workspace: Path) -> None:
    found = use(
        workspace,
        "search_logs",
        service="checkout",
        start="2026-11-17T08:30",
        end="2026-11-17T10:06",
    )
    assert [entry[:5] for entry in found["entries"]] == ["G-203", "G-204", "G-205"]
    assert found["hours_without_logs"] == ["2026-11-17 09:00 to 10:00"]
    gap = use(
        workspace,
        "search_logs",
        service="api-gateway",
        start="2026-11-15T14:00",
        end="2026-11-15T16:00",
    )
    assert gap["gaps"] == ["2026-11-15 14:20-14:45 collector offline"]
    assert "hours_without_logs" not in gap


def test_neighbouring_hours_without_logs_are_one_range(workspace: Path) -> None:
    found = use(
        workspace,
        "search_logs",
        service="mail-relay",
        start="2026-11-13T08:00",
        end="2026-11-13T12:00",
    )
    assert found["hours_without_logs"] == ["2026-11-13 08:00 to 09:00", "2026-11-13 10:00 to 12:00"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-17T08:00", "2026-11-17T08:00"),
        ("2026-11-01T08:00", "2026-11-17T08:00"),
        ("2026-13-17T08:00", "2026-11-17T09:00"),
    ],
)
def test_a_range_of_logs_that_is_none_is_refused(workspace: Path, start: str, end: str) -> None:
    with pytest.raises(ToolError) as caught:
        use(workspace, "search_logs", service="auth", start=start, end=end)
    assert caught.value.error_type == "InvalidRange"


def test_note_keeps_its_four_parts_apart(workspace: Path) -> None:
    parts = {
        "observations": ["G-101 certificate expired"],
        "inferences": ["logins failed for it"],
        "unknowns": ["whether retries were lost"],
        "requests": ["watch expiry dates"],
    }
    assert use(workspace, "post_note", ticket_id="T-406", **parts)["note_id"] == "N-1"
    assert SupportDesk().end_state(workspace)["notes"] == [{"ticket_id": "T-406", **parts}]


def test_an_empty_note_is_refused(workspace: Path) -> None:
    empty: dict[str, list[str]] = {
        key: [] for key in ("observations", "inferences", "unknowns", "requests")
    }
    with pytest.raises(ToolError, match="empty"):
        use(workspace, "post_note", ticket_id="T-406", **empty)


def test_draft_then_reply_reaches_the_outbox_once(workspace: Path) -> None:
    assert draft(workspace)["draft_id"] == "D-1"
    assert use(workspace, "send_reply", draft_id="D-1") == {"sent": "D-1", "to": "Tomas Finch"}
    state = SupportDesk().end_state(workspace)
    assert state["drafts"][0]["status"] == "sent"
    assert state["tickets"]["T-401"]["status"] == "answered"
    assert state["outbox"]["replies"] == [
        {"to": "Tomas Finch", "ticket_id": "T-401", "body": "INV-1102 was charged twice."}
    ]
    with pytest.raises(ToolError, match="sent already"):
        use(workspace, "send_reply", draft_id="D-1")


def test_a_claim_needs_evidence_that_exists(workspace: Path) -> None:
    with pytest.raises(ToolError, match="L-9999") as caught:
        draft(workspace, evidence="L-9999")
    assert caught.value.error_type == "UnknownEvidence"
    assert SupportDesk().end_state(workspace)["drafts"] == []
    for evidence in ("refunds-1", "G-302", "INV-1102", "R-301", "T-401"):
        draft(workspace, evidence=evidence)


def test_an_internal_ticket_has_nobody_to_reply_to(workspace: Path) -> None:
    with pytest.raises(ToolError, match="internal"):
        draft(workspace, ticket_id="T-406")


def test_a_draft_that_is_not_there_cannot_be_sent(workspace: Path) -> None:
    with pytest.raises(ToolError, match="make one with draft_reply"):
        use(workspace, "send_reply", draft_id="D-1")
    draft(workspace)
    with pytest.raises(ToolError, match="there is D-1"):
        use(workspace, "send_reply", draft_id="D-7")


def test_refund_is_entered_in_refunds_and_ledger(workspace: Path) -> None:
    refund = {"customer_id": "C-108", "invoice_id": "INV-1108", "amount_usd": 19}
    assert use(workspace, "issue_refund", **refund)["refund_id"] == "R-302"
    assert SupportDesk().end_state(workspace)["refunds"] == [{**refund, "amount_usd": 19.0}]
    last = use(workspace, "get_ledger", customer_id="C-108")["entries"][-1]
    assert last == "L-5027 2026-11-17 refund -19.00 USD for INV-1108, refund R-302"
    with sqlite3.connect(workspace / "operations.db") as db:
        assert db.execute("SELECT count(*) FROM refunds").fetchone() == (2,)
    db.close()


def test_no_more_is_refunded_than_was_paid(workspace: Path) -> None:
    refund = {"customer_id": "C-108", "invoice_id": "INV-1108", "amount_usd": 38}
    use(workspace, "issue_refund", **refund)
    with pytest.raises(ToolError, match=r"0\.00 USD paid"):
        use(workspace, "issue_refund", **{**refund, "amount_usd": 0.01})


def test_an_invoice_of_somebody_else_is_not_refunded(workspace: Path) -> None:
    with pytest.raises(ToolError, match="C-101 has no invoice INV-1108"):
        use(workspace, "issue_refund", customer_id="C-101", invoice_id="INV-1108", amount_usd=19)


def test_questions_are_numbered_files_in_the_outbox(workspace: Path) -> None:
    for question in ("May we?", "And when?"):
        use(workspace, "ask_question", to="finance", question=question)
    names = sorted(path.name for path in (workspace / "outbox").iterdir())
    assert names == ["question-1.json", "question-2.json"]
    questions = SupportDesk().end_state(workspace)["outbox"]["questions"]
    assert questions == [
        {"to": "finance", "question": "May we?"},
        {"to": "finance", "question": "And when?"},
    ]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_account", {"customer_id": "C-999"}),
        ("get_ledger", {"customer_id": "C-999"}),
        ("get_ticket", {"ticket_id": "T-999"}),
    ],
)
def test_what_does_not_exist_is_said(workspace: Path, tool: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="does not exist") as caught:
        use(workspace, tool, **arguments)
    assert caught.value.error_type == "NotFound"
    assert not caught.value.retryable


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_arguments_are_strict(name: str) -> None:
    with pytest.raises(ToolError, match="nonsense"):
        TOOLS[name].parse({"nonsense": 1})
    schema = TOOLS[name].json_schema()
    assert schema["additionalProperties"] is False


def test_approval_is_asked_for_what_leaves_the_house() -> None:
    assert {name for name, tool in TOOLS.items() if tool.needs_approval} == {
        "send_reply",
        "issue_refund",
    }
    assert {name for name, tool in TOOLS.items() if tool.action_class == "act"} == {
        "send_reply",
        "issue_refund",
    }


def test_results_and_descriptions_are_short(workspace: Path) -> None:
    results = [
        use(workspace, "get_account", customer_id="C-109"),
        use(workspace, "get_ledger", customer_id="C-109"),
        use(workspace, "read_policy", name="refunds"),
        use(workspace, "read_attachment", name="partner-brief"),
    ]
    assert all(len(result_text(result)) < 600 for result in results)
    assert all(len(tool.description) < 100 for tool in TOOLS.values())


def test_a_reviewer_sees_the_draft_its_evidence_and_the_ledger(tmp_path: Path) -> None:

    desk = SupportDesk()
    desk.prepare(tmp_path / "w", {})
    tools = {tool.name: tool for tool in desk.tools()}
    context = ToolContext(tmp_path / "w", "run", seeded("s", "t", 0), NOW, 0)
    draft = {
        "ticket_id": "T-401",
        "body": "You were charged twice.",
        "claims": [{"text": "two charges", "evidence": "L-5004"}],
        "risk": "the refund is not decided",
    }
    made = tools["draft_reply"].run(context, tools["draft_reply"].parse(draft))
    shown = previews.reply(context, {"draft_id": made["draft_id"]})
    assert shown["draft"] == draft["body"]
    assert shown["claims"] == draft["claims"]
    assert shown["risk"] == draft["risk"]
    assert previews.reply(context, {"draft_id": "D-9"})["recommendation"] == "deny"
    money = previews.refund(context, {"invoice_id": "INV-1102", "amount_usd": 49.0})
    assert [claim["evidence"] for claim in money["claims"]] == ["L-5004", "L-5005"]
    assert "98.00 USD are paid on INV-1102" in money["risk"]
