"""What the recorder of another process writes is on the pages while the dashboard is open."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from goldspan.dashboards import reading
from goldspan.tracing.store import Store

# Its own process: instrument() sets the process's global tracer provider.
AGENT = """
import sys
from goldspan.tracing import semconv
from goldspan.tracing.instrument import instrument

with instrument(store=sys.argv[1], service_name="desk") as telemetry:
    recorder = telemetry.recorder
    with recorder.agent("desk", run_id="run-1", version="v1.0.0", input="refund C-104") as run:
        with recorder.model_call(
            provider="openai", request_model="gpt-4o-mini",
            input_messages=[{"role": "user", "parts": [{"type": "text", "content": "hello"}]}],
            system="Be brief.",
        ) as call:
            call.respond(
                output_messages=[
                    {"role": "assistant", "parts": [{"type": "text", "content": "a draft"}]}
                ],
                input_tokens=100, output_tokens=10, finish_reason="stop",
            )
        recorder.event(semconv.GUARD_VERDICT, {
            semconv.GUARD_NAME: "budget", semconv.GUARD_VERDICT: "allow",
            semconv.REASON: "within 0.05 USD",
        })
        with recorder.tool("get_account", call_id="c1", arguments={"customer": "C-104"}) as tool:
            tool.set_result({"balance": 3})
        run.set_output("done")
        run.set_outcome("completed")
"""


def test_a_recorded_run_is_read_back_whole(tmp_path: Path, show: Callable[[Path], None]) -> None:
    path = tmp_path / "goldspan.duckdb"
    Store.open(path).close()
    show(path)
    assert reading.records("trace_choices") == []
    subprocess.run(
        [sys.executable, "-c", AGENT, str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        timeout=60,
    )
    (run,) = reading.records("run_segments", run="run-1")
    spans = reading.records("trace_spans", trace=run["trace_id"])
    assert [span["name"] for span in spans] == [
        "invoke_agent desk",
        "chat gpt-4o-mini",
        "execute_tool get_account",
    ]
    names = [row["event_name"] for row in reading.records("trace_events", trace=run["trace_id"])]
    assert "goldspan.guard.verdict" in names
    assert run["outcome"] == "completed"
    (call,) = [span for span in spans if span["input_tokens"]]
    assert call["cost_usd"] > 0
