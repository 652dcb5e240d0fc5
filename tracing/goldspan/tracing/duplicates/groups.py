"""Who is above whom in a trace, and groups of claims that state the same thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from goldspan.tracing.duplicates.claims import (
    Claim,
    Key,
    client_and_server,
    contain,
    overlap,
)

# How many later claims one is compared with where only time and numbers could join them. Real
# calls of one usage that run at the same moment are few; a flood of equal ones stays linear.
NEIGHBOURS = 64
# More spans than anybody's layers of wrappers; keeps a hostile chain of spans from costing much.
LARGEST_GROUP = 32

Pair = tuple[Claim, Claim]


class Tree:
    """Parenthood among the claims of any number of traces.

    A parent that is not among them counts as none; spans that are their own ancestors as roots.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        spans = {claim.key: claim for claim in claims}
        self.parent: dict[Claim, Claim | None] = {}
        for claim in claims:
            above = claim.parent_span_id
            self.parent[claim] = spans.get((claim.trace_id, above)) if above else None
        self.depth: dict[Claim, int] = {}
        for claim in claims:
            if claim not in self.depth:
                self._measure(claim)
        self.downwards = sorted(claims, key=lambda c: (self.depth[c], c.key))
        self._size = dict.fromkeys(claims, 1)  # of the subtree
        self._place = self._places()

    def _measure(self, claim: Claim) -> None:
        path: dict[Claim, None] = {}
        node: Claim | None = claim
        while node is not None and node not in self.depth and node not in path:
            path[node] = None
            node = self.parent[node]
        if node is not None and node in path:
            steps = list(path)
            for member in steps[steps.index(node) :]:
                self.parent[member] = None
        for member in reversed(path):
            above = self.parent[member]
            self.depth[member] = 0 if above is None else self.depth[above] + 1

    def _places(self) -> dict[Claim, int]:
        """Each claim's place in preorder: its descendants follow it without a gap."""
        for claim in reversed(self.downwards):
            above = self.parent[claim]
            if above is not None:
                self._size[above] += self._size[claim]
        free: dict[Claim | None, int] = {None: 0}
        places: dict[Claim, int] = {}
        for claim in self.downwards:
            above = self.parent[claim]
            places[claim] = free[above]
            free[above] += self._size[claim]
            free[claim] = places[claim] + 1
        return places

    def related(self, one: Claim, other: Claim) -> bool:
        """Whether one is an ancestor of the other."""
        first, second = self._place[one], self._place[other]
        if first < second:
            return second < first + self._size[one]
        return second < first < second + self._size[other]

    def nearest(
        self, wanted: Callable[[Claim], bool], stop: Callable[[Claim], bool]
    ) -> dict[Claim, Claim | None]:
        """Each claim's nearest wanted ancestor, None if there is none before a stop."""
        found: dict[Claim, Claim | None] = {}
        for claim in self.downwards:
            above = self.parent[claim]
            if above is None or wanted(above):
                found[claim] = above
            else:
                found[claim] = None if stop(above) else found[above]
        return found


