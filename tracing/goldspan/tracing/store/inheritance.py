"""What a span takes over from its ancestors: run, session, user, agent and the like."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from goldspan.tracing.store.nodes import CONTEXT, Node

_context = attrgetter(*CONTEXT)


def inherit(trace: Sequence[Node]) -> None:
    """Decide the context of one whole trace's spans anew.

    A value comes from the nearest ancestor that has it of its own. A span whose parents never
    arrived takes it from the trace's only agent, if there is one.
    """
    inherited_before = any(node.inherited for node in trace)
    by_id: dict[str, Node] = {}
    for bit, values in enumerate(zip(*map(_context, trace), strict=True)):
        missing = values.count(None)
        if not inherited_before and missing in (0, len(trace)):
            continue
        if not by_id:
            by_id = {node.span_id: node for node in trace}
        _inherit_column(CONTEXT[bit], 1 << bit, trace, by_id)


def _inherit_column(column: str, mask: int, trace: Sequence[Node], by_id: dict[str, Node]) -> None:
    own = {
        node.span_id: value
        for node in trace
        if not node.inherited & mask and (value := getattr(node, column)) is not None
    }
    agents = [node for node in trace if node.category == "agent"]
    lone_agent = agents[0] if len(agents) == 1 else None
    for node in trace:
        if node.span_id in own:
            continue
        value = _from_ancestors(node, own, by_id, lone_agent) if own else None
        setattr(node, column, value)
        node.inherited = node.inherited | mask if value is not None else node.inherited & ~mask


def _from_ancestors(
    node: Node, own: dict[str, object], by_id: dict[str, Node], lone_agent: Node | None
) -> object:
    at, seen = node, {node.span_id}
    while at.parent_span_id is not None:
        above = by_id.get(at.parent_span_id)
        if above is None:  # an orphan
            return own.get(lone_agent.span_id) if lone_agent is not None else None
        if above.span_id in own:
            return own[above.span_id]
        if above.span_id in seen:
            return None
        seen.add(above.span_id)
        at = above
    return None
