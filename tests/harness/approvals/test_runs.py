"""A run that waits for a person, decided by another process, and what becomes of it then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover, Proposal
from goldspan.harness.approvals.asking import LedgerApprover
from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.last_gate import LastGate
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.approvals.review import draw
from goldspan.harness.ledger import Ledger
from goldspan.harness.life import Life
from goldspan.harness.operation.outbox import drain
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Direct, Park, Parked, StepRunner, Work
from goldspan.harness.tools import Environment, JsonValue, Tool
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version

WRITES = (act("look", what="a"), act("write", text="hello"), act("answer", text="done"))


class Recorded(Direct):
    """Steps that are recorded in this process, as an engine would in its database."""

    def __init__(self, recorded: dict[int, JsonValue]) -> None:
        self.recorded = recorded
        self.numbers = count()

    def reserve(self, name: str) -> StepRunner:
        number, direct = next(self.numbers), super().reserve(name)

        async def run(work: Work) -> JsonValue:
            if number not in self.recorded:
                self.recorded[number] = await direct(work)
            return self.recorded[number]

        return run

    async def park(self, park: Park, ready: Work) -> JsonValue:
        async def work() -> JsonValue:
            known = await ready()
            if known is None:
                raise Parked(park)
            return known

        return await self.reserve("wait")(work)


class Office:
    """One run in several lives, each with processes' own ledgers, and its people."""

    def __init__(self, folder: Path, rules: str = "{}") -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'engine.db'}"
        self.store = folder / "s.duckdb"
        path = write_version(folder / "agent" / "v1.0.0")
        config = (path / "config.yaml").read_text(encoding="utf-8")
        (path / "config.yaml").write_text(f"{config}approvals: {rules}\n", encoding="utf-8")
        self.version = AgentVersion.load(path)
        self.lives = 0
        self.recorded: dict[int, JsonValue] = {}
        self.model = ScriptedModel(WRITES)

    def live(self, environment: Environment | None = None) -> RunResult:
        """The run's next life."""
        self.lives += 1
        with (
            closing(Ledger(self.url)) as ledger,
            instrument(store=self.store) as telemetry,
        ):
            return asyncio.run(
                run_agent(
                    self.version,
                    "Write a note.",
                    model=self.model,
                    recorder=telemetry.recorder,
                    workspace=self.folder / "work",
                    environment=environment,
                    run_id="run-1",
                    approver=LedgerApprover(Approvals(ledger)),
                    life=Life(ledger, Recorded(self.recorded), self.lives),
                )
            )

    def say(self, kind: Any, name: str = "ana", **more: Any) -> None:
        """A person decides what waits, in a process of their own."""
        with closing(Ledger(self.url)) as ledger:
            approvals = Approvals(ledger)
            (asked,) = approvals.waiting()
            decide(approvals, asked, kind, name, approvals.issue(asked, name), **more)
            drain(ledger, lambda: instrument(store=self.store))

    def left(self) -> dict[str, Any]:
        """What is in the run's workspace, also while it waits."""
        return Notebook().end_state(self.folder / "work")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with Store.open(self.store) as store:
            return store.rows(sql)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_the_run_pauses_and_goes_on_when_it_is_approved(office: Office) -> None:
    first = office.live()
    assert (first.outcome, office.left()) == ("paused", {})
    (asked,) = office.rows("SELECT * FROM approvals")
    assert (asked["status"], asked["tool_name"], asked["draft"]) == ("pending", "write", "hello")
    assert (asked["trace_id"], asked["agent_name"]) == (first.trace_id, "agent")
    assert asked["why"] == "write needs approval"
    office.say("approve", "Ana")
    again = office.live()
    assert (again.outcome, again.end_state) == ("completed", {"note-0.txt": "hello"})
    (decided,) = office.rows("SELECT * FROM approvals")
    assert (decided["decision"], decided["reviewer"]) == ("approve", "Ana")
    assert decided["trace_id"] == first.trace_id
    assert decided["wait_ms"] > 0
    (used,) = office.rows("SELECT * FROM events WHERE event_name = 'goldspan.approval.used'")
    assert json.loads(used["attributes"])["goldspan.approval.reviewer"] == "Ana"
    gate = "SELECT count(*) AS n FROM events WHERE attributes::VARCHAR LIKE '%last gate%'"
    assert office.rows(gate) == [{"n": 1}]


