"""The paired comparison: its verdicts, its edges, and how often it is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from goldspan.evals.statistics import compare_cases, detectable, sign_flip

shares = st.lists(st.integers(0, 5).map(lambda k: k / 5), min_size=1, max_size=40)


def test_the_interval_is_the_paired_t_interval() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.random(20), rng.random(20)
    result = compare_cases(before, after, margin=0.1)
    known = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((known.low, known.high))
    assert result.effect == pytest.approx((after - before).mean())


def test_the_sign_flip_is_exact_for_few_cases() -> None:
    assert sign_flip(np.array([-1.0, -1.0, -1.0])) == 1 / 8
    assert sign_flip(np.array([1.0, 1.0, 1.0])) == 1.0
    assert sign_flip(np.zeros(5)) == 1.0
    many = np.full(30, -0.2)
    assert sign_flip(many) == pytest.approx(1 / 20_001)


def test_three_verdicts() -> None:
    same = [1.0] * 20 + [0.0] * 4
    assert compare_cases(same, same, margin=0.15).verdict == "pass"
    worse = [1.0] * 8 + [0.0] * 16
    assert compare_cases(same, worse, margin=0.15).verdict == "regression"
    few = compare_cases([1.0, 1.0, 0.0, 1.0], [1.0, 0.4, 0.2, 1.0], margin=0.15)
    assert few.verdict == "inconclusive"
    assert few.cases_needed is not None
    assert few.cases_needed > 4


def test_a_shown_loss_that_is_surely_within_the_margin_passes() -> None:
    before = np.linspace(0.5, 1.0, 60)
    result = compare_cases(before, before - 0.02, margin=0.15)
    assert result.high < 0
    assert result.verdict == "pass"


def test_one_case_settles_nothing() -> None:
    result = compare_cases([1.0], [0.0], margin=0.15)
    assert result.verdict == "inconclusive"
    assert math.isinf(result.mde)


@pytest.mark.parametrize(
    ("before", "after", "margin"),
    [([], [], 0.1), ([1.0], [1.0, 0.0], 0.1), ([math.nan], [1.0], 0.1), ([1.0], [1.0], 0.0)],
)
def test_what_cannot_be_compared(before: list[float], after: list[float], margin: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        compare_cases(before, after, margin=margin)


@given(shares, st.randoms(use_true_random=False))
def test_an_interval_holds_its_effect_and_order_does_not_matter(
    before: list[float], random: object
) -> None:
    after = before[::-1]
    result = compare_cases(before, after, margin=0.15)
    assert result.low <= result.effect <= result.high
    assert 0 < result.p_value <= 1
    order = np.random.default_rng(1).permutation(len(before))
    again = compare_cases(np.array(before)[order], np.array(after)[order], margin=0.15)
    assert again.effect == pytest.approx(result.effect)
    assert (again.low, again.high) == pytest.approx((result.low, result.high))


@given(shares)
def test_a_candidate_that_is_the_baseline_is_never_a_regression(before: list[float]) -> None:
    assert compare_cases(before, before, margin=0.15).verdict != "regression"


def test_how_often_it_is_wrong() -> None:
    """29 cases, 5 repeats; 60 % of cases pass at .98, 12 % at .05, the others at Beta(2, 1.2)."""
    rng = np.random.default_rng(20261121)
    healthy, harmed = [], []
    for _ in range(400):
        kind = rng.random(29)
        p = np.where(kind < 0.6, 0.98, np.where(kind < 0.72, 0.05, rng.beta(2, 1.2, 29)))
        before, same = rng.binomial(5, p) / 5, rng.binomial(5, p) / 5
        hurt = rng.binomial(5, np.where(rng.random(29) < 0.5, p * 0.4, p)) / 5
        healthy.append(compare_cases(before, same, margin=0.15).verdict)
        harmed.append(compare_cases(before, hurt, margin=0.15).verdict)
    assert healthy.count("regression") <= 0.02 * 400
    assert healthy.count("pass") >= 0.95 * 400
    assert harmed.count("regression") >= 0.8 * 400
    assert harmed.count("pass") <= 0.02 * 400


def test_what_can_be_detected_shrinks_with_the_root_of_the_cases() -> None:
    assert detectable(0.3, 400) == pytest.approx(detectable(0.3, 100) / 2, rel=0.02)
