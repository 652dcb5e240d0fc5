"""The typed facts that every dialect fills in; the store's columns bear the same names."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class CallFacts:
    """What is known of one model call. None is unknown; unknown is never 0."""

    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    input_tokens: int | None = None  # cached and cache-written ones included
    output_tokens: int | None = None  # reasoning tokens included
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    finish_reasons: list[str] | None = None
    system_instructions: str | None = None  # JSON, as the three below it in the conventions
    input_messages: str | None = None
    output_messages: str | None = None
    time_to_first_token_ms: float | None = None
    error_type: str | None = None
    session_id: str | None = None
    user_id: str | None = None


@dataclass(slots=True)
class Context:
    """Who and what a record belongs to; may come from the record, its resource or an ancestor."""

    run_id: str | None = None
    batch_id: str | None = None
    experiment_id: str | None = None
    suite: str | None = None
    case_id: str | None = None
    case_repeat: int | None = None
    agent_name: str | None = None
    agent_version: str | None = None
    agent_digest: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    simulated: bool | None = None


@dataclass(slots=True)
class SpanFacts:
    """What is known of one span.

    `category` is llm (a call that reached a model), tool (one execution), agent, or None.
    `consumed` names the attributes whose text went into typed columns and is not kept twice.
    """

    category: str | None = None
    operation: str | None = None
    call: CallFacts = field(default_factory=CallFacts)
    context: Context = field(default_factory=Context)
    tool_name: str | None = None
    tool_call_id: str | None = None
    tool_type: str | None = None
    tool_arguments: str | None = None
    tool_result: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    replayed: bool | None = None
    outcome: str | None = None
    reason: str | None = None
    consumed: frozenset[str] = frozenset()
