"""What a span says by OpenInference."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from goldspan.tracing.batch import SpanEvent, SpanRecord
from goldspan.tracing.dialects import read
from goldspan.tracing.facts import SpanFacts

MakeSpan = Callable[..., SpanRecord]
LLAMA_INDEX = "openinference.instrumentation.llama_index"


def facts(make_span: MakeSpan, kind: str, attributes: dict[str, Any], **more: Any) -> SpanFacts:
    return read(make_span({"openinference.span.kind": kind, **attributes}, **more))


def call(**more: Any) -> dict[str, Any]:
    return {
        "llm.model_name": "gpt-4o-mini-2024-07-18",
        "llm.invocation_parameters": '{"model": "gpt-4o-mini"}',
        "llm.provider": "azure",
        "llm.system": "openai",
        "llm.token_count.prompt": 120,
        "llm.token_count.completion": 19,
        "llm.token_count.total": 139,
        "llm.token_count.prompt_details.cache_read": 64,
        "llm.token_count.completion_details.reasoning": 3,
        "llm.cost.total": 0.02,
        "llm.finish_reason": "stop",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "Hello",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "Hi",
        "input.value": "{}",
        "output.value": json.dumps({"id": "chatcmpl-1", "model": "m", "choices": []}),
        **more,
    }


def test_a_call(make_span: MakeSpan) -> None:
    found = facts(make_span, "LLM", call())
    assert (found.category, found.operation) == ("llm", "chat")
    said = found.call
    assert (said.input_tokens, said.output_tokens) == (120, 19)
    assert (said.cached_input_tokens, said.reasoning_tokens) == (64, 3)
    assert (said.provider, said.emitter_cost_usd) == ("azure.ai.openai", 0.02)
    assert (said.request_model, said.response_model) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert (said.response_id, said.finish_reasons) == ("chatcmpl-1", ["stop"])
    assert json.loads(said.input_messages or "")[0]["parts"][0]["content"] == "Hello"
    assert json.loads(said.output_messages or "")[0]["parts"][0]["content"] == "Hi"
    assert {"input.value", "llm.input_messages.0.message.content"} <= found.consumed


@pytest.mark.parametrize(
    ("prompt", "total", "expected"),
    [(120, 139, 120), (56, 139, 120), (10, None, 74), (120, None, 120)],
)
def test_cached_tokens_are_in_the_input(
    make_span: MakeSpan, prompt: int, total: int | None, expected: int
) -> None:
    counts = {"llm.token_count.prompt": prompt, "llm.token_count.total": total}
    assert facts(make_span, "LLM", call(**counts)).call.input_tokens == expected


def test_anthropics_own_counts_mend_the_emitters(make_span: MakeSpan) -> None:
    body = {
        "id": "msg_1",
        "type": "message",
        "model": "claude",
        "usage": {"input_tokens": 43, "output_tokens": 19, "cache_read_input_tokens": 40},
    }
    counts = {
        "llm.token_count.prompt": 43,
        "llm.token_count.total": None,
        "llm.token_count.prompt_details.cache_read": 40,
        "output.value": json.dumps(body),
    }
    found = facts(make_span, "LLM", call(**counts)).call
    assert (found.input_tokens, found.cached_input_tokens) == (83, 40)


def test_zero_and_zero_is_unknown(make_span: MakeSpan) -> None:
    zero = {f"llm.token_count.{n}": 0 for n in ("prompt", "completion", "total")}
    found = facts(make_span, "LLM", call(**zero)).call
    assert (found.input_tokens, found.output_tokens, found.cached_input_tokens) == (None,) * 3


def test_usage_only_in_the_output(make_span: MakeSpan) -> None:
    message = {
        "kwargs": {
            "content": "Hi",
            "id": "lc_run--7",
            "response_metadata": {"model_name": "m-1", "id": "chatcmpl-9"},
            "usage_metadata": {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9},
        }
    }
    found = facts(
        make_span,
        "LLM",
        {
            "llm.model_name": "m",
            "output.value": json.dumps({"generations": [[{"message": message}]]}),
        },
    ).call
    assert (found.input_tokens, found.output_tokens, found.response_id) == (7, 2, "chatcmpl-9")


def test_a_template_filled_in_is_no_call(make_span: MakeSpan) -> None:
    template = {"llm.prompt_template.template": "Say {x}", "input.value": "{}"}
    assert facts(make_span, "LLM", template).category is None


def test_llama_index_methods_around_the_call_are_none(make_span: MakeSpan) -> None:
    outer = {"llm.model_name": "gpt-4o", "input.value": "{}", "output.value": "Hi"}
    assert facts(make_span, "LLM", outer, scope=LLAMA_INDEX).category is None
    assert facts(make_span, "LLM", call(), scope=LLAMA_INDEX).category == "llm"
    assert (
        facts(make_span, "EMBEDDING", {"embedding.model_name": "e"}, scope=LLAMA_INDEX).category
        is None
    )


def test_speech_is_no_call(make_span: MakeSpan) -> None:
    assert facts(make_span, "LLM", {"llm.model_name": "v", "service.type": "tts"}).category is None


def test_embeddings(make_span: MakeSpan) -> None:
    found = facts(
        make_span,
        "EMBEDDING",
        {
            "embedding.model_name": "text-embedding-3-small",
            "embedding.embeddings.1.embedding.text": "b",
            "embedding.embeddings.0.embedding.text": "a",
            "llm.token_count.prompt": 8,
        },
    )
    assert (found.category, found.operation) == ("llm", "embeddings")
    assert (found.call.request_model, found.call.input_tokens) == ("text-embedding-3-small", 8)
    texts = json.dumps(json.loads(found.call.input_messages or ""))
    assert texts.index('"a"') < texts.index('"b"')


def test_completions(make_span: MakeSpan) -> None:
    found = facts(
        make_span,
        "LLM",
        {
            "llm.model_name": "davinci",
            "llm.prompts.0.prompt.text": "Once",
            "llm.choices.0.completion.text": " upon",
        },
    )
    assert found.operation == "text_completion"
    assert "Once" in (found.call.input_messages or "")
    assert " upon" in (found.call.output_messages or "")


@pytest.mark.parametrize(
    ("attributes", "arguments"),
    [
        ({"input.value": '{"city": "Paris"}'}, {"city": "Paris"}),
        ({"input.value": "{'city': 'Paris'}"}, {"city": "Paris"}),
        ({"input.value": '{"args": [], "kwargs": {"city": "Paris"}}'}, {"city": "Paris"}),
        ({"input.value": "Paris"}, "Paris"),
        ({"tool.parameters": '{"city": "Paris"}'}, {"city": "Paris"}),
        ({"tool.parameters": '{"city": {"type": "string"}}'}, None),
        (
            {"tool.parameters": '{"properties": {"city": {}}}', "input.value": '{"city": 1}'},
            {"city": 1},
        ),
        (
            {"tool.parameters": '[{"name": "city", "type": "string", "value": "Paris"}]'},
            {"city": "Paris"},
        ),
        ({"tool_call.function.arguments": '{"city": "Paris"}'}, {"city": "Paris"}),
    ],
)
def test_tool_arguments(make_span: MakeSpan, attributes: dict[str, Any], arguments: Any) -> None:
    found = facts(make_span, "TOOL", {"tool.name": "look_up", **attributes})
    assert (found.category, found.tool_name) == ("tool", "look_up")
    assert json.loads(found.tool_arguments or "null") == arguments


def test_a_langchain_tools_message_is_its_result(make_span: MakeSpan) -> None:
    message = {"type": "tool", "data": {"content": "18C", "tool_call_id": "call_1", "name": "w"}}
    found = facts(make_span, "TOOL", {"tool.name": "w", "output.value": json.dumps(message)})
    assert (found.tool_result, found.tool_call_id) == ("18C", "call_1")


def test_a_dspy_tools_name_is_in_the_spans(make_span: MakeSpan) -> None:
    assert facts(make_span, "TOOL", {}, name="look_up.__call__").tool_name == "look_up"


@pytest.mark.parametrize(
    ("name", "scope", "more"),
    [
        ("handoff to Clerk", "openinference.instrumentation.openai_agents", {}),
        ("instructor.patch", "openinference.instrumentation.instructor", {}),
        ("step", "traceloop", {"traceloop.span.kind": "task"}),
    ],
)
def test_these_are_no_executions(
    make_span: MakeSpan, name: str, scope: str, more: dict[str, Any]
) -> None:
    assert facts(make_span, "TOOL", more, name=name, scope=scope).category is None


def test_own_kinds_stand_above_the_conventions_names(make_span: MakeSpan) -> None:
    chain = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    scope = "openinference.instrumentation.haystack"
    assert (
        facts(
            make_span, "LLM", {**chain, "llm.prompt_template.template": "x"}, scope=scope
        ).category
        is None
    )


def test_agents(make_span: MakeSpan) -> None:
    found = facts(make_span, "AGENT", {"agent.name": "clerk", "llm.token_count.prompt": 900})
    assert (found.category, found.context.agent_name) == ("agent", "clerk")
    assert found.call.input_tokens is None
    smolagents = {"scope": "openinference.instrumentation.smolagents", "name": "clerk.run"}
    assert facts(make_span, "AGENT", {}, **smolagents).context.agent_name == "clerk"
    crew = {"scope": "openinference.instrumentation.crewai", "name": "Task"}
    assert (
        facts(make_span, "AGENT", {"graph.node.id": "Clerk"}, **crew).context.agent_name == "Clerk"
    )
    assert facts(make_span, "AGENT", {}, name="LangGraph").context.agent_name is None


def test_whose_it_is_from_attributes_then_from_metadata(make_span: MakeSpan) -> None:
    metadata = json.dumps({"thread_id": "t-1", "user_id": "u-1", "lc_agent_name": "clerk"})
    context = facts(make_span, "CHAIN", {"metadata": metadata, "session.id": "s-1"}).context
    assert (context.session_id, context.user_id, context.agent_name) == ("s-1", "u-1", "clerk")


def test_prompt_and_answer_of_a_chain(make_span: MakeSpan) -> None:
    state = {
        "messages": [
            {"type": "human", "data": {"content": "Question"}},
            {"type": "ai", "data": {"content": "Answer"}},
        ]
    }
    found = facts(
        make_span, "CHAIN", {"input.value": "Question", "output.value": json.dumps(state)}
    )
    assert found.category is None
    assert "Question" in (found.call.input_messages or "")
    assert "Answer" in (found.call.output_messages or "")
    assert "Question" not in (found.call.output_messages or "")


def test_failures(make_span: MakeSpan) -> None:
    thrown = SpanEvent("exception", 1, {"exception.type": "openai.E", "exception.message": "no"})
    asked = {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "?",
    }
    found = facts(make_span, "LLM", asked, status="error", events=[thrown])
    assert (found.error_type, found.error_message) == ("openai.E", "no")
    assert facts(make_span, "LLM", asked, events=[thrown]).error_type == "openai.E"
    assert facts(make_span, "LLM", call(), events=[thrown]).error_type is None  # it was answered
    told = facts(make_span, "LLM", asked, status="error", message="RateLimitError: slow down")
    assert told.error_type == "RateLimitError"


def test_time_to_first_token(make_span: MakeSpan) -> None:
    span = make_span({"openinference.span.kind": "LLM", **call()})
    span.events.append(SpanEvent("First Token Stream Event", span.start_ns + 40_000_000, {}))
    assert read(span).call.time_to_first_token_ms == 40.0
