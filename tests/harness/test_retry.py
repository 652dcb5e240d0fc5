"""Attempts: how many, after which wait, and what is said of each failure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.failure.apart import apart
from goldspan.harness.failure.error_classes import UnknownOutcomeError
from goldspan.harness.failure.policy import BreakerPolicy, FailurePolicy, RetryPolicy, ToolFailure
from goldspan.harness.failure.retry import RetriedModel, Retry
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.models.messages import ModelRequest, text_message
from goldspan.harness.result import Ended
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Direct, Parked
from goldspan.harness.tools import ActionClass, Tool, ToolContext, ToolError
from goldspan.tracing import semconv
from goldspan.tracing.errors import MeasurementError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.emitted import Emitted
from tests.harness.scripted import Look, Notebook, ScriptedModel, act, write_version
from tests.harness.test_error_classes import HTTPStatusError

POLICY = FailurePolicy(
    retry=RetryPolicy(attempts=3, first_wait_s=1, max_wait_s=4),
    breaker=BreakerPolicy(failures=3, cooldown_s=60),
    tools={
        "soft": ToolFailure(when_down="pending"),
        "slow": ToolFailure(retry=RetryPolicy(attempts=2, first_wait_s=0, timeout_s=0.01)),
    },
)


class Bench:
    """A retry with a ledger in memory, and a sleep that only counts."""

    def __init__(self, policy: FailurePolicy = POLICY) -> None:
        self.ledger = Ledger(clock=lambda: 1000.0)
        self.events = Emitted()
        self.waits: list[float] = []
        self.breakers = Breakers(self.ledger, policy, clean_s=0)
        self.retry = Retry(
            policy, self.events, self.breakers, clock=lambda: 1000.0, sleep=self._sleep
        )

    def run(
        self,
        outcomes: Sequence[object],
        *,
        tool: str = "t",
        action: ActionClass = "read",
        ask: Callable[[], Awaitable[Mapping[str, Any] | None]] | None = None,
    ) -> Any:
        """One call whose attempts end as given: an exception is raised, else returned."""
        self.made = 0

        async def attempt(number: int) -> Any:
            self.made += 1
            assert number == self.made
            outcome = outcomes[number - 1]
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        intent = Intent.of("r", 1, tool, {}, action_class=action)
        return asyncio.run(self.retry.run(intent, attempt, ask))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    with closing(made.ledger):
        yield made


def test_a_failure_that_passes_is_tried_again_and_said(bench: Bench) -> None:
    assert bench.run([TimeoutError("no answer"), {"plan": "team"}]) == {"plan": "team"}
    assert len(bench.waits) == 1
    (event,) = bench.events.of(semconv.CALL_FAILED)
    assert event.pop(semconv.LATENCY_MS) >= 0
    at = datetime.fromisoformat(event.pop(semconv.RETRY_AT)).timestamp()
    assert 1000 <= at <= 1001
    assert event.pop(semconv.RETRY_WAIT_MS) == bench.waits[0] * 1000
    assert event == {
        semconv.TOOL_NAME: "t",
        semconv.CALL_KEY: Intent.of("r", 1, "t", {}).key,
        semconv.ERROR_TYPE: "TimeoutError",
        semconv.ERROR_CLASS: "retry",
        semconv.RUN_ATTEMPT: 1,
        semconv.REASON: "no answer",
        semconv.BREAKER_STATE: "closed",
        semconv.BREAKER_FAILURES: 1,
        semconv.BREAKER_THRESHOLD: 3,
    }
    assert bench.breakers.find("t").failures == 0


def test_the_event_is_there_before_the_wait_begins(bench: Bench) -> None:
    seen: list[int] = []

    async def sleep(_seconds: float) -> None:
        seen.append(len(bench.events))

    bench.retry.sleep = sleep
    bench.run([TimeoutError(), 1])
    assert seen == [1]


def test_attempts_are_bounded_and_the_last_error_is_raised(bench: Bench) -> None:
    bench.retry.breakers = None
    with pytest.raises(ToolError, match="third") as caught:
        bench.run([TimeoutError("first"), TimeoutError("second"), TimeoutError("third"), 1])
    assert (caught.value.error_type, caught.value.retryable) == ("TimeoutError", True)
    assert bench.made == 3
    events = bench.events.of(semconv.CALL_FAILED)
    assert [semconv.RETRY_AT in event for event in events] == [True, True, False]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 20), st.floats(0, 5, allow_subnormal=False), st.floats(0, 9), st.integers(1, 20)
)
def test_waits_are_fully_jittered_and_bounded(
    attempts: int, first: float, longest: float, succeeds: int
) -> None:
    rules = RetryPolicy(attempts=attempts, first_wait_s=first, max_wait_s=longest)
    bench = Bench(FailurePolicy(retry=rules, breaker=BreakerPolicy(failures=99)))
    outcomes = [TimeoutError()] * (succeeds - 1) + [None] * 20
    if succeeds <= attempts:
        bench.run(outcomes)
    else:
        with pytest.raises(ToolError):
            bench.run(outcomes)
    assert bench.made == min(attempts, succeeds)
    assert len(bench.waits) == bench.made - 1
    for place, seconds in enumerate(bench.waits):
        assert 0 <= seconds <= min(first * 2**place, longest)
    bench.ledger.close()


def test_jitter_reaches_from_nothing_to_the_whole_wait(bench: Bench) -> None:
    for _ in range(200):
        bench.run([TimeoutError(), 1])
    assert min(bench.waits) < 0.1
    assert max(bench.waits) > 0.9
    assert 0.4 < sum(bench.waits) / 200 < 0.6


def test_a_server_is_waited_for_as_long_as_it_asks_or_not_at_all(bench: Bench) -> None:
    bench.run([HTTPStatusError(429, retry_after="3"), 1])
    assert 3 <= bench.waits[0] <= 4
    with pytest.raises(ToolError):
        bench.run([HTTPStatusError(429, retry_after="5"), 1])
    assert bench.made == 1


def test_an_error_of_the_caller_is_not_tried_again_and_shows_that_the_tool_works(
    bench: Bench,
) -> None:
    bench.run([TimeoutError(), 1])
    error = ToolError("no such ticket", error_type="NotFound")
    with pytest.raises(ToolError) as caught:
        bench.run([error])
    assert caught.value is error
    assert caught.value.__cause__ is None
    (_, event) = bench.events.of(semconv.CALL_FAILED)
    assert event[semconv.ERROR_CLASS] == "never"
    assert bench.breakers.find("t").failures == 0


def test_a_call_with_an_effect_is_not_made_twice(bench: Bench) -> None:
    with pytest.raises(UnknownOutcomeError, match="no answer"):
        bench.run([TimeoutError("no answer"), 1], action="act")
    assert bench.made == 1
    bench.run([ConnectionRefusedError(), "done"], action="act")
    assert bench.made == 2


@pytest.mark.parametrize(
    ("said", "result", "made"), [({"result": "sent"}, "sent", 1), (None, "now", 2)]
)
def test_a_tool_that_can_be_asked_is_asked(bench: Bench, said: Any, result: str, made: int) -> None:
    async def ask() -> Any:
        return said

    assert bench.run([TimeoutError(), "now"], action="act", ask=ask) == result
    assert bench.made == made


def test_a_tool_that_fails_to_say_leaves_it_unknown(bench: Bench) -> None:
    async def ask() -> Any:
        raise ConnectionRefusedError

    with pytest.raises(UnknownOutcomeError):
        bench.run([TimeoutError(), 1], action="act", ask=ask)
    assert bench.made == 1


def test_an_attempt_has_its_time(bench: Bench) -> None:
    async def attempt(number: int) -> str:
        await asyncio.sleep(5 if number == 1 else 0)
        return "late"

    intent = Intent.of("r", 1, "slow", {})
    assert asyncio.run(bench.retry.run(intent, attempt)) == "late"
    assert bench.events.of(semconv.CALL_FAILED)[0][semconv.LATENCY_MS] >= 10


def test_a_process_that_was_taken_for_dead_makes_no_second_attempt(bench: Bench) -> None:
    def buried() -> None:
        raise SystemExit

    bench.retry.fence = buried
    assert bench.run([1]) == 1
    with pytest.raises(SystemExit):
        bench.run([TimeoutError(), 1])
    assert bench.made == 1


def test_the_failure_that_opens_the_breaker_is_the_last_attempt(bench: Bench) -> None:
    bench.breakers.failed("t", "k", "x")
    bench.breakers.failed("t", "k", "x")
    with pytest.raises(Parked) as caught:
        bench.run([TimeoutError("no answer"), 1])
    assert bench.made == 1
    assert caught.value.park.waits_for == "breaker:t"
    (event,) = bench.events.of(semconv.CALL_FAILED)
    assert event[semconv.BREAKER_STATE] == "open"
    assert semconv.RETRY_AT not in event
    (paused,) = bench.events.of(semconv.RUN_PAUSED)
    assert paused[semconv.RUN_WAITS_FOR] == "breaker:t"


def test_an_open_breaker_stops_an_attempt_before_it_begins(bench: Bench) -> None:
    for tool in ("t", "soft"):
        for _ in range(3):
            bench.breakers.failed(tool, "k", "x")
    with pytest.raises(Parked):
        bench.run([1])
    with pytest.raises(ToolError) as caught:
        bench.run([1], tool="soft")
    with pytest.raises(ToolError):
        bench.run([1], action="act")
    assert (caught.value.error_type, caught.value.retryable) == ("BreakerOpen", True)
    assert bench.made == 0
    verdicts = bench.events.of(semconv.GUARD_VERDICT)
    assert [v[semconv.GUARD_NAME] for v in verdicts] == ["breaker", "breaker"]


def test_a_run_that_ends_or_is_cut_is_no_failure(bench: Bench) -> None:
    for stop in (Ended("killed", "stop"), asyncio.CancelledError()):
        with pytest.raises(type(stop)):
            bench.run([stop, 1])
        assert bench.made == 1
    assert bench.events == []
    assert bench.breakers.find("t").failures == 0


def test_a_call_that_was_cut_and_could_not_be_has_no_further_attempt(bench: Bench) -> None:
    begun, gate, made = threading.Event(), threading.Event(), 0

    def blocks() -> None:
        nonlocal made
        made += 1
        begun.set()
        gate.wait(10)
        raise ConnectionRefusedError("not now")

    async def cut() -> None:
        intent = Intent.of("r", 1, "t", {}, action_class="act")
        call = asyncio.ensure_future(bench.retry.run(intent, lambda _number: apart(blocks)))
        await asyncio.to_thread(begun.wait)
        call.cancel()
        gate.set()
        with pytest.raises(ToolError, match="not now"):
            await call

    asyncio.run(cut())
    assert made == 1
    (event,) = bench.events.of(semconv.CALL_FAILED)
    assert semconv.RETRY_AT not in event


def test_a_model_is_tried_again_and_says_what_the_matter_was(bench: Bench) -> None:
    class Flaky(ScriptedModel):
        async def answer(self, request: ModelRequest) -> Any:
            answer = await super().answer(request)
            if len(self.requests) < 3:
                raise MeasurementError("the model did not answer") from HTTPStatusError(503)
            return answer

    flaky = Flaky(["hello"])
    request = ModelRequest("local", "tiny", "be kind", [text_message("user", "hi")])
    answer = asyncio.run(RetriedModel(flaky, bench.retry, "r").answer(request))
    assert answer.finish_reason == "stop"
    assert len(flaky.requests) == 3
    events = bench.events.of(semconv.CALL_FAILED)
    assert {event[semconv.TOOL_NAME] for event in events} == {"model:tiny"}


def test_a_model_that_takes_too_long_is_an_error_of_measurement(bench: Bench) -> None:
    rules = RetryPolicy(attempts=1, timeout_s=0.01)
    bench.retry.policy = FailurePolicy(retry=rules)

    class Slow(ScriptedModel):
        async def answer(self, request: ModelRequest) -> Any:
            await asyncio.sleep(5)

    request = ModelRequest("local", "tiny", "be kind", [text_message("user", "hi")])
    with pytest.raises(MeasurementError, match="model:tiny: the model did not answer"):
        asyncio.run(RetriedModel(Slow([""]), bench.retry, "r").answer(request))


class Flaky(Notebook):
    """A notebook whose first two looks time out."""

    looks = 0

    def tools(self) -> Sequence[Tool]:
        def look(_context: ToolContext, _given: Look) -> dict[str, Any]:
            self.looks += 1
            if self.looks < 3:
                raise TimeoutError("the shelf is dark")
            return {"seen": "a"}

        return (Tool("look", "Look at a thing.", Look, look), *super().tools()[1:])


def test_a_run_goes_on_after_a_tool_that_failed_twice(tmp_path: Path) -> None:
    version = AgentVersion.load(write_version(tmp_path / "keeper" / "v1.0.0"))
    model = ScriptedModel([act("look", what="a"), act("answer", text="seen")])
    policy = FailurePolicy(retry=RetryPolicy(first_wait_s=0))
    with (
        instrument(store=tmp_path / "s.duckdb") as telemetry,
        closing(Ledger()) as ledger,
    ):
        recorder = telemetry.recorder
        breakers = Breakers(ledger, policy)
        result = asyncio.run(
            run_agent(
                version,
                "look",
                model=model,
                recorder=recorder,
                workspace=tmp_path / "work",
                environment=Flaky(),
                run_id="run-1",
                attempts=Retry(policy, recorder, breakers, Direct()),
            )
        )
    assert (result.outcome, result.steps[0].result) == ("completed", {"seen": "a"})
    store = Store.open(tmp_path / "s.duckdb")
    spans = store.rows("SELECT error_type FROM tool_calls ORDER BY started_at")
    assert [s["error_type"] for s in spans] == ["TimeoutError", "TimeoutError", None]
    rows = store.rows("SELECT run_id FROM events WHERE event_name = ?", [semconv.CALL_FAILED])
    assert [row["run_id"] for row in rows] == ["run-1", "run-1"]
