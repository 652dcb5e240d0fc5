"""Calls under way that a kill flag finds: cancelled where that can be, reported in any case."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.result import Ended
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv

T = TypeVar("T")
POLL_S = 0.25  # how soon a kill flag is seen


@dataclass(frozen=True)
class Underway:
    """A call while it is made: `step` names it; `tool` and `key` where those are known."""

    run_id: str
    agent: str
    step: str
    tool: str | None = None
    key: str | None = None


class CallCut(Ended):
    """A kill flag stopped the call while it was under way."""

    def __init__(self, scope: str, reason: str) -> None:
        super().__init__("killed", reason)
        self.scope = scope


@dataclass(frozen=True)
class Cutting:
    """Watches the calls of one run. In a ledger of this process alone nobody else sets a flag, and
    nothing is watched."""

    ledger: Ledger

    async def made(self, call: Underway, work: Awaitable[T], *, is_async: bool) -> T:
        """What a call returns. Raises `CallCut` once a flag stands, with the call cancelled;
        one that is not async comes to its end. The event says which."""
        if self.ledger.database.in_memory:
            return await work
        if is_async:
            return await self._watched(call, work)
        started = time.monotonic()
        result = await work
        if time.monotonic() - started > POLL_S and (flag := self._flag(call)) is not None:
            self._report(call, *flag, finished=True)
        return result

    async def _watched(self, call: Underway, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=POLL_S))[0]:
                flag = await asyncio.to_thread(self._flag, call)
                if flag is None:
                    continue
                task.cancel()
                await asyncio.wait({task})
                finished = not task.cancelled() and task.exception() is None
                await asyncio.to_thread(self._report, call, *flag, finished=finished)
                raise CallCut(*flag)
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def _flag(self, call: Underway) -> tuple[str, str] | None:
        """The scope of the flag that stops a call, and who set it and why."""
        flags = self.ledger.kill_flags()
        scopes = ("all", f"agent:{call.agent}", f"run:{call.run_id}")
        return next(((scope, flags[scope]) for scope in scopes if scope in flags), None)

    def _report(self, call: Underway, scope: str, reason: str, *, finished: bool) -> None:
        """Write down for the trace that a flag found the call under way, and whether it came to
        its end."""
        about = {
            semconv.RUN_ID: call.run_id,
            semconv.AGENT_NAME: call.agent,
            semconv.CALL_STEP: call.step,
            semconv.TOOL_NAME: call.tool,
            semconv.CALL_KEY: call.key,
            semconv.CALL_FINISHED: finished,
            semconv.KILL_SCOPE: scope,
            semconv.REASON: reason,
        }
        at = self.ledger.clock()
        known = event_id(semconv.CALL_CUT, call.run_id, call.step, repr(at))
        with self.ledger.transaction() as tx:
            put(tx, AuditEvent(known, semconv.CALL_CUT, at, about))
