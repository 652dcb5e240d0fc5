"""One ingest: everything in a batch becomes rows in one transaction, each record once."""

from __future__ import annotations

from typing import Any

import duckdb

from goldspan.tracing.batch import IngestBatch, IngestResult
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store.queries import sql
from goldspan.tracing.store.rows import (
    Row,
    detail_rows,
    event_rows,
    fullest,
    inherited,
    span_row,
    table_of,
)


class Writer:
    """Writes one batch through one open connection. `write` is the whole of it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, prices: Prices) -> None:
        self._connection = connection
        self._prices = prices

    def write(self, batch: IngestBatch) -> IngestResult:
        """Store the batch, all or nothing. What is stored already is not stored again."""
        self._run("BEGIN")
        spans, stored_spans = self._spans(batch)
        stored_events = self._events(batch)
        details = detail_rows(batch.logs)
        if details:
            self._insert("call_detail", details, "keep_new_details")
        if spans or details:
            self._settle([*spans.values(), *details])
        self._run("COMMIT")
        return IngestResult(
            stored_spans=stored_spans,
            duplicate_spans=len(batch.spans) - stored_spans,
            stored_events=stored_events,
            duplicate_events=len(batch.logs) - stored_events,
            rejected=len(batch.rejected),
        )

    def _spans(self, batch: IngestBatch) -> tuple[dict[tuple[str, str], Row], int]:
        """The spans written, and how many of them are new ids."""
        rows = fullest(span_row(span) for span in batch.spans)
        if not rows:
            return {}, 0
        self._stage("incoming", list(rows.values()))
        known = {(trace, span): fullness for trace, span, fullness in self._run(sql("known_spans"))}
        better = {k: r for k, r in rows.items() if k not in known or r["fullness"] > known[k]}
        if not better:
            return {}, 0
        if any(key in known for key in better):
            self._stage("incoming", list(better.values()))
            self._run(sql("remove_incoming_spans"))
        elif len(better) < len(rows):
            self._stage("incoming", list(better.values()))
        self._run("INSERT INTO span_data BY NAME SELECT * FROM incoming")
        return better, sum(key not in known for key in better)

    def _events(self, batch: IngestBatch) -> int:
        rows = {row["event_id"]: row for row in reversed(event_rows(batch.logs))}
        if not rows:
            return 0
        self._stage("incoming", list(reversed(rows.values())))
        counted = self._run(sql("insert_new_events"))
        return int(counted[0][0])

    def _settle(self, touched: list[Row]) -> None:
        """Decide anew what depends on several records: inheritance, one copy of text, prices."""
        traces = sorted({row["trace_id"] for row in touched})
        self._stage("touched", [{"trace_id": trace} for trace in traces])
        spans = self._dicts(sql("spans_of_touched_traces"))
        self._run(sql("forget_inherited"))
        taken_over = inherited(spans)
        if taken_over:
            self._insert("span_context", taken_over)
        calls = [{"trace_id": r["trace_id"], "span_id": r["span_id"]} for r in touched]
        self._stage("touched", calls)
        self._run(sql("drop_repeated_messages"))
        self._price()

    def _price(self) -> None:
        priced = []
        for call in self._dicts(sql("calls_to_price")):
            price = self._prices.of_call(
                provider=call["provider"],
                models=(call["response_model"], call["request_model"]),
                input_tokens=call["input_tokens"],
                output_tokens=call["output_tokens"],
                cached_input_tokens=call["cached_input_tokens"],
                cache_write_tokens=call["cache_write_tokens"],
                at=call["started_at"],
                embeddings=call["operation"] == "embeddings",
            )
            if price is not None:
                priced.append(
                    {
                        "trace_id": call["trace_id"],
                        "span_id": call["span_id"],
                        "cost_usd": price.usd,
                        "price_source": price.source,
                        "price_version": price.version,
                    }
                )
        self._run(sql("forget_prices"))
        if priced:
            self._insert("call_price", priced)

    def _insert(self, table: str, rows: list[Row], query: str | None = None) -> None:
        self._stage("incoming", rows)
        self._run(sql(query) if query else f"INSERT INTO {table} BY NAME SELECT * FROM incoming")

    def _stage(self, name: str, rows: list[Row]) -> None:
        self._connection.register(name, table_of(rows))

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()

    def _dicts(self, statement: str) -> list[Row]:
        cursor = self._connection.execute(statement)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
