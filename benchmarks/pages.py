"""How long a page of the dashboard takes while its server takes spans.

    python -m benchmarks.pages [--stored 2000000] [--rate 2000] [--repeats 20] [--json]

`goldspan serve`, with its dashboard, runs on a copy of a store that holds `--stored` spans, and a
process of its own sends it `--rate` spans a second. Meanwhile every page is run as Streamlit runs
it, in a new session, over all time, reading through the server; what is stored changes all the
while, so that no result is found kept. Times are wall-clock milliseconds of a whole page: the
median and the worst of all repeats. The median without load is that of pages whose queries found
kept results: what Streamlit itself costs here.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import time
from typing import Any

from benchmarks.filled_store import filled_store
from benchmarks.flow import under_load
from benchmarks.served import serving
from streamlit.testing.v1 import AppTest

from goldspan.tracing.store import Store

NO_BROWSER = "streamlit.runtime.scriptrunner_utils.script_run_context"  # warns of it each time
PAGES = {"overview": "overview", "traces": "traces", "one trace": "traces", "cost": "cost"}


def _page(name: str) -> None:
    """What Streamlit runs: the source of this function alone, so its imports stand inside."""
    import importlib

    from goldspan.dashboards.components.boundary import guarded

    guarded(importlib.import_module(f"goldspan.dashboards.pages.{name}").page)()


def page_ms(name: str, **query: str) -> float:
    """The time of one page in a new session. Raises SystemExit if the page shows an error."""
    app = AppTest.from_function(_page, kwargs={"name": name}, default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    began = time.perf_counter()
    app.run()
    took = (time.perf_counter() - began) * 1000
    if app.exception or app.error:
        raise SystemExit(f"the page {name} failed: {[e.value for e in app.error]}")
    return took


def measure(trace_id: str, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of every page, the pages taking turns."""
    took: dict[str, list[float]] = {name: [] for name in PAGES}
    for _ in range(repeats):
        for name, module in PAGES.items():
            query = {"trace": trace_id} if name == "one trace" else {}
            took[name].append(page_ms(module, **query))
    return took


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stored", type=int, default=2_000_000)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.getLogger(NO_BROWSER).disabled = True
    filled = filled_store(options.stored)
    with serving(filled.path, dashboard=True) as served:
        os.environ["GOLDSPAN_STORE"] = str(served.store)
        newest = "SELECT trace_id FROM traces ORDER BY started_at DESC LIMIT 1"
        trace_id = Store.open(served.store, create=False).rows(newest)[0]["trace_id"]
        measure(trace_id, 1)
        calm = measure(trace_id, 5)
        with under_load(served.port, options.rate) as load:
            time.sleep(3)  # until it flows
            busy = measure(trace_id, options.repeats)
        rate = load.spans_a_second
    rows: list[dict[str, Any]] = [
        {
            "page": name,
            "calm_median_ms": round(statistics.median(calm[name])),
            "median_ms": round(statistics.median(busy[name])),
            "worst_ms": round(max(busy[name])),
        }
        for name in PAGES
    ]
    if options.json:
        print(json.dumps({"spans_a_second": round(rate), "pages": rows}, indent=2))
        return
    print(
        f"{filled.spans:,} spans stored, {rate:,.0f} spans a second acknowledged meanwhile, "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print("| page | median without load, ms | median under load, ms | worst, ms |")
    print("|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    main()
