"""Pruning, repricing and backing up through the command line, with a server and without one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.served import COMMAND, start_server

from goldspan.tracing.batch import IngestBatch, SpanRecord
from goldspan.tracing.store import Store

DAY_NS = 86_400 * 10**9
NOW_NS = 1_790_000_000_000_000_000
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "mine",
    "gen_ai.usage.input_tokens": 1_000_000,
    "gen_ai.usage.output_tokens": 10,
}


def span(number: int, start_ns: int) -> SpanRecord:
    return SpanRecord(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        parent_span_id=None,
        name="chat mine",
        kind="client",
        start_ns=start_ns,
        end_ns=start_ns + 10**9,
        status="unset",
        status_message="",
        attributes=CHAT,
        events=[],
        links=[],
        resource={"service.name": "s"},
        scope_name="test",
        scope_version="1",
    )


def goldspan(*argv: str) -> dict[str, Any]:
    done = subprocess.run([*COMMAND, *argv, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("served", [False, True], ids=["alone", "beside a server"])
def test_upkeep(tmp_path: Path, served: bool) -> None:
    store = Store.open(tmp_path / "s.duckdb")
    old = [span(n, NOW_NS - 40 * DAY_NS) for n in range(1, 301)]
    store.ingest(IngestBatch([*old, span(1000, NOW_NS)]))
    server = start_server(store.path, "--no-dashboard") if served else None
    where = ("--store", str(store.path))
    try:
        copy = tmp_path / "copy.duckdb"
        assert goldspan("backup", str(copy), *where)["bytes"] == copy.stat().st_size
        again = subprocess.run(
            [*COMMAND, "backup", str(copy), *where], capture_output=True, text=True, check=False
        )
        assert (again.returncode, "is there already" in again.stderr) == (2, True)

        unpriced = goldspan("reprice", *where)
        assert unpriced["unpriced"] == [{"provider": "openai", "model": "mine", "calls": 301}]
        (tmp_path / "prices.yaml").write_text("prices: [{model: mine, input_usd: 2}]")
        assert goldspan("reprice", *where)["changed"] == 301
        assert store.rows("SELECT sum(cost_usd) AS usd FROM traces") == [{"usd": 602.0}]

        before = "2026-09-01"
        told = goldspan("prune", "--older-than", before, "--dry-run", *where)
        assert (told["removed_traces"], told["kept_traces"]) == (300, 1)
        assert store.rows("SELECT count(*) AS n FROM spans") == [{"n": 301}]
        assert goldspan("prune", "--older-than", before, *where)["removed_spans"] == 300
        assert store.rows("SELECT trace_id FROM traces") == [{"trace_id": f"{1000:032x}"}]

        assert store.ingest(IngestBatch([span(1000, NOW_NS)])).duplicate_spans == 1
        assert store.ingest(IngestBatch([span(1001, NOW_NS)])).stored_spans == 1
    finally:
        if server is not None:
            assert server.stop() == 0
    assert store.rows("SELECT count(*) AS n FROM spans") == [{"n": 2}]
    with duckdb.connect(copy, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM spans").fetchall() == [(301,)]
