"""Runs and worker processes in the ledger: who waits for what, who wakes whom, who is dead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.ledger.executors import Executors
from goldspan.harness.ledger.runs import Runs
from tests.postgres import new_database


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    sqlite = f"sqlite:///{tmp_path / 'ledger.db'}"
    url = sqlite if request.param == "sqlite" else new_database()
    with closing(Ledger(url, clock=Clock())) as opened:
        yield opened


def clock_of(ledger: Ledger) -> Clock:
    assert isinstance(ledger.clock, Clock)
    return ledger.clock


def sql(ledger: Ledger, text: str) -> None:
    with ledger.transaction() as tx:
        tx.execute(text)  # type: ignore[attr-defined]  # a test's way to what has no query yet


def started(ledger: Ledger, run_id: str = "r") -> Runs:
    runs = Runs(ledger)
    runs.begin_segment(run_id, "desk", "d1", queue="q", batch=None)
    return runs


def test_a_run_that_goes_on_begins_another_segment(ledger: Ledger) -> None:
    runs = Runs(ledger)
    assert runs.begin_segment("r", "desk", "d1", queue="q", batch="b") == 1
    runs.park("r", "approval:a1", "waits for a reviewer")
    state = runs.find("r")
    assert state is not None
    assert (state.state, state.waits_for, state.why) == (
        "parked",
        "approval:a1",
        "waits for a reviewer",
    )
    assert runs.begin_segment("r", "desk", "d1", queue="q", batch="b") == 2
    runs.end("r", "completed", None, 120, 0.5)
    state = runs.find("r")
    assert state is not None
    assert (state.state, state.waits_for, state.outcome) == ("ended", None, "completed")
    assert (state.tokens, state.usd, state.segment) == (120, 0.5, 2)
    assert runs.find("other") is None


def test_a_life_that_is_over_does_not_end_its_run(ledger: Ledger) -> None:
    def ends(segment: int) -> str:
        runs.end("r", "failed", "its tail", 0, None, segment=segment)
        state = runs.find("r")
        assert state is not None
        return state.state

    runs = started(ledger)
    runs.park("r", "approval:a", "waits")
    assert ends(1) == "parked"
    started(ledger)
    assert (ends(1), ends(2)) == ("running", "ended")


APPROVAL = (
    "INSERT INTO goldspan_approvals (id, run_id, digest, kind, proposal, state, asked_at)"
    " VALUES ('a1', 'r', 'd', 'reviewer', '{}', 'asked', 1)"
)
BREAKER = (
    "INSERT INTO goldspan_breakers (tool, state, opened_at, retry_at)"
    " VALUES ('mail', 'open', 1000, 1060)"
)
KILL = "INSERT INTO goldspan_kills VALUES ('agent:desk', 'ana', 'why', 1)"


def decide(ledger: Ledger) -> None:
    sql(ledger, "UPDATE goldspan_approvals SET state = 'denied'")


def cool_down(ledger: Ledger) -> None:
    clock_of(ledger).now = 1_060


def let_go_on(ledger: Ledger) -> None:
    sql(ledger, "DELETE FROM goldspan_kills")


def say(ledger: Ledger) -> None:
    ledger.resolve(Intent.of("r", 1, "mail", {}).key, {"made": False})


@pytest.mark.parametrize(
    ("before", "waits_for", "then"),
    [
        (APPROVAL, "approval:a1", decide),
        (BREAKER, "breaker:mail", cool_down),
        (KILL, "kill:agent:desk", let_go_on),
        (None, f"unknown:{Intent.of('r', 1, 'mail', {}).key}", say),
    ],
)
def test_a_parked_run_is_awaited_when_it_has_what_it_waits_for(
    ledger: Ledger, before: str | None, waits_for: str, then: Callable[[Ledger], None]
) -> None:
    ledger.admit(Intent.of("r", 1, "mail", {}))
    runs = started(ledger)
    if before is not None:
        sql(ledger, before)
    runs.park("r", waits_for, "why")
    assert runs.awaited(stale_s=10) == []
    then(ledger)
    assert runs.awaited(stale_s=10) == [("r", "q")]


def test_a_kill_flag_holds_back_a_run_that_has_its_approval(ledger: Ledger) -> None:
    runs = started(ledger)
    sql(ledger, APPROVAL)
    runs.park("r", "approval:a1", "why")
    sql(ledger, KILL)
    decide(ledger)
    assert runs.awaited(stale_s=10) == []
    let_go_on(ledger)
    assert runs.awaited(stale_s=10) == [("r", "q")]


def test_one_process_wakes_a_run_and_another_where_it_died(ledger: Ledger) -> None:
    runs = started(ledger)
    runs.park("r", "kill:all", "why")
    assert runs.claim_waking("r", stale_s=10)
    assert not runs.claim_waking("r", stale_s=10)
    assert runs.awaited(stale_s=10) == []
    clock_of(ledger).now += 11
    assert runs.awaited(stale_s=10) == [("r", "q")]
    assert runs.claim_waking("r", stale_s=10)
    runs.begin_segment("r", "desk", "d1", queue="q", batch=None)
    assert not runs.claim_waking("r", stale_s=10)


def test_a_process_that_does_not_beat_is_dead_and_is_told_so(ledger: Ledger) -> None:
    executors = Executors(ledger)
    executors.add("one")
    executors.add("two")
    clock_of(ledger).now += 5
    assert executors.beat("two")
    assert executors.bury(5) == []
    clock_of(ledger).now += 1
    assert executors.bury(5) == ["one"]
    assert not executors.beat("one")
    assert [row["id"] for row in executors.alive()] == ["two"]
    executors.bury_one("two")
    assert executors.bury(5) == ["one", "two"]
    clock_of(ledger).now += 90_000
    assert executors.bury(5) == []
    assert not executors.beat("one")
