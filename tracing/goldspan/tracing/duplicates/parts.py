"""Which call a part belongs to: a span that only says more of a call, such as a stream's usage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from goldspan.tracing.duplicates.claims import Claim, response_id, same_model, same_usage, usage
from goldspan.tracing.duplicates.groups import NEIGHBOURS, Tree


@dataclass(slots=True)
class Parts:
    """The calls that parts belong to, and the parts that have to stand for a call."""

    owner: dict[Claim, Claim] = field(default_factory=dict)
    bearers: dict[Claim, Claim] = field(default_factory=dict)  # of a call's usage, if not itself
    ids: dict[Claim, str] = field(default_factory=dict)  # of a call's answer
    calls: list[Claim] = field(default_factory=list)


def assign(tree: Tree, parts: Sequence[Claim], calls: Sequence[Claim]) -> Parts:
    """Give each part to its call.

    The nearest ancestor among the calls of its own scope; else the call of its scope with the same
    parent that ended last before the part began, or still went on then, and that neither has a
    usage of its own nor another part; else the nearest ancestor of any scope. A part without a
    call that states usage is a call: somebody paid for it, and its own span may be sampled away,
    or may come later and take it back.
    """
    found = Parts(ids={c: answer for c in calls if (answer := response_id(c)) is not None})
    wanted = set(calls)
    above = tree.nearest(wanted.__contains__, lambda c: c.category == "tool")
    beside: defaultdict[object, list[Claim]] = defaultdict(list)
    for call in calls:
        beside[_place(call)].append(call)
    for siblings in beside.values():
        siblings.sort(key=lambda c: (c.start_us, c.key))
    taken: set[Claim] = set()
    for part in sorted(parts, key=lambda c: (c.start_us, c.key)):
        owner = above[part]
        while owner is not None and owner.scope != part.scope:
            owner = above[owner]
        if owner is None:
            owner = _sibling(part, beside.get(_place(part), []), taken)
            if owner is not None:
                taken.add(owner)
        owner = owner or above[part]
        if owner is not None:
            found.owner[part] = owner
            if usage(part) is not None and usage(owner) is None:
                found.bearers.setdefault(owner, part)
            if (answer := response_id(part)) is not None:
                found.ids.setdefault(owner, answer)
        elif usage(part) is not None:
            found.calls.append(part)
            if (answer := response_id(part)) is not None:
                found.ids[part] = answer
    return found


def _place(claim: Claim) -> object:
    return claim.trace_id, claim.parent_span_id, claim.scope


def _sibling(part: Claim, siblings: list[Claim], taken: set[Claim]) -> Claim | None:
    end = part.start_us if part.end_us is None else max(part.start_us, part.end_us)
    near = [c for c in siblings if c.start_us <= end and c not in taken and same_model(c, part)]
    near = near[-NEIGHBOURS:]
    bare = [c for c in near if usage(c) is None]
    if usage(part) is not None:
        near = [c for c in near if same_usage(c, part)]
    return max(bare or near, key=lambda c: _nearness(c, part), default=None)


def _nearness(call: Claim, part: Claim) -> tuple[object, ...]:
    end = part.start_us if call.end_us is None else min(call.end_us, part.start_us)
    return end, call.start_us, call.key
