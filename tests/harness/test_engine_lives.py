"""One life of a durable run, while its worker stops, other runs end, or the database is away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness import run as run_module
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.guards import TypicalCost
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.life import Life, prepare
from goldspan.harness.tools import JsonValue, Tool, ToolContext
from goldspan.tracing.errors import ConfigError, StoreError
from tests.chaos.world import PostOffice
from tests.harness.approvals.test_runs import Recorded
from tests.harness.test_engine import Office, office, sql, waited

__all__ = ["office"]


class HeldOffice(PostOffice):
    """Its `throw` cannot be cut, and waits until it may go on; who looks at it is noted."""

    begun, may_end = threading.Event(), threading.Event()
    looked_at: list[Path] = []  # noqa: RUF012  a test reads it where a worker made the office

    def tools(self) -> Sequence[Tool]:
        def held(tool: Tool) -> Tool:
            def run(context: ToolContext, letter: Any) -> Any:
                self.begun.set()
                assert self.may_end.wait(20)
                return tool.run(context, letter)

            return replace(tool, run=run)

        return [held(tool) if tool.name == "throw" else tool for tool in super().tools()]

    def end_state(self, workspace: Path) -> dict[str, Any]:
        self.looked_at.append(workspace)
        return super().end_state(workspace)


@pytest.fixture
def held(office: Office) -> Iterator[Office]:
    config = office.version.path / "config.yaml"
    text = config.read_text("utf-8").replace(
        "tests.chaos.world:PostOffice", f"{__name__}:HeldOffice"
    )
    config.write_text(f"{text}failure: {{}}\n", "utf-8")
    office.version = AgentVersion.load(office.version.path)
    HeldOffice.begun.clear()
    HeldOffice.may_end.clear()
    HeldOffice.looked_at.clear()
    yield office
    HeldOffice.may_end.set()


def test_what_a_call_brings_while_its_worker_stops_is_recorded(
    held: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a call longer than a breaker's word holds: the ledger is asked once more.
    monkeypatch.setattr(Breakers, "is_clean", lambda *_: False)
    run = held.enqueue("throw 1; count 2")
    waited(HeldOffice.begun.is_set)
    watch = held.worker.engine.watch
    stops = threading.Thread(target=held.worker.close)
    stops.start()
    waited(lambda: watch.stopping)
    HeldOffice.may_end.set()
    stops.join()
    held.open()
    state = held.until(run, "parked", "ended")
    assert (state.outcome, state.waits_for, state.segment) == ("completed", None, 2)
    assert held.letters(run) == [1]


def test_nobody_looks_at_the_half_made_world_of_a_run_that_waits(held: Office) -> None:
    run = held.enqueue("sign 1")
    held.until(run, "parked")
    waited(lambda: not held.worker.engine.watch.lives)
    assert HeldOffice.looked_at == []
    sql(held.ledger, "UPDATE goldspan_approvals SET state = 'approved'")
    assert held.until(run, "ended").outcome == "completed"
    assert len(HeldOffice.looked_at) == 1


def test_a_run_is_judged_by_the_history_that_it_began_with(office: Office) -> None:
    run = office.enqueue("; ".join([*(f"count {n}" for n in range(5)), "sign 1", "send 2"]))
    office.until(run, "parked")
    runs = Runs(office.ledger)
    for n in range(10):  # by their cost the run would have been stopped before it waited
        runs.begin_segment(f"cheap{n}", "poster", "d", queue=None, batch=None)
        runs.end(f"cheap{n}", "completed", None, 1, None)
    sql(office.ledger, "UPDATE goldspan_approvals SET state = 'approved'")
    state = office.until(run, "ended")
    assert (state.outcome, state.why, state.segment) == ("completed", None, 2)


def test_a_run_goes_on_when_the_database_is_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.worker.engine.runner.approver = None  # type: ignore[attr-defined]  # asks people then
    for place, name in ((run_module, "recent_costs"), (Approvals, "ask")):
        monkeypatch.setattr(place, name, _away_once(getattr(place, name)))
    state = office.until(office.enqueue("sign 1"), "parked", "ended")
    assert str(state.waits_for).startswith("approval:"), state.why


def _away_once(real: Any) -> Any:
    calls = []

    def asked(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise StoreError("the database does not answer")
        return real(*arguments)

    return asked


@pytest.mark.parametrize("before", [{}, {0: {}}], ids=["anew", "recorded by an earlier version"])
def test_what_a_run_typically_costs_is_read_once(
    tmp_path: Path, before: dict[int, JsonValue]
) -> None:
    typical = TypicalCost("tokens", 5.0, "the median of 10 runs", assumed=True)
    asked: list[TypicalCost] = []

    def judge() -> TypicalCost:
        asked.append(typical)
        return typical

    async def lives() -> list[TypicalCost | None]:
        return [
            await prepare(Life(ledger, Recorded(before)), PostOffice(), tmp_path / "w", {}, judge)
            for _ in range(2)
        ]

    with closing(Ledger()) as ledger:
        found = asyncio.run(lives())
    assert [(one, one and one.assumed) for one in found] == [(typical, True)] * 2
    assert len(asked) == (2 if before == {0: {}} else 1)


def test_a_run_whose_cost_nobody_can_judge_says_so_in_every_life(tmp_path: Path) -> None:
    def judge() -> TypicalCost:
        raise ConfigError("nobody knows", where="contract.typical_usd", remedy="state it")

    recorded: dict[int, JsonValue] = {}
    with closing(Ledger()) as ledger:
        for _ in range(2):
            life = Life(ledger, Recorded(recorded))
            with pytest.raises(ConfigError, match=r"typical_usd: nobody knows \(state it\)"):
                asyncio.run(prepare(life, PostOffice(), tmp_path / "w", {}, judge))
    assert not (tmp_path / "w").exists()
