"""The exact interval: what others compute, and its coverage by enumeration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from goldspan.evals.statistics import FrameError
from goldspan.evals.statistics.exact import clopper_pearson, unbroken_needed


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_the_interval_that_scipy_computes(counts: tuple[int, int]) -> None:
    k, n = counts
    ours, theirs = clopper_pearson(k, n), binomtest(k, n).proportion_ci(method="exact")
    assert ours.interval == pytest.approx((theirs.low, theirs.high))
    assert ours.low <= ours.estimate <= ours.high


@pytest.mark.parametrize("n", [1, 7, 40])
def test_it_covers_the_truth_at_least_as_often_as_it_says(n: int) -> None:
    intervals = [clopper_pearson(k, n, 0.1).interval for k in range(n + 1)]
    for p in np.linspace(0.001, 0.999, 97):
        covered = sum(
            binom.pmf(k, n, p) for k, (low, high) in enumerate(intervals) if low <= p <= high
        )
        assert covered >= 0.9


def test_no_draws_tell_nothing_and_impossible_counts_are_refused() -> None:
    nothing = clopper_pearson(0, 0)
    assert math.isnan(nothing.estimate)
    assert nothing.interval == (0, 1)
    for k, n in ((-1, 3), (4, 3)):
        with pytest.raises(FrameError, match="is no share"):
            clopper_pearson(k, n)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (10, 10), (50, 52), (3, 9)])
def test_so_many_more_are_enough_and_one_fewer_is_not(k: int, n: int) -> None:
    needed = unbroken_needed(k, n, 0.95)
    assert needed is not None
    assert clopper_pearson(k + needed, n + needed).low >= 0.95
    assert clopper_pearson(k + needed - 1, n + needed - 1).low < 0.95
    assert unbroken_needed(0, 10_000, 0.95, most=1000) is None
    assert unbroken_needed(1000, 1000, 0.95) == 0
