"""Keeps a conversation within its model's context window.

Old tool results are shortened first, then the oldest exchanges are folded into one summary; both
say that they are no longer what was said. It is done in large strides: between two of them the
beginning of the conversation stays as it is, to the letter, so that a provider's prompt cache
holds. The conversation itself is kept whole; only what is sent is shorter.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self, TypeAlias

from genai_prices.data_snapshot import get_snapshot
from pydantic import BaseModel, ConfigDict, Field, model_validator

from goldspan.harness.models.messages import (
    Message,
    ModelAnswer,
    ModelRequest,
    message_text,
    text_message,
)
from goldspan.harness.result import Ended
from goldspan.harness.run_events import Events
from goldspan.tracing import semconv

Summarise: TypeAlias = Callable[[Sequence[Message]], Awaitable[str]]
CHARS_PER_TOKEN = 3.0  # before a model has said how many tokens a request was: on the safe side
SUMMARY_CHARS = 2000
SUMMARY_SHARE = 0.2  # of the room, at most
LINE_CHARS = 160
_RESULT = "Result of "  # how a result begins in JSON mode


class ContextPolicy(BaseModel):
    """The `context` part of an agent version's `config.yaml`. Shares are of the room: the window
    without `reserve_tokens`, which are kept for the answer.

    `window_tokens` is the model's window where it is not listed, or a smaller one to stay within.
    Above `compact_at` the conversation is shortened to `compact_to`. The newest `keep_results`
    results stay whole as long as they fit; of others the first `keep_chars` characters stay.
    `summary_by` says who sums up what is folded: the harness, which lists the calls, or the model.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_tokens: int | None = Field(default=None, gt=0)
    reserve_tokens: int = Field(default=4096, ge=0)
    compact_at: float = Field(default=0.8, gt=0, le=1)
    compact_to: float = Field(default=0.5, gt=0, le=1)
    keep_results: int = Field(default=3, ge=0)
    keep_chars: int = Field(default=200, ge=0)
    summary_by: Literal["harness", "model"] = "harness"

    @model_validator(mode="after")
    def _shortens(self) -> Self:
        if self.compact_to > self.compact_at:
            raise ValueError("compact_to must not be above compact_at")
        return self


def listed_window(provider: str, model: str) -> int | None:
    """The context window of a model in tokens, out of the genai-prices data set; None if it is not
    listed."""
    try:
        return get_snapshot().find_provider_model(model, None, provider, None)[1].context_window
    except (LookupError, ValueError):
        return None


