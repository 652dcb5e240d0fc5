"""What an agent version says of failures: how often to try again, when to leave a tool alone, and
what becomes of a run that needs it then. Plain settings; `retry.py` and `guards/breaker.py` act.
"""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

WhenDown: TypeAlias = Literal["pause", "pending", "tell"]


class RetryPolicy(BaseModel):
    """How often and how patiently one call is tried. Times are seconds.

    The wait before attempt n+1 is drawn evenly from 0 to `first_wait_s` doubled n-1 times, at most
    `max_wait_s`: full jitter (Brooker, Exponential Backoff And Jitter, AWS Architecture Blog,
    2015). A server that asks for a longer wait than `max_wait_s` is not asked again. `timeout_s`
    is for one attempt; it cannot cut a tool that is no coroutine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = Field(default=3, ge=1, le=20)
    first_wait_s: float = Field(default=0.5, ge=0)
    max_wait_s: float = Field(default=20, ge=0)
    timeout_s: float | None = Field(default=None, gt=0)


class BreakerPolicy(BaseModel):
    """When a tool is left alone, by all workers. Times are seconds.

    After `failures` failures in a row the breaker opens; a failure that comes later than
    `within_s` after the one before begins a new row. After `cooldown_s` one call may probe the
    tool; a probe of which nothing is heard for `probe_s` makes room for another, so it must be
    longer than a call with all its attempts may take (Nygard, Release It!, 2nd ed., 2018,
    "Circuit Breaker").
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    failures: int = Field(default=5, ge=1)
    within_s: float = Field(default=300, gt=0)
    cooldown_s: float = Field(default=60, gt=0)
    probe_s: float = Field(default=180, gt=0)


class ToolFailure(BaseModel):
    """What holds for one tool; what is not said is as for all tools.

    `when_down` says what becomes of a run whose call finds the tool down, or has used up its
    attempts: it pauses until the tool works (`pause`), goes on with this part marked as pending
    (`pending`), or the model is told the error (`tell`). A run pauses for an open breaker only;
    attempts that are used up are told. `instead` is a tool to name to the model.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    retry: RetryPolicy | None = None
    breaker: BreakerPolicy | None = None
    when_down: WhenDown = "pause"
    instead: str | None = None


class FailurePolicy(BaseModel):
    """The `failure` part of an agent version's `config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    tools: dict[str, ToolFailure] = {}

    @model_validator(mode="after")
    def _names_another(self) -> Self:
        for name, rule in self.tools.items():
            if rule.instead == name:
                raise ValueError(f"{name} cannot be used instead of itself")
        return self

    def rule(self, tool: str) -> ToolFailure:
        """What holds for a tool that may not be named."""
        return self.tools.get(tool, _UNNAMED)

    def retry_of(self, tool: str) -> RetryPolicy:
        """How a tool's calls are tried."""
        return self.rule(tool).retry or self.retry

    def breaker_of(self, tool: str) -> BreakerPolicy:
        """When a tool is left alone."""
        return self.rule(tool).breaker or self.breaker


_UNNAMED = ToolFailure()
