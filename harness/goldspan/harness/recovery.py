"""What became of a call whose process died between its intent and its recorded result.

A call that only reads is made again. Any other is asked about, by its key; where the tool cannot
say, a person must. It is never simply made again.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import BaseModel

from goldspan.harness.admission import Admissions
from goldspan.harness.ledger import Intent
from goldspan.harness.models.protocol import Call
from goldspan.harness.steps import Park, Parked
from goldspan.harness.tools import Tool, ToolContext
from goldspan.tracing import semconv
from goldspan.tracing.recorder import Recorder


async def earlier(
    admissions: Admissions,
    recorder: Recorder,
    tool: Tool,
    context: ToolContext,
    call: Call,
    parsed: BaseModel,
    intent: Intent,
) -> dict[str, Any] | None:
    """What a call returned whose intent an earlier life of the run wrote down and whose result
    it did not; None where it is to be made. Raises `Parked` where a person must say."""
    ledger = admissions.ledger
    said = await admissions.engine.transact(lambda: ledger.take_resolution(intent.key))
    how = "repeated"
    found: Mapping[str, Any] | None = None
    if said is not None and "result" in said:
        how, found = "person", said
    elif tool.action_class == "read":
        pass
    elif tool.ask is not None:
        how, found = "asked", await asked(tool, context, parsed)
    elif said is None:
        unknown(admissions, tool, intent, "the process died")
    else:
        how = "person"
    about = {semconv.TOOL_NAME: tool.name, semconv.CALL_KEY: intent.key}
    recorder.event(semconv.CALL_RECOVERED, {**about, semconv.CALL_RECOVERY: how})
    if found is None:
        return None
    about = {semconv.CALL_KEY: intent.key, semconv.CALL_RECOVERY: how}
    with recorder.tool(
        tool.name, call_id=call.id, arguments=call.arguments, attributes=about
    ) as span:
        span.set_result(found["result"])
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


async def asked(tool: Tool, context: ToolContext, parsed: BaseModel) -> Mapping[str, Any] | None:
    """What the tool says of an earlier call of the same key."""
    found = tool.ask(context, parsed) if tool.ask is not None else None
    if inspect.isawaitable(found):
        found = await found
    return found
