"""Bad input to a running server: each with its answer, the sound spans beside it stored."""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import math
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.served import JSON, PROTOBUF, START_NS, Served, post, serving, spans, stored

from goldspan.tracing.store import Store

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MIB = 1024 * 1024
seeds = itertools.count(1)  # each request has ids of its own


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("serve") / "goldspan.duckdb") as served:
        yield served


class Bad(NamedTuple):
    """A request with three spans of which the second is bad, and what comes of it."""

    body: bytes
    status: int
    says: str = ""
    stored: int = 0
    rejected: int = 0
    kind: str = "application/x-protobuf"
    packing: str = ""


def with_bad(change: Callable[[Span], object]) -> bytes:
    """Three spans, the second changed."""
    request = spans(3, next(seeds))
    change(request.resource_spans[0].scope_spans[0].spans[1])
    return request.SerializeToString()


def attribute(span: Span, **value: Any) -> None:
    span.attributes.add(key="bad", value=AnyValue(**value))


def field(number: int, payload: bytes) -> bytes:
    """A field of protobuf's wire form that holds a message or text."""
    size, rest = b"", len(payload)
    while rest > 127:
        size += bytes([rest & 127 | 128])
        rest >>= 7
    return bytes([number << 3 | 2]) + size + bytes([rest]) + payload


def with_nested(depth: int, *, kvlist: bool) -> bytes:
    """Two sound spans, and one with a value in a value, deeper than the library would write."""
    value = AnyValue(string_value="deep").SerializeToString()
    for _ in range(depth):
        inner = field(1, field(1, b"k") + field(2, value)) if kvlist else field(1, value)
        value = field(6 if kvlist else 5, inner)
    bad = spans(1, next(seeds)).resource_spans[0].scope_spans[0].spans[0].SerializeToString()
    bad += field(9, field(1, b"bad") + field(2, value))
    return spans(2, next(seeds)).SerializeToString() + field(1, field(2, field(2, bad)))


def not_utf8() -> bytes:
    """A name with a byte that UTF-8 never has. The library would not write it."""
    return with_bad(lambda s: setattr(s, "name", "span ?!?!")).replace(b"?!?!", b"\xff\xfe!!")


def as_json(changes: dict[str, Any]) -> bytes:
    """Three spans in OTLP/JSON, the second with other fields."""
    trace = next(seeds)
    told = [
        {
            "traceId": f"{trace:032x}",
            "spanId": f"{n:016x}",
            "name": f"span {n}",
            "startTimeUnixNano": str(START_NS),
            "endTimeUnixNano": str(START_NS + 5),
        }
        for n in (1, 2, 3)
    ]
    told[1].update(changes)
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": told}]}]}).encode()


def deep_json(depth: int) -> bytes:
    return b'{"resourceSpans":' + b"[" * depth + b"]" * depth + b"}"


def sound() -> bytes:
    return spans(3, next(seeds)).SerializeToString()


