"""placeholder"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Duplicate:
    of: tuple[str, str]
    rule: str


@dataclass(slots=True)
class Decision:
    duplicates: dict[tuple[str, str], Duplicate] = field(default_factory=dict)
    parts: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    ambiguous: set[tuple[str, str]] = field(default_factory=set)


def decide(claims: Any) -> Decision:
    return Decision()


def completed(representative: Any, others: Any) -> dict[str, Any]:
    return {}
