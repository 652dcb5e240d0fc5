"""Errors in three classes: worth another attempt, not worth one, or nobody knows what was done.

A call that changes something is tried again only where the error says that nothing was done. A
timeout of such a call says nothing of the kind: the effect may have happened.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal, TypeAlias

from goldspan.harness.tools import ToolError
from goldspan.tracing.errors import GoldspanError

ErrorClass: TypeAlias = Literal["retry", "never", "unknown"]

# Nothing was done: refused, or never sent. RFC 8470 (425), RFC 6585 (429).
_NOT_DONE_STATUS = frozenset({425, 429})
# May pass. RFC 9110, section 15 (408, 500, 502, 503, 504); 529 is Anthropic's "overloaded".
_TRANSIENT_STATUS = frozenset({408, 500, 502, 503, 504, 520, 522, 524, 529})
# The service is there, and not for us: no call of anybody's will succeed.
_SHUT_OUT_STATUS = frozenset({401, 402, 407})
# Of httpx, requests, urllib3, the providers' SDKs, pydantic-ai and database drivers, by name: none
# of them is imported for the sake of its exceptions.
_NOT_SENT = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "NewConnectionError", "ModelRateLimitError"}
)
_TRANSPORT = frozenset(
    {
        "APIConnectionError",
        "ModelConnectionError",
        "ModelServerError",
        "ModelUnavailableError",
        "OperationalError",
        "RequestException",
        "TransportError",
    }
)
_TIMEOUTS = ("timeout", "timedout")


class UnknownOutcomeError(ToolError):
    """The effect may have happened or not. Never tried again: the tool is asked by the call's
    key, else a person is."""


@dataclass(frozen=True)
class Failure:
    """What an error means. `outage` says that it is the tool that does not work, so that it counts
    for the breaker; `after_s` is how long the other side asks to wait."""

    kind: ErrorClass
    error_type: str
    outage: bool
    after_s: float | None = None


def classify(error: Exception, *, effect: bool, clock: Callable[[], float] = time.time) -> Failure:
    """The class of an error of a call. `effect` says whether the call changes something.

    A `ToolError` says itself whether the same call may succeed; one of a call with an effect that
    names a timeout is `unknown` all the same. Of other errors the class follows from the HTTP
    status, else from the type. What nobody foresaw is a fault of the tool: `never` for a read,
    `unknown` for a call with an effect. `clock` dates a Retry-After in seconds since the epoch.
    """
    if isinstance(error, UnknownOutcomeError):
        return Failure("unknown", error.error_type, True)
    if isinstance(error, ToolError):
        if not error.retryable:
            return Failure("never", error.error_type, error.outage)
        late = effect and _names_timeout(error.error_type)
        return Failure("unknown" if late else "retry", error.error_type, True)
    if isinstance(error, GoldspanError):
        if isinstance(error.__cause__, Exception):
            return classify(error.__cause__, effect=effect, clock=clock)
        return Failure("never", type(error).__name__, False)
    name = type(error).__name__
    maybe_done: ErrorClass = "unknown" if effect else "retry"
    status = _status(error)
    if status is not None:
        after_s = _retry_after(error, clock)
        if status in _NOT_DONE_STATUS:
            return Failure("retry", name, True, after_s)
        if status in _TRANSIENT_STATUS:
            return Failure(maybe_done, name, True, after_s)
        if 400 <= status < 500:
            return Failure("never", name, status in _SHUT_OUT_STATUS)
    types = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, ConnectionRefusedError | socket.gaierror) or types & _NOT_SENT:
        return Failure("retry", name, True)
    if isinstance(error, TimeoutError | ConnectionError) or types & _TRANSPORT:
        return Failure(maybe_done, name, True)
    if any(_names_timeout(kind) for kind in types):
        return Failure(maybe_done, name, True)
    return Failure("unknown" if effect else "never", name, True)


def may_be_done(error: BaseException) -> bool:
    """Whether a call that ended so may have been made, or be made still: a tool's effect may have
    happened, a model's answer may have to be paid for. False where the error says otherwise."""
    return not isinstance(error, Exception) or classify(error, effect=True).kind == "unknown"


def _names_timeout(name: str) -> bool:
    plain = name.lower().replace("_", "")
    return any(word in plain for word in _TIMEOUTS)


def _status(error: Exception) -> int | None:
    """The HTTP status that an error carries: its own, its response's, or urllib's `code`."""
    response = getattr(error, "response", None)
    for holder, name in ((error, "status_code"), (response, "status_code"), (error, "code")):
        found = getattr(holder, name, None)
        if isinstance(found, int) and not isinstance(found, bool) and 100 <= found < 600:
            return found
    return None


def _retry_after(error: Exception, clock: Callable[[], float]) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    holder = getattr(error, "response", None) or error
    headers: Any = getattr(holder, "headers", None)
    text = headers.get("retry-after") if hasattr(headers, "get") else None
    if not isinstance(text, str):
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - clock()
        except ValueError:
            return None
    return max(seconds, 0.0) if seconds < float("inf") else None
