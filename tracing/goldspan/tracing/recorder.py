"""Records what an agent does as spans and events in the current GenAI conventions.

The context managers are synchronous and keep their state in context variables, so they work in
threads and in async code alike. An exception inside one marks the span as failed and goes on;
recording itself never raises.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber
from opentelemetry.context import Context, get_current
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    TracerProvider,
    set_span_in_context,
)

from goldspan.tracing import semconv
from goldspan.tracing.live_spans import (
    AgentSpan,
    Message,
    ModelCallSpan,
    ToolSpan,
    as_json,
    clean_attributes,
    note_failure,
)
from goldspan.tracing.recording import Recording, SharedAttributes, Source, shared_attributes

SCOPE = "goldspan"


class Recorder:
    """Starts spans and emits events on the given providers.

    `capture_content=False` leaves out message text, tool arguments and results. `attributes` are
    set on every span and event. `clock` returns nanoseconds since the epoch; a simulator or an
    importer gives its own.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider,
        logger_provider: LoggerProvider,
        *,
        capture_content: bool = True,
        attributes: Mapping[str, Any] | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._logger = logger_provider.get_logger(SCOPE)
        self._capture = capture_content
        self._attributes = clean_attributes(attributes or {})
        self._clock = clock
        tracer = tracer_provider.get_tracer(SCOPE)
        self._source = Source(tracer, self._attributes, capture_content, clock)

    @property
    def captures_content(self) -> bool:
        """Whether message text, tool arguments and results are recorded."""
        return self._capture

    def context(self, attributes: Mapping[str, Any]) -> SharedAttributes:
        """Set these attributes on every span and event that starts inside the block."""
        return SharedAttributes(attributes)

    def agent(
        self,
        name: str,
        *,
        run_id: str,
        version: str | None = None,
        digest: str | None = None,
        conversation_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        input: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] = (),
    ) -> Recording[AgentSpan]:
        """One segment of a run, which `links` to the one before. Its identity is also on every
        span and event inside."""
        identity = {
            semconv.RUN_ID: run_id,
            semconv.AGENT_NAME: name,
            semconv.AGENT_VERSION: version,
            semconv.AGENT_DIGEST: digest,
            semconv.CONVERSATION_ID: conversation_id,
            **(attributes or {}),
        }
        own: dict[str, Any] = {
            semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
            semconv.PROVIDER_NAME: provider,
            semconv.REQUEST_MODEL: model,
        }
        if input is not None and self._capture:
            part = {"type": "text", "content": input}
            own[semconv.INPUT_MESSAGES] = as_json([{"role": "user", "parts": [part]}])
        name = f"{semconv.INVOKE_AGENT} {name}"
        inside = SharedAttributes(identity)
        return Recording(self._source, name, SpanKind.INTERNAL, own, AgentSpan, inside, links)

    def model_call(
        self,
        *,
        provider: str,
        request_model: str,
        input_messages: Sequence[Message],
        system: str | None = None,
        settings: Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Recording[ModelCallSpan]:
        """One request to a model. `settings` become gen_ai.request.*, `tools` the definitions."""
        own: dict[str, Any] = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: provider,
            semconv.REQUEST_MODEL: request_model,
            **{semconv.REQUEST_PREFIX + k: v for k, v in (settings or {}).items()},
            **(attributes or {}),
        }
        if self._capture:
            own[semconv.INPUT_MESSAGES] = as_json(list(input_messages))
            if system is not None:
                own[semconv.SYSTEM_INSTRUCTIONS] = as_json([{"type": "text", "content": system}])
            if tools:
                own[semconv.TOOL_DEFINITIONS] = as_json(list(tools))
        name = f"{semconv.CHAT} {request_model}"
        return Recording(self._source, name, SpanKind.CLIENT, own, ModelCallSpan)

    def tool(
        self,
        name: str,
        *,
        call_id: str | None = None,
        arguments: Any,
        attributes: Mapping[str, Any] | None = None,
    ) -> Recording[ToolSpan]:
        """One execution of a tool."""
        own: dict[str, Any] = {
            semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
            semconv.TOOL_NAME: name,
            semconv.TOOL_TYPE: "function",
            semconv.TOOL_CALL_ID: call_id,
            **(attributes or {}),
        }
        if self._capture:
            text = arguments if isinstance(arguments, str) else as_json(arguments)
            own[semconv.TOOL_ARGUMENTS] = text
        name = f"{semconv.EXECUTE_TOOL} {name}"
        return Recording(self._source, name, SpanKind.INTERNAL, own, ToolSpan)

    def event(
        self,
        name: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        span: SpanContext | None = None,
        timestamp_ns: int | None = None,
        event_id: str | None = None,
    ) -> str:
        """Emit a log record with an event name; returns its goldspan.event.id.

        It belongs to `span`, else to the span that is open here. The same `event_id` twice is
        stored once.
        """
        event_id = event_id or uuid.uuid4().hex
        try:
            merged = {
                **self._attributes,
                **shared_attributes(),
                **(attributes or {}),
                semconv.EVENT_ID: event_id,
            }
            at = timestamp_ns if timestamp_ns is not None else self._clock()
            record = LogRecord(
                timestamp=at,
                observed_timestamp=at,
                context=_context_of(span),
                severity_number=SeverityNumber.INFO,
                severity_text="INFO",
                body=body,
                attributes=clean_attributes(merged),
                event_name=name,
            )
            self._logger.emit(record)
        except Exception as error:  # noqa: BLE001  telemetry never raises into the agent
            note_failure(error)
        return event_id

    def evaluation(
        self,
        name: str,
        *,
        score: float | None = None,
        label: str | None = None,
        explanation: str | None = None,
        passed: bool | None = None,
        unmeasured: bool = False,
        trace_id: str | None = None,
        span_id: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        event_id: str | None = None,
    ) -> str:
        """Emit a `gen_ai.evaluation.result` about a span (or a whole trace); returns its id."""
        values = {
            semconv.EVALUATION_NAME: name,
            semconv.EVALUATION_SCORE: None if score is None else float(score),
            semconv.EVALUATION_LABEL: label,
            semconv.EVALUATION_EXPLANATION: explanation,
            semconv.PASSED: passed,
            semconv.UNMEASURED: True if unmeasured else None,
            **(attributes or {}),
        }
        span = None
        if trace_id is not None:
            span = SpanContext(
                int(trace_id, 16), int(span_id or "0", 16), True, TraceFlags(TraceFlags.SAMPLED)
            )
        return self.event(semconv.EVALUATION_RESULT, values, span=span, event_id=event_id)


def _context_of(span: SpanContext | None) -> Context:
    if span is None:
        return get_current()
    return set_span_in_context(NonRecordingSpan(span), Context())
