"""What holds a run back and how it is looked after: what these lines of the checklist saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from goldspan.evals.maturity import LINES, Evidence, evidence
from goldspan.evals.maturity.engine_state import EngineState
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.ledger import Ledger, default_url
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.operation.outbox import AuditEvent, drain, put
from goldspan.harness.rules.stated import Target
from goldspan.harness.safety.shield import EgressPolicy
from goldspan.tracing.instrument import instrument
from tests.evals.maturity.conftest import DAY, NOW
from tests.evals.maturity.test_checklist import (
    Fetch,
    FetchKnown,
    configured,
    engine,
    history,
    tool,
)
from tests.harness.scripted import write_version


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("drill", history(drill={"passed": False}), "not passed 6 days ago"),
        ("drill", history(drill=None), "never practised"),
        ("drill", None, "passed 6 days ago: all of 3 runs waited 0.6 s after the stop"),
        ("typical", None, "0.02 usd a run, the median of 12 runs: alarm at 10, stop at 50"),
        ("typical", configured("contract", typical_usd=0.5), "0.02 usd a run, the median"),
        ("outbox", lambda seen: replace(seen, engine=None), "there is no engine's database"),
        ("outbox", engine(unsent=2, unsent_since=NOW), "2 wait"),
        ("retention", engine(old_runs=True), "holds runs that ended over 180 days ago"),
        ("retention", history(oldest=None), "nothing is kept yet"),
        ("waits", None, "3 of 3 decided within a day, the longest after 2 hours"),
        ("breaker", None, "1 tools may leave the process; each is left alone after 5 failures"),
    ],
)
def test_lines_say_what_they_saw(
    name: str, change: Callable[[Evidence], Evidence] | None, told: str, perfect: Evidence
) -> None:
    seen = change(perfect) if change else perfect
    (line,) = [line for line in LINES if line.id == name]
    assert told in line.check(seen).evidence


def test_an_allow_list_holds_what_tools_may_reach(perfect: Evidence) -> None:
    seen = tool("look", parameters=Fetch)(perfect)
    (line,) = [line for line in LINES if line.id == "egress"]
    assert line.check(tool("look", parameters=FetchKnown)(perfect)).met
    assert "look.target_url" in line.check(seen).missing
    target = Target(kind="host", allow=("example.com",))
    listed = configured("contract", targets={"look": {"target_url": target}})(seen)
    assert line.check(listed).met
    switched_on = configured("safety", egress=EgressPolicy(hosts=("example.com",)))(seen)
    assert "an allow-list of 1 hosts" in line.check(switched_on).evidence


def test_a_cost_that_is_configured_counts_without_durable_runs(perfect: Evidence) -> None:
    (line,) = [line for line in LINES if line.id == "typical"]
    without = replace(perfect, engine=None)
    assert not line.check(without).met
    assert line.check(configured("contract", typical_usd=0.5)(without)).met


def test_the_engines_database_and_the_store_are_read(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    with closing(Ledger(default_url(store), clock=lambda: (NOW - 190 * DAY).timestamp())) as ledger:
        runs = Runs(ledger)
        for number in range(10):
            runs.begin_segment(f"r{number}", "keeper", "", queue="q", batch=None)
            runs.end(f"r{number}", "completed", None, 900, 0.5)
        result = {"runs": 3, "held_ms": 600.0}
        drill = {"goldspan.passed": True, "goldspan.drill.result": json.dumps(result)}
        with ledger.transaction() as tx:
            put(tx, AuditEvent("e1", "goldspan.drill", (NOW - 2 * DAY).timestamp(), drill))
        drain(ledger, lambda: instrument(store=store))
        with ledger.transaction() as tx:
            put(tx, AuditEvent("e2", "goldspan.kill", (NOW - DAY).timestamp(), {}))
    write_version(tmp_path / "keeper" / "v1.0.0")
    home = AgentFolder(tmp_path / "keeper")
    seen = evidence(home, home.version("v1.0.0"), store, now=NOW)
    assert seen.engine == EngineState(((0.5, 900),) * 10, 1, NOW - DAY, old_runs=True)
    told = {line.id: line.check(seen) for line in LINES}
    assert told["drill"].met
    assert told["drill"].evidence.startswith("passed 2 days ago")
    assert not told["outbox"].met
    assert not told["retention"].met
