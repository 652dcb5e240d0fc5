"""Messages of a model call in the conventions' JSON form, whatever shape emitters hold them in.

The form is a list of `{"role": ..., "parts": [...]}`; the system instructions are a list of parts.
Known shapes: the conventions, OpenAI (chat and responses), Anthropic, Gemini, Bedrock, Cohere,
Ollama, LangChain, the Vercel AI SDK, pydantic-ai and OpenInference, as structures or as JSON text.
Whatever is none of them becomes one text part that holds it.
"""

from __future__ import annotations

from typing import Any

from goldspan.tracing.chat_messages import Message, messages_of
from goldspan.tracing.decoding import decoded, strict_json, tool_json, valid_json
from goldspan.tracing.indexed_keys import indexed
from goldspan.tracing.message_parts import OWN_TYPES, text_part

__all__ = ["indexed", "input_messages", "output_messages", "system_instructions", "tool_json"]


def input_messages(value: Any, role: str = "user") -> str | None:
    """JSON text of the messages that a call was given; plain text is one message of the role."""
    if value is None or value == "":
        return None
    if _are_own_messages(strict_json(value)):
        return str(value)
    messages = _read(decoded(value), value, role)
    return valid_json(messages) if messages else None


def output_messages(value: Any) -> str | None:
    """JSON text of the messages that a call answered with, their finish reasons where known."""
    return input_messages(value, "assistant")


def system_instructions(value: Any) -> str | None:
    """JSON text of the parts of a call's system instructions."""
    if value is None or value == "":
        return None
    if _are_own_parts(strict_json(value)):
        return str(value)
    told = _read(decoded(value), value, "system")
    parts = [part for message in told for part in message["parts"]]
    return valid_json(parts) if parts else None


def _read(structure: Any, value: Any, role: str) -> list[Message]:
    try:
        return messages_of(structure, role)
    except RecursionError:
        return [{"role": role, "parts": [text_part(value)]}]


def _are_own_messages(value: Any) -> bool:
    """Whether it is the conventions' form already; then nothing has to be written anew."""
    if not isinstance(value, list) or not value:
        return False
    for message in value:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            return False
        parts = message.get("parts")
        if not (parts == [] or _are_own_parts(parts)):
            return False
    return True


def _are_own_parts(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    for part in value:
        if not isinstance(part, dict):
            return False
        kind = part.get("type")
        if not isinstance(kind, str) or OWN_TYPES.get(kind, "") not in part:
            return False
        if kind == "tool_call" and isinstance(part["arguments"], str):
            return False
    return True
