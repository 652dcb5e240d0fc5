"""A recorder's spans: what is on them, what closes them, and that recording never raises."""

from __future__ import annotations

import asyncio
import json
import math
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult
from opentelemetry.trace import StatusCode, get_current_span

from goldspan.tracing import semconv
from goldspan.tracing.live_spans import as_json, clean_attributes, telemetry_failures
from goldspan.tracing.recorder import Recorder

Point = namedtuple("Point", "x y")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@dataclass
class Thing:
    size: int


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Memory:
    """A recorder, and the spans that it made."""

    def __init__(self, *, capture_content: bool = True, sampler: Sampler | None = None) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False, sampler=sampler)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.recorder = Recorder(
            provider, LoggerProvider(shutdown_on_exit=False), capture_content=capture_content
        )

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._exporter.get_finished_spans()}

    def attributes(self, name: str) -> Mapping[str, Any]:
        return self.spans()[name].attributes or {}


def test_an_agents_identity_is_on_what_is_inside_and_gone_afterwards() -> None:
    memory = Memory()
    recorder = memory.recorder
    with recorder.agent("a", run_id="r1", version="v1", attributes={"team": {"id": 1}}):
        with recorder.agent("b", run_id="r2"), recorder.tool("inner", arguments={}):
            pass
        with recorder.tool("outer", arguments={}):
            pass
    with recorder.tool("after", arguments={}):
        pass
    inner = memory.attributes("execute_tool inner")
    assert (inner[semconv.RUN_ID], inner[semconv.AGENT_NAME], inner["team"]) == (
        "r2",
        "b",
        '{"id":1}',
    )
    outer = memory.attributes("execute_tool outer")
    assert (outer[semconv.RUN_ID], outer[semconv.AGENT_NAME]) == ("r1", "a")
    assert semconv.RUN_ID not in memory.attributes("execute_tool after")
    assert not get_current_span().get_span_context().is_valid
    spans = memory.spans()
    parent, agent = spans["execute_tool inner"].parent, spans["invoke_agent b"].context
    assert parent is not None
    assert agent is not None
    assert parent.span_id == agent.span_id


def test_a_none_of_a_span_takes_a_shared_attribute_away() -> None:
    memory = Memory()
    with memory.recorder.context({"kept": 1, "gone": 2}):
        with memory.recorder.tool("one", arguments={}, attributes={"gone": None}):
            pass
        with memory.recorder.tool("two", arguments={}):
            pass
    assert "gone" not in memory.attributes("execute_tool one")
    assert memory.attributes("execute_tool two")["gone"] == 2


def test_an_exception_fails_every_span_that_it_leaves() -> None:
    memory = Memory()
    with (
        pytest.raises(json.JSONDecodeError),
        memory.recorder.agent("a", run_id="r1"),
        memory.recorder.tool("t", arguments={}),
    ):
        json.loads("{")
    for name in ("invoke_agent a", "execute_tool t"):
        span = memory.spans()[name]
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})[semconv.ERROR_TYPE] == "json.decoder.JSONDecodeError"
        assert span.end_time is not None
    with memory.recorder.tool("next", arguments={}):
        pass
    assert memory.spans()["execute_tool next"].parent is None


def test_shared_attributes_may_be_left_in_another_task() -> None:
    memory = Memory()

    block = memory.recorder.context({"a": 1})

    async def leave() -> None:
        block.__exit__(None, None, None)
        with memory.recorder.tool("t", arguments={}):
            pass

    async def main() -> None:
        block.__enter__()
        await asyncio.create_task(leave())  # in a copy of this context, with its attributes

    asyncio.run(main())
    assert "a" not in memory.attributes("execute_tool t")


def test_what_a_sampler_raises_does_not_reach_the_agent() -> None:
    class Failing(Sampler):
        def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
            raise ZeroDivisionError

        def get_description(self) -> str:
            return "failing"

    memory = Memory(sampler=Failing())
    before = telemetry_failures().get("ZeroDivisionError", 0)
    with memory.recorder.agent("a", run_id="r1") as agent:
        agent.set_output("done")
    assert memory.spans() == {}
    assert telemetry_failures()["ZeroDivisionError"] == before + 1


def test_content_that_is_not_captured_is_not_even_written_as_json() -> None:
    memory = Memory(capture_content=False)
    before = dict(telemetry_failures())
    with memory.recorder.agent("a", run_id="r1", input="secret") as agent:
        with memory.recorder.model_call(
            provider="p", request_model="m", input_messages=[{"content": Broken()}]
        ) as call:
            call.respond(output_messages=[{"content": Broken()}], output_tokens=3)
        with memory.recorder.tool("t", arguments=Broken()) as tool:
            tool.set_result(Broken())
        agent.set_output("secret")
    assert telemetry_failures() == before
    assert memory.attributes("chat m")[semconv.OUTPUT_TOKENS] == 3
    assert "secret" not in str([span.attributes for span in memory.spans().values()])


@given(JSON)
def test_json_is_read_back_as_it_was(value: Any) -> None:
    assert json.loads(as_json(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({1: "a", None: "b"}, '{"1":"a","null":"b"}'),
        ([2**70], "[1180591620717411303424]"),
        (Point(1, 2), "[1,2]"),
        ([datetime(2026, 1, 2, tzinfo=UTC)], '["2026-01-02 00:00:00+00:00"]'),
        ([math.nan], "[null]"),
        (["\ud800"], '["?"]'),
    ],
)
def test_json_of_what_json_does_not_know(value: Any, text: str) -> None:
    assert as_json(value) == text


def test_a_dataclass_is_written_in_its_string_form() -> None:
    assert json.loads(as_json([Thing(3)])) == [str(Thing(3))]


def test_json_never_raises() -> None:
    loop: list[Any] = []
    loop.append(loop)
    before = sum(telemetry_failures().values())
    assert as_json(loop) == "null"
    assert as_json({"a": Broken()}) == "null"
    assert sum(telemetry_failures().values()) == before + 2


def test_attributes_as_the_sdk_takes_them() -> None:
    given_values = {"none": None, "words": ("a", "b"), "mixed": [1, "a"], "flag": True, "n": 0}
    assert clean_attributes(given_values) == {
        "words": ["a", "b"],
        "mixed": '[1,"a"]',
        "flag": True,
        "n": 0,
    }
