"""A run as the store has it: what was asked, what the model answered, what the tools gave back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.operation.run_setup import setup_of
from goldspan.harness.operation.sessions import Turn
from goldspan.harness.replay.queries import sql
from goldspan.harness.tools import result_text
from goldspan.tracing import semconv
from goldspan.tracing.errors import InputError, MeasurementError
from goldspan.tracing.live_spans import clean_attributes
from goldspan.tracing.store import Store

Row: TypeAlias = dict[str, Any]
Form: TypeAlias = dict[str, Any]
OPEN_ENDS = (None, "running", "killed")


@dataclass(frozen=True)
class RecordedAnswer:
    """One model call: `form` is the request in the parts that decide the answer.

    `answer` is None where the call failed: `error` says how.
    """

    form: Form
    answer: ModelAnswer | None
    error: str | None = None


@dataclass(frozen=True)
class RecordedStep:
    """One tool call as it was made, or as a guard refused it (`Denied`, without arguments).

    Of several attempts at a call it is the last. `error_class` says what the run made of an error:
    `retry`, `never` or `unknown`; None where nobody said.
    """

    call_id: str | None
    tool: str
    arguments: Any
    result: Any = None
    error_type: str | None = None
    error_message: str | None = None
    error_class: str | None = None
    executed: bool = True
    trace_id: str | None = None
    span_id: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class RecordedDecision:
    """What a person decided of a call. `arguments` are those of the call that was asked about."""

    tool: str
    arguments: Any
    kind: str
    reviewer: str
    decided_at: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class Recording:
    """A whole run, over all its segments; or a trace that belongs to none.

    `trace_id` and `span_id` are of its last segment, `task` the first segment's input. `contract`
    is None where the run told none. Calls are in the order in which they began. `setup` is what
    the run's world began with, `setup_fault` why that is not known.
    """

    trace_id: str
    span_id: str | None
    run_id: str | None
    agent: str | None
    version: str | None
    digest: str | None
    provider: str | None
    model: str | None
    started_at: datetime
    task: str
    contract: dict[str, Any] | None
    outcome: str | None
    reason: str | None
    answer: str | None
    case_id: str | None
    case_repeat: int | None
    model_calls: tuple[RecordedAnswer, ...]
    steps: tuple[RecordedStep, ...]
    decisions: tuple[RecordedDecision, ...]
    setup: dict[str, Any] = field(default_factory=dict)
    setup_fault: str | None = None
    earlier: tuple[Turn, ...] = ()

    @property
    def ended(self) -> bool:
        """False where it was killed or still runs: what came then is not known."""
        return self.outcome not in OPEN_ENDS

    @property
    def seed(self) -> int | None:
        """The seed that the model sampled with, where it had one."""
        seeds = [c.form["settings"].get("seed") for c in self.model_calls]
        return next((seed for seed in seeds if isinstance(seed, int)), None)


def read_recording(store: Store, named: str, *, whole: bool = True) -> Recording:
    """The run of a trace, by the trace's id or the run's, or the start of one.

    Raises `InputError` where there is none or several fit, or it has no agent and no model call,
    and `MeasurementError` where the store does not have what was asked of the agent (content that
    is not captured, or was pruned); without `whole` the task is empty then.
    """
    with store.session():
        trace, run = _found(store, named)
        about = {"trace": trace, "run": run}
        agents = store.rows(sql("agent_spans"), about)
        calls = store.rows(sql("model_calls"), about)
        tools = store.rows(sql("tool_calls"), about)
        refused = store.rows(sql("refused_calls"), about)
        decisions = store.rows(sql("decisions"), about)
        ends = store.rows(sql("run_end"), {"run": run}) if run is not None else []
    if not agents and not calls:
        raise InputError("it has neither an agent nor a model call", where=f"trace {trace}")
    first, last = (agents or calls)[0], (agents or calls)[-1]
    inputs = (_task(row.get("input_messages")) for row in (first, *calls[:1]))
    asked = next(filter(None, inputs), None)
    if asked is None and whole:
        raise MeasurementError(
            "its input is not in the store",
            where=f"trace {trace}",
            remedy="content must be captured (redaction.yaml: content: on) to replay a run",
        )
    end = ends[0] if ends else last
    setup, setup_fault = setup_of(first.get("setup"), first.get("setup_bytes"))
    return Recording(
        trace_id=last["trace_id"],
        span_id=last["span_id"],
        run_id=run,
        agent=first.get("agent_name"),
        version=first.get("agent_version"),
        digest=first.get("agent_digest"),
        provider=calls[0]["provider"] if calls else first.get("provider"),
        model=calls[0]["request_model"] if calls else first.get("request_model"),
        started_at=first["started_at"],
        task=asked or "",
        contract=_json(ends[0]["contract"]) if ends else None,
        outcome=end.get("outcome"),
        reason=end.get("reason"),
        answer=_said(last.get("output_messages")) if agents else None,
        case_id=first.get("case_id"),
        case_repeat=first.get("case_repeat"),
        model_calls=tuple(_model_call(row) for row in calls),
        steps=_steps(tools, refused, decisions, _told(calls)),
        decisions=tuple(
            RecordedDecision(
                row["tool_name"] or "",
                _json(row["arguments"]),
                row["decision"],
                row["reviewer"] or "unknown",
                row["decided_at"],
                row["reason"] or "",
            )
            for row in decisions
            if row["decision"] is not None
        ),
        setup=setup,
        setup_fault=setup_fault,
        earlier=Turn.read(_json(first.get("earlier"))),
    )


def request_form(request: ModelRequest) -> Form:
    """The parts of a request that a span keeps, in the form in which the store has them."""
    settings = {semconv.REQUEST_PREFIX + key: value for key, value in request.settings.items()}
    return _form(
        model=request.model,
        system=request.system,
        messages=list(request.messages),
        settings=clean_attributes(settings),
        tools=list(request.tools),
    )


def form_key(form: Form) -> str:
    """Two requests of one key are the same; the sampling seed does not count."""
    settings = {key: value for key, value in form["settings"].items() if key != "seed"}
    return json.dumps({**form, "settings": settings}, sort_keys=True, ensure_ascii=False)


def _form(
    *, model: Any, system: str, messages: Any, settings: dict[str, Any], tools: Sequence[Any]
) -> Form:
    prefix = semconv.REQUEST_PREFIX
    kept = {
        key.removeprefix(prefix): value
        for key, value in settings.items()
        if key.startswith(prefix) and key != semconv.REQUEST_MODEL
    }
    return {
        "model": model,
        "system": system,
        "messages": messages,
        "settings": kept,
        "tools": list(tools),
    }


def _found(store: Store, named: str) -> tuple[str, str | None]:
    rows = store.rows(sql("find_traces"), {"named": named}) if named else []
    runs = {row["run_id"] for row in rows if row["run_id"] == named} or {
        row["run_id"] or row["trace_id"] for row in rows
    }
    if len(runs) == 1 or any(row["trace_id"] == named for row in rows):
        row = next((r for r in rows if r["trace_id"] == named), rows[-1])
        return row["trace_id"], row["run_id"]
    if not rows:
        newest = ", ".join(row["trace_id"] for row in store.rows(sql("newest_traces")))
        raise InputError(
            "there is no such trace",
            where=f"trace {named}",
            remedy=f"the newest are: {newest}" if newest else "the store has no traces yet",
        )
    shown = ", ".join(sorted(run[:12] for run in runs)[:5])
    raise InputError(
        f"{len(runs)} runs begin with it: {shown}",
        where=f"trace {named}",
        remedy="give more of the id",
    )


def _model_call(row: Row) -> RecordedAnswer:
    attributes = _json(row["attributes"]) or {}
    system = _json(row["system_instructions"])
    form = _form(
        model=row["request_model"],
        system="\n".join(str(p.get("content", "")) for p in system or [] if isinstance(p, dict)),
        messages=_json(row["input_messages"]) or [],
        settings=attributes,
        tools=_json(attributes.get(semconv.TOOL_DEFINITIONS)) or [],
    )
    said = _json(row["output_messages"])
    if row["error_type"] is not None or not isinstance(said, list) or not said:
        why = row["error_message"] or row["error_type"] or "its answer is not in the store"
        return RecordedAnswer(form, None, why)
    parts = [_without_id(part) for message in said for part in message.get("parts", [])]
    reasons = row["finish_reasons"]
    answer = ModelAnswer(
        message={"role": "assistant", "parts": parts},
        finish_reason=reasons[0] if reasons is not None and len(reasons) else None,
        response_model=row["response_model"],
        response_id=row["response_id"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        cached_input_tokens=row["cached_input_tokens"],
        cache_write_tokens=row["cache_write_tokens"],
        reasoning_tokens=row["reasoning_tokens"],
        duration_ms=row["duration_ms"] or 0.0,
        replayed=True,
    )
    return RecordedAnswer(form, answer)


def _without_id(part: dict[str, Any]) -> dict[str, Any]:
    """A part as a model gives it: the ids of calls are the loop's own."""
    if part.get("type") != "tool_call":
        return part
    return {"type": "tool_call", "name": part.get("name"), "arguments": part.get("arguments")}


