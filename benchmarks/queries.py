"""How long a large store takes to answer, through the public views.

    python -m benchmarks.queries [--spans 2000000] [--repeats 7] [--json]

Times are wall-clock milliseconds with the file open and warm: the first, and the median of the
others; and the median CPU time of all threads, which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.filled_store import Filled, filled_store
from benchmarks.words import phrase

from goldspan.tracing.store import Store

QUERIES = {
    "newest 50 traces of an agent": """
        SELECT trace_id, started_at, duration_ms, root_name, status, input, output, span_count,
               input_tokens, output_tokens, cost_usd
        FROM traces WHERE agent_name = 'support' ORDER BY started_at DESC LIMIT 50""",
    "newest 50 traces that failed": """
        SELECT trace_id, started_at, root_name, error_type, error_count, cost_usd
        FROM traces WHERE error_count > 0 ORDER BY started_at DESC LIMIT 50""",
    "one whole trace": "SELECT * FROM spans WHERE trace_id = $trace ORDER BY started_at",
    "one whole trace, its time known": """
        SELECT * FROM spans WHERE trace_id = $trace
        AND started_at BETWEEN $began - INTERVAL 1 HOUR AND $began + INTERVAL 1 HOUR
        ORDER BY started_at""",
    "tokens and cost by model by hour": """
        SELECT date_trunc('hour', started_at) AS hour, response_model, count(*) AS calls,
               sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
               sum(cost_usd) AS cost_usd
        FROM llm_calls GROUP BY ALL""",
    "p50, p95, p99 by tool": """
        SELECT tool_name, count(*) AS calls,
               quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS duration_ms
        FROM tool_calls GROUP BY tool_name""",
    "text in messages, newest 50": """
        SELECT trace_id, span_id, started_at FROM llm_calls
        WHERE contains(input_messages, $text) OR contains(output_messages, $text)
        ORDER BY started_at DESC LIMIT 50""",
}
_ONE_TRACE = "SELECT trace_id, started_at FROM traces ORDER BY hash(trace_id) LIMIT 1"


def measure(filled: Filled, repeats: int) -> list[dict[str, Any]]:
    """One row a query: its name, rows found, the first and the median time in ms, CPU ms."""
    store = Store.open(filled.path, create=False)
    found: list[dict[str, Any]] = []
    with store.session():
        one = store.rows(_ONE_TRACE)[0]
        values = {"trace": one["trace_id"], "began": one["started_at"], "text": phrase()}
        for name, sql in QUERIES.items():
            took, cpu, rows = [], [], 0
            for _ in range(repeats + 1):
                began, used = time.perf_counter(), time.process_time()
                rows = store.table(sql, _used(sql, values)).num_rows
                took.append((time.perf_counter() - began) * 1000)
                cpu.append((time.process_time() - used) * 1000)
            found.append(
                {
                    "query": name,
                    "rows": rows,
                    "first_ms": round(took[0], 1),
                    "median_ms": round(statistics.median(took[1:]), 1),
                    "cpu_ms": round(statistics.median(cpu[1:]), 1),
                }
            )
    return found


def _used(sql: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if f"${key}" in sql}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    filled = filled_store(options.spans)
    rows = measure(filled, options.repeats)
    if options.json:
        size = {"spans": filled.spans, "bytes_a_span": round(filled.bytes_a_span)}
        print(json.dumps({**size, "queries": rows}, indent=2))
        return
    print(f"{filled.spans:,} spans, {filled.bytes_a_span:.0f} bytes a span on disk")
    print("| query | rows | first, ms | median, ms | CPU, ms |\n|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    main()
