"""Plays the day of docs/a-day.md: a server, workers that are real processes, and commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.ledger import Ledger, default_url
from goldspan.harness.ledger.runs import Runs
from tests.day import office
from tests.day.day import Day, default_store
from tests.day.page import commands, typed
from tests.operation.commands import PATIENCE_S, environment, waited
from tests.served import post, serving

ROOT = Path(__file__).parents[2]
TOKEN = "office-" * 4
COMPLAINT = {"id": "K-12", "customer": "C-7", "text": "I was charged twice for INV-90."}


@contextmanager
def played(folder: Path) -> Iterator[Day]:
    """The day, over; its server still answers."""
    with ExitStack() as ending:
        patched = ending.enter_context(pytest.MonkeyPatch.context())
        patched.chdir(folder)
        patched.setenv("COLUMNS", "160")
        for name in [name for name in os.environ if name.startswith(("GOLDSPAN_", "OTEL_"))]:
            patched.delenv(name)
        # A metadata service that takes every connection, and never says a word.
        silent = ending.enter_context(socket.create_server(("127.0.0.1", 0)))
        office.open_office(folder, silent.getsockname()[1])
        _not_at_midnight()
        store = default_store(folder)
        store.parent.mkdir()
        (folder / "prices.yaml").rename(store.with_name("prices.yaml"))
        options = ("--no-grpc", *typed("08:30", "serve")[1:])
        served = ending.enter_context(
            serving(store, *options, environment={"GOLDSPAN_TRIGGER_TOKEN": TOKEN})
        )
        ledger = ending.enter_context(closing(Ledger(default_url(store))))
        day = Day(folder, Runs(ledger), {"runs": {}})
        _morning(day, served.url)
        with _worker(folder):
            _forenoon(day)
            _afternoon(day)
        _evening(day)
        yield day


def _morning(day: Day, url: str) -> None:
    """Work comes in, a service is silent, a draft is saved, and the worker is killed."""
    day.said["morning"] = [day.enqueues("08:30"), day.enqueues("08:30")]
    (day.folder / office.HOLD).touch()
    with _worker(day.folder) as worker:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        body = json.dumps(COMPLAINT).encode()
        answers = [post(url, "/trigger/complaint", body, bearer) for _ in range(2)]
        day.said["posted"] = [json.loads(answer.body) for answer in answers]
        day.said["runs"]["complaint"] = day.said["posted"][0]["run_id"]
        waited((day.folder / office.HELD).exists)
        day.said["held"] = office.effects(day.folder, "draft")
        waited(lambda: _all_told(day))
        day.said["killed at"] = datetime.now(UTC)
        worker.send_signal(signal.SIGKILL)
        day.said["exit code"] = worker.wait()
    day.said["checkpoints"] = _checkpoints(day, "guide")
    (day.folder / office.HOLD).unlink()


def _all_told(day: Day) -> bool:
    """Whether the store has what was done before the kill: spans that wait to be sent, up to a
    second, die with their process."""
    rows = {row["run_id"]: row for row in day.rows("SELECT * FROM runs")}
    links, complaint = (rows.get(day.run(task)) for task in ("links", "complaint"))
    return (
        len(day.asked_model("guide")) == 4
        and len(day.calls("guide", "save_draft")) == 1
        and links is not None
        and links["output"] is not None
        and complaint is not None
        and complaint["segments"] == 1
    )


def _waiting(day: Day, *tasks: str) -> dict[str, dict[str, Any]]:
    """What the page's command lists as waiting, once these runs are among it: a probe that fails
    wakes one of them for a moment."""

    def listed() -> dict[str, dict[str, Any]] | None:
        found = {each["run_id"]: each for each in day.asks(*typed("11:00", "runs"))["runs"]}
        return found if all(day.run(task) in found for task in tasks) else None

    return dict(waited(listed))


def _forenoon(day: Day) -> None:
    """Another worker goes on; a complaint waits for a person; the store returns half objects."""
    day.waits_for("guide", "ended")
    (day.folder / office.BROKEN).touch()
    day.enqueues("11:00")
    day.said["waiting"] = _waiting(day, "october", "november", "complaint")
    day.enqueues("11:15")
    day.waits_for("question", "ended")
    (day.folder / office.BROKEN).unlink()
    for task in ("october", "november"):
        day.waits_for(task, "ended")


def _afternoon(day: Day) -> None:
    """A person corrects and approves; a meeting becomes action items."""
    listed, shown, approve = commands("14:00")
    day.said["listed"] = day.asks(*listed)
    day.said["shown"] = day.types(*shown)
    day.said["approved"] = day.types(*approve)
    day.enqueues("16:00")
    day.waits_for("complaint", "ended")
    day.waits_for("minutes", "ended")


def _evening(day: Day) -> None:
    day.said["rows"] = {row["run_id"]: row for row in day.rows("SELECT * FROM runs")}
    day.said["report"] = day.asks(*typed("18:00", "report"))


def _checkpoints(day: Day, task: str) -> list[str]:
    """What the engine has recorded of a run, by the names of its steps, in order."""
    with closing(sqlite3.connect(day.store.with_suffix(".engine.db"))) as db:
        rows = db.execute(
            "SELECT function_name FROM operation_outputs WHERE workflow_uuid = ?"
            " AND output IS NOT NULL ORDER BY function_id",
            (day.run(task),),
        )
        return [str(row[0]) for row in rows]


@contextmanager
def _worker(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker process, once it takes runs; it ends in order when the block does."""
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.day.worker", *typed("08:30", "worker")],
        cwd=folder,
        env=environment(PYTHONPATH=path),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "takes runs from" in line, line + process.stderr.read()
        yield process
        if process.poll() is None:
            process.terminate()
            _, problems = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, problems
    finally:
        process.kill()
        process.communicate()


def _not_at_midnight() -> None:
    """A report on one day would miss what happens after its midnight."""
    now = datetime.now(UTC)
    left = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC) - now
    if left < timedelta(minutes=1):
        time.sleep(left.total_seconds() + 1)
