"""Messages are read as the conventions write them, and anything else is shown as it came."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from goldspan.dashboards.messages import Part, read_instructions, read_messages


def test_parts_of_a_conversation() -> None:
    (user, assistant, tool) = read_messages(
        json.dumps(
            [
                {"role": "user", "parts": [{"type": "text", "content": "<b>hi</b>"}]},
                {
                    "role": "assistant",
                    "finish_reason": "tool_call",
                    "parts": [
                        {"type": "reasoning", "content": "look first"},
                        {"type": "tool_call", "id": "c1", "name": "search", "arguments": {"q": 1}},
                    ],
                },
                {
                    "role": "tool",
                    "parts": [{"type": "tool_call_response", "id": "c1", "response": {"n": 2}}],
                },
            ]
        )
    )
    assert user.parts == (Part("text", "", "<b>hi</b>"),)
    assert assistant.finish_reason == "tool_call"
    assert assistant.parts[0].kind == "reasoning"
    assert assistant.parts[1] == Part("tool call", "search c1", '{\n  "q": 1\n}', is_json=True)
    assert tool.parts[0] == Part("tool result", "c1", '{\n  "n": 2\n}', is_json=True)


def test_plain_content_and_unknown_shapes_are_kept() -> None:
    assert read_messages('[{"role": "user", "content": "hi"}]')[0].parts[0].text == "hi"
    assert read_messages("not json")[0].parts[0].text == "not json"
    assert read_messages('[{"role": "user", "parts": [{"type": "blob", "n": 1}]}]')[0].parts[
        0
    ] == Part("other", "blob", '{\n  "type": "blob",\n  "n": 1\n}', is_json=True)
    assert read_messages(None) == []
    assert read_messages(float("nan")) == []


def test_instructions_are_one_system_message() -> None:
    (message,) = read_instructions('[{"type": "text", "content": "Be kind."}]')
    assert (message.role, message.parts[0].text) == ("system", "Be kind.")
    assert read_instructions("Be kind.")[0].parts[0].text == "Be kind."
    assert read_instructions("[]") == []


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "parts", "type", "content", "x"]), inner)
    ),
    max_leaves=12,
)


@given(_JSON)
def test_no_json_breaks_the_reader(value: Any) -> None:
    for message in read_messages(json.dumps(value)) + read_instructions(json.dumps(value)):
        assert all(isinstance(part.text, str) for part in message.parts)
