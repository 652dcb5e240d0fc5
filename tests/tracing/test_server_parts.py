"""The server's parts that need no server: mending, decoding, unpacking, the queue, tokens."""

from __future__ import annotations

import contextlib
import gzip
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.served import spans

from goldspan.tracing.errors import ConfigError, InputError
from goldspan.tracing.server.access_control import AccessControl, tokens_in
from goldspan.tracing.server.bodies import Budget, TooLargeError, unpacked
from goldspan.tracing.server.decoding import Encoding, Signal, decode_request
from goldspan.tracing.server.options import ServerOptions
from goldspan.tracing.server.queueing import (
    CommitQueue,
    Job,
    QueueFullError,
    StoppingError,
    Submission,
)
from goldspan.tracing.server.repair import repaired

KIND = ExportTraceServiceRequest.DESCRIPTOR


def sound() -> bytes:
    return spans(3, 1, text="some text", other="ä€😀").SerializeToString()


def test_a_sound_body_is_not_touched() -> None:
    assert repaired(sound(), KIND) == (sound(), "")


@given(st.binary(max_size=200))
def test_any_bytes_end_and_stay_or_are_mended(body: bytes) -> None:
    mended, note = repaired(body, KIND)
    assert (mended == body) or note
    assert repaired(mended, KIND) == (mended, "")


@given(st.integers(0, 10_000), st.integers(0x80, 0xFF))
def test_a_byte_that_is_no_text_costs_only_itself(where: int, byte: int) -> None:
    """Put into some name: everything else is as it was."""
    body = sound()
    start = body.index(b"some text")
    at = start + where % len(b"some text")
    broken = body[:at] + bytes([byte]) + body[at + 1 :]
    decoded = decode_request(Signal.TRACES, Encoding.PROTOBUF, broken)
    assert "not UTF-8" in decoded.remark
    assert [span.name for span in decoded.batch.spans] == ["span 0", "span 1", "span 2"]
    first = decoded.batch.spans[0].attributes
    assert first["other"] == "ä€😀"
    assert "�" in first["text"]


@given(st.binary(max_size=300), st.sampled_from(Signal), st.sampled_from(Encoding))
def test_decoding_any_bytes_gives_a_batch_or_an_input_error(
    body: bytes, signal: Signal, encoding: Encoding
) -> None:
    with contextlib.suppress(InputError):
        assert decode_request(signal, encoding, body).batch.spans is not None


@given(st.binary(max_size=3000), st.integers(0, 3000), st.integers(0, 3000))
def test_unpacking_gives_all_or_an_error(body: bytes, limit: int, room: int) -> None:
    budget = Budget(room)
    with budget.share() as share:
        if len(body) > limit:
            with pytest.raises(TooLargeError):
                unpacked(gzip.compress(body), "gzip", limit, share)
        elif len(body) > room:
            with pytest.raises(QueueFullError):
                unpacked(gzip.compress(body), "gzip", limit, share)
        else:
            assert unpacked(gzip.compress(body), "gzip", limit, share) == body
    assert budget.used == 0


@given(st.binary(min_size=1, max_size=500), st.data())
def test_gzip_that_is_cut_off_is_an_error(body: bytes, data: st.DataObject) -> None:
    packed = gzip.compress(body)
    cut = packed[: data.draw(st.integers(1, len(packed) - 1))]
    with Budget(10_000).share() as share, pytest.raises(InputError):
        unpacked(cut, "gzip", 10_000, share)


def submission(size: int, *, alone: bool = False) -> Submission:
    return Submission(Signal.TRACES, Encoding.PROTOBUF, bytes(size), alone)


def test_the_queue_is_bounded_and_gives_groups_in_order() -> None:
    queue = CommitQueue(max_bytes=100)
    first, second, third = submission(40), submission(40), submission(20)
    for one in (first, second, third):
        queue.put(one)
    with pytest.raises(QueueFullError):
        queue.put(submission(1))
    assert (queue.depth, queue.bytes) == (3, 100)
    assert queue.take(80, 0) == [first, second]
    assert queue.take(80, 0) == [third]
    assert queue.take(80, 0) == []
    assert (queue.depth, queue.bytes) == (0, 0)
    huge = submission(500)
    queue.put(huge)  # alone it is taken, or it could never be
    assert queue.bytes == 500
    assert queue.take(80, 0) == [huge]


def test_jobs_and_lone_requests_are_groups_of_their_own() -> None:
    queue = CommitQueue(max_bytes=1000)
    one, lone, two, job = submission(1), submission(1, alone=True), submission(1), Job(lambda: None)
    queue.put(one)
    queue.put(lone)
    queue.put(two)
    queue.put_job(job)
    assert [queue.take(100, 0) for _ in range(4)] == [[one], [lone], [two], job]


def test_a_closed_queue_gives_what_it_has_and_then_the_end() -> None:
    queue = CommitQueue(max_bytes=1000)
    one = submission(1)
    queue.put(one)
    queue.close()
    with pytest.raises(StoppingError):
        queue.put(submission(1))
    assert queue.take(100, 0) == [one]
    assert queue.take(100, 60) is None


def test_who_waits_for_the_queue_is_woken() -> None:
    queue = CommitQueue(max_bytes=1000)
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(queue.take(100, 60)))
    thread.start()
    one = submission(1)
    queue.put(one)
    thread.join(20)
    assert taken == [[one]]


def control(**options: object) -> AccessControl:
    return AccessControl(ServerOptions(store=Path("s"), **options))  # type: ignore[arg-type]  # any of them


def test_tokens_open_what_they_are_for() -> None:
    local, shared = control(), control(token="a long secret", admin_token="another one")
    assert local.may_send([])
    assert not local.may_query([])
    assert local.may_query([local.local_token])
    assert not local.may_administer([local.local_token])
    assert local.may_administer([local.local_admin_token])
    assert not shared.may_send([])
    assert not shared.may_send(["a long secreT"])
    assert shared.may_send(["wrong", "a long secret"])
    assert shared.may_query(["a long secret"])
    assert not shared.may_administer(["a long secret"])
    assert shared.may_administer(["another one"])
    assert not shared.may_query(["ä"])
    assert shared.may_send([shared.local_token])


def test_where_tokens_are_found() -> None:
    headers = [("authorization", "Bearer one"), ("x-api-key", "two"), ("cookie", "three")]
    assert tokens_in(headers) == ["one", "two"]
    assert tokens_in([("authorization", "Basic one"), ("authorization", "bearer  two ")]) == ["two"]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:4318", True),
        ("127.0.0.1:4318", True),
        ("[::1]:4318", True),
        ("192.168.0.7", True),
        ("goldspan.internal:4318", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_host_headers(host: str, known: bool) -> None:
    assert control(allowed_hosts=("goldspan.internal",)).is_known_host(host) is known


@pytest.mark.parametrize(
    ("host", "needs_token"),
    [
        ("127.0.0.1", False),
        ("::1", False),
        ("localhost", False),
        ("127.1.2.3", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.1", True),
        ("myhost", True),
    ],
)
def test_only_loopback_is_open_without_a_token(host: str, needs_token: bool) -> None:
    if needs_token:
        with pytest.raises(ConfigError, match="other machines"):
            ServerOptions(store=Path("s"), host=host)
    else:
        ServerOptions(store=Path("s"), host=host)
    ServerOptions(store=Path("s"), host=host, token="a long secret")
    with pytest.raises(ConfigError, match="at least 8"):
        ServerOptions(store=Path("s"), host=host, token="short")
