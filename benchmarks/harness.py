"""What guards and spans cost a tool call, and admission a durable step, beside the bare ones.

    python -m benchmarks.harness [--runs 5] [--rounds 9] [--steps 40] [--sqlite-only] [--json]

*Tool calls*: an agent makes 20 calls of one tool a run, with a model that is a script, in a bare
loop and with guards and spans around it, every guard switched on. CPU milliseconds a tool call (and
the model call before it), of the calling thread and of the whole process until everything is
delivered, and what the process needs more than for the bare loop.

*Steps*: in one workflow of the engine, DBOS's own bare step beside ours, which the ledger admits
first: kill flag, breaker, budget, intent. Milliseconds a step, of time and of CPU of the whole
process, and the ratio to the bare step. On SQLite, and on PostgreSQL where its programs are
installed (a server of the benchmark's own, which does not wait for its disk).

All ways take turns in one process, so that a busy machine slows all of them; of several rounds the
least counts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import tool_calls
from benchmarks.durable_steps import cost_of_steps, databases
from benchmarks.overhead import sink

from goldspan.tracing.instrument import Telemetry, instrument


@dataclass
class Measured:
    """One way of making tool calls, and what each round of it cost, in milliseconds a call."""

    name: str
    way: tool_calls.Way
    flush: Callable[[], object] = lambda: None
    thread_ms: list[float] = field(default_factory=list)
    process_ms: list[float] = field(default_factory=list)

    def measure(self, runs: int) -> None:
        """One round."""
        calls = runs * tool_calls.CALLS
        gc.collect()
        process, thread = time.process_time(), time.thread_time()
        asyncio.run(self._runs(runs))
        self.thread_ms.append((time.thread_time() - thread) * 1e3 / calls)
        self.flush()
        self.process_ms.append((time.process_time() - process) * 1e3 / calls)

    async def _runs(self, runs: int) -> None:
        for _ in range(runs):
            await self.way()


def ways(folder: Path, to_sink: Telemetry, to_store: Telemetry) -> list[Measured]:
    """Every way; the first is what the others are compared with."""
    version = tool_calls.shop(folder / "shop" / "v1.0.0")
    sends, stores = _delivered(to_sink), _delivered(to_store)
    return [
        Measured("bare loop", tool_calls.bare),
        Measured("guards alone", tool_calls.guards_alone),
        Measured("spans alone, to OTLP", tool_calls.spans_alone(to_sink.recorder), sends),
        Measured("`guard(tool, policy)`", tool_calls.wrapped(None)),
        Measured("the same, spans to OTLP", tool_calls.wrapped(to_sink.recorder), sends),
        Measured("run, no telemetry", tool_calls.whole_run(version, tool_calls.silent())),
        Measured("run, spans to OTLP", tool_calls.whole_run(version, to_sink.recorder), sends),
        Measured("run, spans to a store", tool_calls.whole_run(version, to_store.recorder), stores),
    ]


def cost_of_calls(runs: int, rounds: int) -> list[dict[str, Any]]:
    """One row a way."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sink() as url,
        instrument(endpoint=url) as to_sink,
        instrument(store=Path(folder) / "s.duckdb") as to_store,
    ):
        measured = ways(Path(folder), to_sink, to_store)
        for one in measured:  # warms up
            one.measure(1)
            one.thread_ms.clear()
            one.process_ms.clear()
        for _ in range(rounds):
            for one in measured:
                one.measure(runs)
    alone = min(measured[0].process_ms)
    return [
        {
            "way": one.name,
            "thread_ms": round(min(one.thread_ms), 3),
            "process_ms": round(min(one.process_ms), 3),
            "added_ms": round(min(one.process_ms) - alone, 3),
        }
        for one in measured
    ]


def _delivered(telemetry: Telemetry) -> Callable[[], object]:
    def flush() -> None:
        telemetry.deliver(remedy="look at the log")

    return flush


def _table(titles: str, rows: list[dict[str, Any]]) -> None:
    print(f"| {titles} |\n|{'---|' * (titles.count('|') + 1)}")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")
    print(flush=True)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs a round, of 20 tool calls each")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=40, help="steps a round")
    parser.add_argument("--sqlite-only", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.basicConfig()
    calls = cost_of_calls(options.runs, options.rounds)
    if not options.json:
        _table("tool calls | CPU ms a call, its thread | whole process | added", calls)
    steps = [
        row
        for name, url in databases(sqlite_only=options.sqlite_only)
        for row in cost_of_steps(name, url, options.steps, options.rounds)
    ]
    if options.json:
        print(json.dumps({"tool_calls": calls, "steps": steps}, indent=2))
        return
    _table("steps | ms a step | CPU ms a step | times the bare step | its CPU", steps)


if __name__ == "__main__":
    main()
