"""What Haystack's own spans say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.dialects import read

MakeSpan = Callable[..., SpanRecord]
META = {
    "model": "gpt-4o-mini-2024",
    "finish_reason": "stop",
    "usage": {
        "prompt_tokens": 83,
        "completion_tokens": 13,
        "total_tokens": 96,
        "prompt_tokens_details": {"cached_tokens": 40},
    },
}
ASKED: dict[str, Any] = {"role": "user", "meta": {}, "name": None, "content": [{"text": "Hello"}]}
ANSWERED: dict[str, Any] = {
    "role": "assistant",
    "meta": META,
    "name": None,
    "content": [{"text": "Hi"}],
}


def component(kind: str, given: Any = None, answer: Any = None) -> dict[str, Any]:
    stated = {"haystack.component.type": kind, "haystack.component.name": "it"}
    if given is not None:
        stated["haystack.component.input"] = json.dumps(given)
    if answer is not None:
        stated["haystack.component.output"] = json.dumps(answer)
    return stated


def test_a_chat_generator(make_span: MakeSpan) -> None:
    attributes = component(
        "AzureOpenAIChatGenerator", {"messages": [ASKED]}, {"replies": [ANSWERED]}
    )
    found = read(make_span(attributes, name="haystack.component.run"))
    call = found.call
    assert (found.category, found.operation, call.provider) == ("llm", "chat", "azure.ai.openai")
    assert (call.response_model, call.finish_reasons) == ("gpt-4o-mini-2024", ["stop"])
    assert (call.input_tokens, call.output_tokens, call.cached_input_tokens) == (83, 13, 40)
    assert json.loads(call.input_messages or "")[0]["parts"] == [
        {"type": "text", "content": "Hello"}
    ]
    assert json.loads(call.output_messages or "")[0]["parts"] == [{"type": "text", "content": "Hi"}]


def test_messages_of_older_versions_and_plain_generators(make_span: MakeSpan) -> None:
    old = {"_role": "user", "_content": [{"text": "Hello"}], "_meta": {}}
    reply = {"_role": "assistant", "_content": [{"text": "Hi"}], "_meta": META}
    call = read(
        make_span(component("OpenAIChatGenerator", {"messages": [old]}, {"replies": [reply]}))
    ).call
    assert "Hello" in (call.input_messages or "")
    assert call.input_tokens == 83
    plain = component("OpenAIGenerator", {"prompt": "Hello"}, {"replies": ["Hi"], "meta": [META]})
    call = read(make_span(plain)).call
    assert (call.input_tokens, call.response_model) == (83, "gpt-4o-mini-2024")
    assert "Hi" in (call.output_messages or "")


def test_without_content_a_generator_is_a_call_still(make_span: MakeSpan) -> None:
    found = read(make_span(component("AnthropicChatGenerator")))
    assert (found.category, found.call.provider, found.call.input_tokens) == (
        "llm",
        "anthropic",
        None,
    )


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("OpenAITextEmbedder", "llm"),
        ("SentenceTransformersTextEmbedder", None),
        ("PromptBuilder", None),
    ],
)
def test_embedders_and_others(make_span: MakeSpan, kind: str, category: str | None) -> None:
    answer = {"embedding": [0.1], "meta": {"model": "e", "usage": {"prompt_tokens": 8}}}
    found = read(make_span(component(kind, {"text": "x"}, answer)))
    assert found.category == category
    if category:
        assert (found.operation, found.call.input_tokens) == ("embeddings", 8)


def test_steps_of_an_agent(make_span: MakeSpan) -> None:
    llm = {
        "haystack.agent.step.llm.input": json.dumps({"messages": [ASKED]}),
        "haystack.agent.step.llm.output": json.dumps({"replies": [ANSWERED]}),
    }
    assert read(make_span(llm, name="haystack.agent.step.llm")).call.input_tokens == 83
    tool = {
        "haystack.tool.name": "get_weather",
        "haystack.agent.step.tool.input": '{"city": "Paris"}',
        "haystack.agent.step.tool.output": "18C",
    }
    found = read(make_span(tool, name="haystack.agent.step.tool"))
    assert (found.category, found.tool_name) == ("tool", "get_weather")
    assert (found.tool_arguments, found.tool_result) == ('{"city":"Paris"}', "18C")
    tool["haystack.agent.step.tool.output"] = '{"error": "no such city"}'
    found = read(make_span(tool, name="haystack.agent.step.tool"))
    assert (found.error_type, found.error_message) == ("ToolInvocationError", "no such city")
    waiting = {"haystack.tool.name": "get_weather"}
    assert (
        read(make_span(waiting, name="haystack.agent.hook.human_in_the_loop.strategy")).category
        is None
    )


@pytest.mark.parametrize(("results", "category"), [(1, "tool"), (2, None)])
def test_an_invoker_of_several_tools_is_no_execution(
    make_span: MakeSpan, results: int, category: str | None
) -> None:
    told = {
        "tool_call_result": {
            "result": "18C",
            "origin": {"tool_name": "w", "arguments": {"city": "Paris"}, "id": "c1"},
            "error": False,
        }
    }
    answer = {"tool_messages": [{"role": "tool", "content": [told]}] * results}
    found = read(make_span(component("ToolInvoker", {"messages": []}, answer)))
    assert found.category == category
    if category:
        assert (found.tool_name, found.tool_call_id, found.tool_result) == ("w", "c1", "18C")


def test_a_pipelines_prompt_and_answer(make_span: MakeSpan) -> None:
    attributes = {
        "haystack.pipeline.input_data": json.dumps({"agent": {"messages": [ASKED]}}),
        "haystack.pipeline.output_data": json.dumps({"agent": {"last_message": ANSWERED}}),
    }
    found = read(make_span(attributes, name="haystack.pipeline.run"))
    assert found.category is None
    assert "Hello" in (found.call.input_messages or "")
    assert json.loads(found.call.output_messages or "")[0]["parts"][0]["content"] == "Hi"
