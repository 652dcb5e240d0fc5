"""Strands Agents: what its spans say beyond the conventions, and its first versions' spans.

Source: https://github.com/strands-agents/sdk-python (`src/strands/telemetry/tracer.py`).
"""

from __future__ import annotations

from goldspan.tracing import semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.dialects import tool_io
from goldspan.tracing.dialects.failures import failure
from goldspan.tracing.facts import SpanFacts
from goldspan.tracing.values import float_of, text_of

PREFIXES: frozenset[str] = frozenset()
SCOPES = ("strands",)
FIRST_TOKEN_MS = "gen_ai.server.time_to_first_token"  # milliseconds, whatever the name suggests
OLD_TOOL, OLD_CALL = "Tool: ", "Model invoke"


def span_facts(span: SpanRecord) -> SpanFacts | None:
    """What a span says in Strands' own way; None where the conventions say it all."""
    get = span.attributes.get
    operation = get(semconv.OPERATION_NAME)
    if operation == semconv.CHAT:
        facts = SpanFacts()
        facts.call.time_to_first_token_ms = float_of(get(FIRST_TOKEN_MS))
        return facts
    if operation is not None:
        return None
    facts = SpanFacts(decided=True)
    if span.name.startswith(OLD_TOOL):
        facts.category, facts.operation = "tool", semconv.EXECUTE_TOOL
        facts.tool_name = text_of(get("tool.name")) or span.name.removeprefix(OLD_TOOL)
        facts.tool_call_id = text_of(get("tool.id"))
        facts.tool_arguments = tool_io.arguments_json(get("tool.parameters"))
        facts.tool_result = tool_io.result_of(get("tool.result"))[0]
    elif span.name == OLD_CALL:
        facts.category, facts.operation = "llm", semconv.CHAT
    elif "agent.name" in span.attributes or semconv.AGENT_NAME in span.attributes:
        facts.category, facts.operation = "agent", semconv.INVOKE_AGENT
    facts.error_type, facts.error_message = failure(span)
    return facts
