"""Shares are of measured repeats only; what was not measured is counted, never a failure."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from goldspan.dashboards.comparison import by_case, by_tag


def row(experiment: str, case: str, passed: bool | None, tags: str | None = None) -> dict[str, Any]:
    return {"experiment_id": experiment, "case_id": case, "passed": passed, "tags": tags}


def test_rates_by_case_and_by_tag() -> None:
    rows = [
        row("new", "a", False, '["edge"]'),
        row("new", "a", True, '["edge"]'),
        row("new", "b", None, '["edge", "own"]'),
        row("old", "a", True, '["edge"]'),
        row("old", "c", True),
    ]
    a, b, c = by_case(rows, "new")
    assert (a.name, a.rate, a.baseline_rate, a.difference) == ("a", 0.5, 1.0, -0.5)
    assert (b.name, b.rate, b.difference, b.unmeasured) == ("b", None, None, 1)
    assert (c.name, c.rate, c.baseline_rate, c.repeats) == ("c", None, 1.0, 0)
    edge, own = by_tag(rows, "new")
    assert (edge.name, edge.cases, edge.difference) == ("edge", 2, -0.5)
    assert (own.name, own.rate, own.unmeasured) == ("own", None, 1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["new", "old"]),
            st.sampled_from("abcd"),
            st.none() | st.booleans(),
        )
    )
)
def test_every_repeat_is_counted_once_and_the_worst_stands_first(drawn: list[Any]) -> None:
    found = by_case([row(*one) for one in drawn], "new")
    here = [one for one in drawn if one[0] == "new"]
    assert sum(case.repeats + case.unmeasured for case in found) == len(here)
    differences = [case.difference for case in found if case.difference is not None]
    assert differences == sorted(differences)
    assert all(-1 <= difference <= 1 for difference in differences)
