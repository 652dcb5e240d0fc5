"""One span's life: started, current inside a `with` block, failed by an exception, ended.

Written as a class: a generator under `contextmanager`, and another one in the SDK's `use_span`,
cost more than the attributes do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

from opentelemetry.context import attach, detach
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, Tracer, set_span_in_context

from goldspan.tracing.live_spans import LiveSpan, clean_attributes, note_failure, overlaid

AnySpan = TypeVar("AnySpan", bound=LiveSpan)
_shared: ContextVar[Mapping[str, Any] | None] = ContextVar("goldspan_attributes", default=None)
_NONE: Mapping[str, Any] = {}


def shared_attributes() -> Mapping[str, Any]:
    """What every span and event that starts here gets, clean."""
    return _shared.get() or _NONE


class SharedAttributes(AbstractContextManager[None]):
    """Attributes of every span and event that starts inside the block."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self._outer: Mapping[str, Any] = _NONE
        self._token: Token[Mapping[str, Any] | None] | None = None

    def __enter__(self) -> None:
        self._outer = shared_attributes()
        self._token = _shared.set({**self._outer, **clean_attributes(self._attributes)})

    def __exit__(self, *exception: object) -> None:
        if self._token is None:
            return
        try:
            _shared.reset(self._token)
        except ValueError:  # closed in another task's context, which has its own value
            _shared.set(self._outer)
        self._token = None


@dataclass(frozen=True, slots=True)
class Source:
    """What a recorder's spans have in common. `clock` returns nanoseconds since the epoch."""

    tracer: Tracer
    attributes: Mapping[str, Any]
    capture_content: bool
    clock: Callable[[], int]


class Recording(AbstractContextManager[AnySpan], Generic[AnySpan]):
    """Starts a span on entry and ends it on exit; an exception marks it as failed and goes on.

    `own` attributes are the span's; those of `inside` are also on everything in the block.
    """

    __slots__ = (
        "_inside",
        "_kind",
        "_links",
        "_live",
        "_name",
        "_own",
        "_source",
        "_token",
        "_wrapper",
    )

    def __init__(
        self,
        source: Source,
        name: str,
        kind: SpanKind,
        own: Mapping[str, Any],
        wrapper: Callable[[Span, bool], AnySpan],
        inside: SharedAttributes | None = None,
        links: Sequence[Link] = (),
    ) -> None:
        self._links = links
        self._source = source
        self._name = name
        self._kind = kind
        self._own = own
        self._wrapper = wrapper
        self._inside = inside

    def __enter__(self) -> AnySpan:
        source = self._source
        if self._inside is not None:
            self._inside.__enter__()
        shared = shared_attributes()
        if source.attributes:
            shared = {**source.attributes, **shared}
        try:
            span = source.tracer.start_span(
                self._name,
                kind=self._kind,
                attributes=overlaid(shared, self._own),
                start_time=source.clock(),
                links=self._links,
            )
        except Exception as error:  # noqa: BLE001  telemetry never raises into the agent
            note_failure(error)
            span = INVALID_SPAN
        self._live = self._wrapper(span, source.capture_content)
        self._token = attach(set_span_in_context(span))
        return self._live

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        detach(self._token)
        if error is not None:
            self._live.fail(_qualified(type(error)), str(error))
        self._live.span.end(self._source.clock())
        if self._inside is not None:
            self._inside.__exit__()


def _qualified(kind: type[BaseException]) -> str:
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"
