"""An experiment beside its baseline: shares of repeats that passed, by case and by tag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from goldspan.dashboards.display import decoded


@dataclass(frozen=True)
class Compared:
    """One case, or one tag: its share of measured repeats that passed, here and in the baseline.

    A rate is None where nothing was measured, and then the difference is None as well.
    """

    name: str
    rate: float | None
    baseline_rate: float | None
    repeats: int
    baseline_repeats: int
    cases: int
    unmeasured: int

    @property
    def difference(self) -> float | None:
        """Rate minus the baseline's rate."""
        if self.rate is None or self.baseline_rate is None:
            return None
        return self.rate - self.baseline_rate


@dataclass
class _Tally:
    passed: list[int] = field(default_factory=lambda: [0, 0])
    measured: list[int] = field(default_factory=lambda: [0, 0])
    unmeasured: int = 0
    cases: set[str] = field(default_factory=set)

    def add(self, row: Mapping[str, Any], side: int) -> None:
        self.cases.add(row["case_id"])
        if row["passed"] is None:
            self.unmeasured += side == 0
            return
        self.measured[side] += 1
        self.passed[side] += bool(row["passed"])

    def rate(self, side: int) -> float | None:
        return self.passed[side] / self.measured[side] if self.measured[side] else None


def by_case(rows: Iterable[Mapping[str, Any]], experiment_id: str) -> list[Compared]:
    """Compare case by case, the worst difference first; rows are those of case_verdicts.sql."""
    return _compared(((row["case_id"], row) for row in rows), experiment_id)


def by_tag(rows: Iterable[Mapping[str, Any]], experiment_id: str) -> list[Compared]:
    """Compare tag by tag, the worst difference first. The mean is over repeats, as for a case."""
    return _compared(
        ((str(tag), row) for row in rows for tag in decoded(row["tags"]) or []), experiment_id
    )


def _compared(named: Iterable[tuple[str, Mapping[str, Any]]], experiment_id: str) -> list[Compared]:
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    for name, row in named:
        tallies[name].add(row, 0 if row["experiment_id"] == experiment_id else 1)
    found = [
        Compared(
            name=name,
            rate=tally.rate(0),
            baseline_rate=tally.rate(1),
            repeats=tally.measured[0],
            baseline_repeats=tally.measured[1],
            cases=len(tally.cases),
            unmeasured=tally.unmeasured,
        )
        for name, tally in tallies.items()
    ]
    return sorted(found, key=_worst_first)


def _worst_first(one: Compared) -> tuple[float, float, str]:
    difference = one.difference
    return (
        2.0 if difference is None else difference,
        2.0 if one.rate is None else one.rate,
        one.name,
    )