TABLE: dict[str, Callable[[], Bad]] = {
    "not protobuf": lambda: Bad(b"hello, this is no protobuf", 400, "not an OTLP traces request"),
    "cut off": lambda: Bad(sound()[:-7], 400, "cut off"),
    "a wrong content type": lambda: Bad(sound(), 415, "content type", kind="text/plain"),
    "no content type": lambda: Bad(sound(), 415, "content type", kind=""),
    "an unknown packing": lambda: Bad(sound(), 415, "'br' is not known", packing="br"),
    "said to be gzip": lambda: Bad(sound(), 400, "not gzip", packing="gzip"),
    "gzip that is cut off": lambda: Bad(
        gzip.compress(sound())[:-9], 400, "cut off", packing="gzip"
    ),
    "too large": lambda: Bad(b"\0" * (64 * MIB + 1), 413, "larger than"),
    "not JSON": lambda: Bad(b"{nope", 400, "not JSON", kind="application/json"),
    "JSON that is no request": lambda: Bad(
        b'{"resourceLogs": []}', 400, "no resourceSpans", kind="application/json"
    ),
    "a JSON list": lambda: Bad(b"[1]", 400, "no object", kind="application/json"),
    "JSON nested without end": lambda: Bad(
        deep_json(100_000), 400, "not JSON", kind="application/json"
    ),
    "an attribute of 10 MB": lambda: Bad(
        with_bad(lambda s: attribute(s, string_value="x" * 10 * MIB)), 200, stored=3
    ),
    "10,000 attributes": lambda: Bad(
        with_bad(lambda s: [s.attributes.add(key=f"k{n}") for n in range(10_000)]), 200, stored=3
    ),
    "text that is not UTF-8": lambda: Bad(not_utf8(), 200, "not UTF-8", stored=3),
    "JSON that is not UTF-8": lambda: Bad(
        as_json({"name": "span ??"}).replace(b"??", b"\xff\xfe"),
        200,
        "not UTF-8",
        stored=3,
        kind="application/json",
    ),
    "NaN": lambda: Bad(with_bad(lambda s: attribute(s, double_value=math.nan)), 200, stored=3),
    "an infinite number": lambda: Bad(
        with_bad(lambda s: attribute(s, double_value=-math.inf)), 200, stored=3
    ),
    "NaN in JSON": lambda: Bad(
        as_json({"attributes": [{"key": "x", "value": {"doubleValue": "NaN"}}]}),
        200,
        stored=3,
        kind="application/json",
    ),
    "an empty trace id": lambda: Bad(
        with_bad(lambda s: s.ClearField("trace_id")), 200, "ids are not", stored=2, rejected=1
    ),
    "an empty span id": lambda: Bad(
        with_bad(lambda s: s.ClearField("span_id")), 200, "ids are not", stored=2, rejected=1
    ),
    "an id that is too long": lambda: Bad(
        with_bad(lambda s: setattr(s, "span_id", b"x" * 20)), 200, "ids", stored=2, rejected=1
    ),
    "a time of 1970": lambda: Bad(
        with_bad(lambda s: setattr(s, "start_time_unix_nano", 0)), 200, stored=3
    ),
    "a time after 2100": lambda: Bad(
        with_bad(lambda s: setattr(s, "end_time_unix_nano", 2**64 - 1)), 200, stored=3
    ),
    "a time before 1970 in JSON": lambda: Bad(
        as_json({"startTimeUnixNano": "-1"}),
        200,
        "span 2",
        stored=2,
        rejected=1,
        kind="application/json",
    ),
    "an end before the start": lambda: Bad(
        with_bad(lambda s: setattr(s, "end_time_unix_nano", 1)), 200, stored=3
    ),
    "lists in lists": lambda: Bad(with_nested(20, kvlist=False), 200, stored=3),
    "kvlists in kvlists": lambda: Bad(with_nested(20, kvlist=True), 200, stored=3),
    "nesting that the library does not read": lambda: Bad(
        with_nested(200, kvlist=True),
        200,
        "nested too deeply",
        stored=3,
    ),
    "one wrong span in JSON": lambda: Bad(
        as_json({"startTimeUnixNano": "yesterday"}),
        200,
        "span 2",
        stored=2,
        rejected=1,
        kind="application/json",
    ),
    "a span that is no object": lambda: Bad(
        as_json({}).replace(b'[{"traceId"', b'[7, {"traceId"'),
        200,
        "None",
        stored=3,
        rejected=1,
        kind="application/json",
    ),
    "an id that is no hex": lambda: Bad(
        as_json({"spanId": "not hex"}),
        200,
        "span 2",
        stored=2,
        rejected=1,
        kind="application/json",
    ),
    "a kind that nobody knows": lambda: Bad(
        with_bad(lambda s: setattr(s, "kind", 99)), 200, stored=3
    ),
}


ON_HTTP_ONLY = [case for case, bad in TABLE.items() if bad().kind != "application/x-protobuf"]
ON_HTTP_ONLY += ["too large", "an unknown packing", "said to be gzip", "gzip cut off"]


