"""Pruning and repricing, on real files."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from goldspan.tracing.batch import IngestBatch, LogRecord, SpanRecord
from goldspan.tracing.errors import StoreError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store import Store
from goldspan.tracing.store.pruning import prune_file
from goldspan.tracing.store.repricing import reprice

MakeSpan = Callable[..., SpanRecord]
MakeLog = Callable[..., LogRecord]
CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "mine",
    "gen_ai.usage.input_tokens": 1_000_000,
    "gen_ai.usage.output_tokens": 10,
}
OLD = datetime(2026, 1, 1, tzinfo=UTC)
NEW = datetime(2026, 6, 1, tzinfo=UTC)
BETWEEN = datetime(2026, 3, 1, tzinfo=UTC)


def ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 10**9


@pytest.fixture
def store(tmp_path: Path, make_span: MakeSpan, make_log: MakeLog) -> Store:
    """Two hundred old traces with long text, every tenth failed; ten new ones; their events."""
    store = Store.open(tmp_path / "s.duckdb")
    spans, logs = [], []
    for number in range(210):
        at = OLD + timedelta(minutes=number) if number < 200 else NEW + timedelta(minutes=number)
        trace = f"{number + 1:032x}"
        status = "error" if number < 200 and number % 10 == 0 else "ok"
        spans.append(
            make_span(
                {**CHAT, "pad": random.Random(number).randbytes(4000).hex()},
                trace_id=trace,
                start_ns=ns(at),
                status=status,
            )
        )
        logs.append(make_log("e", {"n": number}, trace_id=trace, time_ns=ns(at)))
    logs.append(make_log("loose", time_ns=ns(OLD)))
    store.ingest(IngestBatch(spans, logs))
    return store


def counts(store: Store) -> tuple[int, int, int]:
    (row,) = store.rows(
        "SELECT (SELECT count(*) FROM traces) AS t, (SELECT count(*) FROM spans) AS s,"
        " (SELECT count(*) FROM events) AS e"
    )
    return row["t"], row["s"], row["e"]


def test_old_traces_go_and_the_disk_comes_back(store: Store) -> None:
    told: list[tuple[int, int]] = []
    done = prune_file(store.path, BETWEEN, progress=lambda *now: told.append(now))
    assert (done.removed_traces, done.removed_spans, done.removed_events) == (200, 200, 201)
    assert counts(store) == (10, 10, 10)
    assert done.bytes_after == store.path.stat().st_size
    assert done.bytes_after < done.bytes_before
    assert told[-1][0] == told[-1][1]
    again = prune_file(store.path, BETWEEN)
    assert (again.removed_traces, again.removed_events) == (0, 0)


def test_failed_traces_can_stay_with_their_events(store: Store) -> None:
    done = prune_file(store.path, BETWEEN, keep_failed=True)
    assert done.removed_traces == 180
    assert counts(store) == (30, 30, 30)


def test_a_dry_run_counts_and_changes_nothing(store: Store) -> None:
    before = counts(store)
    done = prune_file(store.path, BETWEEN, dry_run=True)
    assert (done.removed_traces, done.kept_traces) == (200, 10)
    assert counts(store) == before


def test_a_full_disk_is_told_beforehand(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(store.path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    before = counts(store)
    with pytest.raises(StoreError, match="free disk"):
        prune_file(store.path, BETWEEN)
    assert counts(store) == before


def test_a_half_made_copy_of_a_killed_pruning_is_no_harm(store: Store) -> None:
    store.path.with_name(f".{store.path.name}.prune").write_bytes(b"half")
    prune_file(store.path, BETWEEN)
    assert counts(store) == (10, 10, 10)
    assert [p.name for p in store.path.parent.iterdir() if p.name.endswith(".prune")] == []


def test_a_pruned_store_takes_the_same_spans_once_more(store: Store, make_span: MakeSpan) -> None:
    prune_file(store.path, BETWEEN)
    span = make_span(CHAT, trace_id=f"{1:032x}", start_ns=ns(NEW))
    assert store.ingest(IngestBatch([span, span])).stored_spans == 1
    assert counts(store)[0] == 11


def test_repricing_uses_the_prices_of_today(store: Store) -> None:
    assert store.rows("SELECT count(cost_usd) AS n FROM llm_calls") == [{"n": 0}]
    own = store.path.with_name("prices.yaml")
    own.write_text("prices: [{model: mine, input_usd: 2}]")
    with duckdb.connect(store.path) as connection:
        done = reprice(connection, Prices.load(own))
        assert (done.calls, done.changed, done.unpriced) == (210, 210, {})
        assert reprice(connection, Prices.load(own)).changed == 0
    assert store.rows("SELECT DISTINCT cost_usd, price_source FROM llm_calls") == [
        {"cost_usd": 2.0, "price_source": "prices.yaml"}
    ]
    assert store.rows("SELECT sum(cost_usd) AS usd, sum(unpriced_calls) AS n FROM traces") == [
        {"usd": 420.0, "n": 0}
    ]
    with duckdb.connect(store.path) as connection:
        back = reprice(connection, Prices())
        assert back.unpriced == {("openai", "mine"): 190}  # the failed ones were not answered
    assert store.rows("SELECT sum(cost_usd) AS usd FROM traces") == [{"usd": None}]
