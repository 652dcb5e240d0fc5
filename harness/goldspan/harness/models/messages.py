"""Conversations in one neutral form: the message parts of the OpenTelemetry GenAI conventions.

A message is `{"role", "parts"}`; a part is `{"type": "text", "content"}`,
`{"type": "tool_call", "id", "name", "arguments"}` or
`{"type": "tool_call_response", "id", "response"}`. Providers' forms are made from this at the edge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]


def text_message(role: str, content: str) -> Message:
    """A message of one text part."""
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def message_text(message: Message) -> str:
    """All text parts of a message, joined by newlines."""
    return "\n".join(p["content"] for p in message["parts"] if p["type"] == "text")


@dataclass(frozen=True)
class ModelRequest:
    """One request to a model, complete and without clocks or generated ids.

    `output_schema` binds the answer to a JSON Schema; `tools` are native tool definitions
    (`name`, `description`, `parameters`). Only one of the two is used, by the agent's tool mode.
    `nth` says how many equal requests the run has made before; None leaves the counting to who
    answers. `answer_tokens` is what a budget has room for, where the settings say no `max_tokens`.
    Both are no part of the digest.
    """

    provider: str
    model: str
    system: str
    messages: Sequence[Message]
    settings: dict[str, Any] = field(default_factory=dict)
    tools: Sequence[dict[str, Any]] = ()
    output_schema: dict[str, Any] | None = None
    nth: int | None = None
    answer_tokens: int | None = None

    def digest(self) -> str:
        """SHA-256 over the canonical JSON of what decides the answer: the key in a cassette.

        The sampling seed is left out: it belongs to the scope (case, repeat, seed).
        """
        body = {
            "model": self.model,
            "system": self.system,
            "messages": list(self.messages),
            "settings": {k: v for k, v in sorted(self.settings.items()) if k != "seed"},
            "tools": list(self.tools),
            "output_schema": self.output_schema,
        }
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class ModelAnswer:
    """What a model answered. Token counts are None where the provider did not say.

    `input_tokens` includes cached and cache-written ones; `duration_ms` is the time that the
    model took when it really answered, also on a replay.
    """

    message: Message
    finish_reason: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    duration_ms: float = 0.0
    replayed: bool = False
