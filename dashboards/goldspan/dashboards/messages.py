"""Messages of a model call, read from the conventions' JSON into parts that can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goldspan.dashboards.display import decoded, known, pretty


@dataclass(frozen=True)
class Part:
    """One part of a message. `kind` is text, reasoning, tool call, tool result or other."""

    kind: str
    title: str
    text: str
    is_json: bool = False


@dataclass(frozen=True)
class Message:
    """One message of a conversation: who speaks, and what in which parts."""

    role: str
    parts: tuple[Part, ...]
    finish_reason: str | None = None


def read_messages(value: Any) -> list[Message]:
    """Messages held by a column (JSON text or a value); anything unknown is shown as it came."""
    found = decoded(value)
    if found is None or found == "":
        return []
    if not isinstance(found, list):
        return [Message("unknown", (_part(found),))]
    return [_message(item) for item in found]


def read_instructions(value: Any) -> list[Message]:
    """System instructions (a list of parts, or plain text) as one message of the system."""
    found = decoded(value)
    if found is None or found in ("", []):
        return []
    if isinstance(found, list) and any(isinstance(x, dict) and "parts" in x for x in found):
        return [_message(item) for item in found]
    parts = found if isinstance(found, list) else [found]
    return [Message("system", tuple(_part(part) for part in parts))]


def _message(item: Any) -> Message:
    if not isinstance(item, Mapping):
        return Message("unknown", (_part(item),))
    parts = item.get("parts", item.get("content"))
    if not isinstance(parts, list):
        parts = [] if parts is None else [parts]
    reason = item.get("finish_reason")
    return Message(
        str(item.get("role", "unknown")),
        tuple(_part(part) for part in parts),
        str(reason) if reason else None,
    )


def _part(part: Any) -> Part:
    if not isinstance(part, Mapping):
        return Part("text", "", part if isinstance(part, str) else pretty(part))
    kind = str(part.get("type", ""))
    content = part.get("content", part.get("text"))
    if kind == "tool_call":
        title = " ".join(str(part[key]) for key in ("name", "id") if part.get(key))
        return Part("tool call", title, pretty(part.get("arguments")), is_json=True)
    if kind == "tool_call_response":
        answer = part.get("response", part.get("result"))
        return Part("tool result", str(part.get("id") or ""), pretty(answer), is_json=True)
    if kind in {"text", "reasoning", "thinking"} and known(content):
        shown = content if isinstance(content, str) else pretty(content)
        return Part("text" if kind == "text" else "reasoning", "", shown)
    return Part("other", kind, pretty(dict(part)), is_json=True)
