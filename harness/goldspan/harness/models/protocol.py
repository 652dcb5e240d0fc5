"""How a model says what it wants to do: native tool calls, or one JSON action bound by a schema.

The JSON form serves models without tool calling, as small local ones are: each answer is
`{"thought", "action", "arguments"}`, where the action is a tool's name or `answer`. Where the
agent version decides by confidence, the model must state one: in JSON mode beside the action, in
native mode as one more argument of each call. Recorded answers depend on this text to the letter;
a change of it needs new recordings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from goldspan.harness.models.messages import Message, ModelAnswer, message_text, text_message
from goldspan.harness.tools import Tool

ToolMode: TypeAlias = Literal["json", "native"]
ANSWER = "answer"
THOUGHT_CHARS = 240
ANSWER_CHARS = 600
CONFIDENCE = "confidence"
STATED = "your_confidence"  # as an argument; no tool's own may be taken for it
SURE: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": 1}
ASKED = "from 0 to 1, how likely it is that this is the right thing to do"


@dataclass(frozen=True)
class Call:
    """A tool call that the model asks for. `id` is ours, numbered within the run; `confidence` is
    what the model states, None where it states none."""

    id: str
    name: str
    arguments: Any
    confidence: float | str | None = None


class ExampleStep(BaseModel):
    """One step of an example: a tool call with its result, or the final `answer`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thought: str = ""
    action: str
    arguments: dict[str, Any] = {}
    result: str | None = None


class Example(BaseModel):
    """A task done well, shown to the model in its own format (few-shot prompting)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: str
    steps: list[ExampleStep] = Field(min_length=1)


@dataclass(frozen=True)
class Turn:
    """What a model's answer means: calls to make, a final answer, or a fault to tell it about."""

    message: Message
    calls: tuple[Call, ...] = ()
    answer: str | None = None
    reason: str | None = None
    confidence: float | str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Protocol:
    """A tool mode with the tools that it offers. With `confidence` the model must state one."""

    mode: ToolMode
    tools: Sequence[Tool]
    confidence: bool = False

    def system(self, prompt: str, examples: Sequence[Example] = ()) -> str:
        """The system text: the version's prompt, in JSON mode the tools, and the examples."""
        lines = [prompt.strip()]
        if self.mode == "json":
            lines += ["", "Tools:"]
            lines += [f"- {_signature(t)}: {t.description}" for t in self.tools]
            lines.append(f"- {ANSWER}(text): the final answer")
            if self.confidence:
                lines += ["", f"With each action give its {CONFIDENCE}: {ASKED}."]
        for number, example in enumerate(examples, 1):
            lines += ["", f"Example {number}. Task: {example.task}"]
            for step in example.steps:
                lines.append(self._shown(step))
                if step.result is not None:
                    lines.append(_result(step.action, step.result))
        return "\n".join(lines)

    def _shown(self, step: ExampleStep) -> str:
        if self.mode == "json":
            shown = step.model_dump(include={"thought", "action", "arguments"})
            return _dense({**shown, CONFIDENCE: 0.9} if self.confidence else shown)
        if step.action == ANSWER:
            return f"Answer: {step.arguments.get('text', '')}"
        return f"Call {step.action}: {_dense(step.arguments)}"

    def output_schema(self) -> dict[str, Any] | None:
        """The JSON Schema that binds the answer, in JSON mode."""
        if self.mode == "native":
            return None
        text = {"type": "string", "maxLength": ANSWER_CHARS}
        final = {
            "type": "object",
            "properties": {"text": text},
            "required": ["text"],
            "additionalProperties": False,
        }
        actions = [_action(t.name, t.json_schema()) for t in self.tools]
        actions.append(_action(ANSWER, final))
        if self.confidence:
            actions = [_with(action, CONFIDENCE, SURE) for action in actions]
        return {"anyOf": actions}

    def definitions(self) -> list[dict[str, Any]]:
        """The native tool definitions, in native mode."""
        if self.mode == "json":
            return []
        stated = {**SURE, "description": ASKED}
        return [
            {
                "name": t.name,
                "description": t.description,
                "parameters": _with(t.json_schema(), STATED, stated)
                if self.confidence
                else t.json_schema(),
            }
            for t in self.tools
        ]

    def read(self, answer: ModelAnswer, calls_so_far: int) -> Turn:
        """Understand an answer. A broken one has a `fault`, worded for the model."""
        if self.mode == "json":
            return _read_json(answer, calls_so_far)
        return _read_native(answer, calls_so_far, stated=self.confidence)

    def result(self, call: Call, text: str) -> Message:
        """A tool's result as the message that the model reads."""
        if self.mode == "json":
            return text_message("user", _result(call.name, text))
        part = {"type": "tool_call_response", "id": call.id, "response": text}
        return {"role": "tool", "parts": [part]}