@pytest.mark.parametrize("case", TABLE)
def test_over_http(case: str, server: Served) -> None:
    bad = TABLE[case]()
    before = stored(server.store)["spans"]
    packing = {"content-encoding": bad.packing} if bad.packing else {}
    answer = post(server.url, "/v1/traces", bad.body, {"content-type": bad.kind, **packing})
    assert answer.status == bad.status, answer.body
    if bad.status == 200:
        told = ExportTraceServiceResponse()
        read(answer.body, bad.kind, told)
        assert told.partial_success.rejected_spans == bad.rejected
        message = told.partial_success.error_message
    else:
        status = Status()
        read(answer.body, bad.kind, status)
        message = status.message
    assert bad.says in message
    assert stored(server.store)["spans"] == before + bad.stored


@pytest.mark.parametrize("case", [case for case in TABLE if case not in ON_HTTP_ONLY])
def test_over_grpc(case: str, server: Served) -> None:
    bad = TABLE[case]()
    before = stored(server.store)["spans"]
    assert server.grpc is not None
    no_limit = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.grpc, options=no_limit) as channel:
        export = channel.unary_unary(EXPORT)
        if bad.status == 200:
            told = ExportTraceServiceResponse.FromString(export(bad.body)).partial_success
            assert told.rejected_spans == bad.rejected
            assert bad.says in told.error_message
        else:
            with pytest.raises(grpc.RpcError) as caught:
                export(bad.body)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert bad.says in caught.value.details()
    assert stored(server.store)["spans"] == before + bad.stored


def read(body: bytes, kind: str, into: Message) -> None:
    """An answer, in the encoding of its request; where that has none, JSON."""
    if kind == "application/x-protobuf":
        into.ParseFromString(body)
        return
    told = json.loads(body)
    for detail in told.pop("details", []):
        assert detail["@type"].startswith("type.googleapis.com/")
    json_format.ParseDict(told, into)


def test_what_was_mended_is_kept(server: Served) -> None:
    post(server.url, "/v1/traces", not_utf8())
    found = Store.open(server.store).rows("SELECT name FROM spans WHERE name LIKE 'span %!!'")
    assert found[0]["name"] == "span \ufffd\ufffd!!"


def bomb(size: int) -> bytes:
    """Gzip data that unpacks to so many zeros."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(bytes(MIB)) for _ in range(size // MIB)]
    return b"".join(parts) + packer.flush()


def peak_bytes(served: Served) -> int:
    """The most memory that the server ever had."""
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_bomb_of_a_gigabyte_costs_no_memory(server: Served) -> None:
    packed = bomb(1024 * MIB)
    assert len(packed) < 2 * MIB
    before = peak_bytes(server)
    headers = {**PROTOBUF, "content-encoding": "gzip"}
    assert post(server.url, "/v1/traces", packed, headers).status == 413
    statuses: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: statuses.append(post(server.url, "/v1/traces", packed, headers).status)
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {413, 429}
    assert server.grpc is not None
    no_limit = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.grpc, options=no_limit) as channel:
        export = channel.unary_unary(EXPORT)
        with pytest.raises(grpc.RpcError) as caught:
            export(bytes(300 * MIB), compression=grpc.Compression.Gzip)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert peak_bytes(server) - before < 250 * MIB
    assert post(server.url, "/v1/traces", sound()).status == 200


def test_a_body_that_grows_without_a_length_is_cut(server: Served) -> None:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    chunks = (bytes(MIB) for _ in range(70))
    try:
        connection.request("POST", "/v1/traces", chunks, PROTOBUF, encode_chunked=True)
        assert connection.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # it was told before everything was sent
    finally:
        connection.close()
    assert post(server.url, "/v1/traces", sound()).status == 200


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.binary(max_size=300), as_json=st.booleans(), path=st.sampled_from(("traces", "logs"))
)
def test_any_bytes_get_an_answer(server: Served, body: bytes, as_json: bool, path: str) -> None:
    answer = post(server.url, f"/v1/{path}", body, JSON if as_json else PROTOBUF)
    assert answer.status in (200, 400)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_sound_request_with_some_bytes_changed_gets_an_answer(
    server: Served, data: st.DataObject
) -> None:
    body = bytearray(sound())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert post(server.url, "/v1/traces", bytes(body)).status in (200, 400)
