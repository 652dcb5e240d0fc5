"""Experiments killed by a real SIGKILL and taken up again: no finished call is made twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goldspan.evals.journal import journal_path
from goldspan.tracing.store import Store
from tests.evals.chatting import ChatServer, chatting
from tests.evals.running.conftest import write_cases
from tests.harness.scripted import act, write_version

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()"]
DYING = """
import os, signal
def counted(text):
    with open("calls", "a") as f: f.write(text + "\\n")
    if len(open("calls").readlines()) == int(os.environ.get("DIE_AT", 0)):
        os.kill(os.getpid(), signal.SIGKILL)
    return text.upper()
"""


def answering(body: dict[str, Any]) -> str:
    """Looks first, then answers; one case in four is never solved."""
    time.sleep(0.02)
    if not any(m["role"] == "assistant" for m in body["messages"]):
        return act("look", what="a")
    good = int(str(body["messages"]).split("word")[1].split("'")[0]) % 4
    return act("answer", text="yes" if good else "no")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chatting(answering) as state:
        yield state


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    write_version(tmp_path / "keeper" / "v1.0.0")
    write_cases(tmp_path, 12)
    cases = (tmp_path / "cases.yaml").read_text()
    for i in range(12):
        cases = cases.replace(f"regex: ['^WORD{i}$']", "contains: ['yes']")
    (tmp_path / "cases.yaml").write_text(cases)
    (tmp_path / "suite.yaml").write_text(
        "name: killed\nagent: keeper/v1.0.0\ncases: [cases.yaml]\nrepeats: 3\nconcurrency: 3\n"
        "scorers: [answer]\n"
    )
    return tmp_path


def environment(folder: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(folder), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, **more}


def start(folder: Path, *argv: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "eval", "suite.yaml", *argv],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(folder, **env),
    )


def result_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    text, problems = process.communicate(timeout=120)
    assert process.returncode in (0, 1, 3), problems
    told: dict[str, Any] = json.loads(text)
    return told


def test_killed_twice_and_resumed_it_ends_as_if_nothing_had_happened(
    suite: Path, server: ChatServer
) -> None:
    live = ("--record", "--base-url", server.url, "--json")
    whole = result_of(start(suite, *live, "--cassette", "whole.jsonl", "--store", "whole.duckdb"))
    assert (len(server.seen), whole["pass_rate"]) == (72, 0.75)

    server.seen.clear()
    again = (
        *live, "--cassette", "killed.jsonl", "--store", "killed.duckdb",
        "--experiment", "killed", "--resume",
    )  # fmt: skip
    for enough in (20, 45):
        process = start(suite, *again)
        deadline = time.monotonic() + 60
        while len(server.seen) < enough and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    told = result_of(start(suite, *again))

    assert len({json.dumps(body, sort_keys=True) for body in server.seen}) == 72
    # Only what was under way at a kill may be asked again: three runs at once, two kills.
    assert len(server.seen) - 72 <= 6
    for key in ("verdict", "exit_code", "pass_rate", "unmeasured_share", "slices", "reliability"):
        assert told[key] == whole[key], key
    runs = {(r["case_id"], r["repeat"]): r["passed"] for r in told["experiment"]["runs"]}
    assert runs == {(r["case_id"], r["repeat"]): r["passed"] for r in whole["experiment"]["runs"]}
    (stored,) = Store.open(suite / "killed.duckdb").rows(
        "SELECT count(*) AS n, count(DISTINCT (case_id, case_repeat)) AS runs FROM evaluations "
        "WHERE experiment_id = 'killed' AND name = 'pass'"
    )
    assert stored == {"n": 36, "runs": 36}
    assert not journal_path(suite / "killed.duckdb", "killed").exists()
    # What was recorded in three sittings replays like any cassette.
    replayed = result_of(
        start(suite, "--cassette", "killed.jsonl", "--store", "replay.duckdb", "--json")
    )
    assert replayed["pass_rate"] == whole["pass_rate"]


@pytest.mark.parametrize("repeats", [2, 90], ids=["thread", "process"])
def test_a_result_survives_a_kill_the_moment_after_it_is_there(
    repeats: int, tmp_path: Path
) -> None:
    """Also where a process of its own commits, as it does for many runs."""
    write_cases(tmp_path, 12)
    (tmp_path / "dying.py").write_text(DYING)
    (tmp_path / "suite.yaml").write_text(
        f"name: dying\ntarget: dying:counted\ncases: [cases.yaml]\nrepeats: {repeats}\n"
        "concurrency: 1\nscorers: [answer]\n"
    )
    argv = ("--experiment", "x", "--store", "s.duckdb", "--json")
    died = start(tmp_path, *argv, DIE_AT="17")
    died.communicate(timeout=60)
    assert died.returncode == -signal.SIGKILL
    done = result_of(start(tmp_path, *argv, "--resume"))
    assert done["pass_rate"] == 1.0
    # Sixteen were finished; the seventeenth was under way.
    assert len((tmp_path / "calls").read_text().splitlines()) == 12 * repeats + 1