class Groups:
    """Disjoint groups of claims, joined pair by pair.

    A group never holds two claims of one scope of which neither is the other's ancestor (the
    client and the server of one tool call apart), nor two different ids, by whatever chain.
    """

    def __init__(self, tree: Tree, ids: Mapping[Claim, str]) -> None:
        """`ids` are those of the calls' answers, or of the executions' calls."""
        self._tree = tree
        self._ids = ids
        self._members: dict[Claim, list[Claim]] = {}
        self.rules: dict[Claim, str] = {}
        self.ambiguous: set[Claim] = set()

    def of(self, claim: Claim) -> list[Claim]:
        """The claim's group, itself included; the same list for all members."""
        return self._members.setdefault(claim, [claim])

    def fit(self, one: Claim, other: Claim) -> bool:
        """Whether the groups of both can become one."""
        first, second = self.of(one), self.of(other)
        if first is second:
            return True
        if len(first) + len(second) > LARGEST_GROUP:
            return False
        return all(self._fit(a, b) for a in first for b in second)

    def join(self, one: Claim, other: Claim, rule: str) -> bool:
        """Make both groups one, if they fit. Returns whether they are one now."""
        if not self.fit(one, other):
            return False
        first, second = self.of(one), self.of(other)
        self.rules.setdefault(one, rule)
        self.rules.setdefault(other, rule)
        if first is not second:
            first.extend(second)
            for member in second:
                self._members[member] = first
        return True

    def join_closest(self, pairs: Iterable[Pair], rule: str) -> None:
        """Join pairs that share an id: ancestors first, then those closest in time.

        Ids repeat in the wild, also among calls that run at once: then a group takes one of each
        scope, and which of equal ones it takes changes no count.
        """
        ranked = sorted(pairs, key=lambda p: (not self._tree.related(*p), closeness(p)))
        for one, other in ranked:
            self.join(one, other, rule)

    def join_unique(self, pairs: Iterable[Pair], rule: str) -> None:
        """Join the pairs in which each is the other's only partner on its side.

        A side is a scope (and, for tools, the span's kind). The claims of all other pairs stay
        apart and are ambiguous.
        """
        fitting = [(a, b) for a, b in pairs if self.fit(a, b) and self.of(a) is not self.of(b)]
        partners: defaultdict[tuple[int, Hashable], set[int]] = defaultdict(set)
        for one, other in fitting:
            partners[id(self.of(one)), _side(other)].add(id(self.of(other)))
            partners[id(self.of(other)), _side(one)].add(id(self.of(one)))
        unique = [
            len(partners[id(self.of(a)), _side(b)]) == 1
            and len(partners[id(self.of(b)), _side(a)]) == 1
            for a, b in fitting
        ]
        ranked = sorted(zip(fitting, unique, strict=True), key=lambda item: closeness(item[0]))
        for (one, other), alone in ranked:
            if not alone or not self.join(one, other, rule):
                self.ambiguous |= {one, other}

    def __iter__(self) -> Iterator[list[Claim]]:
        """The groups that have more than one member."""
        for claim, members in self._members.items():
            if len(members) > 1 and members[0] is claim:
                yield members

    def _fit(self, one: Claim, other: Claim) -> bool:
        first, second = self._ids.get(one), self._ids.get(other)
        if first is not None and second is not None and first != second:
            return False
        if one.scope != other.scope or self._tree.related(one, other):
            return True
        return one.category == "tool" and client_and_server(one, other)


def closeness(pair: Pair) -> tuple[int, Key, Key]:
    """The order in which pairs are joined: how far the times lie apart, then the ids."""
    one, other = pair
    ends = 0 if one.end_us is None or other.end_us is None else abs(one.end_us - other.end_us)
    low, high = sorted((one.key, other.key))
    return abs(one.start_us - other.start_us) + ends, low, high


def overlapping(claims: Iterable[Claim], apart_us: int) -> Iterator[Pair]:
    """Pairs of claims that overlap and start at most so far apart, among near neighbours."""
    ranked = sorted(claims, key=lambda c: (c.start_us, c.key))
    for place, one in enumerate(ranked):
        for other in ranked[place + 1 : place + 1 + NEIGHBOURS]:
            if other.start_us - one.start_us > apart_us or not overlap(one, other):
                break  # later ones start later still
            yield one, other


def contained(claims: Iterable[Claim]) -> Iterator[Pair]:
    """Pairs of claims one of which lies in the other's time, among near neighbours in time."""
    ranked = sorted(claims, key=lambda c: (c.start_us, c.key))
    for place, one in enumerate(ranked):
        for other in ranked[place + 1 : place + 1 + NEIGHBOURS]:
            if not overlap(one, other):
                break
            if contain(one, other):
                yield one, other


def _side(claim: Claim) -> Hashable:
    return (claim.scope, claim.kind) if claim.category == "tool" else claim.scope