def _steps(
    tools: Sequence[Row], refused: Sequence[Row], asked: Sequence[Row], told: str
) -> tuple[RecordedStep, ...]:
    made = [
        RecordedStep(
            call_id=row["tool_call_id"],
            tool=row["tool_name"] or "tool",
            arguments=_json(row["arguments"]),
            result=None if row["error_type"] else _result(row["result"], told),
            error_type=row["error_type"],
            error_message=row["error_message"],
            error_class=row["error_class"] if row["error_type"] else None,
            trace_id=row["trace_id"],
            span_id=row["span_id"],
            at=row["started_at"],
        )
        for row in _last_attempts(tools)
    ]
    made += [
        RecordedStep(
            call_id=row["tool_call_id"],
            tool=row["tool_name"],
            arguments=None,
            error_type="Denied" if row["verdict"] == "deny" else "Stopped",
            error_message=f"{row['guard']}: {row['reason']}",
            executed=False,
            trace_id=row["trace_id"],
            span_id=row["span_id"],
            at=row["observed_at"],
        )
        for row in refused
    ]
    ordered = sorted(made, key=lambda step: str(step.at))
    if all(_number(step) for step in made):  # calls may run side by side: our own numbers are exact
        ordered.sort(key=_number)
    for row in asked:
        if row["decision"] in (None, "deny", "denied"):
            step = RecordedStep(
                call_id=None,
                tool=row["tool_name"] or "tool",
                arguments=_json(row["arguments"]),
                error_type="AwaitingApproval" if row["decision"] is None else "Denied",
                executed=False,
                trace_id=row["trace_id"],
                at=row["requested_at"],
            )
            later = (i for i, each in enumerate(ordered) if str(each.at) > str(step.at))
            ordered.insert(next(later, len(ordered)), step)
    return tuple(ordered)


