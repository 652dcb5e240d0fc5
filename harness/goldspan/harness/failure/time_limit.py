"""How long one attempt may take. What is cut for want of time says so, in its span too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class _Limit:
    timeout: asyncio.Timeout
    seconds: float
    cancelled_before: int

    def cut(self) -> bool:
        """Whether it is this limit, and nobody else, that cancels the task."""
        task = asyncio.current_task()
        others = 0 if task is None else task.cancelling() - 1 - self.cancelled_before
        return self.timeout.expired() and others <= 0

    def error(self) -> TimeoutError:
        return TimeoutError(f"no answer within {self.seconds:g} s")


_here: ContextVar[_Limit | None] = ContextVar("goldspan_time_limit", default=None)


@asynccontextmanager
async def time_limit(seconds: float | None) -> AsyncIterator[None]:
    """Cut what takes longer; None for no limit. Raises `TimeoutError` that says how long it was."""
    if seconds is None:
        yield
        return
    task = asyncio.current_task()
    async with asyncio.timeout(seconds) as timeout:
        limit = _Limit(timeout, seconds, 0 if task is None else task.cancelling())
        token = _here.set(limit)
        try:
            yield
        except asyncio.CancelledError:
            if not limit.cut():
                raise
            raise limit.error() from None
        finally:
            _here.reset(token)


async def in_time(work: Awaitable[Any]) -> Any:
    """What `work` brings. Raises the `TimeoutError` of the limit that cuts it right here, so that
    whoever stands between sees what it is, and not a cancellation."""
    try:
        return await work
    except asyncio.CancelledError:
        limit = _here.get()
        if limit is None or not limit.cut():
            raise
        raise limit.error() from None
