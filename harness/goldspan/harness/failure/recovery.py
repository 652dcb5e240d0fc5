"""What became of a call whose process died between its intent and its recorded result.

A call that only reads is made again. Any other is asked about, by its key; where the tool cannot
say, a person must. It is never simply made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from pydantic import BaseModel

from goldspan.harness.admission import Admissions
from goldspan.harness.failure.apart import apart
from goldspan.harness.failure.retry import one_line
from goldspan.harness.guards import Guard, verify_result
from goldspan.harness.ledger import Intent
from goldspan.harness.standing import Ready
from goldspan.harness.steps import Park, Parked
from goldspan.harness.tools import Tool, ToolContext
from goldspan.tracing import semconv
from goldspan.tracing.recorder import Recorder

ASK_S = 10.0  # how long a tool may take to say what became of a call


async def earlier(
    admissions: Admissions,
    recorder: Recorder,
    guards: Sequence[Guard],
    ready: Ready,
    left_s: float,
) -> dict[str, Any] | None:
    """What a call returned whose intent an earlier life of the run wrote down and whose result
    it did not; None where it is to be made. What a person has said of it counts first. A tool may
    take the run's `left_s` to say it, or `ASK_S` where those are fewer. Raises `Parked` where a
    person must say, `OutputRejected` where what the tool says of it is not whole."""
    call, tool, intent = ready.call, ready.tool, ready.intent
    ledger = admissions.ledger
    said = await admissions.engine.transact(lambda: ledger.take_resolution(intent.key))
    how = "repeated"
    found: Mapping[str, Any] | None = None
    if said is not None:
        how, found = "person", said if "result" in said else None
    elif tool.action_class != "read":
        if tool.ask is None:
            unknown(admissions, tool, intent, "the process died")
        how = "asked"
        try:
            async with asyncio.timeout(max(left_s, ASK_S)):
                found = await asked(tool, ready.context, ready.parsed)
        except Exception as error:  # noqa: BLE001  whatever it is, it does not say what was done
            unknown(admissions, tool, intent, f"asked, it said: {one_line(error)}")
    about = {semconv.TOOL_NAME: tool.name, semconv.CALL_KEY: intent.key}
    recorder.event(semconv.CALL_RECOVERED, {**about, semconv.CALL_RECOVERY: how})
    if found is None:
        return None
    about = {semconv.CALL_KEY: intent.key, semconv.CALL_RECOVERY: how}
    with recorder.tool(
        tool.name, call_id=call.id, arguments=call.arguments, attributes=about
    ) as span:
        span.set_result(found["result"])
    if how == "asked":
        verify_result(guards, call, tool, found["result"])
    return {"result": found["result"]}


def unknown(admissions: Admissions, tool: Tool, intent: Intent, why: str) -> NoReturn:
    """Wait for a person to say what became of a call. Raises `Parked`."""
    park = Park(
        "unknown",
        intent.key,
        f"nobody knows whether {tool.name} was done ({why}): say what became of call {intent.key}",
    )
    admissions.waiting(park)
    raise Parked(park)


async def said_when_cut(
    admissions: Admissions, guards: Sequence[Guard], ready: Ready, why: str
) -> Mapping[str, Any] | None:
    """What a tool says of its call that was cut; None for one that only reads, or that was not
    made. Raises `Parked` where it may have been made and the tool cannot say so, `OutputRejected`
    where what it says is not whole."""
    call, tool = ready.call, ready.tool
    if tool.action_class == "read":
        return None
    if tool.ask is None:
        unknown(admissions, tool, ready.intent, why)
    try:
        async with asyncio.timeout(ASK_S):
            said = await asked(tool, ready.context, ready.parsed)
    except Exception as error:  # noqa: BLE001  whatever it is, it does not say what was done
        unknown(admissions, tool, ready.intent, f"{why}; asked, it said: {one_line(error)}")
    if said is None or "result" not in said:
        return None
    verify_result(guards, call, tool, said["result"])
    return said


async def asked(tool: Tool, context: ToolContext, parsed: BaseModel) -> Mapping[str, Any] | None:
    """What the tool says of an earlier call of the same key."""
    if tool.ask is None:
        return None
    found: Mapping[str, Any] | None = await apart(tool.ask, context, parsed, leave_at=0)
    return found
