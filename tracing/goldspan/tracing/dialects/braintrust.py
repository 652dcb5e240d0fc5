"""Braintrust's SDKs over OpenTelemetry (Go, Java, Ruby, .NET): JSON under `braintrust.*`.

Source: https://github.com/braintrustdata (`braintrust.span_attributes`, `.input_json`,
`.output_json`, `.metadata` and `.metrics` in the tracing packages).
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
from goldspan.tracing.dialects.usage import fill, usage_of
from goldspan.tracing.facts import CallFacts, Context, SpanFacts
from goldspan.tracing.values import float_of, text_of

PREFIXES: frozenset[str] = frozenset({"braintrust"})
SCOPES: tuple[str, ...] = ()
INPUT, OUTPUT = "braintrust.input_json", "braintrust.output_json"


def span_facts(span: SpanRecord) -> SpanFacts | None:
    """What a Braintrust span says; None if it only names its project (`braintrust.parent`)."""
    get = span.attributes.get
    if not any(n in span.attributes for n in ("braintrust.span_attributes", INPUT, OUTPUT)):
        return None
    kind = _object(get("braintrust.span_attributes")).get("type")
    metadata = _object(get("braintrust.metadata"))
    facts = SpanFacts(consumed=frozenset({INPUT, OUTPUT}), context=_context(metadata))
    given, answer = decoded(get(INPUT)), decoded(get(OUTPUT))
    if kind == "tool":
        facts.category, facts.operation = "tool", semconv.EXECUTE_TOOL
        facts.tool_name = text_of(metadata.get("tool_name")) or span.name.removeprefix("function:")
        facts.tool_arguments = tool_io.arguments_json(given)
        facts.tool_result, facts.tool_call_id = tool_io.result_of(answer)
    else:
        if given is not None:
            facts.call.input_messages = messages.input_messages(blobs.request_parts(given)[1])
        if answer is not None:
            facts.call.output_messages = messages.output_messages(answer)
    if kind == "llm":
        facts.category = "llm"
        facts.operation = semconv.EMBEDDINGS if "embed" in span.name.lower() else semconv.CHAT
        _read_call(facts.call, metadata, _object(get("braintrust.metrics")), answer)
    facts.error_type, facts.error_message = failure(span, answered=answer is not None)
    return facts


def _read_call(
    call: CallFacts, metadata: Mapping[str, Any], metrics: Mapping[str, Any], answer: Any
) -> None:
    provider, model = split_model(text_of(metadata.get("model")))
    call.provider = provider_of(metadata.get("provider")) or provider
    call.request_model = text_of(metadata.get("request_model")) or model
    call.response_model = model if answer is not None else None
    call.response_id = text_of(metadata.get("response_id"))
    fill(call, usage_of(metrics))
    blobs.read_response(answer, call)
    first = float_of(metrics.get("time_to_first_token"))
    call.time_to_first_token_ms = None if first is None else first * 1000


def _context(metadata: Mapping[str, Any]) -> Context:
    return Context(
        session_id=text_of(metadata.get("session_id")) or text_of(metadata.get("thread_id")),
        user_id=text_of(metadata.get("user_id")),
    )


def _object(value: Any) -> Mapping[str, Any]:
    found = decoded(value)
    return found if isinstance(found, Mapping) else {}
