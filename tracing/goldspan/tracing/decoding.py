"""Structures that emitters put into strings: JSON, JSON in JSON, Python literals."""

from __future__ import annotations

import ast
import json
from typing import Any

from pydantic_core import from_json

from goldspan.tracing.values import json_text

_LAYERS = 4  # of JSON strings inside JSON strings
_LONGEST_LITERAL = 200_000  # characters; reading Python literals is slow


def decoded(value: Any) -> Any:
    """The structure that a string holds as JSON or as a Python literal; anything else as it is."""
    for _ in range(_LAYERS):
        if not isinstance(value, str):
            break
        head = value.lstrip()[:1]
        if head not in ("{", "[", '"'):
            break
        try:
            value = from_json(value)
        except (ValueError, TypeError):
            try:  # takes half surrogate pairs and deeper nesting, at a quarter of the speed
                value = json.loads(value)
            except (ValueError, RecursionError):
                return value if head == '"' else _literal(value)
    return value


def strict_json(value: Any) -> Any:
    """The list or object in a string that is JSON for every reader, else None.

    Every reader: whole, without NaN, and without half surrogate pairs.
    """
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return None
    try:
        return from_json(value, allow_inf_nan=False)
    except (ValueError, TypeError):
        return None


def tool_json(value: Any) -> str | None:
    """Tool arguments as JSON text, whatever they came as; None for nothing."""
    if value is None or value == "":
        return None
    return valid_json(decoded(value))


def valid_json(value: Any) -> str:
    """Compact JSON text of any decoded value, fit for every reader and for UTF-8."""
    try:
        text = json_text(value)
    except (TypeError, ValueError, RecursionError):
        # Python literals may hold sets, bytes and tuples as keys; nesting may be too deep.
        text = json_text(_plain(value, 0))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        text = text.encode("utf-8", "replace").decode()
    return text


def _literal(text: str) -> Any:
    if len(text) > _LONGEST_LITERAL:
        return text
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def _plain(value: Any, depth: int) -> Any:
    if depth > 60:
        return "..."
    if isinstance(value, dict):
        return {str(k): _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v, depth + 1) for v in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