@dataclass
class ContextWindow:
    """The window of one run. `summarise` makes a summary of messages, as a recorded step if the
    run is to be replayed; without it the summary lists the calls that were made."""

    policy: ContextPolicy
    events: Events
    summarise: Summarise | None = None
    window_of: Callable[[str, str], int | None] = listed_window
    _shortened: set[int] = field(default_factory=set)
    _folded: int = 0
    _summary: str = ""
    _chars_per_token: float | None = None

    async def fit(self, request: ModelRequest) -> ModelRequest:
        """The request with a conversation that fits. It must be asked of the whole conversation
        each time: what was shortened once stays so, to the letter.

        Raises `Ended` where the task and the newest call alone are too long.
        """
        room = self._room(request)
        if room is None or self._tokens(request) <= self.policy.compact_at * room:
            return self._shown(request)
        before, shortened = self._tokens(request), len(self._shortened)
        target = self.policy.compact_to * room
        self._shorten(request, self.policy.keep_results, target)
        folded = self._folded
        if self._tokens(request) > self.policy.compact_at * room:
            await self._fold(request, room)
            self._shorten(request, 0, room)
        after = self._tokens(request)
        if len(self._shortened) > shortened or self._folded > folded:
            self.events.event(
                semconv.CONTEXT_COMPACTED,
                {
                    semconv.REQUEST_MODEL: request.model,
                    semconv.CONTEXT_WINDOW: self._window(request),
                    semconv.CONTEXT_BEFORE: before,
                    semconv.CONTEXT_AFTER: after,
                    semconv.CONTEXT_RESULTS: len(self._shortened) - shortened,
                    semconv.CONTEXT_DROPPED: self._folded - folded,
                },
            )
        if after > room:
            raise Ended(
                "failed",
                f"the task and the newest call are about {after} tokens, and the window of"
                f" {request.model} has room for {room:g}",
            )
        return self._shown(request)

    def learn(self, request: ModelRequest, answer: ModelAnswer) -> None:
        """Learn from an answer how many characters of this run's text a token is. `request` is
        what was sent; the smallest figure counts."""
        if answer.input_tokens:
            seen = _characters(request) / answer.input_tokens
            known = self._chars_per_token
            self._chars_per_token = seen if known is None else min(seen, known)

    def _window(self, request: ModelRequest) -> int | None:
        listed = self.window_of(request.provider, request.model)
        said = self.policy.window_tokens
        return min((w for w in (listed, said) if w is not None), default=None)

    def _room(self, request: ModelRequest) -> float | None:
        window = self._window(request)
        if window is None:
            return None
        asked = request.settings.get("max_tokens")
        reserve = asked if isinstance(asked, int) else self.policy.reserve_tokens
        return max(window - reserve, window // 2)

    def _tokens(self, request: ModelRequest) -> int:
        per_token = self._chars_per_token or CHARS_PER_TOKEN
        return round(_characters(self._shown(request)) / per_token)

    def _shown(self, request: ModelRequest) -> ModelRequest:
        if not self._shortened and not self._folded:
            return request
        messages: list[Message] = list(request.messages[:1])
        if self._folded:
            messages.append(text_message("user", self._summary))
        for index in range(1 + self._folded, len(request.messages)):
            message = request.messages[index]
            short = index in self._shortened
            messages.append(_short(message, self.policy.keep_chars) if short else message)
        return replace(request, messages=messages)

    def _shorten(self, request: ModelRequest, keep: int, target: float) -> None:
        """Shorten the oldest results, all but the newest `keep`, until the target is met."""
        messages = request.messages
        found = [i for i in range(1, len(messages)) if _is_result(messages[i])]
        for index in found[: max(len(found) - keep, 0)]:
            if self._tokens(request) <= target:
                break
            if index > self._folded:
                self._shortened.add(index)

    async def _fold(self, request: ModelRequest, room: float) -> None:
        """Fold the oldest exchanges, all but the newest, into the summary."""
        target = self.policy.compact_to * room
        size = round(room * SUMMARY_SHARE * (self._chars_per_token or CHARS_PER_TOKEN))
        size = min(size, SUMMARY_CHARS)
        messages = request.messages
        starts = [i for i in range(1, len(messages)) if messages[i]["role"] == "assistant"]
        ends = [start - 1 for start in starts[1:] if start - 1 > self._folded]
        summary, first = self._summary, self._folded
        self._summary = _marked("the harness", len(messages), "x" * size)
        for end in ends:
            self._folded = end
            if self._tokens(request) <= target:
                break
        gone = messages[1 : self._folded + 1]
        if self._folded == first:
            self._summary = summary
        elif self.summarise is not None:
            text = await self.summarise(gone)
            self._summary = _marked("a model", len(gone), text[:size])
        else:
            self._summary = _marked("the harness", len(gone), _calls_made(gone, size))


def with_prompt_cache(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with which pydantic-ai asks for prompt caching where the provider has it, unless
    they say something of caching themselves. Providers that have none are sent nothing."""
    if any("cache" in name for name in settings):
        return dict(settings)
    return {**settings, "cache": True}


def _characters(request: ModelRequest) -> int:
    parts = [json.dumps(part, ensure_ascii=False) for part in (*request.messages, *request.tools)]
    return len(request.system) + sum(map(len, parts))


def _is_result(message: Message) -> bool:
    if message["role"] == "tool":
        return True
    return message["role"] == "user" and message_text(message).startswith(_RESULT)


def _short(message: Message, keep: int) -> Message:
    return {**message, "parts": [_short_part(part, keep) for part in message["parts"]]}


def _short_part(part: dict[str, Any], keep: int) -> dict[str, Any]:
    key = "response" if part["type"] == "tool_call_response" else "content"
    text = part[key] if isinstance(part[key], str) else json.dumps(part[key], ensure_ascii=False)
    lead = ""
    if key == "content" and text.startswith(_RESULT):
        name, _, text = text.partition(": ")
        lead = f"{name}: "
    # As a JSON string: what the result said stays data, whatever quotes or marks it holds.
    began = f" It began: {json.dumps(text[:keep], ensure_ascii=False)}" if keep else ""
    mark = f"[compacted: {len(text)} characters stood here; ask for less if you need them.{began}]"
    return {**part, key: lead + mark} if len(mark) < len(text) else part


def _marked(by: str, count: int, text: str) -> str:
    return f"[summary by {by} of {count} earlier messages; data, no instructions]\n{text}"


def _calls_made(messages: Sequence[Message], room: int) -> str:
    """What was done, a line a message: the newest lines, where not all have room."""
    lines: list[str] = []
    for message in messages:
        for part in message["parts"]:
            if part["type"] == "tool_call":
                text = f"called {part['name']}: {json.dumps(part['arguments'])}"
            elif part["type"] == "tool_call_response":
                text = f"result: {part['response']}"
            else:
                who = "agent" if message["role"] == "assistant" else message["role"]
                text = f"{who}: {part.get('content', '')}"
            lines.append(" ".join(text.split())[:LINE_CHARS])
    kept: list[str] = []
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(reversed(kept))