def _last_attempts(tools: Sequence[Row]) -> list[Row]:
    """One row a call: a retry, or the next life of the run, made it again under the same key."""
    calls: dict[Any, Row] = {}
    for row in tools:
        calls[row["call_key"] or (row["trace_id"], row["span_id"])] = row
    return list(calls.values())


def _told(calls: Sequence[Row]) -> str:
    """All texts and tool results that the models were told."""
    parts = [
        part
        for row in calls
        for message in _json(row["input_messages"]) or ()
        for part in message.get("parts") or ()
    ]
    return "\n".join(str(part.get("content", part.get("response"))) for part in parts)


def _result(text: str | None, told: str) -> Any:
    """A tool's result. A text that is JSON by chance stays text, as the model was told it."""
    return text if text is not None and result_text(text) in told else _json(text)


def _number(step: RecordedStep) -> int:
    """The number of a call in our own loop, 0 for another emitter's."""
    found = re.fullmatch(r"call_(\d+)", step.call_id or "")
    return int(found[1]) if found else 0


def _task(text: str | None) -> str | None:
    """What the user said first, of messages in the conventions' parts."""
    for message in _json(text) or ():
        if isinstance(message, dict) and message.get("role") == "user":
            return _text(message)
    return None


def _said(text: str | None) -> str | None:
    messages = [message for message in _json(text) or () if isinstance(message, dict)]
    return _text(messages[-1]) if messages else None


def _text(message: Row) -> str:
    parts = [p for p in message.get("parts") or () if isinstance(p, dict)]
    return "\n".join(str(p.get("content")) for p in parts if p.get("type") == "text")


def _json(text: Any) -> Any:
    """The value in a JSON text, else the text."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
