"""What a span costs in the thread that makes it, beside the bare OpenTelemetry SDK.

    python -m benchmarks.overhead [--traces 100] [--rounds 9] [--json]

A trace is one root and nine children. *Plain* spans carry 8 attributes. An *agent's* trace is one
agent with four model calls and five tools, made by Goldspan's recorder; the bare SDK then makes
the very same spans, with the same names and attributes, from ready strings. Every way has a
batch processor of its own, and they take turns in one process, so that a busy machine slows all
of them. Figures are CPU microseconds a span of the calling thread (median of all rounds), of the
whole process with its exporting thread, and the ratio of the former to the bare SDK with an
exporter that does nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer

from goldspan.tracing import semconv
from goldspan.tracing.instrument import Telemetry, instrument
from goldspan.tracing.recorder import Recorder

SPANS_A_TRACE = 10
QUEUE_SPANS = 65_536
ATTRIBUTES: dict[str, Any] = {
    semconv.OPERATION_NAME: semconv.CHAT,
    semconv.PROVIDER_NAME: "openai",
    semconv.REQUEST_MODEL: "gpt-4o-mini",
    semconv.CONVERSATION_ID: "conv-1",
    semconv.INPUT_TOKENS: 812,
    semconv.OUTPUT_TOKENS: 144,
    semconv.INPUT_MESSAGES: "a" * 400,
    semconv.OUTPUT_MESSAGES: "b" * 400,
}
ASKED = [{"role": "user", "parts": [{"type": "text", "content": "a" * 400}]}]
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "b" * 400}]}]
ARGUMENTS = {"query": "where is it", "limit": 20, "customer": 77}
Made = tuple[str, SpanKind, dict[str, Any]]


@dataclass(slots=True)
class Way:
    """One way of making a trace: what makes it, what empties its queue, what it cost so far."""

    group: str
    name: str
    trace: Callable[[], None]
    flush: Callable[[], object]
    thread_us: list[float] = field(default_factory=list)
    process_us: list[float] = field(default_factory=list)

    def measure(self, traces: int) -> None:
        """One round."""
        spans = traces * SPANS_A_TRACE
        process, thread = time.process_time(), time.thread_time()
        for _ in range(traces):
            self.trace()
        self.thread_us.append((time.thread_time() - thread) * 1e6 / spans)
        self.flush()
        self.process_us.append((time.process_time() - process) * 1e6 / spans)


class NullExporter(SpanExporter):
    """Takes spans and does nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Success."""
        return SpanExportResult.SUCCESS


class _Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def _serve(told: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    told.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def sink() -> Iterator[str]:
    """The URL of a child process that answers every POST."""
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    child.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        child.terminate()
        child.join()


def plain_trace(tracer: Tracer) -> Callable[[], None]:
    """One root and nine children, each attribute set on its own."""

    def span() -> None:
        with tracer.start_as_current_span("chat gpt-4o-mini") as open_span:
            for key, value in ATTRIBUTES.items():
                open_span.set_attribute(key, value)

    def trace() -> None:
        with tracer.start_as_current_span("chat gpt-4o-mini") as open_span:
            for key, value in ATTRIBUTES.items():
                open_span.set_attribute(key, value)
            for _ in range(SPANS_A_TRACE - 1):
                span()

    return trace


def agent_trace(recorder: Recorder) -> Callable[[], None]:
    """An agent with four model calls and five tools, as one writes it."""

    def call() -> None:
        with recorder.model_call(
            provider="openai", request_model="gpt-4o-mini", input_messages=ASKED
        ) as span:
            span.respond(output_messages=ANSWERED, input_tokens=812, output_tokens=144)

    def tool() -> None:
        with recorder.tool("find_order", call_id="call-1", arguments=ARGUMENTS) as span:
            span.set_result("b" * 200)

    def trace() -> None:
        with recorder.agent(
            "support", run_id="r1", provider="openai", model="gpt-4o-mini", input="a" * 400
        ) as span:
            for _ in range(4):
                call()
                tool()
            tool()
            span.set_output("b" * 400)
            span.set_outcome("completed")

    return trace


def same_trace(tracer: Tracer, made: Sequence[Made]) -> Callable[[], None]:
    """The spans that a recorder made, by the bare SDK; the last one is the root."""
    *children, (root_name, root_kind, root_attributes) = made

    def trace() -> None:
        with tracer.start_as_current_span(root_name, kind=root_kind) as root:
            for key, value in root_attributes.items():
                root.set_attribute(key, value)
            for name, kind, attributes in children:
                with tracer.start_as_current_span(name, kind=kind) as child:
                    for key, value in attributes.items():
                        child.set_attribute(key, value)

    return trace


def spans_of_agent() -> list[Made]:
    """What the recorder makes of an agent's trace."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    agent_trace(Recorder(provider, LoggerProvider()))()
    return [(s.name, s.kind, dict(s.attributes or {})) for s in memory.get_finished_spans()]


