"""Haystack's own tracing: `haystack.*` tags, with inputs and outputs of components as JSON.

Inputs and outputs are there only where content tracing is on. Source:
https://github.com/deepset-ai/haystack (`haystack/tracing`, `core/pipeline/base.py`,
`components/agents`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goldspan.tracing import messages, semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.decoding import decoded
from goldspan.tracing.dialects import blobs, tool_io
from goldspan.tracing.dialects.failures import failure
from goldspan.tracing.dialects.providers import provider_of
from goldspan.tracing.facts import CallFacts, SpanFacts
from goldspan.tracing.values import text_of

PREFIXES: frozenset[str] = frozenset({"haystack"})
SCOPES: tuple[str, ...] = ()
TYPE = "haystack.component.type"
TOOL_STEP, LLM_STEP = "haystack.agent.step.tool", "haystack.agent.step.llm"
INPUTS = (
    "haystack.component.input", LLM_STEP + ".input", TOOL_STEP + ".input",
    "haystack.agent.input", "haystack.pipeline.input_data",
)  # fmt: skip
OUTPUTS = (
    "haystack.component.output", LLM_STEP + ".output", TOOL_STEP + ".output",
    "haystack.agent.output", "haystack.pipeline.output_data",
)  # fmt: skip
# The beginning of a generator's or an embedder's class name, longer ones first.
SERVED_BY = (
    ("AzureOpenAI", "azure"), ("OpenAI", "openai"), ("AnthropicVertex", "vertex_ai"),
    ("Anthropic", "anthropic"), ("AmazonBedrock", "bedrock"), ("VertexAI", "vertex_ai"),
    ("GoogleGenAI", "google"), ("GoogleAI", "google"), ("Cohere", "cohere"),
    ("Mistral", "mistral"), ("Groq", "groq"), ("Ollama", "ollama"), ("OpenRouter", "openrouter"),
    ("TogetherAI", "together"), ("Nvidia", "nvidia_nim"), ("Watsonx", "watsonx"),
    ("HuggingFaceAPI", "huggingface"),
)  # fmt: skip


def span_facts(span: SpanRecord) -> SpanFacts | None:
    """What a Haystack span says; None without any of its tags."""
    attributes = span.attributes
    given = _first(attributes, INPUTS)
    answer = _first(attributes, OUTPUTS)
    kind = text_of(attributes.get(TYPE)) or ""
    facts = SpanFacts(consumed=frozenset((*INPUTS, *OUTPUTS)))
    if kind == "Agent":  # its name is the one that it has in the pipeline
        facts.context.agent_name = text_of(attributes.get("haystack.component.name"))
    if span.name == TOOL_STEP or TOOL_STEP + ".input" in attributes:
        _read_tool(attributes, facts, given, answer)
    elif kind == "ToolInvoker":
        _read_invoker(facts, answer)
    else:
        _read_texts(facts.call, given, answer)
        if span.name == "haystack.agent.run":
            facts.category, facts.operation = "agent", semconv.INVOKE_AGENT
        elif span.name.startswith(LLM_STEP) or "Generator" in kind or _is_reply(answer):
            facts.category, facts.operation = "llm", semconv.CHAT
            _read_call(facts.call, kind, given, answer)
        elif "Embedder" in kind and not kind.startswith(("SentenceTransformers", "Fastembed")):
            facts.category, facts.operation = "llm", semconv.EMBEDDINGS
            _read_call(facts.call, kind, given, answer)
    failed = facts.error_type
    facts.error_type, facts.error_message = failure(
        span, failed=failed is not None, message=facts.error_message, answered=answer is not None
    )
    if failed is not None and facts.error_type == "_OTHER":
        facts.error_type = failed
    return facts


def _is_reply(answer: Any) -> bool:
    """A component by any other name that gives back replies with a model's metadata."""
    if not isinstance(answer, Mapping) or not isinstance(replies := answer.get("replies"), list):
        return False
    metas = answer.get("meta")
    metas = metas if isinstance(metas, list) else []
    metas += [_part(reply, "meta") for reply in replies]
    return any(isinstance(meta, Mapping) and "model" in meta for meta in metas)


def _read_call(call: CallFacts, kind: str, given: Any, answer: Any) -> None:
    served = next((name for head, name in SERVED_BY if kind.startswith(head)), None)
    call.provider = provider_of(served)
    blobs.read_response(answer, call)
    if isinstance(answer, Mapping) and isinstance(metas := answer.get("meta"), list) and metas:
        blobs.read_response(metas[0], call)  # generators without chat, and embedders
    asked = given.get("generation_kwargs") if isinstance(given, Mapping) else None
    if isinstance(asked, Mapping):
        call.request_model = text_of(asked.get("model"))


