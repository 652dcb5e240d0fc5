"""The approvals page: what waits is shown and decided, exactly as it was shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from goldspan.dashboards import deciding
from goldspan.harness.approvals import Proposal
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.ledger import Ledger, default_url
from goldspan.harness.operation.outbox import unsent
from goldspan.tracing.errors import StoreError
from goldspan.tracing.store import Store

Show = Callable[[Path], None]
HOSTILE = "<img src=x onerror=alert(1)> **bold**"
SCHEMA = {
    "type": "object",
    "properties": {"amount_usd": {"type": "number"}},
    "additionalProperties": False,
}


def proposal(number: int = 1, **more: Any) -> Proposal:
    given: dict[str, Any] = {
        "draft": HOSTILE,
        "claims": [{"text": "paid twice", "evidence": "L-1"}, {"text": "and late"}],
        "risk": "money leaves",
        "why": "amount_usd 49 is above 20",
        "schema": SCHEMA,
    }
    return Proposal(f"a{number}", "run-1", "issue_refund", {"amount_usd": 49}, **given | more)


@pytest.fixture
def approvals(tmp_path: Path, show: Show) -> Iterator[Approvals]:
    """The approvals beside an empty store that the dashboard shows."""
    path = tmp_path / "goldspan.duckdb"
    Store.open(path).close()
    show(path)
    with closing(Ledger(default_url(path))) as ledger:
        yield Approvals(ledger)
    deciding._ledger.cache_clear()


def _page() -> None:
    from goldspan.dashboards.components.boundary import guarded
    from goldspan.dashboards.pages import approvals

    guarded(approvals.page)()


def opened() -> AppTest:
    return healthy(AppTest.from_function(_page, default_timeout=60).run())


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error, [each.value for each in app.error] + [each.value for each in app.code]
    return app


def named(app: AppTest, name: str = "Ann") -> AppTest:
    return healthy(app.text_input(key="approvals.by").input(name).run())


def html(app: AppTest) -> str:
    return "\n".join(str(getattr(each, "value", "")) for each in app.get("html"))


def events(tmp_path: Path) -> list[dict[str, Any]]:
    with Store.open(tmp_path / "goldspan.duckdb") as store:
        return store.rows("SELECT * FROM approvals")


def test_what_waits_is_shown_as_text_and_decided_by_nobody_without_a_name(
    approvals: Approvals,
) -> None:
    approvals.ask(proposal())
    app = opened()
    assert [tab.label for tab in app.tabs][:2] == ["Waiting (1)", "To look at (0)"]
    assert "&lt;img src=x" in html(app)
    assert "<img" not in html(app)
    assert "amount_usd 49 is above 20" in html(app)
    for key in ("approve", "deny", "edit"):
        assert app.button(key=f"approvals.{key}").disabled


def test_an_approval_holds_and_reaches_the_store(approvals: Approvals, tmp_path: Path) -> None:
    approvals.ask(proposal())
    app = healthy(named(opened()).button(key="approvals.approve").click().run())
    assert app.success[0].value == "Approved. The run goes on by itself."
    done = approvals.find("a1")
    assert (done.state, done.reviewer) == ("approved", "Ann")
    (stored,) = events(tmp_path)
    assert (stored["decision"], stored["reviewer"], stored["draft"]) == ("approve", "Ann", HOSTILE)
    assert unsent(approvals.ledger) == []


def test_a_denial_needs_its_reason(approvals: Approvals) -> None:
    approvals.ask(proposal())
    app = named(opened())
    app.button(key="approvals.deny").click().run()
    assert "Nothing was decided" in app.error[0].value
    assert any("a denial needs its reason" in block.value for block in app.code)
    app.text_area[0].input("not paid twice")
    app = healthy(app.button(key="approvals.deny").click().run())
    assert approvals.find("a1").reason == "not paid twice"


def test_arguments_are_corrected_and_checked(approvals: Approvals) -> None:
    approvals.ask(proposal())
    app = named(opened())
    assert json.loads(str(app.text_area[1].value)) == {"amount_usd": 49}
    for wrong, told in (("{", "no JSON"), ("[1]", "must name"), ('{"amount_usd": "x"}', "'x'")):
        app.text_area[1].input(wrong)
        app.button(key="approvals.edit").click().run()
        assert any(told in block.value for block in app.code), told
        assert approvals.find("a1").state == "asked"
    app.text_area[1].input('{"amount_usd": 20}')
    app = healthy(app.button(key="approvals.edit").click().run())
    assert approvals.find("a1").arguments == {"amount_usd": 20}


def test_a_call_that_changed_behind_the_page_is_not_decided(approvals: Approvals) -> None:
    approvals.ask(proposal())
    app = named(opened())
    approvals.ask(proposal(draft="another text"))
    app.button(key="approvals.approve").click().run()
    assert any("has changed since" in block.value for block in app.code)
    assert approvals.find("a1").state == "asked"
    healthy(app.button(key="approvals.approve").click().run())
    assert approvals.find("a1").state == "approved"


def test_two_reviewers_on_the_page(approvals: Approvals) -> None:
    approvals.ask(proposal(kind="two-reviewers"))
    app = healthy(named(opened()).button(key="approvals.approve").click().run())
    assert "waits for another reviewer" in app.success[0].value
    app = healthy(named(app, "Bo").button(key="approvals.approve").click().run())
    assert approvals.find("a1").reviewer == "Ann, Bo"


def test_a_decision_stands_where_the_store_is_away(
    approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    approvals.ask(proposal())
    app = named(opened())

    def full(self: Any, body: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Store, "ingest", full)
    app = healthy(app.button(key="approvals.approve").click().run())
    assert "does not show it yet" in app.success[0].value
    assert approvals.find("a1").state == "approved"
    assert len(unsent(approvals.ledger)) == 2


def test_sampled_calls_are_judged(approvals: Approvals) -> None:
    approvals.let_go(proposal(), {}, sampled=True)
    app = opened()
    app.text_input(key="approvals.judge_by").input("Ann").run()
    app.button(key="approvals.judge.False").click().run()
    assert any("say what was wrong" in block.value for block in app.code)
    app.text_area[-1].input("tone")
    app = healthy(app.button(key="approvals.judge.False").click().run())
    assert app.success[0].value == "Judged wrong."
    assert approvals.sampled() == []


def test_without_an_engine_the_history_is_shown(filled: Any, show: Show) -> None:
    show(filled.path)
    app = opened()
    assert any("goldspan enqueue" in block.value for block in app.code)
    assert "to a person" in str([each.proto for each in app.get("bidi_component")]).lower()
