"""A reviewer at work in a real browser: a call is corrected, another one denied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from goldspan.harness.approvals import Proposal
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.ledger import Ledger, default_url
from goldspan.tracing.store import Store

pytestmark = pytest.mark.browser
SCREENSHOTS = os.environ.get("GOLDSPAN_SCREENSHOTS")
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SCHEMA = {
    "type": "object",
    "properties": {"invoice_id": {"type": "string"}, "amount_usd": {"type": "number"}},
    "additionalProperties": False,
}


@pytest.fixture
def approvals(running: Any) -> Iterator[Approvals]:
    """A refund and a reply that wait beside the dashboard's store."""
    with closing(Ledger(default_url(running.store))) as ledger:
        book = Approvals(ledger)
        context = {"agent": "support-desk", "trace_id": running.ids["paused_trace"]}
        refund = {"invoice_id": "INV-3301", "amount_usd": 98.0}
        book.ask(
            Proposal(
                "browser-1",
                "run-001",
                "issue_refund",
                refund,
                reason="The invoice was charged twice.",
                claims=[
                    {"text": "charged 49 USD on 2 November", "evidence": "L-17"},
                    {"text": "charged 49 USD again on 3 November", "evidence": "L-18"},
                ],
                risk="Money leaves the company and cannot be called back.",
                why="amount_usd 98 is above 50",
                schema=SCHEMA,
            ),
            context,
        )
        book.ask(
            Proposal(
                "browser-2",
                "run-001",
                "send_reply",
                {"draft_id": "D-1"},
                draft="Dear Ms Okafor,\n\n<script>window.pwned=1</script> we return the charge.",
                why="send_reply needs approval",
                kind="two-reviewers",
            ),
            context,
        )
        yield book


def settled(page: Page) -> None:
    page.wait_for_selector(READY, timeout=30_000)
    page.wait_for_timeout(500)


def test_a_call_is_corrected_and_another_denied(
    browser: Browser, running: Any, approvals: Approvals
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{running.url}/approvals")
    settled(page)
    expect(page.get_by_role("tab", name="Waiting (2)")).to_be_visible()
    expect(page.get_by_text("amount_usd 98 is above 50")).to_be_visible()
    page.get_by_label("Your name").first.fill("Ann")
    page.get_by_label("Your name").first.press("Tab")
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_enabled()
    settled(page)
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / "approvals-waiting.png")
    page.get_by_text("Correct the arguments").click()
    page.get_by_label("Arguments, as JSON").fill('{"amount_usd": 49}')
    page.get_by_label("Arguments, as JSON").press("Tab")  # a click while it is sent is lost
    settled(page)
    page.get_by_role("button", name="Approve as corrected").click()
    expect(page.get_by_text("Approved with the correction.")).to_be_visible()
    expect(page.get_by_role("tab", name="Waiting (1)")).to_be_visible()
    settled(page)
    assert page.evaluate("window.pwned") is None
    page.get_by_label("Reason").first.fill("wrong tone")
    page.get_by_label("Reason").first.press("Tab")
    settled(page)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("Denied. The agent is told why.")).to_be_visible()
    page.close()
    refund, reply = approvals.find("browser-1"), approvals.find("browser-2")
    assert (refund.state, refund.arguments["amount_usd"]) == ("edited", 49)
    assert (reply.state, reply.reviewer, reply.reason) == ("denied", "Ann", "wrong tone")
    with Store.open(running.store, create=False) as store:
        found = store.rows(
            "SELECT decision FROM approvals WHERE approval_id LIKE 'browser-%' ORDER BY approval_id"
        )
    assert [row["decision"] for row in found] == ["edit", "deny"]
