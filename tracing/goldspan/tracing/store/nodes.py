"""A span as the decisions at commit see it: narrow, whether it is stored already or just came."""

from __future__ import annotations

from dataclasses import dataclass, fields

from goldspan.tracing.facts import Context

CONTEXT = tuple(f.name for f in fields(Context))


@dataclass(slots=True)
class Node:
    """What one span says, without its texts. Times are microseconds since the epoch.

    `inherited` is a bit mask over CONTEXT: which of those values came from an ancestor. The
    fields up to `has_output` are a `Claim` of `duplicates.decide`.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    scope: str
    category: str | None
    operation: str | None
    kind: str
    start_us: int | None
    end_us: int | None
    provider: str | None
    request_model: str | None
    response_model: str | None
    response_id: str | None
    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    tool_name: str | None
    tool_call_id: str | None
    error_type: str | None
    replayed: bool | None
    has_input: bool
    has_output: bool
    name: str
    status: str
    service_name: str | None
    outcome: str | None
    rowid: int | None  # None: not stored yet
    inherited: int
    is_duplicate: bool
    ambiguous: bool
    cost_usd: float | None
    price_source: str | None
    price_version: str | None
    run_id: str | None
    batch_id: str | None
    experiment_id: str | None
    suite: str | None
    case_id: str | None
    case_repeat: int | None
    agent_name: str | None
    agent_version: str | None
    agent_digest: str | None
    session_id: str | None
    user_id: str | None
    simulated: bool | None

    @property
    def key(self) -> tuple[str, str]:
        """Trace id and span id."""
        return self.trace_id, self.span_id
