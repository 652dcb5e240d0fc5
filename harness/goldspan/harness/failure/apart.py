"""Functions of users that are not async, in threads: what blocks holds up no other run.

The threads are daemons, and none of the event loop's pool: a tool that hangs must not take the
threads that the ledger's transactions need, nor keep its process from ending.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any


async def apart(function: Callable[..., Any], *arguments: Any, leave_at: float = math.inf) -> Any:
    """What a function returns, or raises, sync or async. A sync one sees this task's context.

    A thread cannot be cut: who cancels waits for its end; from `leave_at` on (seconds of
    `time.monotonic`) it is left to itself, and what it returns is lost.
    """
    if inspect.iscoroutinefunction(function):
        return await function(*arguments)
    loop = asyncio.get_running_loop()
    over: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = copy_context()

    def run() -> None:
        outcome: tuple[Any, BaseException | None]
        try:
            outcome = (context.run(function, *arguments), None)
        except BaseException as error:  # noqa: BLE001  raised again where it is awaited
            outcome = (None, error)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(over.set_result, outcome)

    threading.Thread(target=run, name="goldspan-apart", daemon=True).start()
    while not over.done():
        try:
            await asyncio.shield(over)
        except asyncio.CancelledError:
            if time.monotonic() >= leave_at:
                raise
    result, error = over.result()
    if error is not None:
        raise error
    return await result if inspect.isawaitable(result) else result
