"""What runs and engines say to each other: steps, lives, ids, and who may import the engine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.engine.steps import insist
from goldspan.harness.ledger import Intent, Ledger, Want
from goldspan.harness.life import Life
from goldspan.harness.operation.outbox import drain, unsent
from goldspan.harness.result import Ended
from goldspan.harness.run import run_agent
from goldspan.harness.run_events import RunEvents
from goldspan.harness.steps import Direct, Park, Parked, retold, told
from goldspan.tracing.errors import MeasurementError, StoreError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.run_ids import AGENT, RunIds, link_to_previous, placed
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version
from tests.postgres import new_database


def test_direct_steps_do_the_work_and_end_where_they_would_wait() -> None:
    async def nothing() -> None:
        return None

    async def something() -> dict[str, Any]:
        return {"decided": True}

    async def waits() -> None:
        raise Parked(Park("unknown", "k1", "nobody knows"))

    steps = Direct()
    assert asyncio.run(_result(steps.reserve("tool:x")(something))) == {"decided": True}
    assert asyncio.run(steps.park(Park("approval", "a", "why"), something)) == {"decided": True}
    for kind, outcome in (("approval", "paused"), ("kill", "killed")):
        with pytest.raises(Ended, match="why") as ended:
            asyncio.run(steps.park(Park(kind, "a", "why"), nothing))  # type: ignore[arg-type]
        assert ended.value.outcome == outcome
    with pytest.raises(Ended, match="nobody knows"):
        asyncio.run(_result(steps.reserve("tool:x")(waits)))


async def _result(awaited: Awaitable[Any]) -> Any:
    return await awaited


def test_an_error_that_is_a_steps_result_says_the_same() -> None:
    error = MeasurementError("no answer", where="tiny", remedy="start it")
    assert str(retold(told(error))) == str(error)  # type: ignore[arg-type]  # JSON of texts


def test_ids_derive_from_run_segment_and_step() -> None:
    tracer = TracerProvider(id_generator=RunIds()).get_tracer("t")

    def ids(run: str, segment: int | None, step: str) -> tuple[int, int]:
        with placed(run, segment, step), tracer.start_as_current_span("a") as span:
            return span.get_span_context().trace_id, span.get_span_context().span_id

    assert ids("r", 1, AGENT) == ids("r", 1, AGENT)
    assert ids("r", 1, AGENT)[0] == ids("r", 1, "3 model")[0]
    assert ids("r", 1, AGENT)[1] != ids("r", 1, "3 model")[1]
    assert ids("r", 1, AGENT)[0] != ids("r", 2, AGENT)[0]
    assert ids("r", None, AGENT) != ids("r", None, AGENT)
    (link,) = link_to_previous("r", 2)
    assert (link.context.trace_id, link.context.span_id) == ids("r", 1, AGENT)
    assert link_to_previous("r", 1) == []


def test_a_later_life_emits_the_same_events(tmp_path: Path) -> None:
    def emitted(segment: int | None) -> list[str]:
        with instrument(store=tmp_path / "s.duckdb", service_name="t") as telemetry:
            events = RunEvents(telemetry.recorder, "r", segment)
            return [
                events.event("goldspan.decision"),
                events.event("goldspan.decision"),
                events.about("approval", "goldspan.approval.requested"),
                events.of_segment("goldspan.run.ended"),
            ]

    first, second = emitted(1), emitted(2)
    assert first[:3] == second[:3]
    assert len({*first, *second}) == 5
    assert not set(emitted(None)) & set(emitted(None))
    (row,) = Store.open(tmp_path / "s.duckdb").rows("SELECT count(*) AS n FROM events")
    assert row["n"] == 5 + 8


def test_a_durable_runs_contract_arrives_though_its_process_sent_nothing(tmp_path: Path) -> None:
    version = AgentVersion.load(write_version(tmp_path / "keeper" / "v1.0.0"))
    there = tmp_path / "s.duckdb"

    def life(ledger: Ledger, segment: int | None, store: Path) -> None:
        with instrument(store=store, service_name="t") as telemetry:
            run = run_agent(
                version,
                "go",
                model=ScriptedModel([act("answer", text="x")]),
                recorder=telemetry.recorder,
                workspace=tmp_path / f"w{segment}",
                run_id="r",
                life=Life(ledger, Direct(), segment),
            )
            asyncio.run(run)

    def contracts() -> list[dict[str, Any]]:
        return Store.open(there).rows(
            "SELECT run_id, trace_id FROM events WHERE event_name = 'goldspan.run.contract'"
        )

    with closing(Ledger()) as ledger:
        life(ledger, None, tmp_path / "elsewhere.duckdb")
        assert unsent(ledger) == []
        life(ledger, 1, tmp_path / "lost.duckdb")
        drain(ledger, lambda: instrument(store=there, service_name="audit"))
        (first,) = contracts()
        assert first["run_id"] == "r"
        assert first["trace_id"] is not None
        life(ledger, 2, there)
        (ended,) = unsent(ledger)
        assert (ended.name, ended.trace_id != first["trace_id"]) == ("goldspan.run.ended", True)
    assert contracts() == [first]


def test_what_a_guard_wants_is_taken_by_the_ledger_and_its_refusal_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from goldspan.harness import guards

    check = guards.LoopGuard.check

    def wanting(guard: Any, call: Any, tool: Any) -> guards.Verdict:
        verdict = check(guard, call, tool)
        want = Want("cap:look", "calls", 1, 2, "caps", "deny")
        return guards.Verdict(verdict.guard, verdict.ruling, verdict.reason, (want,))

    monkeypatch.setattr(guards.LoopGuard, "check", wanting)
    version = AgentVersion.load(write_version(tmp_path / "keeper" / "v1.0.0"))
    texts = [act("look", what=w) for w in ("a", "b", "a")] + [act("answer", text="x")]
    model = ScriptedModel(texts)
    with (
        instrument(store=tmp_path / "s.duckdb", service_name="t") as telemetry,
        closing(Ledger()) as ledger,
    ):
        result = asyncio.run(
            run_agent(
                version,
                "look",
                model=model,
                recorder=telemetry.recorder,
                workspace=tmp_path / "w",
                environment=Notebook(),
                life=Life(ledger, Direct()),
            )
        )
        assert ledger.used("cap:look", "calls") == (2, 2)
    assert [step.error_type for step in result.steps] == [None, "NotFound", "Denied"]
    assert "0 left of the limit of 2" in model.requests[3].messages[-1]["parts"][0]["content"]


def test_a_transaction_is_insisted_on_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("goldspan.harness.engine.steps.MAX_PAUSE_S", 0.01)
    with closing(Ledger(new_database())) as ledger, closing(Ledger(ledger.database.url)) as other:
        other.used("x", "y")
        with ledger.transaction() as tx:
            tx.execute(  # type: ignore[attr-defined]  # a test's way to what has no query
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        asked = Intent.of("r", 1, "t", {})
        with pytest.raises(StoreError, match="does not answer"):
            other.admit(asked)
        assert other.admit(asked).fresh
    answers: list[Callable[[], str]] = [_away, _away, lambda: "here"]
    assert asyncio.run(insist(lambda: answers.pop(0)())) == "here"


def _away() -> str:
    raise StoreError("is away")


def test_nothing_but_the_engine_imports_dbos() -> None:
    code = (
        "import sys, goldspan.harness\n"
        "import goldspan.harness.operation.tasks, goldspan.harness.operation.durable\n"
        "print({'dbos', 'sqlalchemy', 'psycopg'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
