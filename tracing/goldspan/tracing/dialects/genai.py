"""The current OpenTelemetry GenAI conventions (1.37 and later), and Goldspan's own attributes.

Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/. Pure functions: a span or a log record
in, facts out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldspan.tracing import semconv
from goldspan.tracing.batch import LogRecord, SpanRecord
from goldspan.tracing.facts import CallFacts, Context, SpanFacts
from goldspan.tracing.values import bool_of, float_of, int_of, json_of, list_of, text_of

PREFIXES = frozenset({"gen_ai", "goldspan"})
SCOPES: tuple[str, ...] = ()
CALLS = frozenset(
    {semconv.CHAT, semconv.GENERATE_CONTENT, semconv.TEXT_COMPLETION, semconv.EMBEDDINGS}
)
AGENTS = frozenset({semconv.INVOKE_AGENT, semconv.INVOKE_WORKFLOW})
MESSAGES = frozenset({semconv.SYSTEM_INSTRUCTIONS, semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES})
TOOL_TEXT = frozenset({semconv.TOOL_ARGUMENTS, semconv.TOOL_RESULT})
UNKNOWN_ERROR = "_OTHER"  # the conventions' word for an error without a type


def span_facts(span: SpanRecord) -> SpanFacts:
    """What a span says by the GenAI conventions."""
    attributes = _with_details(span)
    operation = text_of(attributes.get(semconv.OPERATION_NAME))
    error_type, error_message = _error(span)
    facts = SpanFacts(
        category=_category(operation),
        operation=operation,
        context=context_of(attributes, span.resource),
        error_type=error_type,
        error_message=error_message,
        replayed=bool_of(attributes.get(semconv.REPLAYED)),
        outcome=text_of(attributes.get(semconv.RUN_OUTCOME)),
        reason=text_of(attributes.get(semconv.RUN_REASON)),
        consumed=MESSAGES,
    )
    if facts.category == "tool":
        facts.tool_name = text_of(attributes.get(semconv.TOOL_NAME)) or _name_after_operation(span)
        facts.tool_call_id = text_of(attributes.get(semconv.TOOL_CALL_ID))
        facts.tool_type = text_of(attributes.get(semconv.TOOL_TYPE))
        facts.tool_arguments = text_of(attributes.get(semconv.TOOL_ARGUMENTS))
        facts.tool_result = text_of(attributes.get(semconv.TOOL_RESULT))
        facts.consumed = MESSAGES | TOOL_TEXT
    facts.call = call_facts(attributes)
    if facts.category != "llm":  # totals repeated on an agent's span are no call
        facts.call.input_tokens = facts.call.output_tokens = None
        facts.call.cached_input_tokens = facts.call.cache_write_tokens = None
        facts.call.reasoning_tokens = None
    return facts


def detail_facts(log: LogRecord) -> CallFacts | None:
    """What an operation-details log record says about the call of its span, if it is one."""
    if log.event_name != semconv.OPERATION_DETAILS or not log.trace_id or not log.span_id:
        return None
    body = log.body if isinstance(log.body, dict) else {}
    return call_facts({**body, **log.attributes})


def call_facts(attributes: Mapping[str, Any]) -> CallFacts:
    """A model call's columns from attributes of a span or of a log record."""
    get = attributes.get
    seconds = float_of(get(semconv.TIME_TO_FIRST_CHUNK))
    facts = CallFacts(
        provider=text_of(get(semconv.PROVIDER_NAME)) or text_of(get(semconv.SYSTEM)),
        request_model=text_of(get(semconv.REQUEST_MODEL)),
        response_model=text_of(get(semconv.RESPONSE_MODEL)),
        response_id=text_of(get(semconv.RESPONSE_ID)),
        input_tokens=int_of(get(semconv.INPUT_TOKENS)),
        output_tokens=int_of(get(semconv.OUTPUT_TOKENS)),
        cached_input_tokens=int_of(get(semconv.CACHED_INPUT_TOKENS)),
        cache_write_tokens=int_of(get(semconv.CACHE_WRITE_TOKENS)),
        reasoning_tokens=int_of(get(semconv.REASONING_TOKENS)),
        finish_reasons=list_of(get(semconv.FINISH_REASONS)),
        system_instructions=json_of(get(semconv.SYSTEM_INSTRUCTIONS)),
        input_messages=json_of(get(semconv.INPUT_MESSAGES)),
        output_messages=json_of(get(semconv.OUTPUT_MESSAGES)),
        time_to_first_token_ms=None if seconds is None else seconds * 1000,
        error_type=text_of(get(semconv.ERROR_TYPE)),
        session_id=text_of(get(semconv.CONVERSATION_ID)) or text_of(get(semconv.SESSION_ID)),
        user_id=text_of(get(semconv.USER_ID)) or text_of(get(semconv.ENDUSER_ID)),
    )
    _mend_usage(facts)
    return facts


