"""The dashboard in a real browser: every page in both themes, links into a trace, hostile text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect

from goldspan.tracing.store import Store

pytestmark = pytest.mark.browser

# Streamlit looks for its server below the page's own path first, which a deep link answers by 404.
PROBES = ("_stcore/health", "_stcore/host-config")
SCREENSHOTS = os.environ.get("GOLDSPAN_SCREENSHOTS")


class Watched:
    """A page, with everything that it asked for or complained about."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.external: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._requested)
        page.on("response", self._answered)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Page:
        """Go to a path of the dashboard and wait until its page has run."""
        self.page.goto(self.origin + path)
        return self.settled()

    def settled(self) -> Page:
        """Wait until the page has run and its charts are drawn."""
        self.page.wait_for_selector(
            '[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=30_000
        )
        self.page.wait_for_timeout(700)
        return self.page

    def assert_clean(self) -> None:
        """Nothing left this machine, nothing failed, no script of a trace ran."""
        assert self.external == []
        assert self.complaints == []
        assert self.page.evaluate("window.pwned") is None
        assert self.page.locator('[data-testid="stException"]').count() == 0
        assert self.page.get_by_test_id("stAlertContentError").count() == 0

    def _requested(self, request: Request) -> None:
        host = self.origin.removeprefix("http://")
        if request.url.startswith(("data:", "blob:")):
            return
        if not request.url.startswith((f"http://{host}", f"ws://{host}")):
            self.external.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.url.endswith(PROBES):
            self.complaints.append(f"{response.status} {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        where = str(message.location.get("url", ""))
        if message.type == "error" and not where.endswith(PROBES):
            self.complaints.append(message.text)


@contextmanager
def watched(browser: Browser, origin: str, theme: Any = "light") -> Iterator[Watched]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=theme, locale="en-GB"
    )
    try:
        seen = Watched(context.new_page(), origin)
        yield seen
        seen.assert_clean()
    finally:
        context.close()


def paths(ids: dict[str, str]) -> dict[str, str]:
    """Every page and view, by the name of its screenshot."""
    candidate = ids["candidate"]
    return {
        "overview": "/",
        "traces": "/traces",
        "trace": f"/traces?trace={ids['paused_trace']}&span={ids['model_span']}",
        "failed": f"/traces?trace={ids['failed_trace']}",
        "doubts": f"/traces?trace={ids['doubtful_trace']}&span={ids['doubtful_copy']}",
        "hostile": f"/traces?trace={ids['hostile_trace']}",
        "experiments": "/experiments",
        "experiment": f"/experiments?experiment={candidate}",
        "case": f"/experiments?experiment={candidate}&case=double-charge-01",
        "label": f"/label?experiment={candidate}&scorer=tools",
        "cost": "/cost",
        "approvals": "/approvals",
        "alerts": "/alerts?traffic=Both",
    }


AS_LIGHT = {"failed", "doubts", "hostile", "traces", "experiments", "case"}  # drawn as others are


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_in_both_themes(browser: Browser, running: Any, theme: str) -> None:
    with watched(browser, running.url, theme) as seen:
        for name, path in paths(running.ids).items():
            if theme == "dark" and name in AS_LIGHT and not SCREENSHOTS:
                continue
            page = seen.open(path)
            expect(page.get_by_role("link", name="Overview")).to_be_visible()
            background = page.evaluate(
                "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
            )
            assert (background == "rgb(255, 255, 255)") == (theme == "light")
            assert page.evaluate("document.documentElement.scrollWidth") <= 1280
            seen.assert_clean()
            if SCREENSHOTS:
                page.screenshot(path=Path(SCREENSHOTS) / f"{name}-{theme}.png")


def test_walk_by_the_navigation(browser: Browser, running: Any) -> None:
    with watched(browser, running.url) as seen:
        page = seen.open("/")
        for name, path in (
            ("Traces", "traces"),
            ("Experiments", "experiments"),
            ("Label", "label"),
            ("Approvals", "approvals"),
            ("Cost and tools", "cost"),
            ("Alerts", "alerts"),
            ("Overview", ""),
        ):
            page.get_by_role("link", name=name, exact=True).click()
            page.wait_for_url(f"{running.url}/{path}")
            seen.settled()


def test_a_deep_link_is_the_first_thing_asked_for(browser: Browser, fresh: Any) -> None:
    with watched(browser, fresh.url) as seen:
        page = seen.open(f"/traces?trace={fresh.ids['failed_trace']}")
        expect(page.locator('.line[aria-selected="true"]')).to_contain_text("search_logs")
        expect(page.get_by_role("link", name="Overview")).to_be_visible()


def test_a_deep_link_opens_a_trace_at_its_span(browser: Browser, running: Any) -> None:
    ids = running.ids
    with watched(browser, running.url) as seen:
        page = seen.open(f"/traces?trace={ids['paused_trace']}&span={ids['model_span']}")
        chosen = page.locator('.line[aria-selected="true"]')
        expect(chosen).to_have_attribute("data-span", ids["model_span"])
        expect(page.get_by_text("charged twice").first).to_be_visible()

        page.locator(".line", has_text="execute_tool search_logs").click()
        expect(page.locator('.line[aria-selected="true"]')).to_contain_text("search_logs")
        expect(page.get_by_text("Arguments", exact=True)).to_be_visible()
        assert "span=" in page.url
        assert ids["model_span"] not in page.url

        page.locator(".fold:enabled").first.click()
        expect(page.locator(".line")).to_have_count(1)


