"""One ingest: everything in a batch becomes rows in one transaction, each record once.

Nothing that is stored is looked up row by row: a commit asks which of its traces are known,
reads their spans without texts, decides what depends on several records anew for those traces,
and writes new rows as one Arrow table a kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import duckdb
import pyarrow as pa

from goldspan.tracing.batch import IngestBatch, IngestResult, LogRecord
from goldspan.tracing.dialects.events import details
from goldspan.tracing.facts import CallFacts
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store.entries import Entry, entries_of
from goldspan.tracing.store.events import event_row, events_of, log_record, may_tell_of_call
from goldspan.tracing.store.nodes import CONTEXT, Node
from goldspan.tracing.store.queries import sql
from goldspan.tracing.store.rollups import TextSources, preview, rollup
from goldspan.tracing.store.settling import Settled, settle
from goldspan.tracing.store.span_table import span_table, table_of

Row = dict[str, Any]
Key = tuple[str, str]
_DECIDED = (
    "rowid",
    *CONTEXT,
    "inherited",
    "is_duplicate",
    "ambiguous",
    "cost_usd",
    "price_source",
    "price_version",
)
ROLES = {"input": "user", "output": "assistant"}
MESSAGE_COLUMNS = ("system_instructions", "input_messages", "output_messages")
_decided = attrgetter(*_DECIDED)


@dataclass(slots=True)
class Prepared:
    """A batch, normalised: all that can be done without the file."""

    entries: dict[Key, Entry]
    events: dict[str, LogRecord]
    telling: dict[str, LogRecord]  # those of the events that may tell of a call
    spans: int
    logs: int
    rejected: int


@dataclass(frozen=True, slots=True)
class KnownTrace:
    """A stored `trace_data` row: where it is, which spans hold its texts, when its spans began."""

    rowid: int
    sources: TextSources
    first: datetime | None
    last: datetime | None


def prepare(batch: IngestBatch) -> Prepared:
    """Normalise a batch. Needs no connection, so that it can run while others commit."""
    events = events_of(batch.logs)
    return Prepared(
        entries=entries_of(batch.spans),
        events=events,
        telling={key: log for key, log in events.items() if may_tell_of_call(log)},
        spans=len(batch.spans),
        logs=len(batch.logs),
        rejected=len(batch.rejected),
    )


class Writer:
    """Writes batches through one open connection, one transaction each."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, prices: Prices) -> None:
        self._connection = connection
        self._prices = prices

    def write(self, batch: IngestBatch | Prepared) -> IngestResult:
        """Store the batch, all or nothing. What is stored already is not stored again."""
        prepared = batch if isinstance(batch, Prepared) else prepare(batch)
        self._run("BEGIN")
        try:
            result = self._write(prepared)
            self._run("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                self._run("ROLLBACK")
            raise
        return result

    def resettle(self, trace_ids: Iterable[str]) -> None:
        """Decide everything anew about stored traces: after a migration, or when rules change."""
        self._settle(set(trace_ids), {}, {})

    def _write(self, prepared: Prepared) -> IngestResult:
        stored_events = self._store_events(prepared.events)
        touched = {log.trace_id or "" for log in prepared.telling.values()}
        touched |= {trace for trace, _ in prepared.entries}
        stored_spans = self._settle(touched, prepared.entries, prepared.telling) if touched else 0
        return IngestResult(
            stored_spans=stored_spans,
            duplicate_spans=prepared.spans - stored_spans,
            stored_events=stored_events,
            duplicate_events=prepared.logs - stored_events,
            rejected=prepared.rejected,
        )

    def _store_events(self, events: dict[str, LogRecord]) -> int:
        if not events:
            return 0
        self._stage("incoming", table_of([event_row(key, log) for key, log in events.items()]))
        return int(self._run(sql("insert_new_events"))[0][0])

    def _settle(
        self, touched: set[str], entries: dict[Key, Entry], telling: dict[str, LogRecord]
    ) -> int:
        """Store new spans and what they change in their traces; returns the number of new ids."""
        known = self._known_traces(touched)
        stored, fullness = self._stored_nodes(known)
        fresh: dict[Key, Entry] = {}
        replaced: list[int] = []
        new_ids = 0
        for key, entry in entries.items():
            before = stored.get(key)
            if before is None:
                new_ids += 1
            elif entry.fullness > fullness[key]:
                replaced.append(before.rowid or 0)
                del stored[key]
            else:
                continue
            fresh[key] = entry
        nodes = {**stored, **{key: entry.node for key, entry in fresh.items()}}
        self._add_linked(nodes, known, touched)
        traces: dict[str, list[Node]] = {}
        for node in nodes.values():
            traces.setdefault(node.trace_id, []).append(node)
        before_settling = {n.rowid: _decided(n) for n in nodes.values() if n.rowid is not None}
        scope = touched | set(traces)
        told = self._told(scope, telling)
        settled = settle(traces, told, self._prices)
        if replaced:
            self._stage_rows(replaced)
            self._run("DELETE FROM span_data USING touched WHERE span_data.rowid = touched.rowid")
        if fresh:
            self._stage("incoming", span_table(list(fresh.values())))
            self._run("INSERT INTO span_data BY NAME SELECT * FROM incoming")
        changed = [
            values
            for node in nodes.values()
            if node.rowid is not None and (values := _decided(node)) != before_settling[node.rowid]
        ]
        if changed:
            rows = [dict(zip(_DECIDED, values, strict=True)) for values in changed]
            self._stage("touched", table_of(rows))
            self._run(sql("update_decided"))
        self._store_evidence(settled, scope if known or told else ())
        self._store_rollups(traces, settled, known, fresh, told)
        return new_ids

    def _known_traces(self, touched: set[str]) -> dict[str, KnownTrace]:
        if not touched:
            return {}
        self._stage_names("trace_id", touched)
        return {
            trace: KnownTrace(rowid, TextSources(input_span, output_span), first, last)
            for trace, rowid, input_span, output_span, first, last in self._run(sql("known_traces"))
        }

    def _stored_nodes(self, known: dict[str, KnownTrace]) -> tuple[dict[Key, Node], dict[Key, int]]:
        """The stored spans of known traces, and how full each is.

        Found by trace id first, then read by row: a join that carries many columns through would
        unpack them for every row of the store.
        """
        nodes: dict[Key, Node] = {}
        fullness: dict[Key, int] = {}
        if not known:
            return nodes, fullness
        self._stage_names("trace_id", known)
        times = {
            "first": min((k.first for k in known.values() if k.first), default=None),
            "last": max((k.last for k in known.values() if k.last), default=None),
        }
        found = [row[0] for row in self._run(sql("rows_of_traces"), times)]
        if found:
            self._stage_rows(found)
            bounds = {"first": min(found), "last": max(found)}
            for row in self._run(sql("stored_nodes"), bounds):
                node = Node(*row[:-1])
                nodes[node.key] = node
                fullness[node.key] = row[-1]
        return nodes, fullness

    def _add_linked(
        self, nodes: dict[Key, Node], known: dict[str, KnownTrace], touched: set[str]
    ) -> None:
        """Traces that share a response id with these belong to the same decision."""
        seen = set(touched)
        fresh = list(nodes.values())
        while True:
            calls = [
                {"response_id": n.response_id, "started_at": n.start_us}
                for n in fresh
                if n.response_id is not None and n.category in ("llm", "part")
            ]
            if not calls:
                return
            self._stage("touched", table_of(calls))
            linked = {row[0] for row in self._run(sql("traces_of_response_ids"))} - seen
            if not linked:
                return
            seen |= linked
            others = self._known_traces(linked)
            known.update(others)
            more, _ = self._stored_nodes(others)
            nodes.update(more)
            fresh = list(more.values())

    def _told(self, traces: Iterable[str], telling: dict[str, LogRecord]) -> dict[Key, CallFacts]:
        """What log records, old and new, tell of calls in these traces."""
        self._stage_names("trace_id", traces)
        stored = [row for row in self._run(sql("call_events")) if row[0] not in telling]
        if not stored and not telling:
            return {}
        told = details([*map(log_record, stored), *telling.values()])
        for trace_id, span_id, *texts in self._run(sql("stored_details")):
            facts = told.setdefault((trace_id, span_id), CallFacts())
            for column, text in zip(MESSAGE_COLUMNS, texts, strict=True):
                if getattr(facts, column) is None:
                    setattr(facts, column, text)
        return told

    def _store_evidence(self, settled: Settled, decided_before: Iterable[str]) -> None:
        if decided_before:
            self._stage_names("trace_id", decided_before)
            for table in ("call_detail", "duplicate_data"):
                self._run(f"DELETE FROM {table} WHERE trace_id IN (SELECT trace_id FROM touched)")
        for table, rows in (
            ("call_detail", list(settled.details.values())),
            ("duplicate_data", settled.duplicates),
        ):
            if rows:
                self._stage("incoming", table_of(rows))
                self._run(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")

    def _store_rollups(
        self,
        traces: dict[str, list[Node]],
        settled: Settled,
        known: dict[str, KnownTrace],
        fresh: dict[Key, Entry],
        told: dict[Key, CallFacts],
    ) -> None:
        rows: list[Row] = []
        missing: list[tuple[Row, str, Node]] = []
        for trace_id, nodes in traces.items():
            row, sources = rollup([settled.claims[node.key] for node in nodes])
            before = known.get(trace_id)
            row["rowid"] = before.rowid if before is not None else None
            for column, span_id in (("input", sources.input_span), ("output", sources.output_span)):
                row[f"{column}_span_id"] = span_id
                row[column] = None
                if span_id is None:
                    continue
                key = (trace_id, span_id)
                messages = None
                if key in fresh:
                    messages = getattr(fresh[key].facts.call, f"{column}_messages")
                if messages is None and key in told:
                    messages = getattr(told[key], f"{column}_messages")
                if messages is not None:
                    row[column] = preview(messages, ROLES[column])
                else:
                    missing.append((row, column, settled.claims[key]))
            rows.append(row)
        self._fill_previews(missing, known)
        self._write_rollups(rows)

    def _fill_previews(
        self, missing: list[tuple[Row, str, Node]], known: dict[str, KnownTrace]
    ) -> None:
        """Texts that are stored already: in the trace's row, or in the span that holds them now."""
        in_trace: list[tuple[Row, str]] = []
        in_span: list[tuple[Row, str, int]] = []
        for row, column, node in missing:
            before = known.get(row["trace_id"])
            if before is not None and (
                getattr(before.sources, f"{column}_span") == row[f"{column}_span_id"]
            ):
                in_trace.append((row, column))
            elif node.rowid is not None:
                in_span.append((row, column, node.rowid))
        if in_trace:
            self._stage_rows({row["rowid"] for row, _ in in_trace})
            texts = {r[0]: r[1:] for r in self._run(sql("texts_of_traces"))}
            for row, column in in_trace:
                row[column] = texts[row["rowid"]][column == "output"]
        if in_span:
            self._stage_rows({rowid for *_, rowid in in_span})
            texts = {r[0]: r[1:] for r in self._run(sql("texts_of_spans"))}
            for row, column, rowid in in_span:
                row[column] = preview(texts[rowid][column == "output"], ROLES[column])

    def _write_rollups(self, rows: list[Row]) -> None:
        new = [row for row in rows if row["rowid"] is None]
        old = [row for row in rows if row["rowid"] is not None]
        if new:
            self._stage("incoming", table_of(new).drop_columns("rowid"))
            self._run("INSERT INTO trace_data BY NAME SELECT * FROM incoming")
        if old:
            self._stage("touched", table_of(old))
            values = ", ".join(f"{c} = t.{c}" for c in old[0] if c not in ("rowid", "trace_id"))
            self._run(
                f"UPDATE trace_data SET {values} FROM touched AS t WHERE trace_data.rowid = t.rowid"
            )

    def _stage_names(self, column: str, names: Iterable[str]) -> None:
        self._stage("touched", pa.table({column: pa.array(list(names), pa.string())}))

    def _stage_rows(self, rows: Iterable[int]) -> None:
        self._stage("touched", pa.table({"rowid": pa.array(sorted(rows), pa.int64())}))

    def _stage(self, name: str, table: pa.Table) -> None:
        self._connection.register(name, table)

    def _run(self, statement: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, params).fetchall()
