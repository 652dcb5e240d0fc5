"""How far a tool call has come: judged, ready to be made, or over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import BaseModel

from goldspan.harness.guards import Verdict
from goldspan.harness.ledger import Admission, Intent
from goldspan.harness.models.protocol import Call
from goldspan.harness.steps import StepRunner
from goldspan.harness.tools import Tool, ToolContext


@dataclass(frozen=True)
class Judged:
    """A call that the guards let go, or let a person decide; its numbers are drawn."""

    call: Call
    tool: Tool
    context: ToolContext
    number: int
    runner: StepRunner
    verdict: Verdict
    reason: str | None


@dataclass(frozen=True)
class Ready:
    """A call that is admitted, and not yet made."""

    call: Call
    tool: Tool
    context: ToolContext
    parsed: BaseModel
    intent: Intent
    admission: Admission
    runner: StepRunner
    reason: str | None


@dataclass(frozen=True)
class Over:
    """What became of a call. `told` writes it down and says what the model is told; it raises
    `Ended` where this `ends` the run. `replayed_s` is how many seconds it took in an earlier
    life of the run, 0 where it was made in this one."""

    told: Callable[[], str]
    ends: bool = False
    replayed_s: float = 0.0


Standing: TypeAlias = Judged | Ready | Over