def test_a_run_that_asks_again_asks_once(office: Office) -> None:
    for _ in range(3):
        assert office.live().outcome == "paused"
    assert len(office.rows("SELECT * FROM approvals")) == 1
    names = "SELECT event_name FROM events WHERE event_name = 'goldspan.approval.requested'"
    assert len(office.rows(names)) == 1


def test_a_denial_is_told_to_the_model_with_its_reason(office: Office) -> None:
    office.live()
    office.say("deny", reason="not now")
    result = office.live()
    assert result.end_state == {}
    assert (result.outcome, result.steps[1].error_type) == ("completed", "Denied")
    assert result.steps[1].result == "denied by a person: not now"
    (row,) = office.rows("SELECT decision, reason FROM approvals")
    assert row == {"decision": "deny", "reason": "not now"}


def test_a_correction_is_applied(office: Office) -> None:
    office.live()
    office.say("edit", edit={"text": "hello, please"})
    assert office.live().end_state == {"note-0.txt": "hello, please"}
    (row,) = office.rows("SELECT decision, edited_arguments, arguments FROM approvals")
    assert row["decision"] == "edit"
    assert json.loads(row["edited_arguments"]) == {"text": "hello, please"}
    assert json.loads(row["arguments"]) == {"text": "hello"}


def test_an_approval_is_no_approval_of_the_next_call(office: Office) -> None:
    texts = (act("write", text="one"), act("write", text="one"), act("answer", text="done"))
    office.model = ScriptedModel(texts)
    office.live()
    office.say("approve")
    result = office.live()
    assert (result.outcome, office.left()) == ("paused", {"note-0.txt": "one"})
    office.say("approve", "bo")
    assert office.live().outcome == "completed"


def test_two_reviewers_are_waited_for(tmp_path: Path) -> None:
    office = Office(tmp_path, "{write: {kind: two-reviewers}}")
    office.live()
    office.say("approve", "ana")
    assert office.live().outcome == "paused"
    office.say("approve", "bo")
    assert office.live().outcome == "completed"
    (row,) = office.rows("SELECT kind, reviewer FROM approvals")
    assert row == {"kind": "two-reviewers", "reviewer": "ana, bo"}


def test_the_user_concerned_confirms(tmp_path: Path) -> None:
    office = Office(tmp_path, "{write: {kind: user, user: text}}")
    office.live()
    with closing(Ledger(office.url)) as ledger:
        (asked,) = Approvals(ledger).waiting()
    assert (asked.kind, asked.proposal.concerns) == ("user", "hello")
    office.say("approve", "Hello")
    assert office.live().outcome == "completed"


class Previewed(Notebook):
    """The notebook with claims that a test sets."""

    claims: list[dict[str, Any]]
    draft = "hello"

    def tools(self) -> tuple[Tool, ...]:
        look, write = super().tools()

        def seen(_context: object, _given: object) -> dict[str, Any]:
            return {"draft": self.draft, "claims": self.claims}

        return look, replace(write, preview=seen)


class Citable(Previewed):
    known: set[str]

    def citable(self, workspace: Path) -> set[str]:
        return self.known


def _changed_draft(world: Citable) -> None:
    world.draft = "hello, and 100 USD"


def _lost_evidence(world: Citable) -> None:
    world.known = set()


def _no_evidence(world: Citable) -> None:
    world.claims = [{"text": "c", "evidence": " "}]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_changed_draft, "the draft or its claims are not those that were approved"),
        (_lost_evidence, "claim 1 cites 'L-1', which is not there"),
        (_no_evidence, "claim 1 cites nothing"),
    ],
)
def test_what_changed_since_the_approval_does_not_pass_the_last_gate(
    office: Office, change: Callable[[Citable], None], told: str
) -> None:
    world = Citable()
    world.claims, world.known = [{"text": "c", "evidence": "L-1"}], {"L-1"}
    office.live(world)
    office.say("approve")
    change(world)
    result = office.live(world)
    assert result.end_state == {}
    assert result.steps[1].error_type == "LastGate"
    assert told in result.steps[1].result
    with closing(Ledger(office.url)) as ledger:
        (approved,) = Approvals(ledger).decided()
    assert approved.state == "approved"  # not used up: nothing was done


def test_evidence_may_be_any_id_in_a_result_and_no_beginning_of_one(office: Office) -> None:
    world = Previewed()
    world.claims = [{"text": "seen", "evidence": "a"}]
    office.live(world)
    office.say("approve")
    assert office.live(world).outcome == "completed"
    context: Any = type("Context", (), {"workspace": office.folder})
    _, write = world.tools()
    world.claims = [{"text": "seen", "evidence": "L-5"}]
    decision: Any = type("Decision", (), {"shown": None})
    for results, found in ((['{"id":"L-5"}'], 0), (['{"id":"L-50"}'], 1), ([], 1)):
        faults = LastGate().faults(write, context, {}, decision, results=results)
        assert len(faults) == found, results