def context_of(attributes: Mapping[str, Any], resource: Mapping[str, Any]) -> Context:
    """Who and what a record belongs to, from its own attributes, then from its resource."""

    def first(*names: str) -> Any:
        for source in (attributes, resource):
            for name in names:
                if source.get(name) not in (None, ""):
                    return source[name]
        return None

    return Context(
        run_id=text_of(first(semconv.RUN_ID)),
        batch_id=text_of(first(semconv.BATCH_ID)),
        experiment_id=text_of(first(semconv.EXPERIMENT_ID)),
        suite=text_of(first(semconv.SUITE)),
        case_id=text_of(first(semconv.CASE_ID)),
        case_repeat=int_of(first(semconv.CASE_REPEAT)),
        agent_name=text_of(first(semconv.AGENT_NAME)),
        agent_version=text_of(first(semconv.AGENT_VERSION)),
        agent_digest=text_of(first(semconv.AGENT_DIGEST)),
        session_id=text_of(first(semconv.CONVERSATION_ID, semconv.SESSION_ID)),
        user_id=text_of(first(semconv.USER_ID, semconv.ENDUSER_ID)),
        simulated=bool_of(first(semconv.SIMULATED)),
    )


def _mend_usage(facts: CallFacts) -> None:
    """0 in and 0 out is an emitter's way to say unknown; input includes what was cached."""
    if not facts.input_tokens and not facts.output_tokens:
        facts.input_tokens = facts.output_tokens = None
        facts.cached_input_tokens = facts.cache_write_tokens = facts.reasoning_tokens = None
        return
    cached = (facts.cached_input_tokens or 0) + (facts.cache_write_tokens or 0)
    if facts.input_tokens is not None and cached > facts.input_tokens:
        facts.input_tokens += cached


def _category(operation: str | None) -> str | None:
    if operation in CALLS:
        return "llm"
    if operation == semconv.EXECUTE_TOOL:
        return "tool"
    return "agent" if operation in AGENTS else None


def _with_details(span: SpanRecord) -> dict[str, Any]:
    """The span's attributes, with those of an operation-details event inside it beneath them."""
    details: dict[str, Any] = {}
    for event in span.events:
        if event.name == semconv.OPERATION_DETAILS:
            details.update(event.attributes)
    return {**details, **span.attributes}


def _name_after_operation(span: SpanRecord) -> str | None:
    prefix = semconv.EXECUTE_TOOL + " "
    return span.name.removeprefix(prefix) if span.name.startswith(prefix) else span.name or None


def _error(span: SpanRecord) -> tuple[str | None, str | None]:
    exceptions = [e.attributes for e in span.events if semconv.EXCEPTION_TYPE in e.attributes]
    thrown = exceptions[-1] if exceptions else {}
    kind = text_of(span.attributes.get(semconv.ERROR_TYPE))
    if span.status != "error" and kind is None:
        return None, None
    kind = kind or text_of(thrown.get(semconv.EXCEPTION_TYPE)) or UNKNOWN_ERROR
    message = span.status_message or text_of(thrown.get(semconv.EXCEPTION_MESSAGE))
    return kind, message or None
