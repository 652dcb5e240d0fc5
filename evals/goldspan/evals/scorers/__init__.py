"""Scorers: each looks at one aspect of a finished run."""

from collections.abc import Callable

from goldspan.evals.scorers.deterministic import (
    Answer,
    Arguments,
    Bounds,
    Cost,
    EndState,
    Latency,
    Outcome,
    Tools,
)
from goldspan.evals.scorers.scoring import RunView, Scorer, score_all

BUILT_IN: dict[str, Callable[..., Scorer]] = {
    "outcome": Outcome,
    "tools": Tools,
    "arguments": Arguments,
    "answer": Answer,
    "end_state": EndState,
    "bounds": Bounds,
    "cost": Cost,
    "latency": Latency,
}

__all__ = ["BUILT_IN", "RunView", "Scorer", "score_all"]
