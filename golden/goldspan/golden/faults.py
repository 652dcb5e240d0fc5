"""Faults in golden files: every one of a file is told, with file, line, field and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from goldspan.tracing.errors import InputError


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `line` counts from 1."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class CaseErrors(InputError):
    """All faults of the files that were read; the message holds the first and their number."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        super().__init__(f"{first.message}{more}", where=f"{first.path}:{first.line}")
        self.faults = list(faults)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The nearest known word as a question in brackets, else the list of them."""
    near = difflib.get_close_matches(word, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else f" (there are {', '.join(known)})"


def line_of(node: Any, location: Sequence[Any]) -> int:
    """The line of a YAML node tree that a field's location leads to, as far as it leads."""
    for position, part in enumerate(location):
        children = getattr(node, "value", None)
        if not isinstance(children, list):
            break
        if isinstance(part, int):
            if part >= len(children) or isinstance(children[part], tuple):
                break
            node = children[part]
            continue
        pair = next((c for c in children if isinstance(c, tuple) and c[0].value == part), None)
        if pair is None:
            break
        node = pair[0] if position == len(location) - 1 else pair[1]
    return 1 if node is None else int(node.start_mark.line) + 1
