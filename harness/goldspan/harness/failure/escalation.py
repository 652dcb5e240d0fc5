"""What a person needs who takes over from a run that a guard stopped: the task, and what it did."""

from __future__ import annotations

import json
from collections.abc import Sequence

from goldspan.harness.models.messages import Message, message_text
from goldspan.harness.result import Step
from goldspan.harness.run_events import RunEvents
from goldspan.tracing import semconv

LAST_CALLS = 10
TEXT_CHARS = 1000
LINE_CHARS = 120


def escalate(
    events: RunEvents, reason: str, task: str, steps: Sequence[Step], transcript: Sequence[Message]
) -> str:
    """Emit the context of a run that ends here, its last calls with what came of each; returns the
    next action, in a line. Without content, where the recorder captures none."""
    whole = events.recorder.captures_content
    last = steps[-LAST_CALLS:]
    said = [message_text(m) for m in transcript if m["role"] == "assistant"]
    context: dict[str, object] = {
        semconv.REASON: reason,
        semconv.ESCALATION_CALLS: json.dumps([_call(s, whole) for s in last], ensure_ascii=False),
    }
    if whole:
        context[semconv.ESCALATION_TASK] = task[:TEXT_CHARS]
        context[semconv.ESCALATION_SAID] = said[-1][:TEXT_CHARS] if said else None
    events.of_segment(semconv.RUN_ESCALATED, context)
    did = "; ".join(_line(step, whole) for step in last[-3:])
    return f"take over: {f'its last calls were {did}' if did else 'it made no call'}"


def _call(step: Step, whole: bool) -> dict[str, object]:
    named: dict[str, object] = {"tool": step.tool, "error_type": step.error_type}
    if not whole:
        return named
    came = json.dumps(step.result, ensure_ascii=False, default=str)
    return {**named, "arguments": step.arguments, "result": came[:TEXT_CHARS]}


def _line(step: Step, whole: bool) -> str:
    given = json.dumps(step.arguments, ensure_ascii=False, default=str) if whole else "…"
    failed = f" ({step.error_type})" if step.error_type else ""
    return f"{step.tool} {given[:LINE_CHARS]}{failed}"
