"""What is stored already, as one commit needs it: known traces, their spans, what logs told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from goldspan.tracing.batch import LogRecord
from goldspan.tracing.dialects.events import details
from goldspan.tracing.duplicates.claims import response_id
from goldspan.tracing.facts import CallFacts
from goldspan.tracing.store.events import log_record
from goldspan.tracing.store.nodes import Node
from goldspan.tracing.store.queries import sql
from goldspan.tracing.store.rollups import ROLES, TextSources, preview
from goldspan.tracing.store.seen import Seen
from goldspan.tracing.store.span_table import table_of

Row = dict[str, Any]
Key = tuple[str, str]
MESSAGE_COLUMNS = ("system_instructions", "input_messages", "output_messages")


@dataclass(frozen=True, slots=True)
class KnownTrace:
    """A stored `trace_data` row: where it is, which spans hold its texts, when its spans began."""

    rowid: int
    sources: TextSources
    first: datetime | None
    last: datetime | None


class Stored:
    """Reads through the connection of a transaction. Statements read the staged table `touched`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seen: Seen | None = None) -> None:
        self._connection = connection
        self._seen = seen

    def known_traces(self, touched: set[str]) -> dict[str, KnownTrace]:
        """Those of these traces that are stored."""
        if self._seen is not None:
            touched = self._seen.traces.perhaps(touched)
        if not touched:
            return {}
        self.stage_names("trace_id", touched)
        return {
            trace: KnownTrace(rowid, TextSources(input_span, output_span), first, last)
            for trace, rowid, input_span, output_span, first, last in self.run(sql("known_traces"))
        }

    def nodes(self, known: dict[str, KnownTrace]) -> tuple[dict[Key, Node], dict[Key, int]]:
        """The stored spans of known traces, and how full each is.

        Found by trace id first, then read by row: a join that carries many columns through would
        unpack them for every row of the store.
        """
        nodes: dict[Key, Node] = {}
        fullness: dict[Key, int] = {}
        if not known:
            return nodes, fullness
        self.stage_names("trace_id", known)
        times = {
            "first": min((k.first for k in known.values() if k.first), default=None),
            "last": max((k.last for k in known.values() if k.last), default=None),
        }
        found = [row[0] for row in self.run(sql("rows_of_traces"), times)]
        if found:
            self.stage_rows(found)
            bounds = {"first": min(found), "last": max(found)}
            for row in self.run(sql("stored_nodes"), bounds):
                node = Node(*row[:-1])
                nodes[node.key] = node
                fullness[node.key] = row[-1]
        return nodes, fullness

    def add_linked(
        self, nodes: dict[Key, Node], known: dict[str, KnownTrace], touched: set[str]
    ) -> None:
        """Traces that share a response id with these belong to the same decision."""
        seen = set(touched)
        fresh = list(nodes.values())
        while True:
            calls = self._perhaps_linked(fresh)
            if not calls:
                return
            rows = [{"response_id": n.response_id, "started_at": n.start_us or None} for n in calls]
            self.stage("touched", table_of(rows))
            linked = {row[0] for row in self.run(sql("traces_of_response_ids"))} - seen
            if not linked:
                return
            seen |= linked
            others = self.known_traces(linked)
            known.update(others)
            more, _ = self.nodes(others)
            nodes.update(more)
            fresh = list(more.values())

    def _perhaps_linked(self, nodes: Iterable[Node]) -> list[Node]:
        calls = [n for n in nodes if response_id(n) and n.category in ("llm", "part")]
        if self._seen is None or not calls:
            return calls
        ids = {node.response_id or "" for node in calls if node.rowid is None}
        known = self._seen.response_ids.perhaps(ids)
        self._seen.shared_response_ids.add(known)
        known |= self._seen.shared_response_ids.perhaps(n.response_id or "" for n in calls)
        return [node for node in calls if node.response_id in known]

    def told(self, traces: Iterable[str], telling: dict[str, LogRecord]) -> dict[Key, CallFacts]:
        """What log records, old and new, tell of calls in these traces."""
        if self._seen is not None:
            traces = self._seen.telling_traces.perhaps(traces)
        stored = []
        if traces:
            self.stage_names("trace_id", traces)
            stored = [row for row in self.run(sql("call_events")) if row[0] not in telling]
        if not stored and not telling:
            return {}
        news = [replace(log, time_ns=log.time_ns // 1000 * 1000) for log in telling.values()]
        told = details([*map(log_record, stored), *news])  # all with times as the store keeps them
        if not stored:
            return told
        for trace_id, span_id, *texts in self.run(sql("stored_details")):
            facts = told.setdefault((trace_id, span_id), CallFacts())
            for column, text in zip(MESSAGE_COLUMNS, texts, strict=True):
                if getattr(facts, column) is None:
                    setattr(facts, column, text)
        return told

    def fill_previews(
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
            self.stage_rows({row["rowid"] for row, _ in in_trace})
            texts = {r[0]: r[1:] for r in self.run(sql("texts_of_traces"))}
            for row, column in in_trace:
                row[column] = texts[row["rowid"]][column == "output"]
        if in_span:
            spans = self.texts_of_spans({rowid for *_, rowid in in_span})
            for row, column, rowid in in_span:
                row[column] = preview(spans[rowid][f"{column}_messages"], ROLES[column])

    def texts_of_spans(self, rows: set[int]) -> dict[int, dict[str, str | None]]:
        """The texts of stored spans, by row."""
        if not rows:
            return {}
        self.stage_rows(rows)
        names = ("input_messages", "output_messages", "tool_arguments", "tool_result")
        return {
            rowid: dict(zip(names, texts, strict=True))
            for rowid, *texts in self.run(sql("texts_of_spans"))
        }

    def stage_names(self, column: str, names: Iterable[str]) -> None:
        """Names as the table `touched` of the next statement."""
        self.stage("touched", pa.table({column: pa.array(list(names), pa.string())}))

    def stage_rows(self, rows: Iterable[int]) -> None:
        """Row ids as the table `touched` of the next statement."""
        self.stage("touched", pa.table({"rowid": pa.array(sorted(rows), pa.int64())}))

    def stage(self, name: str, table: pa.Table) -> None:
        """An Arrow table under a name that the next statement reads."""
        self._connection.register(name, table)

    def run(self, statement: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        return self._connection.execute(statement, params).fetchall()
