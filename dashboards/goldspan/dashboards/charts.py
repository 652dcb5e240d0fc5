"""Charts, from a data frame to an Altair chart; Streamlit's theme colours the rest."""

from __future__ import annotations

from typing import Literal

import altair as alt
import pandas as pd

HEIGHT = 215
PADDING = {"top": 0, "bottom": 4, "left": 0, "right": 8}
OUTCOME_COLOURS = {
    "completed": "#2e9e62",
    "ok": "#2e9e62",
    "paused": "#e0a21b",
    "running": "#4a8fdd",
    "failed": "#d9483b",
    "error": "#d9483b",
    "aborted": "#b0603c",
    "killed": "#7d4b8c",
}
_SERIES = ["#4a8fdd", "#e0a21b", "#2e9e62", "#a06bd6", "#d9483b", "#2fa7a3", "#c76d9b", "#8a8f98"]


def outcomes_over_time(runs: pd.DataFrame, bucket: str, title: str) -> alt.Chart:
    """Stacked bars of runs by outcome; columns bucket, outcome, runs. One bar a bucket."""
    present = [name for name in OUTCOME_COLOURS if name in set(runs["outcome"])]
    chart: alt.Chart = (
        alt.Chart(runs, height=HEIGHT, padding=PADDING)
        .mark_bar(size=_bar_width(runs["bucket"].nunique()))
        .encode(
            x=_time(bucket),
            y=alt.Y("sum(runs):Q", title=title, axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "outcome:N",
                title=None,
                scale=alt.Scale(domain=present, range=[OUTCOME_COLOURS[name] for name in present]),
                legend=_legend(),
            ),
            tooltip=[
                alt.Tooltip("bucket:T", title=bucket, format=_format(bucket)),
                "outcome:N",
                alt.Tooltip("runs:Q", title=title),
            ],
        )
    )
    return chart


def stacked_over_time(
    rows: pd.DataFrame, value: str, title: str, *, bucket: str = "day", number: str = "~s"
) -> alt.Chart:
    """Stacked bars of `value` by the column part; columns bucket, part and `value`."""
    chart: alt.Chart = (
        alt.Chart(rows, height=HEIGHT, padding=PADDING)
        .mark_bar(size=_bar_width(rows["bucket"].nunique()))
        .encode(
            x=_time(bucket),
            y=alt.Y(f"sum({value}):Q", title=title, axis=alt.Axis(format=number)),
            color=alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(range=_SERIES),
                legend=_legend(),
            ),
            tooltip=[
                alt.Tooltip("bucket:T", title=bucket, format=_format(bucket)),
                alt.Tooltip("part:N", title="of"),
                alt.Tooltip(f"{value}:Q", title=title, format=number),
            ],
        )
    )
    return chart


def lines_over_time(rows: pd.DataFrame, title: str, *, bucket: str) -> alt.Chart:
    """One line a series; columns bucket, series, value."""
    chart: alt.Chart = (
        alt.Chart(rows, height=HEIGHT, padding=PADDING)
        .mark_line(point=alt.OverlayMarkDef(size=40), strokeWidth=2)
        .encode(
            x=_time(bucket),
            y=alt.Y("value:Q", title=title),
            color=alt.Color(
                "series:N",
                title=None,
                scale=alt.Scale(range=_SERIES),
                legend=_legend(),
            ),
            tooltip=[
                alt.Tooltip("bucket:T", title=bucket, format=_format(bucket)),
                alt.Tooltip("series:N", title="of"),
                alt.Tooltip("value:Q", title=title, format=".2f"),
            ],
        )
    )
    return chart


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", offset=2, padding=0, labelLimit=260)


def _time(bucket: str) -> alt.X:
    ticks: Literal["day"] | int = "day" if bucket == "day" else 12
    return alt.X(
        "bucket:T",
        title=None,
        axis=alt.Axis(format=_format(bucket), labelOverlap=True, tickCount=ticks),
        scale=alt.Scale(padding=24),
    )


def _format(bucket: str) -> str:
    return "%d %b %H:%M" if bucket == "hour" else "%d %b"


def _bar_width(buckets: int) -> int:
    return max(3, min(38, 700 // max(buckets, 1)))
