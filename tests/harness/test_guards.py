"""Guards, each by itself: what it lets through, what it does not, and what it wants counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import (
    ApprovalGuard,
    BudgetGuard,
    CapGuard,
    Guard,
    InputGuard,
    LoopGuard,
    ScopeGuard,
    Verdict,
    arguments_of,
    check_rules,
    contract_guards,
    first_objection,
)
from goldspan.harness.guards.loop import cycle
from goldspan.harness.ledger import Want
from goldspan.harness.models.protocol import Call
from goldspan.harness.rules.stated import Cap, InputRule, Target
from goldspan.harness.tools import ActionClass, JsonValue, Tool, ToolContext
from goldspan.tracing.errors import ConfigError

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    to: str | list[str] | None = Field(default=None, alias="recipient")
    path: str | None = None
    amount_usd: float = 5.0
    items: list[dict[str, Any]] = []
    day: str | None = None
    really: bool = True
    note: str = ""


def _run(context: ToolContext, arguments: Arguments) -> JsonValue:
    return {"ran": True}


def tool(name: str = "send", action: ActionClass = "act", **more: Any) -> Tool:
    return Tool(name, "", Arguments, _run, action_class=action, **more)


def call(name: str = "send", **arguments: Any) -> Call:
    return Call("call_1", name, arguments)


def judge(guard: Guard, made: Call, action: ActionClass = "act") -> Verdict:
    return guard.check(made, tool(made.name, action))


# -- scope


def test_a_tool_that_is_not_allowed_is_denied_also_if_it_exists() -> None:
    guard = ScopeGuard(["look"])
    assert judge(guard, call("look")).ruling == "allow"
    assert judge(guard, call("send")).reason == "no tool 'send'; there are look"
    assert guard.check(call("look"), None).ruling == "deny"


@pytest.mark.parametrize(
    ("arguments", "ruling"),
    [
        ({"to": "a@example.com"}, "allow"),
        ({"to": ["a@example.com", "b@evil.com"]}, "deny"),
        ({"recipient": "b@evil.com"}, "deny"),
        ({"to": {"a@example.com": 1}}, "deny"),
        ({}, "allow"),
    ],
)
def test_targets_are_judged_as_written_and_as_the_tool_reads_them(
    arguments: dict[str, Any], ruling: str
) -> None:
    rules = {"send": {"to": Target(kind="email", allow=("example.com",))}}
    verdict = judge(ScopeGuard(["send"], rules), call(**arguments))
    assert verdict.ruling == ruling
    if ruling == "deny" and isinstance(arguments.get("to"), list):
        assert verdict.reason == "to: b@evil.com is not allowed; allowed: example.com"


def test_arguments_that_are_no_object_reach_nothing() -> None:
    rules = {"send": {"to": Target(kind="email", allow=("example.com",))}}
    verdict = judge(ScopeGuard(["send"], rules), Call("c", "send", ["b@evil.com"]))
    assert verdict.ruling == "deny"


def test_a_link_that_leads_out_of_its_folder_is_followed_first(tmp_path: Path) -> None:
    root = tmp_path / "work"
    (root / "reports").mkdir(parents=True)
    (root / "reports" / "out").symlink_to(tmp_path)
    rules = {"send": {"path": Target(kind="path", allow=("reports",))}}
    guard = ScopeGuard(["send"], rules, root)
    assert judge(guard, call(path="reports/a.txt")).ruling == "allow"
    assert judge(guard, call(path="reports/out/secret")).ruling == "deny"
    assert judge(ScopeGuard(["send"], rules), call(path="reports/out/secret")).ruling == "allow"


# -- caps


def test_a_cap_wants_one_call_and_its_amount_per_day() -> None:
    guard = CapGuard(
        [
            Cap(of="act", max_calls=3),
            Cap(of="send", amount="amount_usd", max_amount=100),
            Cap(of="other", max_calls=1),
        ],
        lambda: NOON,
    )
    wants = judge(guard, call(amount_usd=30)).wants
    assert [(w.scope, w.unit, w.amount, w.guard) for w in wants] == [
        ("cap:act:2026-11-21", "calls", 1, "caps"),
        ("cap:send:2026-11-21", "amount_usd", 30, "caps"),
    ]
    assert [w.amount for w in judge(guard, call()).wants] == [1, 5]
    assert [w.limit for w in wants] == [3, pytest.approx(100)]


def test_the_day_of_a_cap_is_one_of_utc() -> None:
    late = datetime.fromisoformat("2026-11-21T23:30:00-05:00")
    (want,) = judge(CapGuard([Cap(of="act", max_calls=1)], lambda: late), call()).wants
    assert want.scope == "cap:act:2026-11-22"


@pytest.mark.parametrize("amount", [-5, "many", float("nan"), float("inf"), None, True, [None]])
def test_a_call_whose_amount_cannot_be_read_is_denied(amount: Any) -> None:
    guard = CapGuard([Cap(of="act", amount="items.usd", max_amount=100)])
    verdict = judge(guard, call(items=[{"usd": 5}, {"usd": amount}]))
    assert (verdict.ruling, verdict.wants) == ("deny", ())


def test_amounts_in_a_list_add_up() -> None:
    guard = CapGuard([Cap(of="act", amount="items.usd", max_amount=100)])
    (want,) = judge(guard, call(items=[{"usd": "5.50"}, {"usd": 4.5}])).wants
    assert want.amount == 10


@pytest.mark.parametrize("cap", [{}, {"amount": "x"}, {"max_amount": 3}])
def test_a_cap_that_caps_nothing_is_an_error(cap: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Cap(of="act", **cap)


# -- loops


def talk(guard: LoopGuard, *steps: tuple[str, Any]) -> list[str]:
    """The rulings on calls of a tool that reads, each with an argument and what it brings."""
    rulings: list[str] = []
    for argument, result in steps:
        made = call("look", note=argument)
        verdict = judge(guard, made, "read")
        rulings.append(verdict.ruling)
        if verdict.ruling == "allow":
            guard.observe(made, tool("look", "read"), result)
    return rulings


def test_the_same_call_is_denied_and_then_stopped() -> None:
    steps = [("a", n) for n in range(4)]
    assert talk(LoopGuard(2), *steps) == ["allow", "allow", "deny", "stop"]


def test_calls_that_alternate_are_denied_also_in_another_spelling() -> None:
    steps = [("a", 0), ("b", 1), ("A", 2), (" b ", 3), ("a", 4), ("B", 5), ("c", 6)]
    guard = LoopGuard(9, max_cycles=3)
    assert talk(guard, *steps) == ["allow"] * 5 + ["deny", "allow"]
    again = [("a", 7), ("b", 8)] * 3
    assert talk(guard, *again)[-1] == "stop"


def test_reading_that_brings_nothing_new_is_denied_and_then_stopped() -> None:
    guard = LoopGuard(9, max_stale=2)
    steps: list[tuple[str, Any]] = [("a", []), ("b", []), ("c", [1]), ("d", []), ("e", [])]
    assert talk(guard, *steps) == ["allow"] * 5
    assert talk(guard, ("f", []), ("g", []), ("h", [])) == ["deny", "allow", "stop"]


def test_a_call_that_changes_something_is_news() -> None:
    guard = LoopGuard(9, max_stale=2)
    talk(guard, ("a", []), ("b", []), ("c", []))
    guard.observe(call("send"), tool("send"), {"ok": True})
    assert talk(guard, ("d", [])) == ["allow"]


@given(st.lists(st.sampled_from("abc"), max_size=14), st.integers(2, 4))
def test_a_cycle_is_a_block_that_ends_the_list_often_enough(calls: list[str], rounds: int) -> None:
    period = cycle(calls, rounds)
    tails = {p: calls[-p * rounds :] for p in (2, 3) if len(calls) >= p * rounds}
    is_cycle = {
        p: len(set(tail)) > 1 and all(a == b for a, b in zip(tail, tail[p:], strict=False))
        for p, tail in tails.items()
    }
    assert period == next((p for p in (2, 3) if is_cycle.get(p)), 0)


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=3, unique=True), st.integers(0, 5))
def test_whatever_goes_round_is_stopped_in_the_end(block: Sequence[str], before: int) -> None:
    guard = LoopGuard(4, max_cycles=3)
    talk(guard, *[(f"x{n}", n) for n in range(before)])
    rulings = talk(guard, *[(name, n) for n, name in enumerate(list(block) * 8)])
    assert "stop" in rulings


@given(st.lists(st.integers(), min_size=1, max_size=40, unique=True))
def test_calls_that_are_all_new_and_bring_news_are_no_loop(numbers: list[int]) -> None:
    assert set(talk(LoopGuard(1), *[(str(n), n) for n in numbers])) == {"allow"}


# -- inputs


def stock(*levels: Any) -> list[dict[str, Any]]:
    return [{"sku": n, "stock": level} for n, level in enumerate(levels)]


def test_200_items_that_report_zero_stock_at_once_wait_for_a_person() -> None:
    rule = InputRule(field="items.stock", max_share=0.5)
    guard = InputGuard({"send": [rule]})
    verdict = judge(guard, call(items=stock(*[0] * 200)))
    assert verdict.ruling == "pause"
    assert verdict.reason == "items.stock: 200 of 200 items say 0, at most 50% are plausible"
    assert judge(guard, call(items=stock(*range(200)))).ruling == "allow"
    assert judge(guard, call(items=stock(*[0] * 9))).ruling == "allow"
    mixed = [0, 0.0, "0"] * 10 + list(range(1, 20))
    assert judge(guard, call(items=stock(*mixed))).ruling == "pause"


def test_what_other_tools_have_reported_is_looked_at_too() -> None:
    rule = InputRule(field="stock", results_of="look", max_share=0.5, value=0, min_items=3)
    guard = InputGuard({"send": [rule]})
    for level in (0, 0, 7):
        guard.observe(call("look"), tool("look", "read"), {"stock": level})
    assert judge(guard, call()).reason == (
        "stock of look: 2 of 3 items say 0, at most 50% are plausible"
    )
    for _ in range(5):
        guard.observe(call("look"), tool("look", "read"), {"stock": 7})
    assert judge(guard, call()).ruling == "allow"


def test_too_many_items_and_figures_out_of_range_are_implausible() -> None:
    rule = InputRule.model_validate(
        {"field": "items.stock", "max_items": 3, "range": {"min": 0}, "ruling": "deny"}
    )
    guard = InputGuard({"send": [rule]})
    assert judge(guard, call(items=stock(1, 2, 3))).ruling == "allow"
    assert "4 items" in judge(guard, call(items=stock(1, 2, 3, 4))).reason
    assert "-1 is not in" in judge(guard, call(items=stock(-1))).reason
    assert judge(guard, call(items=stock("many"))).ruling == "deny"


# -- the chain


class Says:
    def __init__(self, ruling: Any, amount: float = 0) -> None:
        self.verdict = Verdict(ruling, ruling, wants=(Want("run:r", f"u{amount}", amount, 9, "g"),))

    def check(self, made: Call, of: Tool | None) -> Verdict:
        return self.verdict


def test_a_pause_hides_no_later_stop_and_loses_no_want() -> None:
    verdict = first_objection([Says("pause", 1), Says("allow", 2)], call(), tool())
    assert (verdict.ruling, [w.amount for w in verdict.wants]) == ("pause", [1, 2])
    verdict = first_objection([Says("pause"), Says("stop"), Says("allow")], call(), tool())
    assert verdict.ruling == "stop"


@pytest.mark.parametrize(
    "contract",
    [
        {"allowed_tools": ["sned"]},
        {"targets": {"sned": {}}},
        {"targets": {"send": {"too": {"kind": "email", "allow": []}}}},
        {"caps": [{"of": "acts", "max_calls": 1}]},
        {"caps": [{"of": "send", "amount": "usd", "max_amount": 1}]},
        {"caps": [{"of": "act", "amount": "amount_usd", "max_amount": 1}]},
        {"outputs": {"sned": {}}},
        {"plausible": {"send": [{"field": "itmes.x"}]}},
        {"plausible": {"send": [{"field": "x", "results_of": "sned"}]}},
        {"dry_run": ["sned"]},
        {"rehearse": {"send": "dry"}},
    ],
)
def test_a_rule_about_a_name_that_is_not_there_is_an_error(contract: dict[str, Any]) -> None:
    checked = Contract.model_validate(contract)
    with pytest.raises(ConfigError, match=r"contract\."):
        check_rules(checked, arguments_of([tool()]))


def test_a_contracts_guards_stand_in_one_chain() -> None:
    contract = Contract.model_validate(
        {
            "allowed_tools": ["send"],
            "caps": [{"of": "act", "max_calls": 1}],
            "plausible": {"send": [{"field": "items.n", "max_share": 0.1, "min_items": 2}]},
        }
    )
    budget = BudgetGuard(contract, Usage(), "run:r")
    tools = [tool(), tool("look", "read")]
    names, approval = [t.name for t in tools], ApprovalGuard(["send"])
    guards = contract_guards(contract, budget, names, more=[approval], clock=lambda: NOON)
    verdict = first_objection(guards, call(), tools[0])
    assert (verdict.guard, verdict.ruling) == ("approval", "pause")
    assert [w.scope for w in verdict.wants] == ["run:r", "cap:act:2026-11-21"]
    verdict = first_objection(guards, call(items=[{"n": 1}, {"n": 1}]), tools[0])
    assert verdict.guard == "inputs"
    assert first_objection(guards, call("look"), tools[1]).guard == "scope"


def test_a_run_out_of_time_makes_no_call() -> None:
    contract = Contract(max_seconds=5)
    usage = Usage()
    usage.started -= timedelta(seconds=6).total_seconds()
    verdict = judge(BudgetGuard(contract, usage), call())
    assert (verdict.ruling, verdict.reason) == ("stop", "5 seconds are used up")
