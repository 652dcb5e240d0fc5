"""`goldspan enqueue` and `goldspan worker`, as a person types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.tracing.store import Store

DEMO = Path(str(files("goldspan.harness.demo")))
AGENT = DEMO / "agents" / "support-desk" / "v1.0.0"
COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()"]


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "GOLDSPAN_PRICES": str(DEMO / "prices.yaml"), "COLUMNS": "120"}


def goldspan(cwd: Path, environment: dict[str, str], *argv: object) -> str:
    done = subprocess.run(
        [*COMMAND, *map(str, argv)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_queue_ends_as_it_does_without_the_engine(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    queue = ("--queue", DEMO / "queue.yaml", "--seed", 2)
    cassette = ("--cassette", DEMO / "cassettes" / "queue.jsonl.gz")
    asked: list[dict[str, Any]] = [
        json.loads(goldspan(tmp_path, environment, "enqueue", AGENT, *queue, "--json"))
        for _ in range(2)
    ]
    assert asked[0] == asked[1]
    goldspan(tmp_path, environment, "worker", *cassette, "--until-idle")
    goldspan(tmp_path, environment, "run", AGENT, *queue, *cassette, "--store", "direct.duckdb")
    ends = """
        SELECT
            input, outcome, output, llm_calls, tool_calls, approvals_pending,
            json_extract(artifacts, '$[*].name') AS names,
            json_extract(artifacts, '$[*].sha256') AS digests
        FROM runs ORDER BY input
    """
    durable = Store.open(tmp_path / ".goldspan" / "goldspan.duckdb")
    assert durable.rows(ends) == Store.open(tmp_path / "direct.duckdb").rows(ends)
    assert len(asked[0]["runs"]) == len(durable.rows(ends)) == 10


def test_a_worker_that_is_told_to_stop_ends_in_order(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    worker = subprocess.Popen(
        [*COMMAND, "worker", "--cassette", str(DEMO / "cassettes" / "queue.jsonl.gz")],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert worker.stderr is not None
    assert "takes runs from sqlite:///" in worker.stderr.readline()
    worker.send_signal(signal.SIGTERM)
    _, rest = worker.communicate(timeout=30)
    assert (worker.returncode, rest) == (0, "")
    ledger = Ledger(f"sqlite:///{tmp_path / '.goldspan' / 'goldspan.engine.db'}")
    assert Runs(ledger).find("none") is None
    ledger.close()
