"""One row a trace: what its spans say together."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from goldspan.tracing.store.nodes import CONTEXT, Node

Row = dict[str, Any]
PREVIEW_CHARACTERS = 4000
ROLES = {"input": "user", "output": "assistant"}


@dataclass(frozen=True, slots=True)
class TextSources:
    """The spans whose messages are the trace's input and output."""

    input_span: str | None
    output_span: str | None


def rollup(trace: Sequence[Node]) -> tuple[Row, TextSources]:
    """The `trace_data` row of all of a trace's spans, without its texts, and where these are."""
    ordered = sorted(trace, key=_by_time)
    root = _root(ordered)
    agents = [node for node in ordered if node.category == "agent"]
    calls = [node for node in ordered if node.is_call]
    first_agent = agents[0] if agents else None
    starts = [node.start_us for node in ordered if node.start_us]
    ends = [node.end_us for node in ordered if node.end_us is not None]
    costs = [node.cost_usd for node in calls if node.cost_usd is not None]
    row: Row = {
        "trace_id": root.trace_id,
        "started_at": min(starts, default=None),
        "last_started_at": max(starts, default=None),
        "ended_at": max(ends, default=None),
        "root_span_id": root.span_id,
        "root_name": root.name,
        "status": "error" if root.status == "error" or root.error_type is not None else "ok",
        "error_type": root.error_type,
        "service_name": root.service_name,
        "span_count": len(ordered),
        "llm_calls": len(calls),
        "tool_calls": sum(n.category == "tool" and not n.is_duplicate for n in ordered),
        "error_count": sum(n.status == "error" for n in ordered),
        "ambiguous_calls": sum(n.ambiguous for n in ordered),
        "input_tokens": _sum([node.input_tokens for node in calls]),
        "output_tokens": _sum([node.output_tokens for node in calls]),
        "cost_usd": sum(costs) if costs else None,
        "spent_usd": sum(n.cost_usd for n in calls if n.cost_usd is not None and not n.replayed)
        if costs
        else None,
        "unpriced_calls": sum(n.cost_usd is None and n.error_type is None for n in calls),
        "outcome": first_agent.outcome if first_agent is not None else None,
    }
    for column in CONTEXT:
        row[column] = _context(column, root, agents, ordered)
    return row, TextSources(
        _source([root, *agents[:1], *calls], lambda node: node.has_input),
        _source([root, *agents[:1], *reversed(calls)], lambda node: node.has_output),
    )


def preview(messages: str | None, role: str) -> str | None:
    """The text of the last message that this role spoke, cut to PREVIEW_CHARACTERS."""
    if not messages:
        return None
    try:
        spoken = [m for m in json.loads(messages) if m.get("role") == role]
        parts = spoken[-1].get("parts") or []
        texts = [p["content"] for p in parts if p.get("type") == "text"]
        return "\n".join(map(str, texts))[:PREVIEW_CHARACTERS] or None
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError, IndexError):
        return None


def _by_time(node: Node) -> tuple[int, str]:
    return (node.start_us or 2**62, node.span_id)


def _root(ordered: Sequence[Node]) -> Node:
    """The first span without a parent, else the first whose parent is not there."""
    ids = {node.span_id for node in ordered}
    heads = [n for n in ordered if n.parent_span_id is None or n.parent_span_id not in ids]
    return min(heads or ordered, key=lambda n: (n.parent_span_id is not None, *_by_time(n)))


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _context(column: str, root: Node, agents: Sequence[Node], ordered: Sequence[Node]) -> Any:
    own = getattr(root, column)
    if own is not None:
        return own
    for node in agents:
        if (value := getattr(node, column)) is not None:
            return value
    values = [value for node in ordered if (value := getattr(node, column)) is not None]
    return min(values) if values else None


def _source(nodes: Sequence[Node], has: Callable[[Node], bool]) -> str | None:
    return next((n.span_id for n in nodes if n.category != "tool" and has(n)), None)
