"""What a recorder hands out while a span is open: an agent's, a model's, a tool's."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson
from opentelemetry.trace import Span, Status, StatusCode

from goldspan.tracing import semconv

Message: TypeAlias = Mapping[str, Any]

_log = logging.getLogger(__name__)
_failures: dict[str, int] = {}
_SIMPLE = frozenset((str, bool, int, float))
_AS_STRINGS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def telemetry_failures() -> dict[str, int]:
    """How often recording failed in this process, by exception type. Recording never raises."""
    return dict(_failures)


def note_failure(error: Exception) -> None:
    """Count a failure of recording, and log the first of its kind."""
    kind = type(error).__name__
    _failures[kind] = _failures.get(kind, 0) + 1
    if _failures[kind] == 1:
        _log.warning("telemetry could not be recorded (further ones are counted): %r", error)


def as_json(value: Any) -> str:
    """Compact JSON; what JSON does not know is written as its string form. Never raises."""
    try:
        return orjson.dumps(value, _unknown, _AS_STRINGS).decode()
    except TypeError:  # large integers, odd keys, half surrogate pairs, deep nesting
        return _as_json_slowly(value)


def clean_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as the SDK takes them: None is left out, structures become JSON."""
    clean: dict[str, Any] = {}
    for key, value in attributes.items():
        if type(value) in _SIMPLE:
            clean[key] = value
        elif value is not None:
            clean[key] = _clean_value(value)
    return clean


def overlaid(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Clean shared attributes with a span's own over them; an own None takes a shared one away."""
    merged = dict(shared)
    for key, value in own.items():
        if type(value) in _SIMPLE:
            merged[key] = value
        elif value is not None:
            merged[key] = _clean_value(value)
        elif key in merged:
            del merged[key]
    return merged


def _clean_value(value: Any) -> Any:
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple | set) and all(isinstance(v, str) for v in value):
        return list(value)
    return as_json(value)


def _unknown(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value)  # a named tuple is a list


def _as_json_slowly(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        return text.encode("utf-8", "replace").decode()
    except Exception as error:  # noqa: BLE001  telemetry never raises into the agent
        note_failure(error)
        return "null"


class LiveSpan:
    """An open span. Its setters never raise."""

    def __init__(self, span: Span, capture_content: bool) -> None:
        self._span = span
        self._capture = capture_content

    @property
    def span(self) -> Span:
        """The OpenTelemetry span."""
        return self._span

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return f"{self._span.get_span_context().trace_id:032x}"

    @property
    def span_id(self) -> str:
        """16 hex digits."""
        return f"{self._span.get_span_context().span_id:016x}"

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes; None values are left out."""
        try:
            self._span.set_attributes(clean_attributes(attributes))
        except Exception as error:  # noqa: BLE001  telemetry never raises into the agent
            note_failure(error)

    def set_content(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes that hold message text, unless content is not captured."""
        if self._capture:
            self.set(attributes)

    def fail(self, error_type: str, message: str = "") -> None:
        """Mark the span as failed."""
        self.set({semconv.ERROR_TYPE: error_type})
        self._span.set_status(Status(StatusCode.ERROR, message or error_type))


class AgentSpan(LiveSpan):
    """An `invoke_agent` span: one segment of a run."""

    def set_output(self, text: str) -> None:
        """The agent's final answer."""
        if not self._capture:
            return
        part = {"type": "text", "content": text}
        message = {"role": "assistant", "parts": [part], "finish_reason": "stop"}
        self.set({semconv.OUTPUT_MESSAGES: as_json([message])})

    def set_outcome(self, outcome: str, reason: str | None = None) -> None:
        """completed, paused, failed, aborted or killed, and why."""
        self.set({semconv.RUN_OUTCOME: outcome, semconv.RUN_REASON: reason})


class ModelCallSpan(LiveSpan):
    """A `chat` span: one request that reached a model."""

    def respond(
        self,
        *,
        response_model: str | None = None,
        response_id: str | None = None,
        output_messages: Sequence[Message],
        finish_reason: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cached_input_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        replayed: bool = False,
    ) -> None:
        """Record the answer. `input_tokens` includes cached ones; unknown counts stay None."""
        answer = as_json(list(output_messages)) if self._capture else None
        self.set(
            {
                semconv.RESPONSE_MODEL: response_model,
                semconv.RESPONSE_ID: response_id,
                semconv.FINISH_REASONS: [finish_reason] if finish_reason else None,
                semconv.INPUT_TOKENS: input_tokens,
                semconv.OUTPUT_TOKENS: output_tokens,
                semconv.CACHED_INPUT_TOKENS: cached_input_tokens,
                semconv.CACHE_WRITE_TOKENS: cache_write_tokens,
                semconv.REASONING_TOKENS: reasoning_tokens,
                semconv.REPLAYED: True if replayed else None,
                semconv.OUTPUT_MESSAGES: answer,
            }
        )


class ToolSpan(LiveSpan):
    """An `execute_tool` span: one execution of a tool."""

    def set_result(self, value: Any) -> None:
        """What the tool returned: text as it is, anything else as JSON."""
        if self._capture:
            self.set({semconv.TOOL_RESULT: value if isinstance(value, str) else as_json(value)})
