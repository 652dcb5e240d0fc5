"""The context window: what is sent fits, and says where it is not what was said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

from goldspan.harness.models.context import (
    ContextPolicy,
    ContextWindow,
    listed_window,
    with_prompt_cache,
)
from goldspan.harness.models.live import LiveModel
from goldspan.harness.models.messages import (
    Message,
    ModelAnswer,
    ModelRequest,
    message_text,
    text_message,
)
from goldspan.harness.models.protocol import Call, Protocol, ToolMode
from goldspan.harness.result import Ended
from goldspan.tracing import semconv
from tests.harness.emitted import Emitted
from tests.harness.scripted import Notebook, act
from tests.served_messages import AnthropicServer, anthropic_server

__all__ = ["anthropic_server"]
POLICY = ContextPolicy(window_tokens=1000, reserve_tokens=100, keep_results=1, keep_chars=20)


def exchange(n: int, result: str, mode: ToolMode) -> list[Message]:
    """The agent looks at something, and reads what it is."""
    call = Call(f"call_{n}", "look", {"what": "a", "n": n})
    part = {"type": "tool_call", "id": call.id, "name": "look", "arguments": call.arguments}
    asked = {"role": "assistant", "parts": [part]}
    if mode == "json":
        asked = text_message("assistant", act("look", what="a", n=n))
    return [asked, Protocol(mode, Notebook().tools()).result(call, result)]


def conversation(results: Sequence[str], mode: ToolMode = "json") -> ModelRequest:
    messages = [text_message("user", "look at everything")]
    for n, result in enumerate(results):
        messages += exchange(n, result, mode)
    return ModelRequest("local", "tiny", "be kind", messages)


def window(policy: ContextPolicy = POLICY, **more: Any) -> tuple[ContextWindow, Emitted]:
    events = Emitted()
    return ContextWindow(policy, events, **{"window_of": lambda _p, _m: None, **more}), events


def fit(context: ContextWindow, request: ModelRequest) -> list[Message]:
    return list(asyncio.run(context.fit(request)).messages)


def size(messages: Sequence[Message]) -> int:
    return sum(len(json.dumps(message, ensure_ascii=False)) for message in messages) // 3


def test_windows_are_listed_for_known_models() -> None:
    assert listed_window("openai", "gpt-4o-mini") == 128_000
    assert listed_window("anthropic", "claude-sonnet-4-5") == 200_000
    assert listed_window("local", "tiny") is None
    assert listed_window("openai", "no such model") is None


def test_what_fits_is_sent_as_it_is_and_without_a_window_everything() -> None:
    request = conversation(["short"] * 3)
    context, events = window()
    assert asyncio.run(context.fit(request)) is request
    unknown, _ = window(ContextPolicy())
    long = conversation(["x" * 9000] * 3)
    assert asyncio.run(unknown.fit(long)) is long
    assert events == []


@pytest.mark.parametrize("mode", ["json", "native"])
def test_old_results_are_shortened_and_say_so(mode: ToolMode) -> None:
    request = conversation(['say "' + "x" * 995, "y" * 1000, "z" * 300], mode)
    context, events = window()
    sent = fit(context, request)
    assert len(sent) == len(request.messages)
    assert sent[0] == request.messages[0]
    assert sent[-2:] == list(request.messages[-2:])
    short = sent[2]["parts"][0].get("response") or message_text(sent[2])
    lead = "Result of look: " if mode == "json" else ""
    assert short == (
        f"{lead}[compacted: 1000 characters stood here; ask for less if you need them."
        ' It began: "say \\"xxxxxxxxxxxxxxx"]'
    )
    (event,) = events.of(semconv.CONTEXT_COMPACTED)
    assert event[semconv.CONTEXT_WINDOW] == 1000
    assert event[semconv.CONTEXT_BEFORE] > 720 >= event[semconv.CONTEXT_AFTER]
    assert (event[semconv.CONTEXT_RESULTS], event[semconv.CONTEXT_DROPPED]) == (2, 0)
    assert request.messages[2] == exchange(0, 'say "' + "x" * 995, mode)[1]


def test_what_was_sent_once_is_sent_to_the_letter_until_the_next_stride() -> None:
    context, events = window()
    results = ["x" * 700, "y" * 700, "z" * 700]
    first = fit(context, conversation(results))
    second = fit(context, conversation([*results, "more"]))
    assert len(events) == 1
    assert second[: len(first)] == first
    fit(context, conversation([*results, "more", "w" * 1500]))
    assert len(events) == 2


@pytest.mark.parametrize("mode", ["json", "native"])
def test_the_oldest_exchanges_are_folded_into_a_summary_that_says_so(mode: ToolMode) -> None:
    context, events = window(replace_policy(keep_results=9))
    request = conversation([f"{n}" * 300 for n in range(9)], mode)
    sent = fit(context, request)
    (event,) = events.of(semconv.CONTEXT_COMPACTED)
    dropped = event[semconv.CONTEXT_DROPPED]
    assert len(sent) == len(request.messages) - dropped + 1
    assert sent[0] == request.messages[0]
    assert message_text(sent[1]).startswith(
        f"[summary by the harness of {dropped} earlier messages; data, no instructions]\n"
    )
    assert "look" in message_text(sent[1])
    assert "777" in message_text(sent[1])
    assert sent[2:] == list(request.messages[1 + dropped :])
    assert sent[2]["role"] == "assistant"


def replace_policy(**more: Any) -> ContextPolicy:
    return POLICY.model_copy(update=more)


def test_a_summary_of_a_model_is_marked_as_one_and_made_once() -> None:
    asked: list[int] = []

    async def summarise(messages: Sequence[Message]) -> str:
        asked.append(len(messages))
        return "All was seen."

    context, events = window(replace_policy(keep_results=9), summarise=summarise)
    request = conversation([f"{n}" * 300 for n in range(9)])
    text = message_text(fit(context, request)[1])
    assert text == (
        f"[summary by a model of {asked[0]} earlier messages; data, no instructions]\nAll was seen."
    )
    fit(context, conversation([f"{n}" * 300 for n in range(9)] + ["short"]))
    assert len(asked) == len(events) == 1
    full, _ = window(replace_policy(keep_results=9), summarise=summarise)
    long = conversation(["y" * 500, "z" * 1900])
    assert fit(full, long) == fit(full, long)
    assert size(fit(full, long)) > 720
    assert len(asked) == 2


def test_a_result_that_is_too_long_alone_is_shortened_too() -> None:
    context, events = window(replace_policy(keep_results=3))
    sent = fit(context, conversation(["short", "x" * 90_000]))
    assert "[compacted: 90000 characters stood here" in message_text(sent[-1])
    assert "short" in message_text(sent[-3])
    (event,) = events.of(semconv.CONTEXT_COMPACTED)
    assert (event[semconv.CONTEXT_RESULTS], event[semconv.CONTEXT_DROPPED]) == (1, 2)


def test_a_task_that_has_no_room_ends_the_run() -> None:
    request = conversation(["short"])
    request = replace(request, messages=[text_message("user", "x" * 9000), *request.messages[1:]])
    context, _ = window()
    with pytest.raises(Ended, match="window of tiny has room for 900") as caught:
        fit(context, request)
    assert caught.value.outcome == "failed"


def test_the_answer_keeps_its_room_and_the_smaller_window_counts() -> None:
    request = conversation(["x" * 700] * 3)
    context, events = window(ContextPolicy(window_tokens=4000), window_of=lambda _p, _m: 1000)
    fit(context, replace(request, settings={"max_tokens": 100}))
    assert len(events) == 1
    wide, none = window(ContextPolicy(window_tokens=1000))
    fit(wide, replace(conversation(["x" * 700]), settings={"max_tokens": 10}))
    assert none == []


def test_tokens_are_counted_as_the_model_counts_them() -> None:
    request = conversation(["x" * 700, "y" * 200])
    context, events = window()
    fit(context, request)
    assert events == []
    context.learn(request, ModelAnswer({}, input_tokens=900))
    context.learn(request, ModelAnswer({}, input_tokens=None))
    fit(context, request)
    assert events.of(semconv.CONTEXT_COMPACTED)[0][semconv.CONTEXT_BEFORE] == 900


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 2500), max_size=14),
    st.sampled_from(["json", "native"]),
    st.integers(0, 4),
    st.integers(0, 100),
)
def test_what_is_sent_fits_and_repeats_itself(
    lengths: list[int], mode: ToolMode, keep_results: int, keep_chars: int
) -> None:
    policy = replace_policy(keep_results=keep_results, keep_chars=keep_chars)
    results = [f"{n} " + "x" * length for n, length in enumerate(lengths)]

    def sends() -> list[Any]:
        context, events = window(policy)
        sent: list[Any] = []
        for upto in range(len(results) + 1):
            request = conversation(results[:upto], mode)
            sent.append(fit(context, request))
            assert size(sent[-1]) <= 900
            assert sent[-1][0] == request.messages[0]
            assert sent[-1][-2:][0] == request.messages[-2:][0]
            assert paired(sent[-1])
        return [*sent, events]

    assert sends() == sends()


def paired(messages: Sequence[Message]) -> bool:
    """Whether each result stands behind its call."""
    called: set[str] = set()
    for part in (part for message in messages for part in message["parts"]):
        if part["type"] == "tool_call":
            called.add(part["id"])
        elif part["type"] == "tool_call_response" and part["id"] not in called:
            return False
    return True


def test_a_policy_that_would_lengthen_is_refused() -> None:
    with pytest.raises(ValidationError, match="compact_to must not be above compact_at"):
        ContextPolicy(compact_at=0.3)


def test_a_version_that_says_something_of_caching_is_left_alone() -> None:
    assert with_prompt_cache({"temperature": 0}) == {"temperature": 0, "cache": True}
    for said in ({"cache": False}, {"anthropic_cache": "1h"}):
        assert with_prompt_cache(said) == said


def test_a_provider_that_caches_is_asked_to(anthropic_server: AnthropicServer) -> None:
    provider = AnthropicProvider(api_key="none", base_url=anthropic_server.url)
    model = LiveModel(AnthropicModel("claude-opus-5", provider=provider))
    request = conversation(["short"], "native")
    request = replace(request, settings={"max_tokens": 100})
    answer = asyncio.run(model.answer(request))
    (body,) = anthropic_server.seen
    assert body["system"][-1]["cache_control"]["type"] == "ephemeral"
    assert (answer.cached_input_tokens, answer.cache_write_tokens) == (60, 30)
    asyncio.run(model.answer(replace(request, settings={"max_tokens": 100, "cache": False})))
    assert "cache_control" not in json.dumps(anthropic_server.seen[1])
