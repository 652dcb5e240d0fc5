"""A server killed by SIGKILL at moments of chance: what it acknowledged is there, once."""

from __future__ import annotations

import os
import random
import threading
import time
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.served import START_NS, Served, call, post, start_server

from goldspan.tracing.store import Store

pytestmark = pytest.mark.chaos

ROUNDS = int(os.environ.get("GOLDSPAN_CHAOS_ROUNDS", "3"))
SPANS_A_REQUEST, LOGS_A_REQUEST = 8, 4


def traces_of(number: int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for index in range(SPANS_A_REQUEST):
        span = scope.spans.add(name=str(number), trace_id=(number + 1).to_bytes(16))
        span.span_id = (number * SPANS_A_REQUEST + index + 1).to_bytes(8)
        span.start_time_unix_nano = START_NS + number
        span.end_time_unix_nano = START_NS + number + 1
    return request


def logs_of(number: int) -> ExportLogsServiceRequest:
    """The same body several times: only one that is sent again is stored once."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for _ in range(LOGS_A_REQUEST):
        record = scope.log_records.add(event_name="e", time_unix_nano=START_NS + number)
        record.body.string_value = str(number)
    return request


class Exporter:
    """Sends requests one after the other, each until it is acknowledged or the test ends."""

    def __init__(self, first: int, road: str) -> None:
        self._road = road
        self._numbers = iter(range(first, first + 100_000))
        self.served: Served | None = None
        self.acknowledged: list[int] = []
        self.unsure: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        for number in self._numbers:
            self.unsure = number
            while not self._sent(number):
                if self._stop.is_set():
                    return
                time.sleep(0.01)
            self.acknowledged.append(number)
            self.unsure = None
            if self._stop.is_set():
                return

    def _sent(self, number: int) -> bool:
        """Both requests acknowledged; if one was not, both are sent again."""
        served = self.served
        if served is None:
            return False
        try:
            if self._road == "grpc":
                call(served.grpc, traces_of(number), timeout=20)
                call(served.grpc, logs_of(number), timeout=20)
                return True
            body = traces_of(number).SerializeToString()
            events = logs_of(number).SerializeToString()
            answers = post(served.url, "/v1/traces", body), post(served.url, "/v1/logs", events)
        except (OSError, grpc.RpcError, ValueError):
            return False
        return all(answer.status == 200 for answer in answers)


def test_acknowledged_is_committed_and_stored_once(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    rng = random.Random(os.environ.get("GOLDSPAN_CHAOS_SEED", "11"))
    exporters = [Exporter(0, "http"), Exporter(100_000, "http"), Exporter(200_000, "grpc")]
    for exporter in exporters:
        exporter.start()
    try:
        for _ in range(ROUNDS):
            served = start_server(store)
            for exporter in exporters:
                exporter.served = served
            time.sleep(rng.uniform(0.05, 1.5))  # the moment of chance
            served.kill()
        served = start_server(store)
        for exporter in exporters:
            exporter.served = served
    finally:
        for exporter in exporters:
            exporter.stop()
    assert served.stop() == 0

    acknowledged = {number for exporter in exporters for number in exporter.acknowledged}
    unsure = {exporter.unsure for exporter in exporters}
    assert len(acknowledged) >= ROUNDS
    opened = Store.open(store)
    found = {
        int(row["name"]): row["n"]
        for row in opened.rows("SELECT name, count(*) AS n FROM spans GROUP BY name")
    }
    events = {
        int(row["body"]): row["n"]
        for row in opened.rows(
            "SELECT json_extract_string(body, '$') AS body, count(*) AS n FROM events GROUP BY 1"
        )
    }
    assert acknowledged <= set(found) <= acknowledged | unsure
    assert acknowledged <= set(events) <= acknowledged | unsure
    assert set(found.values()) == {SPANS_A_REQUEST}
    assert set(events.values()) == {LOGS_A_REQUEST}
