"""`guard(tool, policy)`: the tools of any framework, held to a contract on the real ledger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.approvals import Decision, NamedApprover, Proposal
from goldspan.harness.contract import Contract
from goldspan.harness.guards import OutputRejected, Verdict
from goldspan.harness.ledger import Ledger
from goldspan.harness.models.protocol import Call
from goldspan.harness.result import Ended
from goldspan.harness.tools import Tool
from goldspan.harness.wrap import Policy, guard
from goldspan.harness.wrap.guarded_run import CallRefused
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.postgres import new_database


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = {"memory": "sqlite://", "sqlite": f"sqlite:///{tmp_path / 'ledger.db'}"}.get(
        request.param
    )
    with closing(Ledger(url or new_database())) as opened:
        yield opened


def contract(**limits: Any) -> Contract:
    return Contract.model_validate({"max_repeats": 1000, "max_tool_calls": 1000, **limits})


# -- budgets, raced


def test_of_50_concurrent_calls_against_a_budget_of_10_exactly_10_run(ledger: Ledger) -> None:
    policy = Policy(contract(max_tool_calls=10), ledger=ledger)
    ran: list[int] = []

    async def work(number: int) -> int:
        await asyncio.sleep(0.01)
        ran.append(number)
        return number

    guarded = guard(work, policy)

    async def race() -> list[Any]:
        return await asyncio.gather(*(guarded(n) for n in range(50)), return_exceptions=True)

    with policy.run("r"):
        results = asyncio.run(race())
    assert len(ran) == 10
    assert sorted(r for r in results if isinstance(r, int)) == sorted(ran)
    assert sum(isinstance(r, Ended) for r in results) == 40
    assert ledger.used("run:r", "tool_calls") == (10, 10)


def test_the_same_holds_for_threads(ledger: Ledger) -> None:
    policy = Policy(contract(max_tool_calls=10), ledger=ledger)
    ran: list[int] = []
    guarded = guard(ran.append, policy, name="work")

    def one(number: int) -> None:
        with policy.run("r"):
            guarded(number)

    with ThreadPoolExecutor(50) as pool:
        ended = [f.exception() for f in [pool.submit(one, n) for n in range(50)]]
    assert len(ran) == 10
    assert sum(isinstance(e, Ended) for e in ended) == 40


# In memory there is nothing that three workers could share.
@pytest.mark.parametrize("ledger", ["sqlite", "postgresql"], indirect=True)
def test_a_cap_holds_over_all_runs_of_three_workers(ledger: Ledger) -> None:
    cap = {"of": "order", "max_calls": 40, "amount": "usd", "max_amount": 20.3}
    ran: list[float] = []

    def order(usd: float) -> None:
        ran.append(usd)

    def worker(_: int) -> None:
        with closing(Ledger(ledger.database.url)) as own:
            policy = Policy(contract(caps=[cap]), ledger=own)
            guarded = guard(order, policy)
            for _ in range(60):
                try:
                    with policy.run():
                        guarded(0.7)
                except Ended:
                    pass

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(worker, range(3)))
    assert len(ran) == 29  # 29 times 0.7 are 20.3, to the cent


# -- what a call may be


def test_a_tool_keeps_its_name_its_types_and_its_errors() -> None:
    policy = Policy()

    def add(a: int, b: int = 2) -> int:
        """Add."""
        if b == 0:
            raise ZeroDivisionError("none")
        return a + b

    async def later(a: int) -> int:
        return a

    sync, async_ = guard(add, policy, action_class="read"), guard(later, policy)
    assert (sync.__name__, sync.__doc__) == ("add", "Add.")
    assert asyncio.iscoroutinefunction(async_)
    with policy.run():
        total: int = sync(1, b=3)
        assert total == 4
        with pytest.raises(ZeroDivisionError, match="none"):
            sync(1, 0)
        assert asyncio.run(async_(7)) == 7


def test_a_denied_call_is_told_and_a_stopped_run_stays_so() -> None:
    rule = {"send": {"to": {"kind": "email", "allow": ["example.com"]}}}
    policy = Policy(contract(targets=rule, max_tool_calls=1))
    sent: list[str] = []

    def send(to: str, *, server: object = None) -> None:
        sent.append(to)

    guarded = guard(send, policy, without=["server"])
    with policy.run() as run:
        with pytest.raises(CallRefused, match="is not allowed; allowed: example"):
            guarded("b@evil.com")
        guarded(to="a@example.com", server=object())
        for _ in range(2):
            with pytest.raises(Ended, match="budget of 1 tool calls"):
                guarded("a@example.com")
        assert run.ended is not None
        with pytest.raises(Ended):
            guarded("b@evil.com")
    assert sent == ["a@example.com"]
    with policy.run():
        guarded("a@example.com")


def test_outside_of_a_run_nothing_is_called_and_a_wrong_rule_is_an_error() -> None:
    policy = Policy(contract(dry_run=["sned"]))
    guarded = guard(lambda: None, policy, name="send")
    with pytest.raises(ConfigError, match="outside of a run"):
        guarded()
    with policy.run(), pytest.raises(ConfigError, match="there is no tool 'sned'"):
        guarded()


def test_a_dry_run_has_no_effect() -> None:
    policy = Policy(contract(dry_run=["act"]))
    sent: list[str] = []
    guarded: Callable[[str], Any] = guard(sent.append, policy, name="send")
    with policy.run():
        assert guarded("x")["dry_run"] is True
    assert sent == []


def test_an_output_that_is_not_whole_does_not_reach_the_model() -> None:
    policy = Policy(contract(outputs={"rows": {"not_empty": [""], "otherwise": "deny"}}))
    guarded = guard(lambda n: [1] * n, policy, name="rows", action_class="read")
    with policy.run():
        assert guarded(1) == [1]
        with pytest.raises(OutputRejected, match="do not guess"):
            guarded(0)
    strict = Policy(contract(outputs={"rows": {"not_empty": [""], "otherwise": "stop"}}))
    guarded = guard(lambda n: [1] * n, strict, name="rows", action_class="read")
    with strict.run(), pytest.raises(Ended, match="is empty"):
        guarded(0)


def test_what_a_call_has_brought_is_told_to_the_guards() -> None:
    policy = Policy(contract(max_stale=2))

    def pages(page: int) -> list[str]:
        return []

    guarded = guard(pages, policy, action_class="read")
    with policy.run():
        assert [guarded(page) for page in range(3)] == [[], [], []]
        with pytest.raises(CallRefused, match="said nothing new"):
            guarded(3)


# -- people


class Waits:
    """An approver that takes its time."""

    async def decide(self, proposal: Proposal) -> Decision | None:
        await asyncio.sleep(0.01)
        return Decision("edit", "ann", "less", {"usd": 5})


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_call_is_made_as_a_person_corrected_it(kind: str) -> None:
    policy = Policy(approver=Waits())
    paid: list[int] = []

    async def pay_later(usd: int) -> int:
        paid.append(usd)
        return usd

    with policy.run():
        if kind == "async":
            assert asyncio.run(guard(pay_later, policy, needs_approval=True)(9)) == 5
        else:
            guard(lambda usd: paid.append(usd), policy, name="pay", needs_approval=True)(9)
    assert paid == [5]


def test_a_correction_is_judged_too_and_no_decision_pauses_the_run() -> None:
    rule = {"pay": {"to": {"kind": "exact", "allow": ["C-1"]}}}
    approver = NamedApprover("edit", {"to": "C-2"})
    policy = Policy(contract(targets=rule), approver=approver, approvals={"pay"})
    paid: list[str] = []
    pay = guard(lambda to: paid.append(to), policy, name="pay")
    with policy.run(), pytest.raises(CallRefused, match="C-2 is not allowed"):
        pay("C-1")
    policy.approver = NamedApprover("deny")
    with policy.run(), pytest.raises(CallRefused, match="denied by a person"):
        pay("C-1")
    policy.approver = NamedApprover("none")
    with policy.run() as run:
        with pytest.raises(Ended, match="waits for a reviewer"):
            pay("C-1")
        assert run.ended is not None
        assert run.ended.outcome == "paused"
    assert paid == []


# -- failures


class Breaker:
    """Opens after two failures; any guard may stand here."""

    failures = 0

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        if self.failures < 2:
            return Verdict("breaker", "allow")
        return Verdict("breaker", "deny", f"{call.name} does not work now")


class Twice:
    """Attempts that really wait in between."""

    async def run(self, intent: Any, attempt: Callable[[int], Any], ask: Any = None) -> Any:
        try:
            return await attempt(1)
        except TimeoutError:
            await asyncio.sleep(0.001)
            return await attempt(2)


def test_guards_and_attempts_of_others_fit_in() -> None:
    breaker, tries = Breaker(), []

    def fetch(url: str) -> str:
        tries.append(url)
        breaker.failures += 1
        raise TimeoutError("slow")

    policy = Policy(contract(), guards=[breaker], attempts=Twice())
    guarded = guard(fetch, policy, action_class="read")
    with policy.run():
        with pytest.raises(TimeoutError, match="slow"):
            guarded("a")
        with pytest.raises(CallRefused, match="does not work now"):
            guarded("b")
    assert tries == ["a", "a"]


def test_a_kill_flag_stops_the_next_call(ledger: Ledger) -> None:
    policy = Policy(contract(), agent="desk", ledger=ledger)
    guarded = guard(lambda n: n, policy, name="look")
    with policy.run() as run:
        assert guarded(1) == 1
        with ledger.transaction() as tx:
            tx.execute("INSERT INTO goldspan_kills VALUES ('agent:desk', 'ann', 'drill', 1)")  # type: ignore[attr-defined]  # the kill switch's own statement is not this test's subject
        with pytest.raises(Ended, match="drill"):
            guarded(2)
        assert run.ended is not None
        assert run.ended.outcome == "killed"


def test_a_run_is_in_the_store_with_every_verdict(tmp_path: Path) -> None:
    with instrument(store=tmp_path / "s.duckdb", service_name="t") as telemetry:
        policy = Policy(
            contract(max_tool_calls=1),
            agent="desk",
            approver=NamedApprover("approve"),
            approvals={"pay"},
            recorder=telemetry.recorder,
        )
        pay = guard(lambda usd: {"paid": usd}, policy, name="pay")
        with policy.run("run-1", task="pay"):
            pay(9)
            with pytest.raises(Ended):
                pay(8)
    store = Store.open(tmp_path / "s.duckdb")
    (run,) = store.rows("SELECT * FROM runs")
    assert (run["run_id"], run["outcome"], run["tool_calls"]) == ("run-1", "aborted", 1)
    assert json.loads(run["contract"])["max_tool_calls"] == 1
    rows = store.rows(
        "SELECT attributes FROM events WHERE event_name = 'goldspan.guard.verdict'"
        " ORDER BY observed_at"
    )
    verdicts = [json.loads(row["attributes"]) for row in rows]
    assert [(v["goldspan.guard.name"], v["goldspan.guard.verdict"]) for v in verdicts] == [
        ("approval", "pause"),
        ("budget", "stop"),
    ]
    (incident,) = store.rows("SELECT kind FROM incidents")
    assert incident["kind"] == "guard:budget"
    (approval,) = store.rows("SELECT decision, reviewer FROM approvals")
    assert (approval["decision"], approval["reviewer"]) == ("approve", "case")
