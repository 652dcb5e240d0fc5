"""Charts hold the rows they were given, in the colours that outcomes have everywhere."""

from __future__ import annotations

import pandas as pd

from goldspan.dashboards import charts


def test_outcomes_have_fixed_colours_and_only_those_present() -> None:
    rows = pd.DataFrame(
        {
            "bucket": pd.to_datetime(["2026-11-16", "2026-11-17"]),
            "outcome": ["failed", "completed"],
            "runs": [1, 3],
        }
    )
    spec = charts.outcomes_over_time(rows, "day", "runs").to_dict()
    scale = spec["encoding"]["color"]["scale"]
    assert scale["domain"] == ["completed", "failed"]
    assert scale["range"] == [charts.OUTCOME_COLOURS[name] for name in scale["domain"]]
    assert len(next(iter(spec["datasets"].values()))) == 2


def test_series_are_drawn_over_time() -> None:
    rows = pd.DataFrame(
        {
            "bucket": pd.to_datetime(["2026-11-16", "2026-11-16"]),
            "series": ["tool calls", "model calls"],
            "part": ["a", "b"],
            "value": [1.5, 2.5],
        }
    )
    lines = charts.lines_over_time(rows, "calls per run", bucket="hour").to_dict()
    bars = charts.stacked_over_time(rows, "value", "USD", number="$.4~f").to_dict()
    assert lines["encoding"]["x"]["axis"]["format"] == "%d %b %H:%M"
    assert bars["encoding"]["y"]["axis"]["format"] == "$.4~f"
