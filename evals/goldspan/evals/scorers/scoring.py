"""What a scorer is: an object with a name and one method that looks at a finished run."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from goldspan.evals.results import Score, StepRecord
from goldspan.golden import Case


@dataclass(frozen=True)
class RunView:
    """A finished run as scorers see it. `answer` is None where the run gave none."""

    case: Case
    outcome: str
    answer: str | None
    steps: tuple[StepRecord, ...] = ()
    end_state: dict[str, Any] = field(default_factory=dict)
    model_calls: int | None = None
    cost_usd: float | None = None
    duration_ms: float | None = None
    repeat: int = 0

    @property
    def tools_called(self) -> list[str]:
        """The names of the tools called, in order."""
        return [step.tool for step in self.steps]


class Scorer(Protocol):
    """Judges one aspect of a run."""

    @property
    def name(self) -> str:
        """What the score is called."""
        ...

    def score(self, run: RunView) -> Score | Awaitable[Score | None] | None:
        """The score, or None where the case expects nothing of this aspect."""
        ...


async def score_all(
    scorers: Sequence[Scorer], run: RunView, *, timeout_s: float = 300
) -> tuple[Score, ...]:
    """Every scorer's word on a run. One that raises or takes too long is a row `unmeasured`."""
    rows: list[Score] = []
    for scorer in scorers:
        try:
            said = scorer.score(run)
            if inspect.isawaitable(said):
                said = await asyncio.wait_for(said, timeout_s)
        except Exception as error:  # noqa: BLE001  a scorer that fails is a row, not a crash
            why = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            said = Score(scorer.name, reason=why, unmeasured=True)
        if said is not None:
            rows.append(said)
    return tuple(rows)


def verdict(name: str, faults: Sequence[str]) -> Score:
    """1 with no faults, else 0 with the faults as the reason."""
    passed = not faults
    return Score(
        name,
        value=float(passed),
        passed=passed,
        label="pass" if passed else "fail",
        reason="; ".join(faults) or None,
    )
