"""Where two runs part: the first step at which their tool calls, or their ends, differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar


class StepLike(Protocol):
    """A tool call as it is compared."""

    @property
    def tool(self) -> str:
        """The tool's name."""
        ...

    @property
    def arguments(self) -> Any:
        """What it was called with."""
        ...

    @property
    def error_type(self) -> str | None:
        """How it failed, None where it did not."""
        ...


S = TypeVar("S", bound=StepLike)


def step_key(step: StepLike) -> str:
    """What makes two calls the same: tool, arguments, and how they failed."""
    return json.dumps([step.tool, step.arguments, step.error_type], sort_keys=True, default=str)


def parting(
    first: Sequence[S], second: Sequence[S], *, same_end: bool, key: Callable[[S], str] = step_key
) -> int | None:
    """The index of the first step that differs; that of the end where only the ends do; else None.

    An index beyond a run's steps is its end.
    """
    one, two = [key(s) for s in first], [key(s) for s in second]
    for index in range(max(len(one), len(two))):
        if one[index : index + 1] != two[index : index + 1]:
            return index
    return None if same_end else len(one)


def called(step: StepLike) -> str:
    """The call of a step as text, up to its closing bracket: `look("level": 3`, `look(`."""
    if step.arguments is None:
        return f"{step.tool}("
    text = json.dumps(step.arguments, ensure_ascii=False, default=str)
    return f"{step.tool}({text[1:-1] if isinstance(step.arguments, Mapping) else text}"


def step_text(
    steps: Sequence[StepLike], index: int, *, answer: str | None, outcome: str | None
) -> str:
    """A step in one line of at most 200 characters; beyond the last one, how the run ended."""
    if index < len(steps):
        step = steps[index]
        failed = f" → {step.error_type}" if step.error_type else ""
        return f"{called(step)}){failed}"[:200]
    if answer is not None:
        return f"answered: {' '.join(answer.split())}"[:200]
    return f"ended {outcome}"
