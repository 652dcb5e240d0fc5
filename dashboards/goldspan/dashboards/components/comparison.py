"""Tables that show an experiment beside its baseline: cases, scorers, slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from goldspan.dashboards import navigation
from goldspan.dashboards.comparison import Compared
from goldspan.dashboards.components.table import Cell, Column, Row, table
from goldspan.dashboards.display import NOTHING, count, known, points, share


def case_table(cases: Sequence[Compared], experiment_id: str, selected: str | None) -> str | None:
    """Show the cases and return the one that was just clicked, else None."""
    if not cases:
        st.caption("No case of this experiment has a verdict.")
        return None
    columns = (
        Column("Case"),
        Column("Baseline", width="19%"),
        Column("This one", width="19%"),
        Column("Difference", "right", "90px"),
        Column("Repeats", "right", "84px", "Measured in this experiment, and in the baseline"),
    )
    rows = [
        Row(
            case.name,
            (
                Cell(case.name, title=case.name),
                _rate(case.baseline_rate),
                _rate(case.rate),
                _difference(case.difference),
                Cell(
                    f"{count(case.repeats)} / {count(case.baseline_repeats)}",
                    "muted",
                    "bad" if case.unmeasured else "",
                    title=f"{count(case.unmeasured)} repeats could not be measured"
                    if case.unmeasured
                    else None,
                ),
            ),
            href=navigation.href(navigation.EXPERIMENTS, experiment=experiment_id, case=case.name),
            selected=case.name == selected,
        )
        for case in cases
    ]
    return table("Cases", columns, rows, key="experiment.cases")


def scorer_table(found: Sequence[Mapping[str, Any]]) -> None:
    """Show the scorers: the share that passed or, for those that only measure, the mean score."""
    columns = (
        Column("Scorer"),
        Column("Baseline", "right", "84px", "Share passed, or the mean score"),
        Column("This one", "right", "84px", "Share passed, or the mean score"),
        Column("Difference", "right", "90px"),
        Column("Failed", "right", "68px", "Repeats in which the scorer could not measure"),
    )
    table("Scorers", columns, [_scorer(row) for row in found], key="experiment.scorers")


def _scorer(row: Mapping[str, Any]) -> Row:
    judged = known(row["rate"]) or known(row["baseline_rate"])
    kind = "rate" if judged else "score"
    now, before = row[kind], row[f"baseline_{kind}"]
    shown = share if judged else _score
    both = judged and known(now) and known(before)
    return Row(
        row["name"],
        (
            Cell(row["name"], title=row["name"]),
            Cell(shown(before)),
            Cell(shown(now)),
            _difference(now - before if both else None),
            Cell(count(row["unmeasured"]), tone="bad" if row["unmeasured"] else ""),
        ),
    )


def slice_table(slices: Sequence[Compared]) -> None:
    """Show the tags."""
    columns = (
        Column("Tag"),
        Column("Baseline", "right", "84px"),
        Column("This one", "right", "84px"),
        Column("Difference", "right", "90px"),
        Column("Cases", "right", "68px"),
    )
    rows = [
        Row(
            one.name,
            (
                Cell(one.name),
                Cell(share(one.baseline_rate)),
                Cell(share(one.rate)),
                _difference(one.difference),
                Cell(count(one.cases)),
            ),
        )
        for one in slices
    ]
    table("Slices", columns, rows, key="experiment.slices")


def _rate(value: float | None) -> Cell:
    if value is None:
        return Cell("not measured", "muted")
    return Cell(share(value), "bar", "good", percent=value * 100)


def _difference(value: float | None) -> Cell:
    if value is None:
        return Cell(NOTHING, "muted")
    return Cell(points(value), tone="bad" if value < 0 else "good" if value > 0 else "")


def _score(value: Any) -> str:
    return f"{float(value):.2f}" if known(value) else NOTHING
