"""What a tool was called with and gave back, out of the wrappings that frameworks put around it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from goldspan.tracing.decoding import decoded
from goldspan.tracing.values import json_text, text_of

_CALL_ID_IN_REPR = re.compile(r"\btool_call_id='([^']+)'")
_CALLED_WITH = frozenset({"args", "kwargs", "sanitize_inputs_outputs", "self", "tool_instance"})


def arguments_json(value: Any) -> str | None:
    """Tool arguments as JSON text, without the frame of the wrapped function's call."""
    value = unwrapped_arguments(decoded(value))
    return None if value is None or value == "" else json_text(value)


def unwrapped_arguments(value: Any) -> Any:
    """The arguments in `{"args": [...], "kwargs": {...}}`, a tool call, `{"input": ...}`, or a list
    of named parameters; anything else as it is."""
    if isinstance(value, list) and value and all(_is_parameter(item) for item in value):
        return {item["name"]: item["value"] for item in value}
    if not isinstance(value, Mapping) or not value:
        return value
    if value.keys() <= _CALLED_WITH and ("args" in value or "kwargs" in value):
        return _of_call(value.get("args"), value.get("kwargs"))
    if value.get("type") in ("tool_call", "tool_use", "function_call") or (
        {"name", "args", "id"} <= value.keys() <= {"name", "args", "id", "type"}
    ):
        for name in ("args", "input", "arguments"):
            if name in value:
                return decoded(value[name])
    if len(value) == 1 and isinstance(inner := value.get("input"), str):
        return decoded(inner)
    return value


def is_schema(value: Any) -> bool:
    """Whether a structure describes arguments (JSON schema, or a table of types), not values."""
    if isinstance(value, list):
        return bool(value) and all(
            isinstance(item, Mapping) and "name" in item and "value" not in item for item in value
        )
    if not isinstance(value, Mapping):
        return False
    if isinstance(value.get("properties"), Mapping) or "$schema" in value or "$defs" in value:
        return True
    return bool(value) and all(
        isinstance(v, Mapping) and isinstance(v.get("type"), str | list) for v in value.values()
    )


def result_of(value: Any) -> tuple[str | None, str | None]:
    """What the tool gave back as text (structures as JSON), and the tool call's id if told."""
    plain = decoded(value)
    if isinstance(plain, str):
        found = _CALL_ID_IN_REPR.search(plain) if "tool_call_id=" in plain else None
        return plain or None, found.group(1) if found else None
    call_id = None
    for _ in range(4):
        if not isinstance(plain, Mapping):
            break
        if call_id is None:
            call_id = text_of(plain.get("tool_call_id"))
        inner = _inner_result(plain)
        if inner is plain:
            break
        plain = decoded(inner)
    return text_of(plain), call_id


def _inner_result(value: Mapping[str, Any]) -> Any:
    if isinstance(value.get("kwargs"), Mapping) and "lc" in value:
        return value["kwargs"]
    if value.get("type") == "tool" and isinstance(value.get("data"), Mapping):
        return value["data"]
    if "tool_call_id" in value and "content" in value:
        return value["content"]
    if len(value) == 1 and "output" in value:
        return value["output"]
    if "raw_output" in value and "tool_name" in value:  # LlamaIndex
        return value["raw_output"]
    if "response" in value and "name" in value and value.keys() <= {"id", "name", "response"}:
        return value["response"]
    return value


def _of_call(positional: Any, named: Any) -> Any:
    if not positional:
        return named if named is not None else positional
    if not named:
        alone = positional[0] if isinstance(positional, list) and len(positional) == 1 else None
        return decoded(alone) if isinstance(alone, Mapping | str) else positional
    return {"args": positional, "kwargs": named}


def _is_parameter(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("name"), str) and "value" in item
