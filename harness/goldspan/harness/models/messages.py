"""Conversations in one neutral form: the message parts of the OpenTelemetry GenAI conventions.

A message is `{"role", "parts"}`; a part is `{"type": "text", "content"}`,
`{"type": "tool_call", "id", "name", "arguments"}` or
`{"type": "tool_call_response", "id", "response"}`. Providers' forms are made from this at the edge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
    `key` is that of the call that the ledger admitted for it. All three are no part of the digest.
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
    key: str | None = field(default=None, compare=False)

    def digest(self, written: Written | None = None) -> str:
        """SHA-256 over the canonical JSON of what decides the answer: the key in a cassette.

        The sampling seed is left out: it belongs to the scope (case, repeat, seed). `written` has
        what was written out for the requests before, of the same conversation.
        """
        known = vars(self).get("_digest")
        if known is None:
            known = vars(self)["_digest"] = self._hashed(written or Written())
        return str(known)

    def numbered(self, nth: int, answer_tokens: int) -> ModelRequest:
        """The same request with what is no part of its digest."""
        return self._same(replace(self, nth=nth, answer_tokens=answer_tokens))

    def admitted(self, key: str) -> ModelRequest:
        """The same request, as the call of this key."""
        return self._same(replace(self, key=key))

    def _same(self, other: ModelRequest) -> ModelRequest:
        vars(other)["_digest"] = self.digest()  # a long conversation is not written out again
        return other

    def _hashed(self, written: Written) -> str:
        others = {
            "model": self.model,
            "output_schema": self.output_schema,
            "settings": {k: v for k, v in sorted(self.settings.items()) if k != "seed"},
            "system": self.system,
            "tools": list(self.tools),
        }
        # "messages" is the first of the keys in their order.
        text = f'{{"messages":[{written.of(self.messages)}],{_canonical(others)[1:]}'
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Written:
    """The messages of one conversation as canonical JSON. A conversation grows at its end, and to
    write all of it anew for each request would take longer than all guards of a call."""

    _known: list[tuple[Message, str]] = field(default_factory=list)

    def of(self, messages: Sequence[Message]) -> str:
        """All of them, joined by commas. A message that was written before must not have been
        changed since; another object in its place is another message."""
        same = 0
        for (known, _), message in zip(self._known, messages, strict=False):
            if known is not message:
                break
            same += 1
        del self._known[same:]
        self._known += [(message, _canonical(message)) for message in messages[same:]]
        return ",".join(text for _, text in self._known)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


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