def bare_provider(exporter: SpanExporter) -> TracerProvider:
    """The SDK as its documentation sets it up, with a queue that a round does not fill."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE_SPANS))
    return provider


def ways_to(url: str) -> list[Way]:
    """Every way. The first one of a group is what the others of it are compared with."""
    made = spans_of_agent()
    null, plain_http = bare_provider(NullExporter()), bare_provider(_otlp(url))
    same_null, same_http = bare_provider(NullExporter()), bare_provider(_otlp(url))
    ours_null = bare_provider(NullExporter())
    plain_ours, ours = instrument(endpoint=url), instrument(endpoint=url)
    tracer = "benchmark"
    return [
        Way("plain", "SDK, null exporter", plain_trace(null.get_tracer(tracer)), null.force_flush),
        Way(
            "plain",
            "SDK, OTLP/HTTP",
            plain_trace(plain_http.get_tracer(tracer)),
            plain_http.force_flush,
        ),
        Way(
            "plain",
            "instrument(endpoint=...)",
            plain_trace(plain_ours.tracer_provider.get_tracer(tracer)),
            _flush(plain_ours),
        ),
        Way(
            "agent",
            "SDK, null exporter",
            same_trace(same_null.get_tracer(tracer), made),
            same_null.force_flush,
        ),
        Way(
            "agent",
            "SDK, OTLP/HTTP",
            same_trace(same_http.get_tracer(tracer), made),
            same_http.force_flush,
        ),
        Way(
            "agent",
            "recorder, null exporter",
            agent_trace(Recorder(ours_null, LoggerProvider())),
            ours_null.force_flush,
        ),
        Way(
            "agent", "recorder, instrument(endpoint=...)", agent_trace(ours.recorder), _flush(ours)
        ),
    ]


def _otlp(url: str) -> OTLPSpanExporter:
    return OTLPSpanExporter(endpoint=f"{url}/v1/traces")


def _flush(telemetry: Telemetry) -> Callable[[], object]:
    def flush() -> None:
        if not telemetry.flush() or telemetry.failed_records:
            raise SystemExit("the sink did not take all spans")

    return flush


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traces", type=int, default=100, help="traces a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.basicConfig()
    with sink() as url:
        ways = ways_to(url)
        for way in ways:  # warms up
            way.measure(options.traces)
            way.thread_us.clear()
            way.process_us.clear()
        for _ in range(options.rounds):
            for way in ways:
                way.measure(options.traces)
    bare: dict[str, float] = {}
    rows = []
    for way in ways:
        thread = statistics.median(way.thread_us)
        rows.append(
            {
                "spans": way.group,
                "way": way.name,
                "thread_us": round(thread, 1),
                "process_us": round(statistics.median(way.process_us), 1),
                "ratio": round(thread / bare.setdefault(way.group, thread), 2),
            }
        )
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| spans | way | CPU us a span, calling thread | whole process | times the bare SDK |")
    print("|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    main()
