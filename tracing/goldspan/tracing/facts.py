"""The typed facts that every dialect fills in; the store's columns bear the same names."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class CallFacts:
    """What is known of one model call. None is unknown; unknown is never 0.

    The four message columns are JSON in the conventions' form: a list of parts, or of messages
    `{"role": ..., "parts": [...]}`.
    """

    provider: str | None = None  # who served the model, by the conventions' registry
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    input_tokens: int | None = None  # cached and cache-written ones included
    output_tokens: int | None = None  # reasoning tokens included
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    usage_estimated: bool | None = None  # the emitter counted the tokens itself
    emitter_cost_usd: float | None = None  # what the emitter says that the call cost
    finish_reasons: list[str] | None = None
    system_instructions: str | None = None
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

    `category` is
    - llm: one call that reached a model (a chat, a completion, embeddings),
    - part: says more of a call whose own span is another one (the usage of a stream, say): of its
      nearest llm ancestor, else of the llm sibling of the same scope that ended last before it,
    - tool: one execution of a tool, seen by its caller or by its server,
    - agent: an agent or a workflow, with totals that are nobody's call,
    - None: anything else.
    `call` may hold messages for an agent or any other span too; tokens only for llm and part.
    `consumed` names the attributes whose text went into typed columns and is not kept twice.
    """

    category: str | None = None
    operation: str | None = None  # a word of the conventions: chat, embeddings, execute_tool ...
    call: CallFacts = field(default_factory=CallFacts)
    context: Context = field(default_factory=Context)
    tool_name: str | None = None
    tool_call_id: str | None = None
    tool_type: str | None = None
    tool_arguments: str | None = None  # JSON
    tool_result: str | None = None
    error_type: str | None = None
    error_message: str | None = None
    reasoning: str | None = None  # text: why the agent decided so
    alternatives: str | None = None  # JSON: what else it thought of
    confidence: float | None = None
    replayed: bool | None = None
    outcome: str | None = None
    reason: str | None = None
    consumed: frozenset[str] = frozenset()
    decided: bool = False  # the category holds, None too, whatever a later dialect says
