"""Kill flags: what they stop, how they are lifted, what is written down of it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import typer

import goldspan.tracing
from goldspan.cli.app import app
from goldspan.cli.engine_place import complete_agents, complete_runs
from goldspan.harness.ledger import Intent, Ledger, default_url
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.operation.kill import Held, KillSwitch
from goldspan.harness.operation.outbox import unsent
from goldspan.harness.operation.run_list import listed
from goldspan.tracing.errors import ConfigError, InputError
from tests.operation.conftest import Clock


def started(ledger: Ledger, run_id: str, agent: str = "desk") -> Runs:
    runs = Runs(ledger)
    runs.begin_segment(run_id, agent, "d", queue="q", batch="b")
    return runs


def admitted(ledger: Ledger, run_id: str, step: int, agent: str = "desk") -> str:
    return ledger.admit(Intent.of(run_id, step, "look", {}, agent=agent)).standing


@pytest.mark.parametrize(
    ("scope", "stops"),
    [("all", {"r", "other"}), ("agent:desk", {"r"}), ("run:other", {"other"})],
)
def test_a_flag_stops_its_scope_and_nothing_else(
    ledger: Ledger, scope: str, stops: set[str]
) -> None:
    switch = KillSwitch(ledger)
    agents = {"r": "desk", "other": "clerk"}
    switch.stop(scope, by="ana", reason="why")
    answers = {run: admitted(ledger, run, 0, agent) for run, agent in agents.items()}
    assert {run for run, answer in answers.items() if answer == "killed"} == stops
    switch.resume(scope, by="ana")
    assert {admitted(ledger, run, 1, agent) for run, agent in agents.items()} == {"admitted"}


def test_each_order_is_one_event_and_a_second_stop_is_none(ledger: Ledger, clock: Clock) -> None:
    switch = KillSwitch(ledger)
    first = switch.stop("run:r", by=" ana ", reason=" it loops ")
    clock.now += 60
    assert switch.stop("run:r", by="bo", reason="the same") == first
    switch.resume("run:r", by="bo")
    clock.now += 60
    switch.stop("run:r", by="ana", reason="again")
    told = [(e.name, e.attributes.get("goldspan.kill.by"), e.at) for e in unsent(ledger)]
    start = first.at
    assert told == [
        ("goldspan.kill", "ana", start),
        ("goldspan.kill.lifted", "bo", start + 60),
        ("goldspan.kill", "ana", start + 120),
    ]
    event = unsent(ledger)[0]
    assert event.attributes["goldspan.run.id"] == "r"
    assert event.attributes["goldspan.reason"] == "it loops"


def test_a_broken_transaction_leaves_neither_flag_nor_event(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("goldspan.harness.operation.kill.put", broken)
    with pytest.raises(RuntimeError):
        KillSwitch(ledger).stop("all", by="ana", reason="why")
    assert (KillSwitch(ledger).flags(), unsent(ledger)) == ([], [])


def test_what_is_held_is_counted_by_what_it_waits_for(ledger: Ledger) -> None:
    runs = started(ledger, "going")
    for run_id, waits in (("k", "kill:all"), ("a", "approval:x"), ("c", "kill:agent:clerk")):
        started(ledger, run_id, "clerk" if run_id == "c" else "desk").park(run_id, waits, "why")
    started(ledger, "over").end("over", "completed", None, 0, None)
    switch = KillSwitch(ledger)
    assert switch.held("all") == Held(going=1, killed=2, waiting=1)
    assert switch.held("agent:desk") == Held(going=1, killed=1, waiting=1)
    assert switch.held("run:c") == Held(going=0, killed=1, waiting=0)
    assert switch.known_agents() == ["clerk", "desk"]
    assert runs.awaited(stale_s=9) == [("k", "q"), ("c", "q")]


def test_a_resume_lifts_its_own_flag_and_names_those_that_stand(ledger: Ledger) -> None:
    switch = KillSwitch(ledger)
    started(ledger, "r").park("r", "kill:all", "why")
    switch.stop("all", by="ana", reason="one")
    switch.stop("agent:desk", by="bo", reason="two")
    with pytest.raises(InputError, match=r"kill:all \(goldspan resume --all\)"):
        switch.resume("run:r", by="ana")
    done = switch.resume("all", by="ana")
    assert (done.runs, [flag.scope for flag in done.still]) == (1, ["agent:desk"])
    assert Runs(ledger).awaited(stale_s=9) == []
    switch.resume("agent:desk", by="ana")
    assert Runs(ledger).awaited(stale_s=9) == [("r", "q")]
    with pytest.raises(InputError, match="all: is not stopped"):
        switch.resume("all", by="ana")


def test_a_resume_releases_what_waits_for_its_version(ledger: Ledger) -> None:
    started(ledger, "r").park("r", "version:d", "the folder changed")
    assert Runs(ledger).awaited(stale_s=9) == []
    assert KillSwitch(ledger).resume("run:r", by="ana").runs == 1
    assert Runs(ledger).awaited(stale_s=9) == [("r", "q")]


@pytest.mark.parametrize(
    ("waits", "remedy"),
    [
        ("approval:x7", "goldspan approvals show x7"),
        ("unknown:k", "goldspan approvals unknown k says"),
        ("breaker:mail", "when mail works again"),
        ("kill:all", "the next worker that beats wakes it"),
    ],
)
def test_what_a_resume_cannot_release_says_what_can(
    ledger: Ledger, waits: str, remedy: str
) -> None:
    started(ledger, "r").park("r", waits, "why")
    with pytest.raises(InputError, match=remedy):
        KillSwitch(ledger).resume("run:r", by="ana")
    assert unsent(ledger) == []


def test_wrong_orders_are_plain_errors(ledger: Ledger) -> None:
    switch = KillSwitch(ledger)
    for scope, by, reason, told in (
        ("everything", "ana", "why", "is no scope"),
        ("run:", "ana", "why", "is no scope"),
        ("all", " ", "why", "--as"),
        ("all", "ana", "", "--because"),
    ):
        with pytest.raises(ConfigError, match=told):
            switch.stop(scope, by=by, reason=reason)
    with pytest.raises(InputError, match="no such run"):
        switch.resume("run:none", by="ana")
    started(ledger, "r")
    with pytest.raises(InputError, match="does not wait: it is running"):
        switch.resume("run:r", by="ana")


def test_the_list_says_who_can_let_a_run_go_on(ledger: Ledger, clock: Clock) -> None:
    switch = KillSwitch(ledger)
    with ledger.transaction() as tx:
        tx.execute(  # type: ignore[attr-defined]  # a test's way to a row of another module's
            "INSERT INTO goldspan_approvals (id, run_id, digest, kind, proposal, state, asked_at)"
            " VALUES ('x7', 'a', 'd', 'user', '{\"concerns\": \"kim\"}', 'asked', 1)"
        )
    for run_id, waits in (
        ("a", "approval:x7"),
        ("b", "breaker:mail"),
        ("k", "kill:all"),
        ("u", "unknown:key"),
        ("v", "version:0123456789abcdef"),
    ):
        clock.now += 1
        started(ledger, run_id).park(run_id, waits, "why")
    started(ledger, "g")
    started(ledger, "e").end("e", "completed", None, 7, 0.5)
    switch.stop("all", by="ana", reason="smoke")
    whom = {run.run_id: run.whom for run in listed(ledger, flags=switch.flags())}
    assert whom == {
        "a": "the user concerned (kim): goldspan approvals show x7",
        "b": "mail to work again",
        "k": "ana, or who may: goldspan resume --all",
        "u": "somebody who can look: goldspan approvals unknown key",
        "v": "agent version 0123456789ab, then: goldspan resume --run v",
        "g": None,
        "e": None,
    }
    states = {run.run_id: (run.state, run.outcome) for run in listed(ledger)}
    assert states["k"] == ("waiting", "killed")
    assert states["e"] == ("ended", "completed")
    assert [run.run_id for run in listed(ledger, state="waiting")] == ["v", "u", "k", "b", "a"]
    clock.now += 100
    assert "e" not in {run.run_id for run in listed(ledger, ended_within_s=50)}
    assert [run.run_id for run in listed(ledger, run_id="b")] == ["b"]
    assert listed(ledger, agent="nobody") == listed(ledger, batch="none") == []
    with pytest.raises(InputError, match="'odd' is no state"):
        listed(ledger, state="odd")


def test_the_kill_switch_waits_for_no_heavy_import() -> None:
    code = (
        "import sys, goldspan.harness.operation.kill\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pandas", "duckdb", "pyarrow", "dbos", "sqlalchemy", "pydantic", "pydantic_ai"}
    assert set(done.stdout.split()) & heavy == set()


def test_what_tracing_offers_is_there_whatever_was_imported_before() -> None:
    importlib.import_module("goldspan.tracing.instrument")
    assert callable(goldspan.tracing.instrument)
    for name in goldspan.tracing.__all__:
        assert getattr(goldspan.tracing, name).__name__ == name
    assert not hasattr(goldspan.tracing, "no_such_name")


def test_the_shell_completes_agents_and_runs(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    with closing(Ledger(default_url(store))) as ledger:
        started(ledger, "r1", "desk")
        started(ledger, "r2", "clerk")
    command = typer.main.get_command(app)
    context = typer.Context(command)
    context.params["store"] = store
    assert complete_agents(context, "d") == ["desk"]
    assert sorted(complete_runs(context, "")) == ["r1", "r2"]
    context.params["store"] = tmp_path / "none.duckdb"
    assert complete_agents(context, "") == []
