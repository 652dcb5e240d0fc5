"""Firebase Genkit: `genkit:*`, a colon where others write dots, input and output as JSON.

Source: https://github.com/firebase/genkit (`js/core/src/tracing/instrumentation.ts`,
`js/core/src/action.ts`, `go/core/tracing/tracing.go`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldspan.tracing import messages, semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.decoding import decoded
from goldspan.tracing.dialects import blobs, tool_io
from goldspan.tracing.dialects.failures import failure
from goldspan.tracing.dialects.providers import provider_of, split_model
from goldspan.tracing.facts import CallFacts, Context, SpanFacts
from goldspan.tracing.values import text_of

PREFIXES: frozenset[str] = frozenset({"genkit:name", "genkit:type", "genkit:path"})
SCOPES: tuple[str, ...] = ("genkit-tracer",)
SUBTYPE, INPUT, OUTPUT = "genkit:metadata:subtype", "genkit:input", "genkit:output"
CATEGORIES = {
    "model": ("llm", semconv.CHAT),
    "background-model": ("llm", semconv.CHAT),
    "embedder": ("llm", semconv.EMBEDDINGS),
    "tool": ("tool", semconv.EXECUTE_TOOL),
    "tool.v2": ("tool", semconv.EXECUTE_TOOL),
    "agent": ("agent", semconv.INVOKE_AGENT),
}


def span_facts(span: SpanRecord) -> SpanFacts:
    """What a Genkit action says of itself."""
    get = span.attributes.get
    category, operation = CATEGORIES.get(text_of(get(SUBTYPE)) or "", (None, None))
    name = text_of(get("genkit:name")) or span.name or None
    facts = SpanFacts(
        category=category,
        operation=operation,
        context=Context(
            session_id=text_of(get("genkit:sessionId")),
            agent_name=name if category == "agent" else None,
        ),
        consumed=frozenset({INPUT, OUTPUT}),
    )
    given, answer = decoded(get(INPUT)), decoded(get(OUTPUT))
    if category == "tool":
        facts.tool_name = name.rpartition("/")[2] if name else None
        facts.tool_arguments = tool_io.arguments_json(given)
        facts.tool_result = tool_io.result_of(answer)[0]
    else:
        _read_texts(facts.call, given, answer)
    if category == "llm":
        head, _, model = (name or "").partition("/")
        provider, own = split_model(model or head)
        facts.call.provider = provider_of(head) if model else provider
        facts.call.request_model = own
        if isinstance(answer, Mapping):
            blobs.read_response(answer, facts.call)
    facts.error_type, facts.error_message = failure(
        span,
        failed=get("genkit:state") == "error",
        message=get("genkit:error"),
        answered=answer is not None,
    )
    return facts


def _read_texts(call: CallFacts, given: Any, answer: Any) -> None:
    if given is not None:
        call.input_messages = messages.input_messages(blobs.request_parts(given)[1])
    if isinstance(answer, Mapping):
        if "embeddings" in answer:
            return
        message = answer.get("message")
        if message is None and isinstance(candidates := answer.get("candidates"), list):
            message = [c.get("message") for c in candidates if isinstance(c, Mapping)]
        answer = message if message else answer
    if answer is not None:
        call.output_messages = messages.output_messages(answer)
