"""One outer span and several calls in it; parts that say more of a call."""

from __future__ import annotations

from tests.tracing.claims import T, ambiguous, claim, duplicates, loop, part

from goldspan.tracing.duplicates import completed, decide


def test_totals_of_a_loop_are_nobodys() -> None:
    spans = loop({"tokens": (30, 5)}, {"tokens": (10, 2)}, {"tokens": (20, 3)})
    assert duplicates(*spans) == {"w": ("i1", "total")}
    assert decide(spans).sources == {}
    assert duplicates(*loop({}, {"tokens": (10, 2)}, {})) == {"w": ("i1", "total")}
    assert duplicates(*loop({}, {}, {})) == {"w": ("i1", "total")}


def test_an_outer_span_that_states_the_last_call_is_that_call() -> None:
    inner = ({"tokens": (10, 2)}, {"tokens": (20, 3)})
    assert duplicates(*loop({"tokens": (20, 3)}, *inner)) == {"w": ("i1", "nested")}
    assert duplicates(*loop({"tokens": (7, 7)}, {"tokens": (7, 7)}, {"tokens": (7, 7)})) == {
        "w": ("i1", "nested")
    }


def test_an_outer_span_with_less_than_its_calls_is_no_total() -> None:
    spans = loop({"tokens": (15, 2)}, {"tokens": (10, 2)}, {"tokens": (20, 3)})
    assert duplicates(*spans) == {}
    assert ambiguous(*spans) == {"w", "i1"}


def test_within_one_scope_a_total_must_be_the_sum() -> None:
    inner = ({"tokens": (10, 2)}, {"tokens": (20, 3)})
    assert duplicates(*loop({"scope": "sdk", "tokens": (30, 5)}, *inner)) == {"w": ("i1", "total")}
    assert duplicates(*loop({"scope": "sdk", "tokens": (50, 9)}, *inner)) == {}


def test_a_call_with_an_id_of_its_own_is_a_call() -> None:
    outer = {"response_id": "r", "tokens": (30, 5)}
    inner = ({"response_id": "s", "tokens": (10, 2)}, {"response_id": "u", "tokens": (20, 3)})
    assert duplicates(*loop(outer, *inner)) == {}
    # The answer that has an id is the last one: it may be the last call's.
    assert duplicates(*loop({"response_id": "r"}, {}, {})) == {"i1": ("w", "nested")}


def test_a_retry_that_failed_is_a_call_and_the_outer_span_states_the_last() -> None:
    assert duplicates(*loop({"tokens": (9, 2)}, {"error_type": "E"}, {"tokens": (9, 2)})) == {
        "w": ("i1", "nested")
    }
    assert duplicates(*loop({}, {"error_type": "E"}, {"response_id": "r"})) == {
        "w": ("i1", "nested")
    }
    failures = loop({"error_type": "E"}, {"error_type": "E"}, {"error_type": "E"})
    assert duplicates(*failures) == {"w": ("i1", "nested")}
    assert duplicates(*loop({"tokens": (9, 2)}, {"error_type": "E"}, {"error_type": "E"})) == {}


def test_wrappers_of_a_loop_in_three_layers() -> None:
    found = duplicates(
        claim("w", scope="agents", ms=(0, 100), tokens=(30, 5)),
        claim("v1", "w", scope="framework", ms=(1, 40), tokens=(10, 2)),
        claim("i1", "v1", ms=(2, 39), response_id="r", tokens=(10, 2)),
        claim("v2", "w", scope="framework", ms=(41, 99), tokens=(20, 3)),
        claim("i2", "v2", ms=(42, 98), response_id="s", tokens=(20, 3)),
    )
    assert found == {"v1": ("i1", "nested"), "v2": ("i2", "nested"), "w": ("i2", "total")}


def test_two_layers_of_totals_are_both_nobodys() -> None:
    spans = loop({"tokens": (30, 5)}, {"tokens": (10, 2)}, {"tokens": (20, 3)})
    spans[0].parent_span_id = "v"
    spans.append(claim("v", scope="agents", ms=(0, 100), tokens=(30, 5)))
    # Nor is a total a call that something beside it could state.
    spans.append(claim("x", scope="agents", ms=(1, 99), tokens=(30, 5)))
    assert duplicates(*spans) == {"v": ("i1", "total"), "w": ("i1", "total")}


def test_a_deep_chain_of_different_calls_stays_whole() -> None:
    chain = [
        claim(f"s{n}", f"s{n - 1}", scope="ab"[n % 2], ms=(n, 999 - n), tokens=(n, 7))
        for n in range(200)
    ]
    assert decide(chain).duplicates == {}


