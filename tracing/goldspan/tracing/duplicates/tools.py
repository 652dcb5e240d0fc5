"""Which spans state the same execution of a tool: its caller's, its MCP client's, its server's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from goldspan.tracing.duplicates.claims import (
    ID_WINDOW_US,
    Claim,
    client_and_server,
    overlap,
    same_tool,
)
from goldspan.tracing.duplicates.groups import NEIGHBOURS, Groups, Tree, contained, overlapping

CALL_ID = "tool_call_id"  # the same call id at the same time
NESTED = "nested"  # a caller's span around the tool's own
TIME = "time"  # the same tool within the same time in one trace


def join_tools(tree: Tree, executions: Sequence[Claim]) -> Groups:
    """Groups of claims of category tool; each group is one execution."""
    groups = Groups(tree, {c: c.tool_call_id for c in executions if c.tool_call_id})
    _by_call_id(groups, tree, executions)
    _by_nesting(groups, tree, executions)
    _by_time(groups, tree, executions)
    return groups


def _by_call_id(groups: Groups, tree: Tree, executions: Sequence[Claim]) -> None:
    same: defaultdict[object, list[Claim]] = defaultdict(list)
    for claim in executions:
        if claim.tool_call_id:
            same[claim.trace_id, claim.tool_call_id].append(claim)
    for claims in same.values():
        if len(claims) > 1:
            groups.join_closest(
                (
                    (one, other)
                    for one, other in overlapping(claims, ID_WINDOW_US)
                    if same_tool(one, other, nested=tree.related(one, other))
                ),
                CALL_ID,
            )


def _by_nesting(groups: Groups, tree: Tree, executions: Sequence[Claim]) -> None:
    tools = set(executions)
    # A tool that asks a model, which asks for the tool again, is executed twice.
    above = tree.nearest(tools.__contains__, lambda c: c.category is not None)
    beneath: defaultdict[Claim, list[Claim]] = defaultdict(list)
    for outer in reversed([c for c in tree.downwards if c in tools]):
        inner = beneath.pop(outer, [])
        possible = [c for c in inner if _states_again(outer, c) and groups.fit(outer, c)]
        joined = any(groups.of(outer) is groups.of(c) for c in inner)
        if possible and not joined:
            groups.join(outer, max(possible, key=lambda c: _likeness(outer, c)), NESTED)
        caller = above[outer]
        if caller is not None:
            beneath[caller] += [outer, *inner[-NEIGHBOURS:]]


def _states_again(outer: Claim, inner: Claim) -> bool:
    if not same_tool(outer, inner, nested=True):
        return False
    if client_and_server(outer, inner):  # perhaps on two machines, whose clocks differ
        return True
    # Within one scope only where the kinds tell two roles apart: the tool may call itself.
    return (outer.scope != inner.scope or outer.kind != inner.kind) and overlap(outer, inner)


def _likeness(outer: Claim, inner: Claim) -> tuple[object, ...]:
    """Which of several inner executions the outer span states: the one that ended like it, last."""
    alike = (outer.error_type is None) == (inner.error_type is None)
    return alike, inner.end_us is None, inner.end_us or 0, inner.start_us, inner.key


def _by_time(groups: Groups, tree: Tree, executions: Sequence[Claim]) -> None:
    same: defaultdict[object, list[Claim]] = defaultdict(list)
    for claim in executions:
        if claim.tool_name:
            same[claim.trace_id, claim.tool_name].append(claim)
    pairs = [
        (one, other)
        for claims in same.values()
        if len(claims) > 1
        for one, other in contained(claims)
        if not tree.related(one, other) and same_tool(one, other, nested=False)
    ]
    groups.join_unique(pairs, TIME)
