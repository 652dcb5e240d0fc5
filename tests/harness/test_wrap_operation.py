"""Wrapped tools on a ledger that people look at: approvals, unknown calls, kills, retention."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.approvals import ApprovalRule, NamedApprover
from goldspan.harness.approvals.asking import LedgerApprover
from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.approvals.unknown import resolve, unknown_calls
from goldspan.harness.contract import Contract
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.operation.kill import KillSwitch
from goldspan.harness.operation.outbox import drain, unsent
from goldspan.harness.operation.retention import prune_engine
from goldspan.harness.operation.scrubbing import scrub_ended
from goldspan.harness.result import Ended
from goldspan.harness.wrap import CurrentCall, Policy, current_call, guard
from goldspan.harness.wrap.guarded_run import CallRefused
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.redaction import Policy as Redaction
from goldspan.tracing.redaction.policy_file import PolicySettings
from goldspan.tracing.store import Store


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        yield opened


def contract(**limits: Any) -> Contract:
    return Contract.model_validate({"max_repeats": 1000, **limits})


def say(ledger: Ledger, kind: Any, *names: str, **more: Any) -> None:
    """Decide the one approval that waits, as each of these people."""
    (waiting,) = Approvals(ledger).waiting()
    for name in names:
        book = Approvals(ledger)
        decide(book, waiting, kind, name, book.issue(book.find(waiting.id), name), **more)


# -- approvals


def paying(ledger: Ledger, paid: list[int], **more: Any) -> Any:
    policy = Policy(contract(), ledger=ledger, approver=LedgerApprover(Approvals(ledger)), **more)
    return policy, guard(lambda usd: paid.append(usd), policy, name="pay")


def test_a_decision_of_the_ledger_is_one_event_with_its_wait(
    ledger: Ledger, tmp_path: Path
) -> None:
    store, paid = tmp_path / "s.duckdb", list[int]()
    with instrument(store=store, service_name="t") as telemetry:
        policy, pay = paying(ledger, paid, approvals={"pay"}, recorder=telemetry.recorder)
        with policy.run("r"), pytest.raises(Ended, match="waits for a reviewer"):
            pay(9)
        known = Runs(ledger).find("r")
        assert known is not None
        assert (known.state, str(known.waits_for)[:9]) == ("parked", "approval:")
        ledger.clock = lambda: time.time() + 3600
        say(ledger, "approve", "ana")
        with policy.run("r"):
            pay(9)
            with pytest.raises(Ended, match="waits for a reviewer"):
                pay(9)  # the approval was of one call
    assert paid == [9]
    drain(ledger, partial(instrument, store=store, service_name="t"))
    opened = Store.open(store)
    rows = opened.rows("SELECT status, reviewer, wait_ms FROM approvals ORDER BY requested_at")
    assert [(row["status"], row["reviewer"]) for row in rows] == [
        ("decided", "ana"),
        ("pending", None),
    ]
    assert rows[0]["wait_ms"] > 3_000_000
    (found,) = opened.rows(
        "SELECT count(*) FILTER (event_name = 'goldspan.approval.requested') AS asked,"
        " count(*) FILTER (event_name = 'goldspan.approval.decided') AS decided,"
        " count(*) FILTER (event_name = 'goldspan.approval.used') AS used FROM events"
    )
    assert tuple(found.values()) == (2, 1, 1)


def test_rules_say_which_calls_wait_and_for_whom(ledger: Ledger) -> None:
    paid: list[int] = []
    rule = ApprovalRule(above={"usd": 50}, two_reviewers_above={"usd": 500}, review_share=1)
    policy, pay = paying(ledger, paid, rules={"pay": rule})
    with policy.run("r"):
        pay(9)
        (looked_at,) = Approvals(ledger).sampled()
        assert looked_at.arguments == {"usd": 9}
        with pytest.raises(Ended, match="waits for a reviewer"):
            pay(900)
    (asked,) = Approvals(ledger).waiting()
    assert (asked.kind, asked.proposal.why) == ("two-reviewers", "usd 900 is above 50")
    say(ledger, "approve", "ana")
    with policy.run("r"), pytest.raises(Ended, match="waits for a reviewer"):
        pay(900)
    say(ledger, "approve", "bob")
    with policy.run("r"):
        pay(900)
    assert paid == [9, 900]
    wrong = Policy(rules={"pay": ApprovalRule(above={"amount": 50})})
    wrongly = guard(lambda usd: usd, wrong, name="pay")
    with wrong.run(), pytest.raises(ConfigError, match="there is no argument 'amount'"):
        wrongly(1)


def test_what_changed_since_the_approval_does_not_pass_the_last_gate(ledger: Ledger) -> None:
    sent: list[str] = []
    draft = {"text": "Dear Ann"}
    policy = Policy(
        contract(), ledger=ledger, approver=LedgerApprover(Approvals(ledger)), approvals={"send"}
    )

    def preview(_: dict[str, Any]) -> dict[str, Any]:
        return {"draft": draft["text"], "risk": "low"}

    def write(letter: str) -> None:
        sent.append(letter)

    send = guard(write, policy, name="send", preview=preview)
    with policy.run("r"), pytest.raises(Ended, match="waits"):
        send("d-1")
    (asked,) = Approvals(ledger).waiting()
    assert (asked.proposal.draft, asked.proposal.risk) == ("Dear Ann", "low")
    say(ledger, "approve", "ana")
    draft["text"] = "Dear Eve"
    with policy.run("r"), pytest.raises(CallRefused, match="approved, but not made: the draft"):
        send("d-1")
    draft["text"] = "Dear Ann"
    with policy.run("r"):
        send("d-1")
    assert sent == ["d-1"]


# -- keys, and calls of which nobody knows


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_tool_has_its_key_and_is_asked_by_it(ledger: Ledger, kind: str) -> None:
    done: dict[str, str] = {}
    lost = [True]

    def work(usd: int) -> str:
        call = current_call()
        assert (call.tool, call.arguments, call.run_id) == ("pay", {"usd": usd}, "r")
        done[call.key] = f"paid {usd}"
        if lost.pop():
            raise SystemExit  # the process ends after the effect
        return "again"

    async def work_later(usd: int) -> str:
        await asyncio.sleep(0)
        return work(usd)

    def asked(call: CurrentCall) -> dict[str, Any] | None:
        return {"result": done[call.key]} if call.key in done else None

    def life() -> str:
        policy = Policy(contract(), ledger=ledger)
        if kind == "sync":
            with policy.run("r"):
                return guard(work, policy, name="pay", ask=asked)(9)
        with policy.run("r"):
            return asyncio.run(guard(work_later, policy, name="pay", ask=asked)(9))

    with pytest.raises(SystemExit):
        life()
    assert life() == "paid 9"
    assert len(done) == 1
    done.clear()  # it says that it was not made: it is made now
    lost.append(False)
    assert life() == "again"
    with pytest.raises(ConfigError, match="no guarded tool is being called"):
        current_call()


def test_an_output_that_waits_for_a_person_is_listed_and_the_word_is_used(ledger: Ledger) -> None:
    rule = {"required": ["id"], "otherwise": "pause"}
    asked: list[int] = []

    def look(n: int) -> dict[str, int]:
        asked.append(n)
        return {}

    def life() -> Any:
        policy = Policy(contract(outputs={"look": rule}), ledger=ledger)
        with policy.run("r"):
            return guard(look, policy, action_class="read")(1)

    with pytest.raises(Ended, match="id is missing"):
        life()
    (call,) = unknown_calls(ledger)
    assert (call.tool, call.run_id) == ("look", "r")
    resolve(ledger, call.key, "ana", made=True, result={"id": 7})
    assert life() == {"id": 7}
    assert asked == [1]


# -- kills


def test_a_call_under_way_is_cut_by_a_stop_and_said_to_be(ledger: Ledger) -> None:
    ended: list[str] = []

    async def wait(n: int) -> None:
        KillSwitch(ledger).stop("agent:desk", by="ana", reason="why")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cut")
            raise

    policy = Policy(contract(), agent="desk", ledger=ledger)
    guarded = guard(wait, policy)
    with policy.run("r") as run:
        with pytest.raises(Ended, match="stopped by ana"):
            asyncio.run(guarded(1))
        assert run.ended is not None
        assert (run.ended.outcome, ended) == ("killed", ["cut"])
    (cut,) = [e.attributes for e in unsent(ledger) if e.name == semconv.CALL_CUT]
    assert (cut[semconv.TOOL_NAME], cut[semconv.CALL_FINISHED]) == ("wait", False)
    KillSwitch(ledger).resume("agent:desk", by="ana")
    with policy.run("r"), pytest.raises(Ended, match="nobody knows whether wait was done"):
        asyncio.run(guarded(1))


def test_a_sync_call_cannot_be_cut_and_that_is_said_too(ledger: Ledger) -> None:
    def wait(n: int) -> int:
        KillSwitch(ledger).stop("run:r", by="ana", reason="why")
        time.sleep(0.3)
        return n

    policy = Policy(contract(), agent="desk", ledger=ledger)
    guarded = guard(wait, policy)
    with policy.run("r"):
        assert guarded(1) == 1
        with pytest.raises(Ended, match="stopped by ana"):
            guarded(2)
    (cut,) = [e.attributes for e in unsent(ledger) if e.name == semconv.CALL_CUT]
    assert (cut[semconv.TOOL_NAME], cut[semconv.CALL_FINISHED]) == ("wait", True)


# -- what stays


def test_what_ended_runs_left_is_pruned_and_what_waits_stays(ledger: Ledger) -> None:
    policy = Policy(contract(), ledger=ledger)
    look = guard(lambda n: n, policy, name="look", action_class="read")
    for _ in range(2):
        with policy.run("done"):
            look(1)
    paused = Policy(
        contract(), ledger=ledger, approver=LedgerApprover(Approvals(ledger)), approvals={"pay"}
    )
    pay = guard(lambda usd: usd, paused, name="pay")
    with paused.run("waits"), pytest.raises(Ended):
        pay(1)
    assert prune_engine(ledger, time.time() + 1).runs == 1
    assert prune_engine(ledger, time.time() + 1).runs == 0
    assert ledger.used("run:done", "tool_calls") is None
    assert ledger.used("run:waits", "tool_calls") is None
    with ledger.transaction() as tx:
        assert tx.rows("run_calls", run_id="done") == [{"calls": 0}]
    assert len(Approvals(ledger).waiting()) == 1


def test_what_a_run_needs_that_may_go_on_is_not_redacted_for_a_day(ledger: Ledger) -> None:
    rule = {"required": ["id"], "otherwise": "pause"}

    def off() -> Redaction:
        return Redaction(PolicySettings(content="off"))

    def life() -> Any:
        policy = Policy(contract(outputs={"look": rule}), ledger=ledger)
        with policy.run("r"):
            return guard(lambda n: {}, policy, name="look", action_class="read")(1)

    with pytest.raises(Ended, match="id is missing"):
        life()
    (call,) = unknown_calls(ledger)
    resolve(ledger, call.key, "ana", made=True, result={"id": 7})
    KillSwitch(ledger).stop("run:r", by="ana", reason="why")
    with pytest.raises(Ended, match="stopped by ana"):
        life()
    assert scrub_ended(ledger, off) == 0
    KillSwitch(ledger).resume("run:r", by="ana")
    assert life() == {"id": 7}
    assert scrub_ended(ledger, off) == 1, "it has completed"
    Runs(ledger).end("r", "failed", None, 0, None)
    with ledger.transaction() as tx:
        tx.execute("UPDATE goldspan_runs SET scrubbed = 0")  # type: ignore[attr-defined]  # a test's way
    ledger.clock = lambda: time.time() + 90_000
    assert scrub_ended(ledger, off) == 1


def test_history_says_what_a_run_usually_costs(ledger: Ledger) -> None:
    runs = Runs(ledger)
    for n in range(10):
        runs.begin_segment(f"old{n}", "desk", "", queue=None, batch=None)
        runs.end(f"old{n}", "completed", None, 100, 0.02)
    policy = Policy(contract(stop_at=2), agent="desk", ledger=ledger)
    typical = policy.begin().budget.typical
    assert typical is not None
    assert (typical.unit, typical.amount) == ("usd", 0.02)
    assert Policy(contract(), agent="new", ledger=ledger).begin().budget.typical is None


def test_the_contract_is_told_with_its_defaults(tmp_path: Path) -> None:
    with instrument(store=tmp_path / "s.duckdb", service_name="t") as telemetry:
        policy = Policy(agent="desk", approver=NamedApprover(), recorder=telemetry.recorder)
        with policy.run("r"):
            pass
    (run,) = Store.open(tmp_path / "s.duckdb").rows("SELECT contract FROM runs")
    assert json.loads(run["contract"])["max_tokens"] == Contract().max_tokens