# Parts.


def test_a_part_belongs_to_its_ancestor_or_to_the_call_before_it() -> None:
    spans = [
        claim("w", scope="framework", ms=(0, 100), tokens=(9, 2)),
        claim("c", "w", ms=(5, 20)),
        part("p", "w", ms=(80, 80), tokens=(9, 2)),
        part("q", "c", ms=(10, 11)),
    ]
    decision = decide(spans)
    # The call's usage is its part's, and so the outer span states the same call.
    assert decision.duplicates[T, "c"].of == (T, "w")
    assert decision.parts == {(T, "p"): (T, "w"), (T, "q"): (T, "w")}
    assert [c.span_id for c in decision.sources[T, "w"]] == ["c", "p", "q"]


def test_each_part_takes_the_call_that_ended_last_and_lacks_usage() -> None:
    spans = [
        claim("s1", "root", ms=(0, 10)),
        claim("plain", "root", ms=(11, 20), tokens=(5, 5)),
        part("p1", "root", ms=(30, 30), tokens=(9, 2)),
        claim("s2", "root", ms=(40, 50)),
        part("p2", "root", ms=(60, 60), tokens=(8, 1)),
        claim("other", "root", scope="x", ms=(51, 52)),
    ]
    decision = decide(spans)
    assert decision.parts == {(T, "p1"): (T, "s1"), (T, "p2"): (T, "s2")}
    sources = decision.sources[T, "s1"]
    assert completed(spans[0], sources) == {"input_tokens": 9, "output_tokens": 2}


def test_streams_inside_a_wrapper_keep_their_own_parts() -> None:
    spans = [
        claim("w", scope="framework", ms=(0, 100), tokens=(8, 1)),
        claim("s1", "w", ms=(1, 10)),
        part("p1", "w", ms=(20, 20), tokens=(9, 2)),
        claim("s2", "w", ms=(30, 40)),
        part("p2", "w", ms=(50, 50), tokens=(8, 1)),
        part("pw", "w", scope="framework", ms=(60, 60)),
    ]
    decision = decide(spans)
    # The wrapper states what the second stream's part states.
    assert duplicates(*spans) == {"s2": ("w", "nested")}
    assert decision.parts == {(T, "p1"): (T, "s1"), (T, "p2"): (T, "w"), (T, "pw"): (T, "w")}
    spans[0].input_tokens, spans[0].output_tokens = 17, 3
    assert duplicates(*spans) == {"w": ("s2", "total")}
    assert [c.span_id for c in decide(spans).sources[T, "s2"]] == ["p2"]
    assert decide(spans).parts[T, "pw"] == (T, "s2")


def test_streams_that_run_at_once_get_a_part_each() -> None:
    streams = [claim("s1", "root", ms=(0, 10)), claim("s2", "root", ms=(0, 12))]
    ends = [part(f"p{n}", "root", ms=(30 + n, 30 + n), tokens=(9, n)) for n in (1, 2)]
    assert decide(streams + ends).parts == {(T, "p1"): (T, "s2"), (T, "p2"): (T, "s1")}


def test_a_part_prefers_its_own_scope_then_a_call_without_usage() -> None:
    own = claim("c", tokens=(5, 5))
    other = claim("x", "c", scope="framework", ms=(1, 99), tokens=(9, 2))
    said = part("p", "x", ms=(2, 2), tokens=(5, 5))
    assert decide([own, other, said]).parts == {(T, "p"): (T, "c")}
    assert decide([other, said]).parts == {(T, "p"): (T, "x")}
    said.parent_span_id = other.parent_span_id = "root"
    bare = claim("d", "root", ms=(0, 1))
    same = claim("c", "root", ms=(0, 1), tokens=(5, 5))
    assert decide([bare, same, said]).parts == {(T, "p"): (T, "d")}
    assert decide([same, said]).parts == {(T, "p"): (T, "c")}
    same.input_tokens = 6
    assert decide([same, said]).calls_from_parts == {(T, "p")}


def test_a_part_without_a_call_is_one_if_it_has_usage() -> None:
    lost = part("p", "gone", tokens=(9, 2), has_output=True)
    assert decide([lost, part("q", "gone")]).calls_from_parts == {(T, "p")}
    call = claim("c", "gone", ms=(0, 0))
    assert decide([lost, call]).calls_from_parts == set()
    outer = claim("a", "x", scope="framework", ms=(0, 100), tokens=(9, 2))
    decision = decide([lost, outer])
    assert decision.duplicates[T, "p"].of == (T, "a")
    assert decision.calls_from_parts == set()
