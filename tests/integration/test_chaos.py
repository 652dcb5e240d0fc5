"""Real processes killed by SIGKILL at moments of chance: what is stored stays, work goes on."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goldspan.tracing.store import Store

pytestmark = pytest.mark.chaos

COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()"]
COUNTS = """
    SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(*) FROM events) AS events,
           (SELECT count(*) FROM runs) AS runs
"""


def start(*argv: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_after(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether it was still running when it was killed."""
    time.sleep(seconds)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return running


def test_traffic_sent_again_after_kills_is_stored_once(tmp_path: Path) -> None:
    plan = ("--days", "4", "--runs-per-day", "60", "--end", "2026-01-15T00:00:00Z", "--json")
    whole = tmp_path / "whole.duckdb"
    started = time.monotonic()
    done = start("simulate", "--store", whole, *plan)
    text, problems = done.communicate(timeout=120)
    took = time.monotonic() - started
    assert done.returncode == 0, problems
    (expected,) = Store.open(whole).rows(COUNTS)
    assert expected["runs"] == json.loads(text)["runs"]

    store, killed, seen = tmp_path / "killed.duckdb", 0, 0
    rng = random.Random(7)
    for _ in range(4):
        killed += kill_after(start("simulate", "--store", store, *plan), took * rng.uniform(0.4, 1))
        if store.exists():
            (now,) = Store.open(store).rows(COUNTS)
            assert seen <= now["spans"] <= expected["spans"]
            seen = now["spans"]
    assert killed >= 1
    last = start("simulate", "--store", store, *plan)
    assert last.wait(timeout=120) == 0
    last.communicate()
    assert Store.open(store).rows(COUNTS) == [expected]


SUITE = """
name: killed
target: slow_target:answer
cases: [cases.yaml]
repeats: 3
concurrency: 2
scorers: [answer]
pass_when: [answer]
"""
TARGET = """
import time

def answer(text):
    time.sleep(0.05)
    return text.upper()
"""


def test_an_eval_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [
        f"  - {{id: case-{n}, input: word {n}, expect: {{answer: {{contains: [WORD]}}}}}}"
        for n in range(20)
    ]
    (tmp_path / "cases.yaml").write_text("cases:\n" + "\n".join(cases), encoding="utf-8")
    (tmp_path / "suite.yaml").write_text(SUITE, encoding="utf-8")
    (tmp_path / "slow_target.py").write_text(TARGET, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    store = tmp_path / "goldspan.duckdb"
    argv = ("eval", tmp_path / "suite.yaml", "--store", store, "--experiment", "e1", "--resume")
    stored = "SELECT count(*) AS n FROM runs"

    process = start(*argv)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if store.exists() and Store.open(store).rows(stored)[0]["n"] >= 10:
            break
        time.sleep(0.1)
    assert kill_after(process, 0)
    before = Store.open(store).rows(stored)[0]["n"]
    assert 10 <= before < 60

    text, problems = start(*argv, "--json").communicate(timeout=120)
    assert json.loads(text)["verdict"] == "measured", problems
    ended = """
        SELECT count(DISTINCT (case_id, case_repeat)) AS runs, count(*) AS scores
        FROM evaluations WHERE experiment_id = 'e1' AND name = 'answer' AND passed
    """
    assert Store.open(store).rows(ended) == [{"runs": 60, "scores": 60}]
