"""What a run's world began with, in its agent's span: so that a replay can make the same world."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from goldspan.tracing import semconv

LONGEST_BYTES = 16_384


def setup_attributes(setup: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that keep a setup; of one that is too long only the size, in bytes."""
    if not setup:
        return {}
    text = json.dumps(dict(setup), ensure_ascii=False, separators=(",", ":"), default=str)
    size = len(text.encode("utf-8", "replace"))
    if size > LONGEST_BYTES:
        return {semconv.RUN_SETUP_BYTES: size}
    return {semconv.RUN_SETUP: text}


def setup_of(text: str | None, size: int | None) -> tuple[dict[str, Any], str | None]:
    """A recorded setup, empty where none was given; and why it cannot be had, None where it can."""
    if size is not None:
        return {}, f"its setup of {size} bytes is too long to be kept ({LONGEST_BYTES} at most)"
    if text is None:
        return {}, None
    try:
        setup = json.loads(text)
    except ValueError:
        setup = None
    if not isinstance(setup, dict):
        return {}, "its setup cannot be read: it was cut, or redacted"
    return setup, None
