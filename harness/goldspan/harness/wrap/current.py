"""The call that is being made: what a wrapped tool may know of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from goldspan.tracing.errors import ConfigError


@dataclass(frozen=True)
class CurrentCall:
    """One call of a wrapped tool. `key` is its idempotency key: the same in every life of the run,
    made of run, tool and arguments and of no clock. `attempt` counts from 1."""

    key: str
    run_id: str
    tool: str
    arguments: Mapping[str, Any]
    attempt: int = 1


AskTool: TypeAlias = Callable[[CurrentCall], Any]
_current: ContextVar[CurrentCall | None] = ContextVar("goldspan_current_call", default=None)


def current_call() -> CurrentCall:
    """The call that this code makes. Raises `ConfigError` outside of a guarded tool."""
    call = _current.get()
    if call is None:
        raise ConfigError(
            "no guarded tool is being called here", remedy="ask for it inside of the tool"
        )
    return call


@contextmanager
def making(call: CurrentCall) -> Iterator[None]:
    """Make this the current call, in this task or thread and those that it starts."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)
