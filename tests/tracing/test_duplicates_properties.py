"""Properties of the decision, over small forests in which everything may clash."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from goldspan.tracing.duplicates import Claim, Decision, Key, completed, decide

IDS = [f"s{n}" for n in range(9)]


@st.composite
def claims(
    draw: st.DrawFn,
    scopes: tuple[str, ...] = ("x", "y", "z"),
    parents: Callable[[str], list[str | None]] = lambda _: [None, "gone", *IDS],
    trace: str = "",
    kinds: tuple[str, ...] = ("internal", "client", "server"),
    categories: tuple[str | None, ...] = (
        "llm",
        "llm",
        "llm",
        "part",
        "tool",
        "tool",
        "agent",
        None,
    ),
) -> list[Claim]:
    found = []
    for span_id in draw(st.lists(st.sampled_from(IDS), unique=True)):
        start = draw(st.integers(0, 20)) * 1000
        lasts = draw(st.none() | st.integers(-1, 20))
        found.append(
            Claim(
                trace_id=trace + draw(st.sampled_from(["t1", "t1", "t2"])),
                span_id=span_id,
                parent_span_id=draw(st.sampled_from(parents(span_id))),
                scope=draw(st.sampled_from(scopes)),
                category=draw(st.sampled_from(categories)),
                operation=draw(st.sampled_from([None, "chat", "chat", "embeddings"])),
                kind=draw(st.sampled_from(kinds)),
                start_us=start,
                end_us=None if lasts is None else start + lasts * 1000,
                request_model=draw(st.sampled_from([None, None, "m", "m-2024-01-01", "n"])),
                response_id=draw(
                    st.sampled_from([None, None, trace + "r1", trace + "r2", "run-1"])
                ),
                input_tokens=draw(st.sampled_from([None, 9, 5])),
                output_tokens=draw(st.sampled_from([None, 2])),
                cached_input_tokens=draw(st.sampled_from([None, 4])),
                usage_estimated=draw(st.sampled_from([None, None, True])),
                tool_name=draw(st.sampled_from([None, "look", "look", "s__look"])),
                tool_call_id=draw(st.sampled_from([None, None, "c1", "c2"])),
                error_type=draw(st.sampled_from([None, None, "E"])),
                replayed=draw(st.sampled_from([None, None, None, True])),
                has_output=draw(st.booleans()),
            )
        )
    return found


def ancestors(claim: Claim, among: list[Claim]) -> set[str]:
    parents = {c.span_id: c.parent_span_id for c in among if c.trace_id == claim.trace_id}
    seen: set[str] = set()
    above = claim.parent_span_id
    while above in parents and above not in seen:
        assert above is not None
        seen.add(above)
        above = parents[above]
    return seen


def groups_of(decision: Decision, spans: list[Claim]) -> dict[Key, list[Claim]]:
    """What states one call; totals are no statement of the call that they point to."""
    groups = defaultdict(list)
    for span in spans:
        found = decision.duplicates.get(span.key)
        if found is None or found.rule != "total":
            groups[found.of if found else span.key].append(span)
    return groups


@given(claims(), st.randoms())
def test_the_order_of_arrival_changes_nothing(spans: list[Claim], chance: random.Random) -> None:
    before = [asdict(c) for c in spans]
    decision = decide(spans)
    mixed = spans[:]
    chance.shuffle(mixed)
    assert decide(mixed) == decision
    assert decide(spans) == decision
    assert [asdict(c) for c in spans] == before


@given(claims())
def test_representatives_stand_for_themselves(spans: list[Claim]) -> None:
    decision = decide(spans)
    known = {c.key: c for c in spans}
    kept = set(known) - set(decision.duplicates)
    for key, found in decision.duplicates.items():
        assert found.of in kept
        assert found.of not in decision.parts
        assert not known[key].replayed
        assert not known[found.of].replayed
        same = known[key].category == known[found.of].category
        assert same or {known[key].category, known[found.of].category} == {"llm", "part"}
        assert known[found.of].category != "part" or found.of in decision.calls_from_parts
    for key, of in decision.parts.items():
        assert known[key].category == "part"
        assert of in kept
        assert known[of].category == "llm" or of in decision.calls_from_parts
    assert decision.ambiguous <= kept
    assert decision.calls_from_parts.isdisjoint({*decision.parts, *decision.duplicates})
    for key, sources in decision.sources.items():
        assert key in kept
        completed(known[key], sources)


@given(claims())
def test_groups_hold_no_siblings_of_one_scope_and_no_two_ids(spans: list[Claim]) -> None:
    decision = decide(spans)
    for group in groups_of(decision, spans).values():
        ids = {c.response_id for c in group if c.category == "llm"} - {None, "run-1"}
        assert len(ids) <= 1
        assert len({c.tool_call_id for c in group if c.category == "tool"} - {None}) <= 1
        for place, one in enumerate(group):
            for other in group[place + 1 :]:
                if one.scope == other.scope:
                    nested = one.span_id in ancestors(other, spans) or other.span_id in ancestors(
                        one, spans
                    )
                    roles = {one.kind, other.kind} == {"client", "server"}
                    assert nested or (one.category == "tool" and roles)


@given(claims(scopes=("x",), parents=lambda _: [None, "gone", "root"], kinds=("internal",)))
def test_siblings_of_one_scope_stay_whole(spans: list[Claim]) -> None:
    assert decide(spans).duplicates == {}


@given(claims(), claims(trace="u"))
def test_an_unrelated_trace_changes_nothing(spans: list[Claim], more: list[Claim]) -> None:
    alone, both = decide(spans), decide([*more, *spans])
    own = {c.key for c in spans}
    assert {k: v for k, v in both.duplicates.items() if k in own} == alone.duplicates
    assert {k: v for k, v in both.parts.items() if k in own} == alone.parts
    assert both.ambiguous & own == alone.ambiguous
    assert both.calls_from_parts & own == alone.calls_from_parts
