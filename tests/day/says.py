"""What the sentences of docs/a-day.md say, as assertions by mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tests.day.day import Day

Assertion: TypeAlias = Callable[[Day], None]
SAYS: dict[str, Assertion] = {}


def says(mark: str) -> Callable[[Assertion], Assertion]:
    """The function asserts what the sentence with this mark says."""

    def known(assertion: Assertion) -> Assertion:
        assert mark not in SAYS, f"{mark} is asserted twice"
        SAYS[mark] = assertion
        return assertion

    return known
