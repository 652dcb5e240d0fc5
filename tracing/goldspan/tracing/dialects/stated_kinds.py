"""Emitters that use the names of the conventions but say what a span is in a word of their own.

The word decides: a cached answer (`CACHED`) or a client's advisor is no call, whatever model and
tokens stand beside it. What else such a span says is read by the others.
"""

from __future__ import annotations

from goldspan.tracing import semconv
from goldspan.tracing.batch import SpanRecord
from goldspan.tracing.dialects import alias_names as names
from goldspan.tracing.facts import SpanFacts

PREFIXES: frozenset[str] = frozenset(name.partition(".")[0] for name in names.OWN_KIND)
SCOPES: tuple[str, ...] = ()
MEANINGS = {
    "llm": ("llm", semconv.CHAT),
    "embedding": ("llm", semconv.EMBEDDINGS),
    "tool": ("tool", semconv.EXECUTE_TOOL),
    "agent": ("agent", semconv.INVOKE_AGENT),
}


def span_facts(span: SpanRecord) -> SpanFacts | None:
    """What the emitter's own word makes of the span; None without one."""
    for name in names.OWN_KIND:
        stated = span.attributes.get(name)
        if isinstance(stated, str) and stated:
            kind = names.KINDS.get(stated.lower(), "other")
            category, operation = MEANINGS.get(kind, (None, None))
            return SpanFacts(category=category, operation=operation, decided=True)
    return None
