"""Queries: what they return, what they may not do, and that docs and views agree."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from goldspan.tracing.batch import IngestBatch, LogRecord, SpanRecord
from goldspan.tracing.errors import InputError
from goldspan.tracing.store import Store, queries
from goldspan.tracing.store.migrations import VIEW_ORDER, sql_folder

MakeSpan = Callable[..., SpanRecord]
MakeLog = Callable[..., LogRecord]
SCHEMA = Path(__file__).parents[2] / "docs" / "schema.md"


def test_times_are_aware_and_unknown_integers_stay_unknown(
    store: Store, make_span: MakeSpan
) -> None:
    chat = {"gen_ai.operation.name": "chat"}
    spans = [make_span({**chat, "gen_ai.usage.input_tokens": 5}), make_span(chat)]
    store.ingest(IngestBatch(spans))
    sql = "SELECT started_at, input_tokens FROM llm_calls ORDER BY input_tokens"
    assert store.rows(sql)[0]["started_at"] == datetime.fromtimestamp(1_790_000_000, UTC)
    frame = store.query(sql)
    assert frame["input_tokens"].dtype == pd.Int64Dtype()
    assert frame["input_tokens"].tolist() == [5, pd.NA]
    assert str(frame["started_at"].dtype) == "datetime64[us, UTC]"
    since = datetime(2020, 1, 1, tzinfo=UTC)
    count = "SELECT count(*) AS n FROM llm_calls WHERE started_at >= "
    assert store.rows(count + "?", [since]) == [{"n": 2}]
    assert store.rows(count + "$since", {"since": since}) == [{"n": 2}]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "there is no query"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("DROP VIEW traces", "DROP is not allowed"),
        ("INSERT INTO span_data SELECT * FROM span_data", "INSERT is not allowed"),
        ("COPY (SELECT 1) TO '/tmp/x.csv'", "COPY is not allowed"),
        ("ATTACH '/tmp/x.duckdb'", "ATTACH is not allowed"),
        ("SET threads = 1", "SET is not allowed"),
        ("PRAGMA database_list", "PRAGMA is not allowed"),
        ("SELECT * FROM read_text('/etc/hostname')", "reads the store and nothing else"),
        ("SELECT * FROM '/etc/hostname'", "does not exist"),
        ("SELECT * FROM glob('/*')", "reads the store and nothing else"),
        ("SELECT * FROM trace", "did you mean traces?"),
        ("SELECT * FROM nothing_like_it", "the views are spans, events, llm_calls"),
        ("SELECT run FROM traces", 'column "run" not found'),
        ("SELECT cnt(run_id) FROM traces", "cnt does not exist"),
    ],
)
def test_a_query_that_may_not_or_cannot_run_is_one_line(
    store: Store, sql: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        store.execute_read_only(sql)
    text = str(caught.value)
    assert message in text
    assert "\n" not in text


def test_a_write_hidden_in_a_select_changes_nothing(store: Store) -> None:
    sql = "WITH x AS (DELETE FROM schema_version RETURNING *) SELECT * FROM x"
    before = store.rows("SELECT * FROM schema_version")
    with pytest.raises(InputError):
        store.execute_read_only(sql)
    assert store.rows("SELECT * FROM schema_version") == before


@pytest.mark.parametrize(
    "sql", ["FROM traces", "WITH a AS (SELECT 1 AS x) FROM a", "VALUES (1)", "SELECT 1 -- why;"]
)
def test_other_ways_to_say_select(store: Store, sql: str) -> None:
    table, more = store.execute_read_only(sql, max_rows=10)
    assert table.num_columns >= 1
    assert not more


def test_the_row_cap(store: Store) -> None:
    table, more = store.execute_read_only("SELECT * FROM range(10) ORDER BY 1 DESC", max_rows=3)
    assert (table.column(0).to_pylist(), more) == ([9, 8, 7], True)
    table, more = store.execute_read_only("SELECT * FROM range(10)", max_rows=10)
    assert (table.num_rows, more) == (10, False)


def test_export_writes_every_view(
    store: Store, tmp_path: Path, make_span: MakeSpan, make_log: MakeLog
) -> None:
    store.ingest(IngestBatch([make_span()], [make_log("e")]))
    counts = store.export_parquet(tmp_path / "out")
    assert set(counts) == set(VIEW_ORDER)
    assert (counts["spans"], counts["events"], counts["traces"]) == (1, 1, 1)
    for view, count in counts.items():
        assert pq.read_table(tmp_path / "out" / f"{view}.parquet").num_rows == count
    assert not list((tmp_path / "out").glob("*.part"))


def test_the_page_of_the_schema_names_every_column_of_every_view(store: Store) -> None:
    documented: dict[str, list[str]] = {}
    view = ""
    for line in SCHEMA.read_text("utf-8").splitlines():
        if heading := re.match(r"## `(\w+)`", line):
            view = heading[1]
            documented[view] = []
        elif column := re.match(r"\| `(\w+)` \| `([^`]+)` \|", line):
            documented[view].append(f"{column[1]} {column[2]}")
    with store.session():
        actual = {
            view: [
                f"{row['column_name']} {row['column_type']}"
                for row in store.rows(f"DESCRIBE {view}")
            ]
            for view in VIEW_ORDER
        }
    assert documented == actual


def test_every_sql_file_begins_with_its_question_and_every_view_is_made() -> None:
    views = sql_folder("views")
    assert {view.name for view in views} == {*VIEW_ORDER, "macros"}
    texts = [view.text for view in views] + [queries.sql(name) for name in queries.names()]
    for text in texts:
        first = text.splitlines()[0]
        assert first.startswith("-- ")
        assert "?" in text.split("\n\n")[0]


def test_every_query_runs(store: Store, make_span: MakeSpan, make_log: MakeLog) -> None:
    """The ingest tests run them all; here is the proof that none is left over."""
    source = "".join(
        file.read_text("utf-8") for file in Path(queries.__file__).parents[1].glob("*.py")
    )
    for name in queries.names():
        assert f'"{name}"' in source


def test_views_answer_quickly_on_twenty_thousand_spans(
    store: Store, make_span: MakeSpan, make_log: MakeLog
) -> None:
    spans, logs = [], []
    for run in range(2500):
        trace = f"{run + 1:032x}"
        shared = {"goldspan.run.id": f"r{run}", "gen_ai.agent.name": "support"}
        agent = make_span(
            {**shared, "gen_ai.operation.name": "invoke_agent"}, trace_id=trace, name="agent"
        )
        spans.append(agent)
        for operation in ("chat", "execute_tool") * 3 + ("chat",):
            attributes = {**shared, "gen_ai.operation.name": operation}
            spans.append(make_span(attributes, trace_id=trace, parent=agent.span_id))
        logs += [
            make_log(name, shared, trace_id=trace, span_id=agent.span_id)
            for name in ("goldspan.run.contract", "goldspan.run.ended", "gen_ai.evaluation.result")
        ]
    assert store.ingest(IngestBatch(spans, logs)).stored_spans == 20_000
    with store.session():
        store.table("SELECT 1 FROM spans")
        for view in VIEW_ORDER:
            took = []
            for _ in range(3):
                start = time.perf_counter()
                store.table(f"SELECT * FROM {view}")
                took.append(time.perf_counter() - start)
            assert min(took) < 1.0, f"{view}: {min(took):.2f} s"  # 0.2 s on an idle machine