def _read_texts(call: CallFacts, given: Any, answer: Any) -> None:
    said = _told(given, ("messages", "prompt", "text", "query"))
    if said is not None:
        call.input_messages = messages.input_messages(_plain_messages(said))
    if isinstance(answer, Mapping) and ("embedding" in answer or "documents" in answer):
        return
    replied = _told(answer, ("replies", "last_message", "messages"))
    if replied is not None:
        call.output_messages = messages.output_messages(_plain_messages(replied))


def _told(body: Any, names: tuple[str, ...]) -> Any:
    """A component's messages. A pipeline names components first: `{"llm": {"messages": [...]}}`."""
    if not isinstance(body, Mapping):
        return body
    for scope in (body, *body.values()):
        if not isinstance(scope, Mapping):
            continue
        for name in names:
            if scope.get(name):
                return scope[name]
    return body or None


def _plain_messages(said: Any) -> Any:
    """Haystack's ChatMessage, of any version, as role, content and tool calls."""
    if isinstance(said, list):
        return [_plain_messages(message) for message in said]
    return _plain_message(said) if _part(said, "role") is not None else said


def _plain_message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = _part(message, "content")
    plain: dict[str, Any] = {"role": _part(message, "role")}
    if not isinstance(content, list):
        return {**plain, "content": content}
    texts, calls = [], []
    for part in content:
        if not isinstance(part, Mapping):
            texts.append(part)
        elif isinstance(call := part.get("tool_call"), Mapping):
            function = {"name": call.get("tool_name"), "arguments": call.get("arguments")}
            calls.append({"id": call.get("id"), "type": "function", "function": function})
        elif isinstance(told := part.get("tool_call_result"), Mapping):
            origin = told.get("origin")
            plain["tool_call_id"] = origin.get("id") if isinstance(origin, Mapping) else None
            texts.append(told.get("result"))
        elif "text" in part:
            texts.append(part["text"])
        else:
            texts.append(part)
    alone = texts[0] if len(texts) == 1 and isinstance(texts[0], str) else None
    plain["content"] = alone if alone is not None or not texts else [_typed(t) for t in texts]
    if calls:
        plain["tool_calls"] = calls
    return plain


def _typed(part: Any) -> Any:
    return {"type": "text", "text": part} if isinstance(part, str) else part


def _part(message: Any, name: str) -> Any:
    if not isinstance(message, Mapping):
        return None
    return message[name] if name in message else message.get("_" + name)


def _read_tool(attributes: Mapping[str, Any], facts: SpanFacts, given: Any, answer: Any) -> None:
    facts.category, facts.operation = "tool", semconv.EXECUTE_TOOL
    facts.tool_name = text_of(attributes.get("haystack.tool.name"))
    facts.tool_call_id = text_of(attributes.get("haystack.tool.call.id"))
    facts.tool_arguments = tool_io.arguments_json(given)
    facts.tool_result = tool_io.result_of(answer)[0]
    if isinstance(answer, Mapping) and answer.keys() == {"error"}:
        facts.error_type, facts.error_message = "ToolInvocationError", text_of(answer["error"])


def _read_invoker(facts: SpanFacts, answer: Any) -> None:
    """One component for all tools of a turn: an execution only where it ran a single one."""
    told = answer.get("tool_messages") if isinstance(answer, Mapping) else None
    if not isinstance(told, list) or len(told) != 1:
        return
    content = _part(told[0], "content")
    results = [
        part["tool_call_result"]
        for part in (content if isinstance(content, list) else [])
        if isinstance(part, Mapping) and isinstance(part.get("tool_call_result"), Mapping)
    ]
    if len(results) != 1:
        return
    origin = results[0].get("origin")
    origin = origin if isinstance(origin, Mapping) else {}
    facts.category, facts.operation = "tool", semconv.EXECUTE_TOOL
    facts.tool_name = text_of(origin.get("tool_name"))
    facts.tool_call_id = text_of(origin.get("id"))
    facts.tool_arguments = tool_io.arguments_json(origin.get("arguments"))
    facts.tool_result = tool_io.result_of(results[0].get("result"))[0]
    if results[0].get("error") is True:
        facts.error_type, facts.error_message = "ToolInvocationError", facts.tool_result


def _first(attributes: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    found = next((attributes[n] for n in names if attributes.get(n) not in (None, "")), None)
    return decoded(found)