def test_a_duplicate_is_marked_and_leads_to_the_span_that_counts(
    browser: Browser, running: Any
) -> None:
    ids = running.ids
    with watched(browser, running.url) as seen:
        page = seen.open(f"/traces?trace={ids['doubtful_trace']}&span={ids['doubtful_copy']}")
        expect(page.locator(".line.duplicate")).to_have_count(1)
        expect(page.locator(".line.duplicate .tag")).to_have_text("duplicate")
        expect(page.locator(".line .tag.ambiguous")).to_have_count(2)
        expect(page.locator(".line .tag.problem")).to_have_count(1)
        page.get_by_role("button", name="The span that counts").click()
        chosen = page.locator('.line[aria-selected="true"]')
        expect(chosen).to_have_attribute("data-span", ids["doubtful_told"])


def test_from_the_list_to_a_trace_and_back(browser: Browser, running: Any) -> None:
    with watched(browser, running.url) as seen:
        page = seen.open("/traces")
        expect(page.locator("tr[data-row]")).to_have_count(25)
        trace_id = page.locator("tr[data-row]").first.get_attribute("data-row")
        page.locator("tr[data-row]").first.click()
        page.wait_for_url(f"**/traces?trace={trace_id}*")
        seen.settled()
        expect(page.locator(".line").first).to_be_visible()
        page.get_by_role("button", name="All traces").click()
        expect(page.locator("tr[data-row]")).to_have_count(25)


def test_from_a_regressed_case_to_the_trace_of_a_repeat(browser: Browser, running: Any) -> None:
    with watched(browser, running.url) as seen:
        page = seen.open("/experiments")
        page.locator("tr[data-row]", has_text="regression").click()
        page.wait_for_url(f"**/experiments?experiment={running.ids['candidate']}")
        seen.settled()
        page.locator("tr[data-row]", has_text="double-charge-01").first.click()
        page.wait_for_url("**case=double-charge-01*")
        seen.settled()
        page.locator("tr[data-row]", has_text="repeat 0").first.click()
        page.wait_for_url("**/traces?trace=*")
        seen.settled()
        expect(page.locator(".line").first).to_be_visible()


def test_a_tool_leads_to_its_traces(browser: Browser, running: Any) -> None:
    with watched(browser, running.url) as seen:
        page = seen.open("/cost")
        page.locator("tr[data-row]", has_text="get_account").click()
        page.wait_for_url("**/traces?of_tool=get_account*")
        seen.settled()
        assert 0 < page.locator("tr[data-row]").count() < 25


def test_runs_are_labelled_on_the_keyboard(browser: Browser, running: Any) -> None:
    with watched(browser, running.url) as seen:
        page = seen.open(f"/label?experiment={running.ids['candidate']}&scorer=tools")
        expect(page.get_by_text("0 of 12 labelled by you")).to_be_visible()
        page.get_by_label("Your name").fill("Ann")
        page.get_by_label("Your name").press("Tab")
        expect(
            page.get_by_test_id("stFormSubmitButton").first.get_by_role("button")
        ).to_be_enabled()
        reason = page.get_by_label("Reason")
        expect(reason).to_have_count(1)  # not while the page is drawn anew
        reason.click()
        reason.press_sequentially("pfs: no refund")  # letters of a reason are no keys
        reason.press("Tab")
        expect(page.get_by_text("0 of 12 labelled by you")).to_be_visible()
        for key, said in (
            ("f", "1 of 12 labelled by you"),
            ("p", "2 of 12 labelled by you"),
            ("s", "2 of 12 labelled by you, 1 skipped"),
        ):
            page.keyboard.press(key)
            expect(page.get_by_text(said, exact=True)).to_be_visible()
            page.wait_for_selector('[data-test-script-state="notRunning"]')
    with Store.open(running.store, create=False) as store:
        found = store.rows(
            "SELECT evaluator, label, explanation FROM evaluations "
            "WHERE evaluator LIKE 'human:%' ORDER BY observed_at"
        )
    assert [tuple(row.values()) for row in found] == [
        ("human:Ann", "fail", "pfs: no refund"),
        ("human:Ann", "pass", None),
    ]


def test_hostile_text_is_shown_as_text(browser: Browser, running: Any) -> None:
    with watched(browser, running.url) as seen:
        page = seen.open(f"/traces?trace={running.ids['hostile_trace']}")
        for number in range(page.locator(".line").count()):
            page.locator(".line").nth(number).click()
            seen.settled()
            assert page.locator('img[src*="evil.invalid"]').count() == 0
        page.locator(".line").first.click()
        seen.settled()
        expect(page.get_by_text('<img src="http://evil.invalid').first).to_be_visible()
        for path in ("/traces", "/alerts", "/"):
            seen.open(path)
            assert page.locator('img[src*="evil.invalid"]').count() == 0
