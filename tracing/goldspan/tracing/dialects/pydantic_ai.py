"""Pydantic AI: what its instrumentation says beyond the conventions, versions 1 to 6.

Its agents' spans hold the whole conversation, and totals that are no call. Version 1 put messages
as events into one attribute. Source: https://github.com/pydantic/pydantic-ai
(`pydantic_ai_slim/pydantic_ai/models/instrumented.py`).
"""

from __future__ import annotations

from typing import Any

from goldspan.tracing import messages, semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.decoding import decoded
from goldspan.tracing.dialects.genai_events import Said, said_in
from goldspan.tracing.facts import CallFacts, SpanFacts
from goldspan.tracing.values import text_of

PREFIXES: frozenset[str] = frozenset({"pydantic_ai", "all_messages_events"})
SCOPES = ("pydantic-ai",)
ALL = "pydantic_ai.all_messages"
ALL_EVENTS = "all_messages_events"
EVENTS = "events"
RESULT = "final_result"


def span_facts(span: SpanRecord) -> SpanFacts | None:
    """What a span says in Pydantic AI's own names; None if it has none of them."""
    get = span.attributes.get
    if ALL in span.attributes or ALL_EVENTS in span.attributes or "agent_name" in span.attributes:
        if get(semconv.OPERATION_NAME) not in (None, semconv.INVOKE_AGENT):
            return None
        facts = SpanFacts(category="agent", operation=semconv.INVOKE_AGENT, decided=True)
        facts.context.agent_name = text_of(get("agent_name"))
        facts.call.request_model = text_of(get("model_name"))
        _read_conversation(span, facts.call)
        facts.consumed = frozenset({ALL, ALL_EVENTS, RESULT})
        return facts
    if isinstance(get(EVENTS), str | list):
        facts = SpanFacts(consumed=frozenset({EVENTS}))
        events_in(get(EVENTS)).fill(facts.call)
        return facts
    return None


def events_in(value: Any) -> Said:
    """The messages in an attribute that holds a list of events, each with its name in it."""
    events = decoded(value)
    found = [e for e in events if isinstance(e, dict)] if isinstance(events, list) else []
    return said_in((str(e.get(semconv.EVENT_NAME, _name(e))), e, None) for e in found)


def _name(event: dict[str, Any]) -> str:
    """The name that an event without one has by its role."""
    if "message" in event:
        return "gen_ai.choice"
    return f"gen_ai.{event.get('role')}.message"


def _read_conversation(span: SpanRecord, call: CallFacts) -> None:
    """The conversation as input, its end as output."""
    get = span.attributes.get
    told = get(ALL)
    if told is None:
        said = events_in(get(ALL_EVENTS))
        told = [*said.given, *said.answered]
    conversation = decoded(messages.input_messages(told)) or []
    answer: Any = None
    if conversation and conversation[-1]["role"] == "assistant":
        answer = [conversation.pop()]
    if get(RESULT) is not None and not _has_text(answer):
        conversation += answer or []
        answer = get(RESULT)
    call.input_messages = messages.input_messages(conversation)
    call.output_messages = messages.output_messages(answer)


def _has_text(answer: Any) -> bool:
    return bool(answer) and any(part["type"] == "text" for part in answer[0]["parts"])
