"""instrument(): towards a store, and towards a real OTLP receiver over HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from goldspan.tracing import semconv
from goldspan.tracing.batch import IngestBatch
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.otlp import decode
from goldspan.tracing.store import Store

ASKED = [{"role": "user", "parts": [{"type": "text", "content": "where is it?"}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "here"}]}]


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP as a collector does, and keeps what it decoded."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.bodies: list[tuple[str, IngestBatch]] = []
        self.headers_seen: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((self.path, decode(body, name=self.path)))
        self.server.headers_seen.append(dict(self.headers))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_spans_and_events_reach_a_real_receiver(receiver: Receiver, store: Store) -> None:
    with instrument(
        endpoint=receiver.url, service_name="desk", simulated=True, headers={"x-token": "t"}
    ) as telemetry:
        recorder = telemetry.recorder
        with recorder.agent("support", run_id="r1", input="hello") as agent:
            event_id = recorder.event(semconv.DECISION, {semconv.DECISION_CHOSEN: "look"})
            deadline = time.monotonic() + 1.0
            while not receiver.bodies and time.monotonic() < deadline:
                time.sleep(0.01)
            ((path, first),) = receiver.bodies  # while the run still runs
            assert path == "/v1/logs"
            assert first.logs[0].attributes[semconv.EVENT_ID] == event_id
            with recorder.model_call(
                provider="openai", request_model="gpt-4o-mini", input_messages=ASKED
            ) as call:
                call.respond(output_messages=ANSWERED, input_tokens=5, output_tokens=1)
        assert telemetry.flush()
    assert {path for path, _ in receiver.bodies} == {"/v1/logs", "/v1/traces"}
    assert all(headers.get("x-token") == "t" for headers in receiver.headers_seen)
    for _, batch in receiver.bodies:
        store.ingest(batch)
    (row,) = store.rows("SELECT trace_id, input, service_name, simulated, llm_calls FROM runs")
    assert row == {
        "trace_id": agent.trace_id,
        "input": "hello",
        "service_name": "desk",
        "simulated": True,
        "llm_calls": 1,
    }


def test_what_is_not_delivered_is_counted_and_never_raised(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 400
    telemetry = instrument(endpoint=receiver.url)
    telemetry.recorder.event("e")
    assert not telemetry.flush()
    assert telemetry.failed_records == 1
    receiver.status = 200
    telemetry.recorder.event("e")
    assert telemetry.flush()
    telemetry.shutdown()
    assert sum("not delivered" in message for message in caplog.messages) == 1


def test_events_are_in_the_store_within_a_second_while_the_run_still_runs(store: Store) -> None:
    with instrument(store=store) as telemetry:
        recorder = telemetry.recorder
        with recorder.agent("support", run_id="r1"):
            recorder.event(semconv.GUARD_VERDICT, {semconv.GUARD_NAME: "budget"})
            deadline = time.monotonic() + 1.0
            rows: list[dict[str, object]] = []
            while not rows and time.monotonic() < deadline:
                rows = store.rows("SELECT run_id, outcome, agent_name FROM runs")
            assert rows == [{"run_id": "r1", "outcome": "running", "agent_name": "support"}]


def test_everything_that_a_run_records_is_in_the_views(store: Store) -> None:
    with instrument(store=store, batch=False) as telemetry:
        recorder = telemetry.recorder
        shared = {semconv.BATCH_ID: "b1", semconv.CASE_ID: "c1", semconv.CASE_REPEAT: 3}
        with (
            recorder.context(shared),
            recorder.agent(
                "support", run_id="r1", version="v1.0.0", digest="d", input="ask"
            ) as agent,
        ):
            with recorder.model_call(
                provider="local",
                request_model="tiny",
                input_messages=ASKED,
                system="be brief",
                settings={"temperature": 0.2, "seed": 7},
                tools=[{"name": "search"}],
            ) as call:
                call.respond(
                    response_model="tiny-1",
                    response_id="x1",
                    output_messages=ANSWERED,
                    finish_reason="stop",
                    input_tokens=9,
                    output_tokens=2,
                    replayed=True,
                )
            with recorder.tool("search", call_id="t1", arguments={"q": "it"}) as tool:
                tool.set_result(["here"])
            with recorder.tool("send", arguments={}) as tool:
                tool.fail("Timeout", "too slow")
            recorder.event(
                semconv.APPROVAL_REQUESTED,
                {semconv.APPROVAL_ID: "a1", semconv.APPROVAL_TOOL: "send"},
            )
            recorder.event(semconv.ARTIFACT, {semconv.ARTIFACT_NAME: "note"})
            agent.set_output("answer")
            agent.set_outcome("completed", "all done")
        recorder.evaluation(
            "pass", score=1, passed=True, trace_id=agent.trace_id, span_id=agent.span_id
        )
    (call_row,) = store.rows("SELECT * FROM llm_calls")
    assert call_row["finish_reasons"] == ["stop"]
    assert json.loads(call_row["system_instructions"])[0]["content"] == "be brief"
    assert (call_row["run_id"], call_row["replayed"], call_row["spent_usd"]) == ("r1", True, 0.0)
    assert call_row["agent_version"] == "v1.0.0"
    tools = store.rows("SELECT tool_name, arguments, result, error_type FROM tool_calls ORDER BY 1")
    assert [tuple(row.values()) for row in tools] == [
        ("search", '{"q":"it"}', '["here"]', None),
        ("send", "{}", None, "Timeout"),
    ]
    (run,) = store.rows("SELECT * FROM runs")
    assert (run["outcome"], run["reason"]) == ("completed", "all done")
    assert (run["input"], run["output"]) == ("ask", "answer")
    assert (run["batch_id"], run["case_repeat"], run["tool_errors"]) == ("b1", 3, 1)
    assert json.loads(run["artifacts"])[0]["name"] == "note"
    assert run["approvals_pending"] == 1
    (evaluation,) = store.rows("SELECT name, score, passed, run_id, case_id FROM evaluations")
    assert tuple(evaluation.values()) == ("pass", 1.0, True, "r1", "c1")


def test_an_exception_marks_its_spans_and_goes_on(store: Store) -> None:
    with instrument(store=store, batch=False) as telemetry:
        recorder = telemetry.recorder
        with (
            pytest.raises(LookupError),
            recorder.agent("support", run_id="r1"),
            recorder.tool("search", arguments={}),
        ):
            raise LookupError("nothing there")
    rows = store.rows("SELECT error_type, error_message FROM spans")
    assert rows == [{"error_type": "LookupError", "error_message": "nothing there"}] * 2
    assert store.rows("SELECT outcome, reason FROM runs") == [
        {"outcome": "failed", "reason": "nothing there"}
    ]


def test_without_content_no_text_is_recorded(store: Store) -> None:
    with instrument(store=store, batch=False, capture_content=False) as telemetry:
        recorder = telemetry.recorder
        with recorder.agent("support", run_id="r1", input="needle") as agent:
            with recorder.model_call(
                provider="p", request_model="m", input_messages=ASKED, system="needle"
            ) as call:
                call.respond(output_messages=ANSWERED, input_tokens=1, output_tokens=1)
            with recorder.tool("search", arguments={"q": "needle"}) as tool:
                tool.set_result("needle")
            agent.set_output("needle")
    everything = str(store.rows("SELECT * FROM spans"))
    assert "needle" not in everything
    assert "where is it?" not in everything


def test_runs_side_by_side_in_async_code_keep_apart(store: Store) -> None:
    with instrument(store=store) as telemetry:
        recorder = telemetry.recorder

        async def one(number: int) -> None:
            with recorder.agent("support", run_id=f"r{number}"):
                await asyncio.sleep(0.001)
                with recorder.tool("search", arguments={"n": number}):
                    await asyncio.sleep(0.001)
                recorder.event(semconv.DECISION)

        async def all_of_them() -> None:
            await asyncio.gather(*(one(n) for n in range(8)))

        asyncio.run(all_of_them())
    rows = store.rows("SELECT run_id, arguments, trace_id FROM tool_calls ORDER BY run_id")
    assert [(r["run_id"], r["arguments"]) for r in rows] == [
        (f"r{n}", f'{{"n":{n}}}') for n in range(8)
    ]
    assert len({row["trace_id"] for row in rows}) == 8
    assert store.rows("SELECT count(DISTINCT trace_id) AS n FROM events") == [{"n": 8}]


def test_a_clock_of_ones_own(store: Store) -> None:
    times = iter(range(1_700_000_000_000_000_000, 1_800_000_000_000_000_000, 10**9))
    with (
        instrument(store=store, clock=lambda: next(times)) as telemetry,
        telemetry.recorder.agent("support", run_id="r1"),
    ):
        telemetry.recorder.event(semconv.DECISION)
    (row,) = store.rows("SELECT epoch(started_at) AS started, duration_ms FROM runs")
    assert row == {"started": 1_700_000_000.0, "duration_ms": 2000.0}


def test_nowhere_to_send(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere to send"):
        instrument()
    with pytest.raises(ConfigError, match="not an OTLP/HTTP address"):
        instrument(endpoint="localhost:4318")


def test_two_instruments_in_one_process_keep_apart(tmp_path: Path) -> None:
    stores = [Store.open(tmp_path / f"{n}.duckdb") for n in range(2)]
    for number, store in enumerate(stores):
        with instrument(store=store, simulated=bool(number)) as telemetry:
            telemetry.recorder.event("e")
    for number, store in enumerate(stores):
        assert store.rows("SELECT simulated FROM events") == [{"simulated": bool(number)}]


GLOBAL_PROVIDER = """
    import sys
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from goldspan.tracing.instrument import instrument
    from goldspan.tracing.store import Store

    path, theirs = sys.argv[1:]
    if theirs == "yes":
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    with instrument(store=path, simulated=True) as telemetry:
        if theirs == "yes":
            assert telemetry.tracer_provider is provider
        assert trace.get_tracer_provider() is telemetry.tracer_provider
        with telemetry.recorder.agent("support", run_id="r1"):
            with trace.get_tracer("another library").start_as_current_span("theirs"):
                pass
    rows = Store.open(path).rows("SELECT name, run_id, simulated FROM spans ORDER BY name")
    assert rows == [
        {"name": "invoke_agent support", "run_id": "r1", "simulated": True},
        {"name": "theirs", "run_id": "r1", "simulated": True},
    ], rows
"""


@pytest.mark.parametrize("theirs", ["yes", "no"])
def test_a_global_provider_is_respected_and_there_is_one_afterwards(
    tmp_path: Path, theirs: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(GLOBAL_PROVIDER), tmp_path / "s.duckdb", theirs],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
    )
    assert (done.returncode, done.stderr) == (0, "")