def test_an_artifact_that_is_gone_stops_the_call(office: Office) -> None:
    _, write = Notebook().tools()
    context: Any = type("Context", (), {"workspace": office.folder})
    decision: Any = type("Decision", (), {"shown": None})
    made = [{"name": "note", "path": "agent"}, {"name": "draft", "path": "gone.md"}]
    faults = LastGate().faults(
        write, context, {"text": "x"}, decision, results=(), artifacts=[*made, {"name": "other"}]
    )
    assert faults == ["draft is no longer there (gone.md)"]


def test_calls_within_their_rule_go_by_themselves_and_a_share_is_looked_at(
    tmp_path: Path,
) -> None:
    rules = "{write: {min_confidence: 0.5, review_share: 1}}"
    office = Office(tmp_path, rules)
    sure = json.loads(act("write", text="sure")) | {"confidence": 0.9}
    unsure = json.loads(act("write", text="unsure")) | {"confidence": 0.2}
    texts = (json.dumps(sure), json.dumps(unsure), act("answer", text="done"))
    office.model = ScriptedModel(texts)
    result = office.live()
    assert (result.outcome, office.left()) == ("paused", {"note-0.txt": "sure"})
    office.live()  # what is noted again is noted once
    with closing(Ledger(office.url)) as ledger:
        approvals = Approvals(ledger)
        (sampled,) = approvals.sampled()
        assert sampled.arguments == {"text": "sure"}
        approvals.look_at(sampled, "ana", right=False, reason="tone")
        assert approvals.sampled() == []
        (waits,) = approvals.waiting()
        assert waits.proposal.why == "confidence 0.2 is below 0.5"
        drain(ledger, lambda: instrument(store=office.store))
    office.say("approve")
    assert office.live().outcome == "completed"
    (row,) = office.rows("SELECT * FROM escalations")
    assert (row["tool_name"], row["agent_name"]) == ("write", "agent")
    assert (row["calls"], row["asked"], row["let_go"], row["approved"]) == (2, 1, 1, 1)
    assert (row["escalation_rate"], row["pending"]) == (0.5, 0)
    assert (row["sampled"], row["looked_at"], row["found_wrong"]) == (1, 1, 1)
    assert row["wait_max_ms"] == row["wait_p50_ms"] > 0


def test_the_share_that_is_looked_at_is_about_the_one_asked_for(tmp_path: Path) -> None:
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        approvals = Approvals(ledger)
        proposal = Proposal("a1", "run", "write", {"text": "x"})
        approvals.let_go(proposal, {}, sampled=False)
        assert approvals.sampled() == []
    drawn = sum(draw(f"{number:032x}") < 0.1 for number in range(20_000))
    assert 1_850 < drawn < 2_150


def test_what_was_approved_under_a_name_is_no_approval_of_another_call(tmp_path: Path) -> None:
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        approvals = Approvals(ledger)
        asked = approvals.ask(Proposal("a1", "run", "write", {"text": "x"}))
        decide(approvals, asked, "approve", "ana", approvals.issue(asked, "ana"))
        approver = LedgerApprover(approvals)
        other = asyncio.run(approver.decide(Proposal("a1", "run", "write", {"text": "y"})))
        same = asyncio.run(approver.decide(asked.proposal))
    assert other is not None
    assert (other.kind, "propose it again" in other.reason) == ("deny", True)
    assert same is not None
    assert (same.kind, same.reviewer, same.approval) == ("approve", "ana", "a1")


def test_without_a_ledgers_approver_a_named_one_decides_as_before(office: Office) -> None:
    with instrument(store=office.store) as telemetry:
        result = asyncio.run(
            run_agent(
                office.version,
                "Write a note.",
                model=ScriptedModel(WRITES),
                recorder=telemetry.recorder,
                workspace=office.folder / "work",
                approver=NamedApprover("edit", {"text": "corrected"}),
            )
        )
    assert result.end_state == {"note-0.txt": "corrected"}
    (row,) = office.rows("SELECT decision, reviewer, wait_ms, edited_arguments FROM approvals")
    assert (row["decision"], row["reviewer"]) == ("edit", "case")
    assert row["wait_ms"] is not None
