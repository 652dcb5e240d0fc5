"""What a span of Braintrust's SDKs says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.dialects import read

MakeSpan = Callable[..., SpanRecord]


def span(kind: str, **fields: Any) -> dict[str, Any]:
    stated = {f"braintrust.{name}": json.dumps(value) for name, value in fields.items()}
    return {"braintrust.span_attributes": json.dumps({"type": kind}), **stated}


def test_a_call(make_span: MakeSpan) -> None:
    attributes = span(
        "llm",
        input_json=[{"role": "user", "content": "Hello"}],
        output_json=[{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        metadata={"provider": "openai", "model": "gpt-4o-mini", "session_id": "s-1"},
        metrics={
            "prompt_tokens": 83,
            "completion_tokens": 13,
            "tokens": 96,
            "prompt_cached_tokens": 40,
            "completion_reasoning_tokens": 5,
            "time_to_first_token": 0.5,
        },
    )
    found = read(make_span(attributes))
    call = found.call
    assert (found.category, call.provider, call.request_model) == ("llm", "openai", "gpt-4o-mini")
    assert (call.input_tokens, call.output_tokens) == (83, 13)
    assert (call.cached_input_tokens, call.reasoning_tokens) == (40, 5)
    assert (call.finish_reasons, call.time_to_first_token_ms) == (["stop"], 500.0)
    assert found.context.session_id == "s-1"
    assert "Hi" in (call.output_messages or "")


def test_a_tool(make_span: MakeSpan) -> None:
    attributes = span("tool", input_json={"city": "Paris"}, output_json="18C")
    found = read(make_span(attributes, name="function:get_weather"))
    assert (found.category, found.tool_name, found.tool_result) == ("tool", "get_weather", "18C")


def test_tasks_scores_and_projects_are_no_calls(make_span: MakeSpan) -> None:
    metrics = {"prompt_tokens": 83, "completion_tokens": 13}
    assert read(make_span(span("task", output_json="x", metrics=metrics))).category is None
    project = {"braintrust.parent": "project_name:p"}
    found = read(make_span(project))
    assert (found.category, found.context.session_id) == (None, None)