def _result(name: str, text: str) -> str:
    return f"Result of {name}: {text}"


def _dense(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _signature(tool: Tool) -> str:
    schema = tool.json_schema()
    required = schema.get("required", [])
    names = [n + ("" if n in required else "?") for n in schema.get("properties", {})]
    return f"{tool.name}({', '.join(names)})"


def _action(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "thought": {"type": "string", "maxLength": THOUGHT_CHARS},
            "action": {"const": name},
            "arguments": dict(arguments),
        },
        "required": ["thought", "action", "arguments"],
        "additionalProperties": False,
    }


def _with(schema: Mapping[str, Any], name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """An object's schema with one more property, which must be there."""
    return {
        **schema,
        "properties": {**schema.get("properties", {}), name: dict(value)},
        "required": [*schema.get("required", []), name],
    }


def _read_json(answer: ModelAnswer, calls_so_far: int) -> Turn:
    text = message_text(answer.message)
    message = text_message("assistant", text)
    try:
        action = json.loads(text)
        name, arguments = action["action"], action["arguments"]
    except (ValueError, KeyError, TypeError):
        cut = " It was cut off: write less." if answer.finish_reason == "length" else ""
        return Turn(message, fault=f"That was no action in the JSON form.{cut}")
    reason, confidence = action.get("thought"), action.get(CONFIDENCE)
    if name == ANSWER:
        final = arguments.get("text") if isinstance(arguments, dict) else None
        if not isinstance(final, str):
            return Turn(message, fault="The action answer needs the argument text.")
        return Turn(message, answer=final, reason=reason, confidence=confidence)
    call = Call(f"call_{calls_so_far + 1}", str(name), arguments, confidence)
    return Turn(message, calls=(call,), reason=reason, confidence=confidence)


def _as_number(confidence: float | str) -> float:
    try:
        return float(confidence)
    except (ValueError, TypeError):  # whatever a model says
        return 0.0


def _read_native(answer: ModelAnswer, calls_so_far: int, *, stated: bool) -> Turn:
    parts: list[dict[str, Any]] = []
    calls: list[Call] = []
    for part in answer.message["parts"]:
        if part["type"] != "tool_call":
            parts.append(part)
            continue
        number = calls_so_far + len(calls) + 1
        said = arguments = _decoded(part["arguments"])
        sure = None
        if stated and isinstance(said, dict):
            arguments = {name: value for name, value in said.items() if name != STATED}
            sure = said.get(STATED)
        call = Call(f"call_{number}", part["name"], arguments, sure)
        calls.append(call)
        # As it was said: a model that does not see itself state one does not go on to.
        parts.append({"type": "tool_call", "id": call.id, "name": call.name, "arguments": said})
    message = {"role": "assistant", "parts": parts}
    text = message_text(message) or None
    if calls:
        stated_all = [call.confidence for call in calls if call.confidence is not None]
        least = min(stated_all, key=_as_number, default=None)
        return Turn(message, calls=tuple(calls), reason=text, confidence=least)
    if text is None:
        return Turn(message, fault="That was neither a tool call nor an answer.")
    return Turn(message, answer=text)


def _decoded(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments
