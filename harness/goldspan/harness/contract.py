"""The contract of a run: what it may spend, what it may call, what it owes. Limits fail closed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from goldspan.harness.rules.stated import Cap, InputRule, OutputRule, Target


class Contract(BaseModel):
    """Committed to as the run's first event. A limit that is reached stops what comes next.

    Keys of `targets`, `plausible`, `outputs` and `rehearse` are tools' names. `dry_run` names
    tools or action classes. An amount that nothing is said of is not limited.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_tokens: int = Field(default=100_000, gt=0)
    max_tool_calls: int = Field(default=20, ge=0)
    max_usd: float | None = Field(default=None, gt=0)
    max_seconds: float = Field(default=600, gt=0)
    max_iterations: int = Field(default=20, gt=0)
    max_repeats: int = Field(default=2, gt=0, description="of one call with the same arguments")
    max_cycles: int = Field(default=3, gt=1, description="of two or three calls that alternate")
    max_stale: int = Field(default=4, gt=1, description="results in a row that say nothing new")
    parallel_reads: int = Field(default=8, gt=0, description="reads of one turn, side by side")
    required_artifacts: tuple[str, ...] = ()
    allowed_tools: tuple[str, ...] | None = None
    targets: dict[str, dict[str, Target]] = {}
    caps: tuple[Cap, ...] = ()
    plausible: dict[str, tuple[InputRule, ...]] = {}
    outputs: dict[str, OutputRule] = {}
    dry_run: tuple[str, ...] = ()
    rehearse: dict[str, str] = Field(
        default={}, description="tool: the argument that makes a call of it a dry run"
    )
    typical_usd: float | None = Field(default=None, gt=0, description="where no history is")
    typical_tokens: float | None = Field(default=None, gt=0, description="for want of a price")
    alarm_at: float = Field(default=10, gt=0, description="times the typical cost of a run")
    stop_at: float = Field(default=50, gt=0, description="times the typical cost of a run")


@dataclass
class Usage:
    """What a run has used so far. `usd` is as recorded: a replay counts what it would have cost."""

    started: float = field(default_factory=time.monotonic)
    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0
    tool_calls: int = 0
    usd: float = 0.0
    spent_usd: float = 0.0
    unpriced_calls: int = 0
    recorded_ms: float = 0.0

    @property
    def tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    @property
    def seconds(self) -> float:
        """Wall-clock time since the run started."""
        return time.monotonic() - self.started

    def exceeded(self, contract: Contract) -> str | None:
        """The limit that the next model call would be beyond, worded for a person; else None."""
        spent: Sequence[tuple[str, float, float | None]] = (
            ("iterations", self.model_calls, contract.max_iterations),
            ("tokens", self.tokens, contract.max_tokens),
            ("USD", self.usd, contract.max_usd),
            ("seconds", self.seconds, contract.max_seconds),
        )
        for unit, used, limit in spent:
            if limit is not None and used >= limit:
                return f"budget of {limit:g} {unit} is used up ({used:g})"
        return None
