"""What a Genkit action says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.dialects import read

MakeSpan = Callable[..., SpanRecord]


def action(subtype: str, name: str, given: Any, answer: Any = None, **more: Any) -> dict[str, Any]:
    stated = {
        "genkit:type": "action",
        "genkit:name": name,
        "genkit:metadata:subtype": subtype,
        "genkit:input": json.dumps(given),
        **more,
    }
    return stated if answer is None else {**stated, "genkit:output": json.dumps(answer)}


def test_a_model(make_span: MakeSpan) -> None:
    given = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "config": {}}
    answer = {
        "message": {"role": "model", "content": [{"text": "Hi"}]},
        "finishReason": "stop",
        "usage": {"inputTokens": 83, "outputTokens": 8, "thoughtsTokens": 5, "totalTokens": 96},
    }
    found = read(make_span(action("model", "googleai/gemini-2.5-flash", given, answer)))
    call = found.call
    assert (found.category, call.provider, call.request_model) == (
        "llm",
        "gcp.gemini",
        "gemini-2.5-flash",
    )
    assert (call.input_tokens, call.output_tokens, call.reasoning_tokens) == (83, 13, 5)
    assert call.finish_reasons == ["stop"]
    assert "Hello" in (call.input_messages or "")
    assert json.loads(call.output_messages or "")[0]["role"] == "assistant"


def test_a_tool(make_span: MakeSpan) -> None:
    found = read(make_span(action("tool", "get_weather", {"city": "Paris"}, "18C")))
    assert (found.category, found.tool_name) == ("tool", "get_weather")
    assert (found.tool_arguments, found.tool_result) == ('{"city":"Paris"}', "18C")


@pytest.mark.parametrize("subtype", ["flow", "prompt", "util"])
def test_flows_are_no_calls(make_span: MakeSpan, subtype: str) -> None:
    answer = {"usage": {"inputTokens": 83, "outputTokens": 8}}
    found = read(make_span(action(subtype, "f", {}, answer)))
    assert (found.category, found.call.input_tokens) == (None, None)


def test_a_failure(make_span: MakeSpan) -> None:
    attributes = action(
        "model", "openai/gpt-4o", {}, **{"genkit:state": "error", "genkit:error": "slow"}
    )
    found = read(make_span(attributes))
    assert (found.category, found.error_type, found.error_message) == ("llm", "_OTHER", "slow")
