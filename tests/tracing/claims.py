"""Builders of claims about calls and executions, and what is decided of them."""

from __future__ import annotations

from typing import Any

from goldspan.tracing.duplicates import Claim, decide

T = "t1"  # the trace of every claim that names none


def claim(span_id: str, parent: str | None = None, **columns: Any) -> Claim:
    """A call by default; `ms` is its start and end in milliseconds."""
    start, end = columns.pop("ms", (0, 100))
    tokens = columns.pop("tokens", (None, None))
    defaults: dict[str, Any] = {
        "trace_id": T,
        "scope": "sdk",
        "category": "llm",
        "operation": "chat",
        "start_us": start * 1000,
        "end_us": None if end is None else end * 1000,
        "input_tokens": tokens[0],
        "output_tokens": tokens[1],
    }
    return Claim(span_id=span_id, parent_span_id=parent, **(defaults | columns))


def tool(span_id: str, parent: str | None = None, **columns: Any) -> Claim:
    return claim(
        span_id,
        parent,
        **({"category": "tool", "operation": "execute_tool", "tool_name": "look"} | columns),
    )


def duplicates(*claims: Claim) -> dict[str, tuple[str, str]]:
    """Span id -> the span id that it points to, and the rule. In any order of arrival."""
    decision = decide(claims)
    assert decide(claims[::-1]) == decision
    return {key[1]: (found.of[1], found.rule) for key, found in decision.duplicates.items()}


def ambiguous(*claims: Claim) -> set[str]:
    return {key[1] for key in decide(claims).ambiguous}


OUTER: dict[str, Any] = {"scope": "framework", "ms": (0, 100)}
INNER: dict[str, Any] = {"scope": "sdk", "ms": (10, 90)}


def part(span_id: str, parent: str | None, **columns: Any) -> Claim:
    return claim(span_id, parent, **({"category": "part"} | columns))


def loop(outer: dict[str, Any], *inner: dict[str, Any]) -> list[Claim]:
    calls = [
        claim(f"i{n}", "w", **({"ms": (n * 10 + 1, n * 10 + 9)} | columns))
        for n, columns in enumerate(inner)
    ]
    return [claim("w", **(OUTER | outer)), *calls]
