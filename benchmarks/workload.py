"""OTLP batches of agent traces in the current GenAI conventions, the same ones at each call.

    python -m benchmarks.workload --spans 100000 --out build/bench/workload.bin [--seed 1]

A trace is one `invoke_agent` root, two to five `chat` calls whose input messages hold the
conversation so far, and the tools that they called; some calls and tools fail, with an exception.
That makes some 9 spans a trace and 1,950 protobuf bytes a span. Spans stand in the order in which
an SDK ends them, children first. Trace number n depends on the seed and n alone, so any prefix of
the batches is the same whatever their number.

A framed file is, batch by batch, a little-endian 32-bit length and the request's bytes.
"""

from __future__ import annotations

import argparse
import random
import struct
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson
from benchmarks.words import sentence
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from goldspan.tracing import semconv

BATCH_SPANS = 512
START_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
TWO_WEEKS_NS = 14 * 86_400 * 10**9
TRACES_IN_TWO_WEEKS = 222_000  # some 2 million spans
MS = 10**6
MODELS = (
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("openai", "gpt-4.1"),
    ("gcp.gemini", "gemini-2.5-flash"),
    ("local", "qwen2.5-7b-instruct"),
)
MODEL_SHARES = (40, 70, 85, 95, 100)
TOOLS = tuple(
    f"{verb}_{noun}"
    for verb in ("find", "read", "update", "send")
    for noun in ("order", "customer", "invoice")
)
AGENTS = ("support", "research", "billing", "triage")
FAILURES = ("TimeoutError", "ConnectionError", "ValueError", "PermissionError")
FAILING_CALLS, FAILING_TOOLS = 0.01, 0.04
_STACK = "Traceback (most recent call last):\n" + '  File "agent.py", line 88, in step\n' * 5


@dataclass(slots=True)
class Batch:
    """One request's body, and how many spans it holds."""

    body: bytes
    spans: int


