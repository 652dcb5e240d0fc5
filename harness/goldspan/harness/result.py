"""What a run was and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from goldspan.harness.contract import Usage
from goldspan.harness.models.messages import Message

Outcome: TypeAlias = Literal["completed", "paused", "failed", "aborted", "killed"]


@dataclass(frozen=True)
class Step:
    """One tool call of a run, as it was made."""

    call_id: str
    tool: str
    arguments: Any
    result: Any = None
    error_type: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class RunResult:
    """The end of one run. `cost_usd` is as recorded, None where a call has no price. `end_state` is
    empty where the run waits and will go on: its world is half made, and not this life's."""

    run_id: str
    trace_id: str
    span_id: str
    outcome: Outcome
    reason: str | None
    answer: str | None
    steps: list[Step]
    usage: Usage
    cost_usd: float | None
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    end_state: dict[str, Any] = field(default_factory=dict)
    next_actions: list[str] = field(default_factory=list)
    transcript: list[Message] = field(default_factory=list)


class Ended(Exception):
    """The run is over before the model has answered: why, and as what. `waits_for` is what a paused
    run waits for: a kind, a colon and the subject."""

    def __init__(self, outcome: Outcome, reason: str, waits_for: str | None = None) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason = reason
        self.waits_for = waits_for
