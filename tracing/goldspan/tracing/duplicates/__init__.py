"""Which spans state the same model call or the same tool execution. The rule: docs/duplicates.md.

Nothing is deleted: a duplicate points to the claim that stands for its group. The answer depends
on the claims alone, never on their order, so that the store can decide again whenever a trace
grows. Pure functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from goldspan.tracing.duplicates.calls import TOTAL, Calls
from goldspan.tracing.duplicates.claims import Claim, Key
from goldspan.tracing.duplicates.columns import completed, trust
from goldspan.tracing.duplicates.groups import Groups, Tree
from goldspan.tracing.duplicates.parts import assign
from goldspan.tracing.duplicates.tools import join_tools

__all__ = ["Claim", "Decision", "Duplicate", "Key", "completed", "decide"]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """That a span states what another one states, and by which rule it was found.

    `rule` is response_id, nested, time, tool_call_id, or total: an outer span that stands for
    several calls, `of` being the last of them; its numbers are nobody's.
    """

    of: Key
    rule: str


@dataclass(slots=True)
class Decision:
    """What the claims come to. Claims that are not named here stand for themselves."""

    duplicates: dict[Key, Duplicate] = field(default_factory=dict)
    parts: dict[Key, Key] = field(default_factory=dict)  # part -> the claim of its call
    calls_from_parts: set[Key] = field(default_factory=set)  # parts that are counted as a call
    ambiguous: set[Key] = field(default_factory=set)  # kept, though perhaps a duplicate
    # Claims that complete a representative (`completed`), best first.
    sources: dict[Key, list[Claim]] = field(default_factory=dict)


def decide(claims: Sequence[Claim]) -> Decision:
    """Find the duplicates among the claims, one a span.

    For every trace that is to be decided all its spans are needed, those of no category too, and
    all spans of the traces that share a response id with it within an hour. Takes time in
    proportion to the number of claims; the usual trace, with one scope and no call inside another,
    is recognised at sight.
    """
    decision = Decision()
    chosen = _suspects(claims)
    if not chosen:
        return decision
    tree = Tree(chosen)
    usual = [c for c in chosen if not c.replayed]
    calls = [c for c in usual if c.category == "llm"]
    parts = assign(tree, [c for c in usual if c.category == "part"], calls)
    model_calls = Calls(tree, [*calls, *parts.calls], parts)
    model_calls.join()
    _settle(decision, model_calls.groups, tree)
    for outer, last in model_calls.totals.items():
        decision.duplicates[outer.key] = Duplicate(_stands_for(decision, last), TOTAL)
    decision.calls_from_parts = {part.key for part in parts.calls} - set(decision.duplicates)
    for part in sorted(parts.owner, key=lambda c: trust(c, tree.depth[c])):
        of = _stands_for(decision, parts.owner[part])
        decision.parts[part.key] = of
        if parts.owner[part] not in model_calls.totals:
            decision.sources.setdefault(of, []).append(part)
    _settle(decision, join_tools(tree, [c for c in usual if c.category == "tool"]), tree)
    return decision


def _suspects(claims: Sequence[Claim]) -> list[Claim]:
    """All claims of the traces that may hold duplicates or parts."""
    traces: defaultdict[str, list[Claim]] = defaultdict(list)
    scopes: dict[str, str] = {}
    shared: set[str] = set()  # ids that several scopes state
    for claim in claims:
        traces[claim.trace_id].append(claim)
        answer = claim.response_id
        if answer is not None and scopes.setdefault(answer, claim.scope) != claim.scope:
            shared.add(answer)
    chosen = [
        spans
        for spans in traces.values()
        if not _usual(spans) or (shared and any(c.response_id in shared for c in spans))
    ]
    return [claim for spans in chosen for claim in spans]


def _usual(spans: Iterable[Claim]) -> bool:
    """Whether there is nothing to find: one scope a category, and no span inside calls or tools."""
    scopes: dict[str, str] = {}
    leaves: set[str] = set()
    parents: set[str | None] = set()
    roles: set[str] = set()
    for span in spans:
        parents.add(span.parent_span_id)
        category = span.category
        if category is None or category == "agent":
            continue
        if category == "part" or scopes.setdefault(category, span.scope) != span.scope:
            return False
        leaves.add(span.span_id)
        if category == "tool":
            roles.add(span.kind)
    return leaves.isdisjoint(parents) and not roles >= {"client", "server"}


def _settle(decision: Decision, groups: Groups, tree: Tree) -> None:
    """Name each group's representative."""
    for group in groups:
        first, *others = sorted(group, key=lambda c: trust(c, tree.depth[c]))
        decision.sources[first.key] = others
        for other in others:
            decision.duplicates[other.key] = Duplicate(first.key, groups.rules[other])
    decision.ambiguous |= {_stands_for(decision, claim) for claim in groups.ambiguous}


def _stands_for(decision: Decision, claim: Claim) -> Key:
    found = decision.duplicates.get(claim.key)
    return claim.key if found is None else found.of
