"""How each family of emitters says things: one file a dialect, each a set of pure functions.

A dialect says by which first words of attribute names (`PREFIXES`) or by which instrumentation
scopes it is recognised, and reads a span's facts. A span may speak several dialects at once (an
instrumentation that writes old and new names): then the dialects are asked in the order below,
and each column takes the first answer.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Protocol

from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.dialects import genai
from goldspan.tracing.dialects.genai import MESSAGES
from goldspan.tracing.facts import SpanFacts

__all__ = ["DIALECTS", "MESSAGES", "Dialect", "merged", "read"]


class Dialect(Protocol):
    """What a dialect's module offers."""

    PREFIXES: frozenset[str]  # of attribute names, up to the first dot: "gen_ai", "llm"
    SCOPES: tuple[str, ...]  # beginnings of instrumentation scope names

    def span_facts(self, span: SpanRecord) -> SpanFacts | None:
        """What the span says in this dialect; None if it is not this dialect after all."""


DIALECTS: tuple[Dialect, ...] = (genai,)


def read(span: SpanRecord) -> SpanFacts:
    """Everything that a span says, in whichever dialects it speaks."""
    prefixes = {name.partition(".")[0] for name in span.attributes}
    found: SpanFacts | None = None
    for dialect in DIALECTS:
        spoken = not dialect.PREFIXES.isdisjoint(prefixes) or (
            bool(dialect.SCOPES) and span.scope_name.startswith(dialect.SCOPES)
        )
        if spoken and (facts := dialect.span_facts(span)) is not None:
            found = facts if found is None else merged(found, facts)
    return found if found is not None else genai.span_facts(span)


def merged(first: SpanFacts, second: SpanFacts) -> SpanFacts:
    """The first dialect's facts, completed by those of the second. Changes and returns `first`."""
    for own, other in (
        (first, second),
        (first.call, second.call),
        (first.context, second.context),
    ):
        for column in fields(own):
            if getattr(own, column.name) is None:
                setattr(own, column.name, getattr(other, column.name))
    first.consumed |= second.consumed
    return first
