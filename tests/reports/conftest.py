"""A store with real runs of a scripted agent: completed, paused, looping, approved, unpriced."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.run import run_agent
from goldspan.tracing import semconv
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version

HOSTILE = (
    "<script>window.pwned=1</script> [free money](http://evil.invalid/x) "
    "![x](http://evil.invalid/y.png) | a | b | `code` **bold** $x$ <img src=x onerror=alert(1)>"
)
LONELY = "c0ffee00000000000000000000000009"


def _fill(folder: Path) -> Path:
    path = folder / "s.duckdb"
    contract = "{max_tool_calls: 4, max_tokens: 2000}"
    version = AgentVersion.load(write_version(folder / "keeper" / "v1.0.0", contract=contract))
    runs = {
        "done-1": ("look at a", [act("look", what="a"), act("answer", text="a is there")], "none"),
        "wait-1": ("write hello", [act("write", text=HOSTILE)], "none"),
        "loop-1": (HOSTILE, [act("look", what="a")], "none"),
        "sent-1": (
            "write",
            [act("look", what="b"), act("write", text="hi"), act("answer", text=HOSTILE)],
            "approve",
        ),
    }
    (folder / "prices.yaml").write_text(
        "prices:\n- model: tiny\n  provider: local\n  input_usd: 1\n  output_usd: 2\n",
        encoding="utf-8",
    )
    with instrument(store=path, service_name="test") as telemetry:
        for run_id, (task, texts, approver) in runs.items():
            asyncio.run(
                run_agent(
                    version,
                    task,
                    model=ScriptedModel(texts),
                    recorder=telemetry.recorder,
                    workspace=folder / run_id,
                    environment=Notebook(),
                    run_id=run_id,
                    approver=NamedApprover("approve" if approver == "approve" else "none"),
                    attributes={semconv.BATCH_ID: "monday"},
                )
            )
        recorder = telemetry.recorder
        with (
            recorder.context({semconv.SIMULATED: True}),
            recorder.agent("keeper", run_id="simu-1", version="v1.0.0") as span,
            recorder.model_call(
                provider="nobody", request_model="unheard-of", input_messages=[]
            ) as call,
        ):
            call.respond(output_messages=[], input_tokens=5, output_tokens=5)
            span.set_outcome("completed")
        recorder.event(semconv.APPROVAL_REQUESTED, {semconv.RUN_ID: LONELY})
        trace = span.trace_id
        recorder.event(
            semconv.ALERT,
            {
                semconv.ALERT_ID: "alert-1",
                semconv.ALERT_MONITOR: "cost spike",
                semconv.ALERT_SEVERITY: "critical",
                semconv.ALERT_VALUE: 0.5,
                semconv.ALERT_EXPLANATION: HOSTILE,
                semconv.SIMULATED: True,
                "goldspan.alert.trace_ids": [trace, "f" * 32],
            },
        )
    return path


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of a filled store."""
    return _fill(tmp_path_factory.mktemp("reports"))


@pytest.fixture
def store(filled: Path) -> Store:
    return Store.open(filled, create=False)
