"""What storing a span costs, beside the least that it could cost, in one run.

    python benchmarks/ingest.py [--runs 3000] [--rounds 3]

The same OTLP bodies (simulated support-desk traffic) go three ways, by turns, so that a busy
machine slows all of them: parsed as protobuf only; parsed and normalised; stored. Figures are CPU
microseconds a span, of the best round, and the ratio to parsing alone.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from goldspan.harness.simulator import Plan, draw
from goldspan.harness.simulator.encode import requests_of
from goldspan.harness.simulator.script import runs_of
from goldspan.tracing.otlp import decode
from goldspan.tracing.store import Store

END = datetime(2026, 1, 15, tzinfo=UTC)
RUNS_A_BODY = 40


def bodies(runs: int) -> list[tuple[bytes, bytes]]:
    """Pairs of a trace body and a log body, the same ones each time."""
    plan = Plan(seed=1, days=14, runs_per_day=runs / 14)
    made = runs_of(draw(plan, END), plan, END)
    chunks = iter(lambda: list(islice(made, RUNS_A_BODY)), [])
    return [requests_of(chunk) for chunk in chunks]


def parse(pairs: list[tuple[bytes, bytes]]) -> int:
    """Protobuf only; returns the number of spans."""
    spans = 0
    for traces, logs in pairs:
        request = ExportTraceServiceRequest.FromString(traces)
        ExportLogsServiceRequest.FromString(logs)
        spans += sum(len(s.spans) for r in request.resource_spans for s in r.scope_spans)
    return spans


def normalise(pairs: list[tuple[bytes, bytes]]) -> int:
    """Parsed and turned into rows, stored nowhere."""
    return sum(len(decode(body, name="bench").spans) for pair in pairs for body in pair)


def ingest(pairs: list[tuple[bytes, bytes]]) -> int:
    """Stored in a new store on disk."""
    with tempfile.TemporaryDirectory(prefix="goldspan-bench-") as folder:
        store = Store.open(Path(folder) / "bench.duckdb")
        return sum(
            store.ingest(decode(body, name="bench")).stored_spans for pair in pairs for body in pair
        )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pairs = bodies(options.runs)
    ways: dict[str, Callable[[list[tuple[bytes, bytes]]], int]] = {
        "parse protobuf": parse,
        "parse and normalise": normalise,
        "store (goldspan ingest)": ingest,
    }
    best = dict.fromkeys(ways, float("inf"))
    counts = set()
    for _ in range(options.rounds):
        for name, way in ways.items():
            started = time.process_time()
            spans = way(pairs)
            best[name] = min(best[name], (time.process_time() - started) * 1e6 / spans)
            counts.add(spans)
    if len(counts) != 1:
        raise SystemExit(f"the ways saw different numbers of spans: {sorted(counts)}")
    floor = best["parse protobuf"]
    print(f"{counts.pop()} spans and their events, {len(pairs)} bodies")
    print("| way | CPU us a span | times parsing |\n|---|---|---|")
    for name, cost in best.items():
        print(f"| {name} | {cost:.1f} | {cost / floor:.1f} |")


if __name__ == "__main__":
    main()
