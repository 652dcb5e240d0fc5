"""Messages that the conventions' older versions put into events of a span or into log records.

Events `gen_ai.system.message`, `gen_ai.user.message`, `gen_ai.assistant.message`,
`gen_ai.tool.message` and `gen_ai.choice`; before them `gen_ai.content.prompt` and
`gen_ai.content.completion`; after them `gen_ai.client.inference.operation.details`. The content is
in attributes, in one attribute as JSON, or in the body of the log record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from goldspan.tracing import messages, semconv
from goldspan.tracing.decoding import decoded
from goldspan.tracing.facts import CallFacts
from goldspan.tracing.values import text_of

ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
CHOICE: Final = "gen_ai.choice"
PROMPT: Final = "gen_ai.content.prompt"
COMPLETION: Final = "gen_ai.content.completion"
# Azure's SDKs name events like the attributes.
WHOLE_INPUT: Final = frozenset({semconv.INPUT_MESSAGES, "gen_ai.input.message"})
WHOLE_OUTPUT: Final = frozenset({semconv.OUTPUT_MESSAGES, "gen_ai.output.message"})
NAMES: Final = frozenset(
    {*ROLES, CHOICE, PROMPT, COMPLETION, semconv.OPERATION_DETAILS, *WHOLE_INPUT, *WHOLE_OUTPUT}
)
_WHOLE: Final = ("gen_ai.event.content", "event_body", "gen_ai.event.body")


@dataclass(slots=True)
class Said:
    """What events tell: messages as they came, and attributes of operation details."""

    given: list[Any] = field(default_factory=list)
    answered: list[Any] = field(default_factory=list)
    finish_reasons: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def fill(self, call: CallFacts) -> None:
        """Give a call the messages and finish reasons that it lacks."""
        if call.input_messages is None and self.given:
            call.input_messages = _with_text(messages.input_messages(self.given))
        if call.output_messages is None and self.answered:
            call.output_messages = _with_text(messages.output_messages(self.answered))
        if call.finish_reasons is None and self.finish_reasons:
            call.finish_reasons = self.finish_reasons


def said_in(events: Iterable[tuple[str, Mapping[str, Any], Any]]) -> Said:
    """What events tell, given as name, attributes and body in the order of their times."""
    said = Said()
    for name, attributes, body in events:
        if name not in NAMES:
            continue
        content = _content(attributes, body)
        if name == semconv.OPERATION_DETAILS:
            said.details.update(content)
        elif name == CHOICE:
            said.answered.append(_choice(content))
            if reason := text_of(content.get("finish_reason")):
                said.finish_reasons.append(reason)
        elif name == PROMPT:
            _add_all(said.given, content.get("gen_ai.prompt", content.get("content")), "user")
        elif name == COMPLETION:
            answer = content.get("gen_ai.completion", content.get("content"))
            _add_all(said.answered, answer, "assistant")
        elif name in WHOLE_INPUT:
            _add_all(said.given, _held(content), "user")
        elif name in WHOLE_OUTPUT:
            _add_all(said.answered, _held(content), "assistant")
        else:
            said.given.append(_message(content, ROLES[name]))
    return said


def said_in_turn(turn: Any) -> Said:
    """What a whole turn tells: `{"input": {"messages": [...]}, "output": {"messages": [...]}}`.

    The form into which AWS's distribution of OpenTelemetry rewrites agents' events.
    """
    said = Said()
    for name, into in (("input", said.given), ("output", said.answered)):
        side = turn.get(name) if isinstance(turn, Mapping) else None
        found = side.get("messages") if isinstance(side, Mapping) else None
        if isinstance(found, list):
            into += found
    return said


def _content(attributes: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """One mapping of what an event holds, wherever it holds it."""
    content = dict(attributes)
    for whole in (*(content.pop(n, None) for n in _WHOLE), body):
        inner = decoded(whole)
        if isinstance(inner, Mapping):
            content |= inner
        elif inner not in (None, ""):
            content.setdefault("content", inner)
    return content


def _message(content: Mapping[str, Any], role: str) -> dict[str, Any]:
    if isinstance(content.get("parts"), list):
        return {"role": role, **_only(content, "role", "parts")}
    said = content.get("content", content.get("message"))
    inner = decoded(said)
    is_message = isinstance(inner, Mapping) and ("parts" in inner or "content" in inner)
    if is_message and role != "tool":
        return {"role": role, **inner}
    stated = _only(content, "role", "name", "tool_calls", "toolCalls", "id", "tool_call_id")
    return {"role": role, **stated, "content": said}


def _choice(content: Mapping[str, Any]) -> dict[str, Any]:
    answer = decoded(content.get("message"))
    if isinstance(answer, Mapping):
        message = {"role": "assistant", **answer}
        if "tool_calls" not in message and "tool_calls" in content:
            message["tool_calls"] = content["tool_calls"]
    elif answer is not None:
        message = {"role": "assistant", "content": content["message"]}
    else:
        message = _message(content, "assistant")
    if isinstance(calls := message.get("tool_calls"), str):
        message["tool_calls"] = decoded(calls)
    return {"message": message, **_only(content, "finish_reason", "index")}


def _held(content: Mapping[str, Any]) -> Any:
    """The messages of an event that holds them whole: as its content, or as its only message."""
    return content if "parts" in content else content.get("content")


def _only(content: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: content[name] for name in names if content.get(name) not in (None, "")}


def _add_all(messages_: list[Any], value: Any, role: str) -> None:
    structure = decoded(value)
    if isinstance(structure, list):
        messages_ += structure
    elif isinstance(structure, Mapping):
        messages_.append(structure)
    elif structure not in (None, ""):
        messages_.append({"role": role, "content": structure})


def _with_text(written: str | None) -> str | None:
    """None if the messages have no parts: content was not captured."""
    if written is None or '"type":' in written:
        return written
    return None
