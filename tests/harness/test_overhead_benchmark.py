"""`benchmarks.harness` runs as it is: every way makes its calls, and every step is admitted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_way_of_making_calls_and_steps_is_measured() -> None:
    shortest = ["--runs", "1", "--rounds", "1", "--steps", "2", "--sqlite-only", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.harness", *shortest],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    measured = json.loads(done.stdout)
    bare, *others = measured["tool_calls"]
    assert (bare["way"], bare["added_ms"]) == ("bare loop", 0.0)
    assert [row["way"] for row in others] == [
        "guards alone",
        "spans alone, to OTLP",
        "`guard(tool, policy)`",
        "the same, spans to OTLP",
        "run, no telemetry",
        "run, spans to OTLP",
        "run, spans to a store",
    ]
    assert all(row["process_ms"] > 0 for row in measured["tool_calls"])
    runs = [row for row in others if row["way"].startswith("run")]
    assert all(row["process_ms"] > bare["process_ms"] for row in runs)  # by some twenty times
    own, recorded, admitted = measured["steps"]
    assert (own["ratio"], own["cpu_ratio"]) == (1.0, 1.0)
    assert admitted["way"] == "ours, admitted and recorded, SQLite"
    assert min(row["cpu_ms"] for row in (own, recorded, admitted)) > 0
