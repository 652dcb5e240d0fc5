"""What is cut for want of time says so; what somebody else cancels stays a cancellation."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.failure.time_limit import in_time, time_limit
from goldspan.harness.tools import Tool, ToolContext
from tests.harness.scripted import Look

SAID = r"^no answer within 0\.01 s$"


async def _never() -> None:
    await asyncio.Event().wait()


def test_who_stands_between_sees_what_the_cut_is() -> None:
    seen: list[BaseException] = []

    async def call() -> None:
        async with time_limit(0.01):
            try:
                await in_time(_never())
            except BaseException as error:
                seen.append(error)
                raise

    with pytest.raises(TimeoutError, match=SAID) as caught:
        asyncio.run(call())
    assert seen == [caught.value]


def test_a_tool_that_takes_too_long_fails_with_a_timeout() -> None:
    async def look(_context: ToolContext, _given: Look) -> None:
        await _never()

    tool = Tool("look", "Look.", Look, look)
    context = ToolContext(Path(), "r", random.Random(0), datetime.now(UTC), 0)

    async def call() -> Any:
        async with time_limit(0.01):
            with pytest.raises(TimeoutError, match=SAID):
                await tool.call(context, Look(what="a"))
            return "caught"

    assert asyncio.run(call()) == "caught"


def test_what_is_cut_elsewhere_is_told_too() -> None:
    async def call() -> None:
        async with time_limit(0.01):
            await _never()

    with pytest.raises(TimeoutError, match=SAID):
        asyncio.run(call())


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_a_cancellation_from_outside_stays_one(seconds: float | None) -> None:
    async def call() -> None:
        async with time_limit(seconds):
            await in_time(_never())

    async def cancel() -> None:
        task = asyncio.ensure_future(call())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_a_kill_that_comes_with_the_end_of_the_time_is_a_cancellation() -> None:
    async def call() -> None:
        async with time_limit(0):
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
            await in_time(_never())

    async def killed() -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(call())

    asyncio.run(killed())


def test_a_timeout_of_the_work_itself_keeps_its_words() -> None:
    async def work() -> None:
        raise TimeoutError("the gateway said so")

    async def call() -> None:
        async with time_limit(60):
            await in_time(work())

    with pytest.raises(TimeoutError, match="the gateway said so"):
        asyncio.run(call())
