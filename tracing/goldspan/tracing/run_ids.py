"""Trace and span ids that say where in which life of a run they belong.

A run that died and goes on is several traces, one a segment. Their ids derive from run and segment,
so that a segment can point at the one before it without having seen it, and a span that is sent
again is the same span.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, SpanContext, TraceFlags

AGENT = "agent"


@dataclass
class _Place:
    run_id: str
    segment: int
    step: str
    spans: int = 0


_place: ContextVar[_Place | None] = ContextVar("goldspan_place", default=None)


class RunIds(RandomIdGenerator):
    """Ids that derive from the run, segment and step that are current; random ones elsewhere."""

    def generate_trace_id(self) -> int:
        """The trace of the segment."""
        place = _place.get()
        if place is None:
            return super().generate_trace_id()
        return _number(16, place.run_id, place.segment)

    def generate_span_id(self) -> int:
        """The next span of the step."""
        place = _place.get()
        if place is None:
            return super().generate_span_id()
        place.spans += 1
        return _number(8, place.run_id, place.segment, place.step, place.spans)


@contextmanager
def placed(run_id: str, segment: int | None, step: str) -> Iterator[None]:
    """Spans that start inside the block belong to this step; None leaves their ids to chance."""
    token = _place.set(None if segment is None else _Place(run_id, segment, step))
    try:
        yield
    finally:
        _place.reset(token)


def link_to_previous(run_id: str, segment: int | None) -> list[Link]:
    """A link to the agent span of the segment before, where there was one."""
    if segment is None or segment < 2:
        return []
    context = SpanContext(
        _number(16, run_id, segment - 1),
        _number(8, run_id, segment - 1, AGENT, 1),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return [Link(context)]


def _number(size: int, *parts: object) -> int:
    text = "\0".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:size], "big") or 1