def batches(
    spans: int, *, seed: int = 1, start_ns: int = START_NS, batch_spans: int = BATCH_SPANS
) -> Iterator[Batch]:
    """OTLP trace requests, full ones, of at least `spans` spans altogether.

    Traces begin evenly over two weeks from `start_ns` (Unix nanoseconds); what comes after 2
    million spans goes on at the same pace.
    """
    stream = _spans(seed, start_ns)
    for number in range(-(-spans // batch_spans)):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.extend(
            [
                _pair(semconv.SERVICE_NAME, f"service-{number % 3}"),
                _pair("service.version", "1.4.2"),
                _pair("host.name", f"host-{number % 5}"),
                _pair("telemetry.sdk.language", "python"),
                _pair("telemetry.sdk.name", "opentelemetry"),
            ]
        )
        scoped = group.scope_spans.add()
        scoped.scope.name, scoped.scope.version = "benchmark.agents", "1.0"
        scoped.spans.extend(islice(stream, batch_spans))
        yield Batch(request.SerializeToString(), batch_spans)


def read_framed(path: Path) -> Iterator[bytes]:
    """The bodies of a framed file."""
    with path.open("rb") as file:
        while header := file.read(4):
            yield file.read(struct.unpack("<I", header)[0])


def _spans(seed: int, start_ns: int) -> Iterator[Span]:
    for number in count():
        chance = random.Random(f"{seed} {number}")
        began = start_ns + int((number + chance.random()) * TWO_WEEKS_NS / TRACES_IN_TWO_WEEKS)
        yield from _Conversation(chance, began).spans()


class _Conversation:
    """One trace: everything in it is drawn from its own generator."""

    def __init__(self, chance: random.Random, began: int) -> None:
        self._chance = chance
        self._began = self._now = began
        self._trace_id = chance.randbytes(16)
        self._root_id = chance.randbytes(8)
        self._provider, self._model = MODELS[bisect(MODEL_SHARES, chance.random() * 100)]
        self._agent = chance.choice(AGENTS)
        self._shared = {
            semconv.CONVERSATION_ID: f"conv-{chance.getrandbits(40):010x}",
            semconv.AGENT_NAME: self._agent,
        }
        self._question = self._text(1, 4)
        self._history: list[dict[str, Any]] = [
            {"role": "system", "parts": [_said(self._text(3, 5))]},
            {"role": "user", "parts": [_said(self._question)]},
        ]
        self._tokens = [0, 0]

    def spans(self) -> Iterator[Span]:
        """The spans, the root last."""
        answer = ""
        turns = self._chance.choice((2, 3, 3, 4, 4, 5))
        for turn in range(turns):
            answer = self._text(4, 12) if turn == turns - 1 else self._text(1, 4)
            wanted = self._chance.choice((1, 1, 2, 2, 3)) if turn < turns - 1 else 0
            calls = [self._tool_request() for _ in range(wanted)]
            yield self._chat(answer, calls)
            for call in calls:
                yield self._tool(call)
        yield self._root(answer)

    def _chat(self, answer: str, calls: list[dict[str, Any]]) -> Span:
        chance = self._chance
        finish = "tool_call" if calls else "stop"
        said = {"role": "assistant", "parts": [_said(answer), *calls]}
        asked = orjson.dumps(self._history).decode()
        input_tokens, output_tokens = len(asked) // 4 + 200, chance.randint(40, 700)
        self._tokens[0] += input_tokens
        self._tokens[1] += output_tokens
        attributes: dict[str, Any] = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: self._provider,
            semconv.REQUEST_MODEL: self._model,
            semconv.RESPONSE_MODEL: self._model,
            semconv.RESPONSE_ID: f"resp-{chance.getrandbits(64):016x}",
            semconv.REQUEST_TEMPERATURE: round(chance.random(), 2),
            semconv.REQUEST_MAX_TOKENS: 4096,
            semconv.INPUT_TOKENS: input_tokens,
            semconv.OUTPUT_TOKENS: output_tokens,
            semconv.CACHED_INPUT_TOKENS: int(input_tokens * chance.random() * 0.6),
            semconv.FINISH_REASONS: [finish],
            "server.address": f"api.{self._provider}.example",
            "server.port": 443,
            **self._shared,
            semconv.INPUT_MESSAGES: asked,
            semconv.OUTPUT_MESSAGES: orjson.dumps([{**said, "finish_reason": finish}]).decode(),
        }
        self._history.append(said)
        took = int((300 + output_tokens * chance.uniform(6, 15)) * MS)
        name = f"{semconv.CHAT} {self._model}"
        return self._span(name, Span.SPAN_KIND_CLIENT, took, attributes, FAILING_CALLS)

    def _tool(self, call: dict[str, Any]) -> Span:
        chance = self._chance
        rows = [
            {"id": chance.getrandbits(30), "note": sentence(chance)}
            for _ in range(chance.randint(1, 4))
        ]
        result = orjson.dumps({"ok": True, "rows": rows}).decode()
        attributes = {
            semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
            semconv.TOOL_NAME: call["name"],
            semconv.TOOL_TYPE: "function",
            semconv.TOOL_CALL_ID: call["id"],
            **self._shared,
            semconv.TOOL_ARGUMENTS: orjson.dumps(call["arguments"]).decode(),
            semconv.TOOL_RESULT: result,
        }
        answered = {"type": "tool_call_response", "id": call["id"], "response": result}
        self._history.append({"role": "tool", "parts": [answered]})
        took = int(chance.lognormvariate(4.5, 1.1) * MS)
        name = f"{semconv.EXECUTE_TOOL} {call['name']}"
        return self._span(name, Span.SPAN_KIND_INTERNAL, took, attributes, FAILING_TOOLS)

    def _root(self, answer: str) -> Span:
        asked = {"role": "user", "parts": [_said(self._question)]}
        said = {"role": "assistant", "parts": [_said(answer)], "finish_reason": "stop"}
        attributes: dict[str, Any] = {
            semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
            semconv.PROVIDER_NAME: self._provider,
            semconv.REQUEST_MODEL: self._model,
            semconv.USER_ID: f"user-{int(self._chance.paretovariate(0.8)) % 5000}",
            semconv.INPUT_TOKENS: self._tokens[0],
            semconv.OUTPUT_TOKENS: self._tokens[1],
            **self._shared,
            semconv.INPUT_MESSAGES: orjson.dumps([asked]).decode(),
            semconv.OUTPUT_MESSAGES: orjson.dumps([said]).decode(),
        }
        return Span(
            trace_id=self._trace_id,
            span_id=self._root_id,
            name=f"{semconv.INVOKE_AGENT} {self._agent}",
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=self._began,
            end_time_unix_nano=self._now + MS,
            attributes=[_pair(key, value) for key, value in attributes.items()],
        )

    def _span(
        self,
        name: str,
        kind: Span.SpanKind.ValueType,
        took: int,
        attributes: dict[str, Any],
        failing: float,
    ) -> Span:
        """A child of the root that begins where the one before it ended."""
        span = Span(
            trace_id=self._trace_id,
            span_id=self._chance.randbytes(8),
            parent_span_id=self._root_id,
            name=name,
            kind=kind,
            start_time_unix_nano=self._now,
            end_time_unix_nano=self._now + took,
        )
        self._now += took
        if self._chance.random() < failing:
            failure = self._chance.choice(FAILURES)
            attributes[semconv.ERROR_TYPE] = failure
            span.status.code = Status.STATUS_CODE_ERROR
            span.status.message = f"{failure}: the other side gave up"
            event = span.events.add(name="exception", time_unix_nano=self._now)
            event.attributes.extend(
                [
                    _pair(semconv.EXCEPTION_TYPE, failure),
                    _pair(semconv.EXCEPTION_MESSAGE, "the other side gave up"),
                    _pair("exception.stacktrace", f"{_STACK}{failure}: the other side gave up"),
                ]
            )
        span.attributes.extend([_pair(key, value) for key, value in attributes.items()])
        return span

    def _tool_request(self) -> dict[str, Any]:
        chance = self._chance
        return {
            "type": "tool_call",
            "id": f"call-{chance.getrandbits(48):012x}",
            "name": TOOLS[int(chance.random() ** 1.5 * len(TOOLS))],
            "arguments": {
                "query": sentence(chance),
                "limit": chance.randint(1, 50),
                "customer": chance.getrandbits(24),
            },
        }

    def _text(self, least: int, most: int) -> str:
        chance = self._chance
        said = [sentence(chance) for _ in range(chance.randint(least, most))]
        return f"{' '.join(said)} Reference {chance.getrandbits(32):08x}."


def _said(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def _pair(key: str, value: str | float | list[str]) -> KeyValue:
    if isinstance(value, str):
        return KeyValue(key=key, value=AnyValue(string_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=key, value=AnyValue(double_value=value))
    items = [AnyValue(string_value=item) for item in value]
    return KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=items)))


def main() -> None:
    """Write a framed file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    spans = size = 0
    with options.out.open("wb") as file:
        for batch in batches(options.spans, seed=options.seed):
            file.write(struct.pack("<I", len(batch.body)) + batch.body)
            spans += batch.spans
            size += len(batch.body)
    print(f"{spans} spans, {size / spans:.0f} bytes a span, in {options.out}")


if __name__ == "__main__":
    main()
