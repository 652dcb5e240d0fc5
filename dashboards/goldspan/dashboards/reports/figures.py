"""Numbers with their evidence, from rows: sums that keep what is unknown, and links to traces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from goldspan.dashboards.reports.model import Evidence, Figure, Traffic, Unit

Row = dict[str, Any]
SHOWN_TRACES = 3
LABEL_CHARACTERS = 14


@dataclass(frozen=True)
class Context:
    """What rows do not say themselves: which traces the store holds, each with the span that
    stands for it, and each run's traffic."""

    known_traces: Mapping[str, str]
    traffic_of_run: dict[str, Traffic]

    def traffic(self, row: Row) -> Traffic:
        """Simulated, from an experiment, or real."""
        if row.get("simulated"):
            return "simulated"
        if row.get("experiment_id"):
            return "experiment"
        return self.traffic_of_run.get(row.get("run_id") or "", "real")

    def evidence(self, row: Row, span: str | None = None) -> Evidence | None:
        """A link to a span, named after its run: the one in column `span`, else the one that stands
        for the row's trace. None if the store has no such trace."""
        trace = row.get("trace_id")
        if not trace or trace not in self.known_traces:
            return None
        label = short(row.get("run_id") or trace)
        return Evidence(label, trace, (row.get(span) if span else None) or self.known_traces[trace])

    def figure(
        self,
        value: float | None,
        rows: Sequence[Row],
        unit: Unit = "count",
        *,
        span: str = "span_id",
        at_least: bool = False,
    ) -> Figure:
        """A number with the first traces of `rows`, and how many more there are."""
        found: dict[str, Evidence] = {}
        for row in rows:
            evidence = self.evidence(row, span)
            if evidence is not None:
                found.setdefault(evidence.trace_id, evidence)
        shown = tuple(found.values())[:SHOWN_TRACES]
        return Figure(value, unit, shown, len(found) - len(shown), at_least)

    def total(
        self, rows: Sequence[Row], column: str, unit: Unit = "count", *, span: str = "span_id"
    ) -> Figure:
        """The sum of a column; the rows that add most to it are its evidence, most first."""
        adding = sorted((r for r in rows if r[column]), key=lambda r: -r[column])
        value = known_sum(rows, column)
        if value is None and not rows:
            value = 0
        return self.figure(value, adding, unit, span=span)

    def money(self, rows: Sequence[Row], column: str, unknown: str) -> Figure:
        """A sum of money. `unknown` is the column that counts the calls that are missing in it."""
        adding = sorted((r for r in rows if r[column]), key=lambda r: -r[column])
        value = known_sum(rows, column)
        missing = bool(sum(r[unknown] for r in rows))
        return self.figure(value, adding, "usd", at_least=missing and value is not None)


def short(name: str) -> str:
    """An id for a link: its start and its end, since made-up ids often begin alike."""
    if len(name) <= LABEL_CHARACTERS:
        return name
    return f"{name[:6]}…{name[-6:]}"


def known_sum(rows: Iterable[Row], column: str) -> float | None:
    """The sum of what is known; None if nothing is."""
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) if known else None


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Rows by key, in the order in which the keys come."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
