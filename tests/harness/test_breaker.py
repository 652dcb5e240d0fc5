"""The breaker: what many workers may do to one tool, whatever the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from goldspan.harness.failure.policy import BreakerPolicy, FailurePolicy, ToolFailure
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Intent, Ledger, Want
from goldspan.harness.ledger.runs import Runs
from goldspan.tracing import semconv
from tests.postgres import new_database

THREE = FailurePolicy(
    breaker=BreakerPolicy(failures=3, within_s=100, cooldown_s=60, probe_s=30),
    tools={
        "soft": ToolFailure(when_down="pending"),
        "touchy": ToolFailure(breaker=BreakerPolicy(failures=1, cooldown_s=5)),
    },
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Notes(list[tuple[str, Mapping[str, Any]]]):
    def __call__(self, _tx: object, name: str, attributes: Mapping[str, Any]) -> None:
        self.append((name, attributes))

    def states(self) -> list[str]:
        return [a[semconv.BREAKER_STATE] for n, a in self if n == semconv.BREAKER_CHANGED]


@pytest.fixture(params=["sqlite", "postgresql"])
def worker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Breakers]]:
    """Opens the breakers as one more worker would; all have one clock."""
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'ledger.db'}" if sqlite else new_database()
    clock = Clock()
    with ExitStack() as stack:

        def open_one() -> Breakers:
            ledger = stack.enter_context(closing(Ledger(url, clock=clock)))
            return Breakers(ledger, THREE, Notes(), clean_s=0)

        yield open_one


def intent(step: int, tool: str = "t") -> Intent:
    return Intent.of("r", step, tool, {"n": step}, agent="desk")


def wait(breakers: Breakers, seconds: float) -> None:
    assert isinstance(breakers.ledger.clock, Clock)
    breakers.ledger.clock.now += seconds


def notes(breakers: Breakers) -> Notes:
    assert isinstance(breakers.note, Notes)
    return breakers.note


def fail(breakers: Breakers, times: int, tool: str = "t") -> None:
    for _ in range(times):
        breakers.failed(tool, "some call", "Timeout: no answer")


def test_failures_of_all_workers_open_it_for_all(worker: Callable[[], Breakers]) -> None:
    one, other = worker(), worker()
    fail(one, 2)
    assert other.admit(intent(0)).standing == "admitted"
    last = other.failed("t", "k", "Timeout: no answer")
    assert (last.state, last.failures, last.threshold, last.retry_at) == ("open", 3, 3, 1060)
    for breakers in (one, other):
        refused = breakers.admit(intent(1))
        assert (refused.standing, refused.guard) == ("open", "breaker")
        assert refused.reason == (
            "t failed 3 times in a row (Timeout: no answer) and is left alone,"
            " until 1970-01-01T00:17:40Z"
        )
        assert not breakers.may_try("t", "k")
    assert one.admit(intent(1, "u")).standing == "admitted"
    fail(one, 2)
    assert one.find("t") == last
    assert one.all() == [other.find("t")]
    assert [name for name, _ in notes(other)] == [semconv.BREAKER_CHANGED, semconv.INCIDENT]
    assert notes(other)[1][1][semconv.INCIDENT_TOOL] == "t"
    assert notes(one) == []


def test_a_success_or_a_long_pause_ends_a_row_of_failures(worker: Callable[[], Breakers]) -> None:
    breakers = worker()
    fail(breakers, 2)
    breakers.worked("t", "k")
    fail(breakers, 2)
    wait(breakers, 101)
    fail(breakers, 2)
    assert breakers.find("t").failures == 2
    wait(breakers, 100)
    fail(breakers, 1)
    assert breakers.find("t").state == "open"


def test_after_the_cooldown_one_call_probes_and_closes_it(worker: Callable[[], Breakers]) -> None:
    one, other = worker(), worker()
    fail(one, 3)
    wait(one, 59)
    assert one.admit(intent(0)).standing == "open"
    wait(one, 1)
    assert one.admit(intent(0)).fresh
    assert other.admit(intent(1)).standing == "open"
    assert one.may_try("t", intent(0).key)
    assert not other.may_try("t", intent(1).key)
    other.worked("t", "a call that began before")
    assert one.find("t").state == "half"
    one.worked("t", intent(0).key)
    assert other.admit(intent(1)).fresh
    assert notes(one).states() == ["open", "half", "closed"]
    assert one.find("t").failures == 0


def test_a_probe_that_fails_opens_it_again(worker: Callable[[], Breakers]) -> None:
    breakers = worker()
    fail(breakers, 3)
    wait(breakers, 60)
    assert breakers.admit(intent(0)).fresh
    fail(breakers, 1)
    assert breakers.find("t").state == "half"
    assert breakers.failed("t", intent(0).key, "again").retry_at == 1120
    assert breakers.admit(intent(1)).standing == "open"


def test_a_probe_that_is_not_heard_of_lapses(worker: Callable[[], Breakers]) -> None:
    dying, other = worker(), worker()
    fail(dying, 3)
    wait(dying, 60)
    assert dying.admit(intent(0)).fresh
    wait(other, 29)
    assert other.admit(intent(1)).standing == "open"
    wait(other, 1)
    assert other.admit(intent(1)).fresh
    dying.failed("t", intent(0).key, "late")
    dying.worked("t", intent(0).key)
    assert other.find("t").probe_key == intent(1).key


def test_a_probe_that_is_not_admitted_makes_room_for_another(
    worker: Callable[[], Breakers],
) -> None:
    breakers = worker()
    fail(breakers, 3)
    wait(breakers, 60)
    beyond = Want("run:r", "n", 2, 1, "budget")
    assert breakers.admit(intent(0), [beyond]).standing == "refused"
    assert breakers.find("t").state == "open"
    assert breakers.admit(intent(1)).fresh


def test_a_run_that_waits_is_woken_after_the_cooldown_and_when_it_closes(
    worker: Callable[[], Breakers],
) -> None:
    breakers = worker()
    runs = Runs(breakers.ledger)
    fail(breakers, 3)
    runs.begin_segment("waits", "desk", "d", queue=None, batch=None)
    runs.park("waits", "breaker:t", "t is down")
    assert runs.awaited(stale_s=10) == []
    wait(breakers, 60)
    assert runs.awaited(stale_s=10) == [("waits", None)]
    assert breakers.admit(intent(0)).fresh
    assert runs.awaited(stale_s=10) == []
    breakers.worked("t", intent(0).key)
    assert runs.awaited(stale_s=10) == [("waits", None)]


def test_a_tool_to_go_on_without_is_refused_for_good(worker: Callable[[], Breakers]) -> None:
    breakers = worker()
    fail(breakers, 3, "soft")
    refused = breakers.admit(intent(0, "soft"))
    assert (refused.standing, refused.guard, refused.ruling) == ("refused", "breaker", "deny")
    wait(breakers, 60)
    assert breakers.admit(intent(0, "soft")) == refused
    assert breakers.admit(intent(1, "soft")).fresh


def test_a_policy_of_a_tool_goes_before_that_of_all(worker: Callable[[], Breakers]) -> None:
    breakers = worker()
    assert breakers.failed("touchy", "k", "gone").state == "open"
    wait(breakers, 5)
    assert breakers.admit(intent(0, "touchy")).fresh


def test_a_call_of_before_goes_on_while_it_is_open(worker: Callable[[], Breakers]) -> None:
    breakers = worker()
    breakers.admit(intent(0))
    fail(breakers, 3)
    assert breakers.admit(intent(0)).standing == "admitted"


def test_a_tool_that_works_is_looked_up_once_a_while() -> None:
    clock = Clock()
    with closing(Ledger(clock=clock)) as ledger:
        here, elsewhere = Breakers(ledger, THREE), Breakers(ledger, THREE)
        here.worked("t", "k")
        fail(elsewhere, 3)
        assert here.may_try("t", "k")
        clock.now += 1
        assert not here.may_try("t", "k")
        clock.now -= 1
        fail(here, 1)
        assert not here.may_try("t", "k")


CALLS = Bundle("calls")
WORKERS = st.integers(0, 2)


class ManyWorkers(RuleBasedStateMachine):
    """Three workers, calls that end in any order or never, and a clock: against a plain model."""

    calls = CALLS

    @initialize()
    def begin(self) -> None:
        self.clock = Clock()
        self.ledger = Ledger(clock=self.clock)
        self.workers = [Breakers(self.ledger, THREE, Notes(), clean_s=0) for _ in range(3)]
        self.steps = 0
        self.state = "closed"
        self.row = 0
        self.failed_at = 0.0
        self.until = 0.0
        self.probe: str | None = None

    @rule(seconds=st.sampled_from([1, 29, 30, 59, 60, 101]))
    def pass_time(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(target=CALLS, worker=WORKERS, times=st.integers(1, 4), within_budget=st.booleans())
    def call(self, worker: int, times: int, within_budget: bool) -> Any:
        made = [self._call((worker + n) % 3, within_budget) for n in range(times)]
        return multiple(*[key for key in made if key is not None])

    def _call(self, worker: int, within_budget: bool) -> str | None:
        self.steps += 1
        one = intent(self.steps)
        wants = [] if within_budget else [Want("run:r", "n", 2, 1, "budget")]
        answer = self.workers[worker].admit(one, wants)
        if self.state != "closed" and self.clock.now < self.until:
            assert answer.standing == "open"
            return None
        if self.state != "closed":
            self.state, self.probe, self.until = "half", one.key, self.clock.now + 30
            if not within_budget:
                self.state, self.probe, self.until = "open", None, self.clock.now
        assert answer.standing == ("admitted" if within_budget else "refused")
        return one.key if within_budget else None

    @rule(worker=WORKERS, key=consumes(CALLS))
    def fails(self, worker: int, key: str) -> None:
        found = self.workers[worker].failed("t", key, "no")
        if self.state == "closed":
            self.row = 1 if self.clock.now - self.failed_at > 100 else self.row + 1
        if (self.state == "closed" and self.row == 3) or self.probe == key:
            self.state, self.probe, self.until = "open", None, self.clock.now + 60
        self.failed_at = self.clock.now
        assert found.state == self.state

    @rule(worker=WORKERS, key=consumes(CALLS))
    def works(self, worker: int, key: str) -> None:
        self.workers[worker].worked("t", key)
        if self.state == "closed":
            self.row = 0
        elif self.probe == key:
            self.state, self.probe, self.row = "closed", None, 0

    @rule(worker=WORKERS, key=CALLS)
    def tries_again(self, worker: int, key: str) -> None:
        may = self.workers[worker].may_try("t", key)
        claims = self.state != "closed" and self.probe != key and self.clock.now >= self.until
        if claims:
            self.state, self.probe, self.until = "half", key, self.clock.now + 30
        assert may == (self.state == "closed" or self.probe == key)

    @invariant()
    def database_and_model_agree(self) -> None:
        found = self.workers[0].find("t")
        assert (found.state, found.probe_key) == (self.state, self.probe)
        assert found.failures == self.row
        assert self.state == "closed" or found.retry_at == self.until

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()


TestManyWorkers = ManyWorkers.TestCase
TestManyWorkers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_of_many_connections_one_probes(worker: Callable[[], Breakers]) -> None:
    first = worker()
    fail(first, 3)
    wait(first, 60)
    workers = [worker() for _ in range(6)]
    standings: list[str] = []

    def ask(breakers: Breakers, step: int) -> None:
        standings.append(breakers.admit(intent(step)).standing)

    threads = [Thread(target=ask, args=(b, step)) for step, b in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(standings) == {"open": 5, "admitted": 1}


def test_a_tool_that_works_by_now_is_not_said_to_be_down(worker: Callable[[], Breakers]) -> None:
    one = worker()
    fail(one, 3)
    assert "failed 3 times in a row" in one.reason("t")
    wait(one, 60)
    assert one.may_try("t", "probe")
    one.worked("t", "probe")
    assert one.reason("t") == "t was left alone, and works again"
