"""What a span takes over from its ancestors: run, session, user, agent and the like."""

from __future__ import annotations

from collections.abc import Sequence

from goldspan.tracing.store.nodes import CONTEXT, Node


def inherit(trace: Sequence[Node]) -> list[Node]:
    """Decide the context of one whole trace's spans anew; returns those whose values changed.

    A value comes from the nearest ancestor that has it of its own. A span whose parents never
    arrived takes it from the trace's only agent, if there is one.
    """
    before = [node.inherited for node in trace]
    changed: dict[str, Node] = {}
    by_id = {node.span_id: node for node in trace}
    agents = [node for node in trace if node.category == "agent"]
    lone = agents[0] if len(agents) == 1 else None
    for bit, column in enumerate(CONTEXT):
        mask = 1 << bit
        own = {
            node.span_id: value
            for node, mask_before in zip(trace, before, strict=True)
            if not mask_before & mask and (value := getattr(node, column)) is not None
        }
        if len(own) == len(trace):
            continue
        for node, mask_before in zip(trace, before, strict=True):
            if node.span_id in own:
                continue
            value = _from_ancestors(node, own, by_id, lone) if own else None
            if value != getattr(node, column) or (value is not None) != bool(mask_before & mask):
                setattr(node, column, value)
                node.inherited = (
                    node.inherited | mask if value is not None else node.inherited & ~mask
                )
                changed[node.span_id] = node
    return list(changed.values())


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
