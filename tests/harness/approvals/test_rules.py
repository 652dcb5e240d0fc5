"""Rules: which calls wait for a person. What cannot be read waits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from goldspan.harness.approvals import ApprovalRule, ApprovalRules
from goldspan.harness.guards import ApprovalGuard
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import Tool
from goldspan.tracing.errors import ConfigError


class Refund(BaseModel):
    model_config = ConfigDict(extra="forbid")
    customer_id: str = ""
    amount_usd: float = 0
    lines: list[dict[str, float]] = []


TOOL = Tool("refund", "Gives money back.", Refund, lambda _context, _given: None)


def route(rule: dict[str, Any], arguments: Any, confidence: Any = None) -> tuple[str, str]:
    rules = ApprovalRules(rules={"refund": ApprovalRule.model_validate(rule)})
    rules.check([TOOL], "config.yaml")
    found = rules.route(Call("1", "refund", arguments, confidence), TOOL)
    return found.way, found.reason


def test_without_a_rule_a_tool_waits_always_or_never() -> None:
    guard = ApprovalGuard(["refund"])
    assert guard.check(Call("1", "refund", {}), TOOL).ruling == "pause"
    assert guard.check(Call("1", "look", {}), None).ruling == "allow"
    assert route({}, {"amount_usd": 0})[0] == "person"


@pytest.mark.parametrize(
    ("amount", "way"),
    [
        (50, "auto"),
        (50.01, "person"),
        ("50", "auto"),
        ("9e3", "person"),
        (-1, "person"),
        (float("nan"), "person"),
        (float("inf"), "person"),
        ("fifty", "person"),
        (None, "person"),
        (True, "person"),
        ([10], "auto"),
        ([40, 20], "person"),
        ([40, None], "person"),
        ([], "person"),
    ],
)
def test_an_amount_above_its_threshold_or_unreadable_waits(amount: Any, way: str) -> None:
    rules = ApprovalRules(rules={"refund": ApprovalRule(above={"amount_usd": 50})})
    assert rules.route(Call("1", "refund", {"amount_usd": amount}), None).way == way
    assert rules.route(Call("1", "refund", {}), None).way == "person"
    assert rules.route(Call("1", "refund", "text"), None).way == "person"


def test_an_amount_counts_as_the_tool_reads_it() -> None:
    rule = {"above": {"amount_usd": 50}}
    # No number to us, one to a tool with lax types; and a default that nobody stated.
    assert route(rule, {"amount_usd": " 60 "}) == ("person", "amount_usd 60 is above 50")
    assert route(rule, {})[0] == "auto"


def test_each_amount_of_a_list_is_added_up() -> None:
    rule = {"above": {"lines.usd": 50}}
    assert route(rule, {"lines": [{"usd": 30}, {"usd": 20}]})[0] == "auto"
    assert route(rule, {"lines": [{"usd": 30}, {"usd": 21}]})[1] == "lines.usd 51 is above 50"
    assert route(rule, {"lines": [{"usd": 30}, {"other": 1}]})[0] == "person"


@pytest.mark.parametrize(
    ("confidence", "way"),
    [(0.8, "auto"), ("0.95", "auto"), (0.79, "person"), (None, "person"), ("high", "person"),
     (90, "person"), (True, "person")],
)  # fmt: skip
def test_too_little_confidence_waits(confidence: Any, way: str) -> None:
    assert route({"min_confidence": 0.8}, {}, confidence)[0] == way


def test_every_threshold_counts_and_is_named() -> None:
    rule = {"above": {"amount_usd": 50}, "below": {"amount_usd": 1}, "min_confidence": 0.5}
    assert route(rule, {"amount_usd": 20}, 0.5)[0] == "auto"
    way, why = route(rule, {"amount_usd": 0.5}, 0.2)
    assert (way, why) == ("person", "amount_usd 0.5 is below 1; confidence 0.2 is below 0.5")


@given(
    st.one_of(st.floats(), st.integers(), st.text(), st.none(), st.booleans()),
    st.floats(0, 1e6, allow_nan=False),
)
def test_nothing_goes_by_itself_that_is_not_a_number_within_the_limit(
    amount: Any, limit: float
) -> None:
    rules = ApprovalRules(rules={"refund": ApprovalRule(above={"amount_usd": limit})})
    if rules.route(Call("1", "refund", {"amount_usd": amount}), None).way == "auto":
        assert not isinstance(amount, bool)
        assert 0 <= float(amount) <= limit


def test_who_is_asked() -> None:
    rule = ApprovalRule(two_reviewers_above={"amount_usd": 500})
    assert rule.who({"amount_usd": 500}) == ("reviewer", None)
    assert rule.who({"amount_usd": 501}) == ("two-reviewers", None)
    assert rule.who({}) == ("two-reviewers", None)
    own = ApprovalRule(kind="user", user="customer_id")
    assert own.who({"customer_id": "C-1"}) == ("user", "C-1")
    assert own.who({"customer_id": ""}) == ("user", None)
    assert own.who({"customer_id": ["C-1", "C-2"]}) == ("user", None)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"kind": "user"}, "who is concerned"),
        ({"user": "customer_id"}, "who is concerned"),
        ({"review_share": 0.1}, "needs a threshold"),
        ({"review_share": 1.5, "above": {"a": 1}}, "less than or equal to 1"),
        ({"kind": "two-reviewers", "reviewers": ["ana"]}, "two names"),
        ({"kind": "boss"}, "reviewer"),
        ({"over": {"a": 1}}, "Extra inputs"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ApprovalRule.model_validate(rule)


def test_a_rule_that_could_never_apply_is_refused() -> None:
    rule = ApprovalRule(above={"amount": 50})
    with pytest.raises(ConfigError, match=r"approvals.refund: there is no argument 'amount'.*did"):
        ApprovalRules(rules={"refund": rule}).check([TOOL], "config.yaml")
    with pytest.raises(ConfigError, match=r"there is no tool 'refunds'.*did you mean 'refund'"):
        ApprovalRules(rules={"refunds": ApprovalRule()}).check([TOOL], "config.yaml")
