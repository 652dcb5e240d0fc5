"""Google's Agent Development Kit (`gcp.vertex.agent.*`), and tools of the google-genai SDK.

Source: https://github.com/google/adk-python (`src/google/adk/telemetry`), and the instrumentation
in https://github.com/open-telemetry/opentelemetry-python-contrib.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldspan.tracing import messages, semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.decoding import decoded, valid_json
from goldspan.tracing.dialects import blobs
from goldspan.tracing.dialects.failures import failure
from goldspan.tracing.dialects.providers import split_model
from goldspan.tracing.dialects.usage import Usage, fill
from goldspan.tracing.facts import CallFacts, SpanFacts
from goldspan.tracing.values import int_of, text_of

PREFIXES: frozenset[str] = frozenset({"gcp"})
SCOPES = ("gcp.vertex.agent", "opentelemetry.instrumentation.google_genai")
OWN = "gcp.vertex.agent."
REQUEST, RESPONSE = OWN + "llm_request", OWN + "llm_response"
TOOL_ARGUMENTS, TOOL_RESPONSE = OWN + "tool_call_args", OWN + "tool_response"
CALL = "call_llm"
THOUGHTS = "gen_ai.usage.experimental.reasoning_tokens"
PARAMETER, RETURNED = "code.function.parameters.", "code.function.return.value"
FAMILIES = {"gemini": "gcp.gemini", "claude": "anthropic"}
UNSPECIFIED = ("<not specified>", "<not serializable>", "N/A")


def span_facts(span: SpanRecord) -> SpanFacts | None:
    """What a span says in Google's own names; None if it has none of them."""
    get = span.attributes.get
    operation = get(semconv.OPERATION_NAME)
    if operation == semconv.EXECUTE_TOOL:
        return _tool_facts(span)
    if span.name.startswith("agent_run ["):  # the name of its first versions
        facts = SpanFacts(category="agent", operation=semconv.INVOKE_AGENT)
        facts.context.agent_name = span.name[len("agent_run [") :].rstrip("]") or None
        facts.error_type, facts.error_message = failure(span)
        return facts
    if REQUEST not in span.attributes and RESPONSE not in span.attributes and span.name != CALL:
        facts = SpanFacts()
        if THOUGHTS in span.attributes:
            fill(facts.call, _usage(span))
        return facts
    facts = SpanFacts(category="llm", operation=semconv.GENERATE_CONTENT)
    _read_call(span, facts.call)
    if THOUGHTS in span.attributes:
        fill(facts.call, _usage(span))
    answered = facts.call.output_messages is not None
    facts.error_type, facts.error_message = failure(span, answered=answered)
    facts.consumed = frozenset({REQUEST, RESPONSE}) if answered else frozenset({REQUEST})
    return facts


def _read_call(span: SpanRecord, call: CallFacts) -> None:
    get = span.attributes.get
    provider, model = split_model(text_of(get(semconv.REQUEST_MODEL)))
    family = (model or "").partition("-")[0]
    call.provider = provider or FAMILIES.get(family)
    request, response = decoded(get(REQUEST)), decoded(get(RESPONSE))
    if isinstance(request, Mapping):
        config = request.get("config")
        system = config.get("system_instruction") if isinstance(config, Mapping) else None
        call.system_instructions = messages.system_instructions(system)
        call.input_messages = messages.input_messages(request.get("contents"))
    if isinstance(response, Mapping):
        blobs.read_response(response, call)
        call.output_messages = messages.output_messages(
            [response] if response.get("content") else None
        )


def _usage(span: SpanRecord) -> Usage:
    """The counts of versions that left the model's thoughts out of its output."""
    get = span.attributes.get
    return Usage(
        input_tokens=int_of(get(semconv.INPUT_TOKENS)),
        output_tokens=int_of(get(semconv.OUTPUT_TOKENS)),
        reasoning_tokens=int_of(get(THOUGHTS)),
        reasoning_beside_output=True,
    ).settled()


def _tool_facts(span: SpanRecord) -> SpanFacts:
    get = span.attributes.get
    facts = SpanFacts()
    facts.tool_arguments = messages.tool_json(_specified(get(TOOL_ARGUMENTS)))
    if facts.tool_arguments is None:
        facts.tool_arguments = _parameters(span.attributes)
    response = decoded(_specified(get(TOOL_RESPONSE)))
    if isinstance(response, Mapping) and response.keys() == {"result"}:
        response = _specified(response["result"])
    if response in (None, {}):
        response = get(RETURNED)
    facts.tool_result = text_of(response)
    facts.consumed = frozenset({TOOL_ARGUMENTS, TOOL_RESPONSE, RETURNED})
    return facts


def _specified(value: Any) -> Any:
    return None if value in UNSPECIFIED or value in ({}, "{}") else value


def _parameters(attributes: Mapping[str, Any]) -> str | None:
    """Arguments of a Python function, one an attribute."""
    found = {
        name[len(PARAMETER) : -len(".value")]: decoded(value)
        for name, value in attributes.items()
        if name.startswith(PARAMETER) and name.endswith(".value")
    }
    return valid_json(found) if found else None
