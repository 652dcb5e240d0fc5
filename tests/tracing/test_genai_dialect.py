"""What a span says by the current GenAI conventions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from goldspan.tracing.batch import SpanEvent, SpanRecord
from goldspan.tracing.dialects.genai import call_facts, span_facts

MakeSpan = Callable[..., SpanRecord]


@pytest.mark.parametrize(
    ("operation", "category"),
    [
        ("chat", "llm"),
        ("generate_content", "llm"),
        ("text_completion", "llm"),
        ("embeddings", "llm"),
        ("execute_tool", "tool"),
        ("invoke_agent", "agent"),
        ("create_agent", None),
        ("something_new", None),
        (None, None),
    ],
)
def test_the_operation_decides_the_category(
    make_span: MakeSpan, operation: str | None, category: str | None
) -> None:
    assert span_facts(make_span({"gen_ai.operation.name": operation})).category == category


def usage(**tokens: Any) -> tuple[int | None, ...]:
    names = {
        "inp": "gen_ai.usage.input_tokens",
        "out": "gen_ai.usage.output_tokens",
        "read": "gen_ai.usage.cache_read.input_tokens",
        "write": "gen_ai.usage.cache_creation.input_tokens",
    }
    facts = call_facts({names[k]: v for k, v in tokens.items()})
    return (
        facts.input_tokens,
        facts.output_tokens,
        facts.cached_input_tokens,
        facts.cache_write_tokens,
    )


def test_unknown_usage_is_none_never_zero() -> None:
    assert usage() == (None, None, None, None)
    assert usage(inp=0, out=0, read=0) == (None, None, None, None)
    assert usage(inp=12) == (12, None, None, None)
    assert usage(inp=12, out=0) == (12, 0, None, None)


def test_input_tokens_include_what_was_cached() -> None:
    assert usage(inp=100, out=5, read=60) == (100, 5, 60, None)
    assert usage(inp=10, out=5, read=60, write=30) == (100, 5, 60, 30)


@pytest.mark.parametrize("value", ["12", 12, 12.0])
def test_numbers_come_in_several_types(value: Any) -> None:
    assert usage(inp=value, out=1)[0] == 12


@pytest.mark.parametrize("value", [-1, "many", 1.5, True, 2**70, float("nan"), [1]])
def test_what_is_no_count_is_unknown(value: Any) -> None:
    assert usage(inp=value, out=1)[0] is None


def test_totals_repeated_on_an_agent_are_no_call(make_span: MakeSpan) -> None:
    facts = span_facts(
        make_span({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 900})
    )
    assert facts.category == "agent"
    assert facts.call.input_tokens is None


def test_errors(make_span: MakeSpan) -> None:
    thrown = SpanEvent("exception", 1, {"exception.type": "E", "exception.message": "why"})
    chat = {"gen_ai.operation.name": "chat"}
    assert span_facts(make_span(chat)).error_type is None
    failed = span_facts(make_span(chat, status="error"))
    assert (failed.error_type, failed.error_message) == ("_OTHER", None)
    failed = span_facts(make_span(chat, status="error", events=[thrown]))
    assert (failed.error_type, failed.error_message) == ("E", "why")
    failed = span_facts(make_span({**chat, "error.type": "T"}, status="error", message="m"))
    assert (failed.error_type, failed.error_message) == ("T", "m")
    assert span_facts(make_span(chat, events=[thrown])).error_type == "E"
    answered = {**chat, "gen_ai.output.messages": "It went well."}
    assert span_facts(make_span(answered, events=[thrown])).error_type is None  # it was handled


def test_messages_as_json_text_or_as_structures() -> None:
    text = '[{"role":"user","parts":[]}]'
    assert call_facts({"gen_ai.input.messages": text}).input_messages == text
    structure = [{"role": "user", "parts": []}]
    assert call_facts({"gen_ai.input.messages": structure}).input_messages == text
    plain = call_facts({"gen_ai.input.messages": "plain"}).input_messages
    assert plain == '[{"role":"user","parts":[{"type":"text","content":"plain"}]}]'


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    cut_off = r'[{"role":"user","parts":[{"type":"text","content":"\ud83d \ud83d\ude00"}]}]'
    said = call_facts({"gen_ai.input.messages": cut_off}).input_messages
    assert said == '[{"role":"user","parts":[{"type":"text","content":"? 😀"}]}]'


def test_details_in_a_span_event_fill_what_the_span_lacks(make_span: MakeSpan) -> None:
    event = SpanEvent(
        "gen_ai.client.inference.operation.details",
        1,
        {"gen_ai.usage.input_tokens": 3, "gen_ai.response.model": "from event"},
    )
    facts = span_facts(
        make_span(
            {"gen_ai.operation.name": "chat", "gen_ai.response.model": "from span"}, events=[event]
        )
    )
    assert (facts.call.input_tokens, facts.call.response_model) == (3, "from span")


def test_context_comes_from_the_span_then_from_the_resource(make_span: MakeSpan) -> None:
    span = make_span(
        {"goldspan.run.id": "r1", "gen_ai.conversation.id": "c1", "session.id": "s1"},
        resource={"goldspan.run.id": "other", "goldspan.simulated": True, "user.id": "u"},
    )
    context = span_facts(span).context
    assert (context.run_id, context.session_id, context.user_id) == ("r1", "c1", "u")
    assert context.simulated is True


def test_a_tool_without_a_name_has_it_in_the_span_name(make_span: MakeSpan) -> None:
    facts = span_facts(
        make_span(
            {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": {"a": 1}},
            name="execute_tool look_up",
        )
    )
    assert (facts.tool_name, facts.tool_arguments) == ("look_up", '{"a":1}')
