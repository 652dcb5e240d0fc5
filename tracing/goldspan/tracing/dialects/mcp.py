"""Spans of the Model Context Protocol: the SDKs' own, Logfire's, OpenLIT's and the conventions'.

The client's and the server's span of one `tools/call` both are tool executions here. Other
methods (initialize, tools/list, prompts/get ...) run no tool.
Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldspan.tracing import messages, semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.decoding import decoded
from goldspan.tracing.dialects.context import context_of
from goldspan.tracing.dialects.failures import failure
from goldspan.tracing.facts import SpanFacts
from goldspan.tracing.values import json_text, text_of

PREFIXES: frozenset[str] = frozenset({"mcp", "rpc"})
SCOPES: tuple[str, ...] = ()
CALL = "tools/call"
ARGUMENTS = (
    semconv.TOOL_ARGUMENTS, "mcp.tool.arguments", "mcp.request.argument", "mcp.request.arguments",
)  # fmt: skip
RESULT = (semconv.TOOL_RESULT, "mcp.tool.result", "mcp.response.value", "mcp.result")


def span_facts(span: SpanRecord) -> SpanFacts | None:
    """What an MCP span says; None if it names no method."""
    attributes = span.attributes
    method = _method(attributes)
    if method is None:
        return None
    facts = SpanFacts(context=context_of(attributes, span.resource), decided=True)
    if method != CALL:
        if attributes.get(semconv.OPERATION_NAME) is not None:
            facts.decided = False  # an agent's or a model's span that only mentions a method
        facts.error_type, facts.error_message = failure(span)
        return facts
    facts.category, facts.operation = "tool", semconv.EXECUTE_TOOL
    params = _params(attributes)
    facts.tool_name = (
        text_of(attributes.get(semconv.TOOL_NAME))
        or text_of(attributes.get("mcp.tool.name"))
        or text_of(params.get("name"))
        or _name_after_method(span)
    )
    facts.tool_call_id = text_of(attributes.get(semconv.TOOL_CALL_ID))
    given = next((attributes[n] for n in ARGUMENTS if attributes.get(n) is not None), None)
    if given is None:
        given = params.get("arguments")
    facts.tool_arguments = messages.tool_json(given)
    answer = next((attributes[n] for n in RESULT if attributes.get(n) is not None), None)
    if answer is None and "rpc.system" in attributes:
        answer = attributes.get("response")
    facts.tool_result, failed = result_text(answer)
    facts.error_type, facts.error_message = failure(span, failed=failed, message=facts.tool_result)
    if facts.error_type is None and failed:
        facts.error_type = "tool_error"
    return facts


def result_text(value: Any) -> tuple[str | None, bool]:
    """The text of a CallToolResult (its structure if it holds more), and whether it is an error."""
    result = decoded(value)
    if isinstance(result, Mapping) and isinstance(inner := result.get("result"), Mapping):
        result = inner
    failed = isinstance(result, Mapping) and bool(result.get("isError") or result.get("is_error"))
    content = result.get("content") if isinstance(result, Mapping) else result
    if isinstance(content, list) and content:
        texts = [block.get("text") if isinstance(block, Mapping) else None for block in content]
        if all(isinstance(text, str) for text in texts):
            return "\n".join(str(text) for text in texts), failed
    if isinstance(result, str | None):
        return result or None, failed
    return json_text(result), failed


def _method(attributes: Mapping[str, Any]) -> str | None:
    method = attributes.get("mcp.method.name") or attributes.get("mcp.method")
    if method is None and attributes.get("rpc.system") in ("jsonrpc", "mcp"):
        method = attributes.get("rpc.method")
    return text_of(method)


def _params(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of the request, where a span holds the whole of it."""
    for name in ("mcp.params", "request"):
        body = decoded(attributes.get(name))
        if isinstance(body, Mapping):
            params = body.get("params", body)
            return params if isinstance(params, Mapping) else {}
    return {}


def _name_after_method(span: SpanRecord) -> str | None:
    _, found, name = span.name.partition(CALL + " ")
    return name or None if found else None
