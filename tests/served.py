"""Real servers on free ports of this machine, and requests for them."""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from goldspan.tracing.store import Store
from goldspan.tracing.store.address import Address, live_address

COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()"]
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
START_NS = 1_790_000_000_000_000_000
PATIENCE_S = 60.0


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[str]
    store: Path
    url: str
    grpc: str | None
    problems: Path

    @property
    def address(self) -> Address:
        """What the address file says."""
        found = live_address(self.store)
        assert found is not None
        return found

    def stop(self) -> int:
        """Stop it gracefully. Returns its exit code."""
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        self._close()
        return code

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self._close()

    def _close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_server(
    store: Path,
    *argv: str,
    dashboard: bool = False,
    environment: Mapping[str, str] | None = None,
    command: list[str] = COMMAND,
) -> Served:
    """A server on a store, once it answers."""
    problems = store.with_name(f"{store.name}.{time.time_ns()}.log")
    ports = ["--port", "0", *([] if "--no-grpc" in argv else ["--grpc-port", "0"])]
    with problems.open("w") as file:
        process = subprocess.Popen(
            [*command, "serve", "--store", str(store), *ports, *argv]
            + ([] if dashboard else ["--no-dashboard"]),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env=_clean_environment(environment or {}),
        )
    url = grpc = None
    assert process.stdout is not None
    for line in process.stdout:
        what, _, where = line.strip().partition(": ")
        url = where if what.startswith("OTLP/HTTP") else url
        grpc = where if what.startswith("OTLP/gRPC") else grpc
        if "process" not in line and "OTLP" not in line:
            break
    if url is None:
        process.wait(PATIENCE_S)
        process.stdout.close()
        raise AssertionError(f"no server: {problems.read_text()}")
    return Served(process, store, url, grpc, problems)


@contextmanager
def serving(
    store: Path, *argv: str, dashboard: bool = False, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """A server that is ended, if it still runs, when the block ends."""
    served = start_server(store, *argv, dashboard=dashboard, environment=environment)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.kill()


def _clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOLDSPAN_", "OTEL_"))}
    path = os.pathsep.join(filter(None, sys.path))
    return {**kept, "PYTHONPATH": path, **more}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(
    url: str, path: str, body: bytes, headers: Mapping[str, str] = PROTOBUF, method: str = "POST"
) -> Answer:
    """Send one request; header names of the answer are lower-case."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, answer.read())
    finally:
        connection.close()


def call(target: str | None, request: Message, **how: Any) -> bytes:
    """Send a trace or log request over gRPC; the answer's bytes. Raises grpc.RpcError."""
    assert target is not None
    kind = "trace.v1.TraceService" if "Trace" in type(request).__name__ else "logs.v1.LogsService"
    with grpc.insecure_channel(target) as channel:
        export = channel.unary_unary(f"/opentelemetry.proto.collector.{kind}/Export")
        answer: bytes = export(request.SerializeToString(), **how)
        return answer


def get(url: str, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A GET request."""
    return post(url, path, b"", headers or {}, method="GET")


def spans(count: int, seed: int = 0, **attributes: str) -> ExportTraceServiceRequest:
    """A trace request; the same seed gives the same ids."""
    rng = random.Random(seed)
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = "test"
    trace_id = rng.randbytes(16)
    for number in range(count):
        span = scope.spans.add(name=f"span {number}", trace_id=trace_id, span_id=rng.randbytes(8))
        span.start_time_unix_nano = START_NS + number
        span.end_time_unix_nano = START_NS + number + 1_000_000
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    return request


def logs(count: int, seed: int = 0) -> ExportLogsServiceRequest:
    """A log request; the same seed gives the same records."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number in range(count):
        record = scope.log_records.add(event_name="event", time_unix_nano=START_NS)
        record.body.string_value = f"{seed}-{number}"
    return request


def stored(store: Path | str) -> dict[str, int]:
    """How many spans and events a store holds."""
    counts = "SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(*) FROM events) AS events"
    (row,) = Store.open(store, create=False).rows(counts)
    return dict(row)


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until it is so; fails if it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
