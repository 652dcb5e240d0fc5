"""Whether a span failed and why, also where its status does not say so."""

from __future__ import annotations

import re
from typing import Any

from goldspan.tracing import semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.values import text_of

UNKNOWN_ERROR = "_OTHER"  # the conventions' word for an error without a type
NO_TYPES = frozenset({"Exception", "Error"})  # what emitters throw to record a text
_TYPE_FIRST = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Interrupt))\b\s*[:(]")


def failure(
    span: SpanRecord, *, failed: bool = False, message: Any = None, answered: bool = True
) -> tuple[str | None, str | None]:
    """Error type and message of a failed span, else None twice.

    `failed` is what the dialect knows beside the status (a level, an error field), `message` its
    words for it. An exception in a span that has no status means failure unless it has `answered`.
    """
    thrown = next(
        (e.attributes for e in reversed(span.events) if semconv.EXCEPTION_TYPE in e.attributes),
        None,
    )
    kind = text_of(span.attributes.get(semconv.ERROR_TYPE))
    unanswered = thrown is not None and span.status == "unset" and not answered
    if not (span.status == "error" or failed or kind is not None or unanswered):
        return None, None
    thrown = thrown or {}
    words = (
        span.status_message
        or text_of(message)
        or text_of(thrown.get(semconv.EXCEPTION_MESSAGE))
        or text_of(span.attributes.get("error.message"))
    )
    kind = kind or text_of(thrown.get(semconv.EXCEPTION_TYPE))
    if kind is None or kind in NO_TYPES:
        kind = _type_in(words) or kind
    return kind or UNKNOWN_ERROR, words


def _type_in(words: str | None) -> str | None:
    found = _TYPE_FIRST.match(words) if words else None
    return found.group(1) if found else None
