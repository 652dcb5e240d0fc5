"""The calls of one turn: reads that stand side by side are made side by side, in one order.

A model that asks for several calls at once has seen the result of none of them. Calls that only
read do not disturb each other, so they are under way together; a call that changes something
begins when all before it are over, and is judged with what they brought. Whatever a later life of
the run must find again (numbers, keys, verdicts, what the ledger reserves) is drawn in the order of
the calls, by one task; what came of them is told in that order too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from goldspan.harness.calls import ToolCalls
from goldspan.harness.models.protocol import Call
from goldspan.harness.result import Ended
from goldspan.harness.standing import Judged, Over, Ready, Standing
from goldspan.harness.tools import Tool

Tell: TypeAlias = Callable[[Call, str], None]


async def make_calls(
    calls: ToolCalls, asked: Sequence[Call], reason: str | None, tell: Tell, *, most: int
) -> None:
    """Make the calls of a turn, at most `most` at once; `tell` is given each call with what the
    model is told, in the order in which it asked.

    Raises `Ended` where a call ends the run, or must wait: no further call begins then, those under
    way come to their ends, and what they brought is told first. Only calls of coroutines are really
    under way together.
    """
    for group in _groups(asked, calls.tools):
        if len(group) == 1 or most == 1:
            for call in group:
                tell(call, await calls.make(call, reason))
            continue
        while group:
            judged = await _judged(calls, group, reason)
            group = group[len(judged) :]
            last = judged[-1][1]
            alone = isinstance(last, Judged) and last.verdict.ruling == "pause"
            reads = _Reads(calls, judged[:-1] if alone else judged)
            await reads.make(most)
            reads.tell(tell)
            if alone:
                tell(judged[-1][0], await calls.go_on(last))


def _groups(asked: Sequence[Call], tools: Mapping[str, Tool]) -> Iterator[Sequence[Call]]:
    group: list[Call] = []
    for call in asked:
        tool = tools.get(call.name)
        if tool is not None and tool.action_class == "read":
            group.append(call)
            continue
        if group:
            yield group
        yield [call]
        group = []
    if group:
        yield group


async def _judged(
    calls: ToolCalls, group: Sequence[Call], reason: str | None
) -> list[tuple[Call, Judged | Over]]:
    """The first calls of a group, judged: all, or up to one that waits or ends the run."""
    judged: list[tuple[Call, Judged | Over]] = []
    for call in group:
        standing = await calls.judge(call, reason)
        judged.append((call, standing))
        if _is_last(standing):
            break
    return judged


def _is_last(standing: Judged | Over) -> bool:
    if isinstance(standing, Over):
        return standing.ends
    return standing.verdict.ruling == "pause"


@dataclass
class _Reads:
    """Calls that are made side by side, and what has come of them."""

    calls: ToolCalls
    judged: Sequence[tuple[Call, Judged | Over]]
    over: dict[int, Over] = field(default_factory=dict)
    under_way: dict[int, asyncio.Task[Over]] = field(default_factory=dict)
    ended: Ended | None = None

    async def make(self, most: int) -> None:
        """Make them. A fault of the code, and the end of this process, cut those under way."""
        try:
            for number, (_, judged) in enumerate(self.judged):
                if not await self._begin(number, judged, most):
                    break
            await self._until_all_are_over()
        except BaseException:
            for task in self.under_way.values():
                task.cancel()
            await asyncio.gather(*self.under_way.values(), return_exceptions=True)
            raise

    async def _begin(self, number: int, judged: Judged | Over, most: int) -> bool:
        """Begin a call, as soon as fewer than `most` are under way; False where none may begin."""
        standing: Standing = judged
        if isinstance(standing, Judged):
            await self._room(most)
            if any(task.done() and _failure(task) for task in self.under_way.values()):
                return False
            try:
                standing = await self.calls.ready(standing)
            except Ended as ended:
                self.ended = ended
                return False
        if isinstance(standing, Ready):
            self.under_way[number] = asyncio.create_task(self.calls.effect(standing))
        elif isinstance(standing, Over):
            self.over[number] = standing
            return not standing.ends
        return True

    async def _until_all_are_over(self) -> None:
        """Raises a fault of the code as soon as there is one."""
        busy = set(self.under_way.values())
        while busy:
            over, busy = await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
            for failure in map(_failure, over):
                if failure is not None and not isinstance(failure, Ended):
                    raise failure

    async def _room(self, most: int) -> None:
        while True:
            busy = [task for task in self.under_way.values() if not task.done()]
            if len(busy) < most:
                return
            await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)

    def tell(self, tell: Tell) -> None:
        """Write down what came of the calls. Raises the first `Ended` in their order.

        Of a run that waits, the next life goes on with the call that made it wait, and finds what
        came behind it as recorded: it is told then, in the order in which events are numbered.
        """
        failures = {n: error for n, task in self.under_way.items() if (error := _failure(task))}
        done = {n: task.result() for n, task in self.under_way.items() if n not in failures}
        # Side by side then, so the longest of them is what they took.
        self.calls.usage.started -= max((one.replayed_s for one in done.values()), default=0.0)
        first = next((failures[n] for n in sorted(failures)), self.ended)
        self.over.update(done)
        goes_on = self._goes_on_after(first)
        for number, over in sorted(self.over.items()):
            if goes_on and (over.ends or number > min(failures, default=number)):
                break
            if first is not None and over.ends:
                continue
            try:
                text = over.told()
            except Ended as ended:
                first = ended
            else:
                tell(self.judged[number][0], text)
        if first is not None:
            raise first

    def _goes_on_after(self, end: BaseException | None) -> bool:
        """Whether the run has another life after this end."""
        waits = isinstance(end, Ended) and end.outcome in ("paused", "killed")
        return waits and self.calls.admissions.events.segment is not None


def _failure(task: asyncio.Task[Over]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
