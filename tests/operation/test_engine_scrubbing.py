"""Redaction of the engine's database: what the store would not keep, it does not keep either."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.engine import EngineConfig, OutsideEngine
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.operation.delivery import Delivery, target_of
from goldspan.harness.operation.durable import SpecRunner, specs_of
from goldspan.harness.operation.kill import KillSwitch
from goldspan.harness.operation.outbox import AuditEvent, drain, put, unsent
from goldspan.harness.operation.scrubbing import scrub_ended, scrub_events
from goldspan.harness.operation.tasks import Task
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from goldspan.tracing.redaction import Policy
from goldspan.tracing.redaction.policy_file import PolicySettings
from tests.chaos.world import Turns
from tests.harness.scripted import act
from tests.operation.commands import waited
from tests.operation.test_engine_operation import Office
from tests.planted_secrets import PLANTED
from tests.postgres import new_database

SECRET = PLANTED["openai"][0]
TEXT = "the plain words of a customer"


class Tells(Turns):
    """A model that says all that it should not."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        said = await super().answer(request)
        if "done after" not in said.message["parts"][0]["content"]:
            return said
        text = act("answer", text=f"{TEXT}: {SECRET}")
        return ModelAnswer(text_message("assistant", text), response_model="tiny")


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    sqlite = f"sqlite:///{tmp_path / 'engine.db'}"
    with ExitStack() as stack:
        made = Office(tmp_path, sqlite if request.param == "sqlite" else new_database(), stack)
        gateway = ModelGateway(Mode.LIVE, None, Tells())
        recorder, folder = made.runner.recorder, tmp_path / "workspaces"
        made.runner = SpecRunner(lambda _version: gateway, recorder, Prices(), folder)
        yield made


def everything(url: str) -> str:
    """All that the database holds, in its tables and, where it is a file, anywhere in that."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            text = "\n".join(connection.iterdump())
        files = [path, *path.parent.glob(f"{path.name}-*")]
        return text + "".join(file.read_bytes().decode("latin-1") for file in files)
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables"
            " WHERE table_schema IN ('public', 'dbos') AND table_type = 'BASE TABLE'"
        ).fetchall()
        rows = (connection.execute(f"SELECT to_json(t) FROM {name} AS t") for (name,) in tables)
        return "\n".join(json.dumps(row[0]) for some in rows for row in some.fetchall())


def ends(office: Office, *names: str) -> list[str]:
    """Runs that have ended, each after a call that a person has approved; their ids."""
    setup = {"note": f"{TEXT}: {SECRET}"}
    tasks = [
        Task(id=name, input="count 1; sign 2", setup=setup, session=f"s-{name}") for name in names
    ]
    specs = specs_of(office.version, tasks, batch="b")
    office.enqueue(specs)
    book = Approvals(office.ledger)
    waited(lambda: len(book.waiting()) == len(names))
    for each in book.waiting():
        token = book.issue(each, "ana")
        decide(book, each, "approve", "ana", token, reason=f"{TEXT}: {SECRET}")
    waited(lambda: office.ended(*(spec.run_id for spec in specs)))
    return [spec.run_id for spec in specs]


def test_what_redaction_takes_out_is_not_in_what_ended_runs_left(office: Office) -> None:
    with office.work() as worker:
        (run_id,) = ends(office, "a")
        waited(lambda: worker.engine.status(run_id) == "SUCCESS")
        assert SECRET in everything(office.url)
        drain(office.ledger, lambda: instrument(store=office.folder / "s.duckdb"))
        assert scrub_ended(office.ledger, Policy) == 0, "not those that a worker has made"
        assert scrub_ended(office.ledger, Policy, worker.engine) == 1
        found = everything(office.url)
        assert SECRET not in found
        assert TEXT in found
        told = worker.engine.delivered(run_id)
        assert told is not None
        assert told["answer"].endswith("[redacted:openai-key]")
        assert scrub_ended(office.ledger, Policy, worker.engine) == 0
        # The same task again is still the same run.
        assert office.enqueue(office.specs("a")) == []


def test_without_content_only_figures_stay(office: Office) -> None:
    office.works()
    (run_id,) = ends(office, "a")
    drain(office.ledger, lambda: instrument(store=office.folder / "s.duckdb"))
    policy = Policy(PolicySettings(content="metadata"))
    with OutsideEngine(EngineConfig(office.url)) as outside:
        waited(lambda: scrub_ended(office.ledger, lambda: policy, outside) == 1)
    assert TEXT not in everything(office.url)
    state = Runs(office.ledger).find(run_id)
    assert state is not None
    assert (state.outcome, state.tokens) == ("completed", 20)
    (decided,) = Approvals(office.ledger).decided()
    assert (decided.state, decided.reviewer, decided.arguments) == ("used", "ana", {})


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
def test_what_is_still_to_be_delivered_is_left_for_a_day(office: Office) -> None:
    with office.work() as worker:
        target = target_of(f"file:{office.folder / 'results'}")
        delivery = Delivery(office.ledger, [target], worker.engine.delivered)
        delivery.begin()
        first, second = ends(office, "a", "b")
        waited(lambda: worker.engine.status(first) == worker.engine.status(second) == "SUCCESS")
        assert scrub_ended(office.ledger, Policy, worker.engine) == 0
        with office.ledger.transaction() as tx:
            tx.run("claim_delivery", run_id=first, target=target.name, now=0, until=0)
            tx.run("end_delivery", run_id=first, target=target.name, at=1, problem=None)
        assert scrub_ended(office.ledger, Policy, worker.engine) == 1
        office.ledger.clock = lambda: time.time() + 90_000
        assert scrub_ended(office.ledger, Policy, worker.engine) == 1


def event(text: str) -> AuditEvent:
    return AuditEvent("e", "goldspan.kill", 1.0, {"goldspan.reason": text, "n": 1, "none": None})


def test_the_outbox_holds_no_secret_and_nothing_that_the_store_has(tmp_path: Path) -> None:
    url, store = f"sqlite:///{tmp_path / 'engine.db'}", tmp_path / "s.duckdb"
    with closing(Ledger(url, scrub=scrub_events(store))) as ledger:
        with ledger.transaction() as tx:
            put(tx, event(f"{TEXT} {SECRET}"))
        assert SECRET not in everything(url)
        (waiting,) = unsent(ledger)
        assert waiting.attributes["goldspan.reason"] == f"{TEXT} [redacted:openai-key]"
        assert waiting.attributes["n"] == 1
        drain(ledger, lambda: instrument(store=store))
        assert TEXT not in everything(url)


def test_a_broken_policy_stops_no_kill_switch_and_lets_no_secret_through(tmp_path: Path) -> None:
    (tmp_path / "redaction.yaml").write_text("content: perhaps\n")
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    with closing(Ledger(url, scrub=scrub_events(tmp_path / "s.duckdb"))) as ledger:
        KillSwitch(ledger).stop("all", by="ana", reason=f"it said {SECRET}")
        (told,) = unsent(ledger)
    assert SECRET not in json.dumps(dict[str, Any](told.attributes))
