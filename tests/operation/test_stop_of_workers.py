"""`goldspan stop --all` on real worker processes: no call begins later than a second after it.

Measured from the spans in the store, as an operator would. SQLite serves one worker, and is stopped
in the drill's tests.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from goldspan.harness.drill import drill_specs, measured
from goldspan.harness.engine import EngineConfig, enqueue_from_outside
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.operation.kill import KillSwitch
from goldspan.tracing.store import Store
from tests.operation.commands import asked, waited, working
from tests.postgres import new_database

pytestmark = pytest.mark.chaos
WORKERS = 3


def test_no_call_begins_after_a_second_and_the_runs_go_on_later(
    tmp_path: Path,
) -> None:
    url = new_database()
    place = ("--store", tmp_path / "s.duckdb", "--engine", url)
    store = Store.open(tmp_path / "s.duckdb")
    runs = 10 * WORKERS
    specs = drill_specs("b", runs, times=20, seconds=20.0)
    with (
        closing(Ledger(url)) as ledger,
        working(tmp_path, *place, "--concurrency", 10, count=WORKERS) as processes,
    ):
        ids = enqueue_from_outside(EngineConfig(url), specs)

        def calls() -> list[int]:
            with ledger.transaction() as tx:
                return [tx.rows("run_calls", run_id=i)[0]["calls"] for i in ids]

        waited(lambda: min(calls()) >= 2)
        stopped = asked(tmp_path, "stop", "--all", "--because", "a test", "--wait", 30, *place)
        assert (stopped["scope"], stopped["killed"], stopped["going"]) == ("all", runs, 0)
        admitted = calls()
        found = waited(lambda: _told(store, ids, stopped["at"], runs))
        assert found.late == 0
        assert found.last_begun_ms <= 1000
        assert found.under_way > 0
        assert found.calls >= 2 * runs
        assert calls() == admitted, "a call was admitted while all was stopped"
        assert all(process.poll() is None for process in processes)
        _check_events(store, ids)

        switch = KillSwitch(ledger)
        assert switch.resume("all", by="ana").runs == runs
        waited(lambda: _segments(ledger, ids) == {2})
        switch.stop("all", by="ana", reason="the test is over")
        waited(lambda: measured(store, ids, stopped["at"]).calls > found.calls)


def _told(store: Store, ids: list[str], stopped_at: float, runs: int) -> object:
    found = measured(store, ids, stopped_at)
    return found if found.killed == runs else None


def _segments(ledger: Ledger, ids: list[str]) -> set[int]:
    return {state.segment for i in ids if (state := Runs(ledger).find(i)) is not None}


def _check_events(store: Store, ids: list[str]) -> None:
    (kill,) = store.rows("SELECT * FROM events WHERE event_name = 'goldspan.kill'")
    assert '"goldspan.kill.scope": "all"' in kill["attributes"].replace('":"', '": "')
    runs = store.rows("SELECT run_id, outcome FROM runs")
    assert {row["run_id"] for row in runs if row["outcome"] == "killed"} == set(ids)
    # Each run waits in its tool for long; on a slow machine some have not come there yet.
    query = "SELECT DISTINCT run_id FROM events WHERE event_name = 'goldspan.call.cut'"
    waited(lambda: len(store.rows(query)) >= len(ids) / 2)
