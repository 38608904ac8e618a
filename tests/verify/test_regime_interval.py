"""Intervals of means and ratios of means of skewed laws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from verify.regimes.interval import deviations, ratio_interval

RUNS, LEVEL = 3000, 0.01


def test_the_mean_of_a_skewed_law_is_missed_as_seldom_as_promised():
    # The cube of an exponential variable: mean 6, skewness 19.
    draws = np.random.default_rng(0).exponential(size=(RUNS, 100)) ** 3
    bars = np.array([deviations(values, LEVEL) for values in draws])
    means = draws.mean(axis=1)
    hall = np.mean((means - bars[:, 0] > 6) | (means + bars[:, 1] < 6))
    errors = draws.std(axis=1, ddof=1) / 10
    ordinary = np.mean(np.abs(means - 6) > student.isf(LEVEL / 2, 99) * errors)
    # No method is exact at such a skewness.
    assert hall < 3 * LEVEL
    assert ordinary > 8 * LEVEL


def test_of_a_symmetric_law_the_interval_is_student_s():
    draws = np.random.default_rng(1).standard_normal((RUNS, 20))
    bars = np.array([deviations(values, LEVEL) for values in draws])
    means = draws.mean(axis=1)
    missed = np.mean((means - bars[:, 0] > 0) | (means + bars[:, 1] < 0))
    # Three standard errors of a share of 3000.
    assert abs(missed - LEVEL) < 3 * np.sqrt(LEVEL / RUNS) + 0.3 * LEVEL
    mirrored = np.array([deviations(-values, LEVEL) for values in draws[:50]])
    np.testing.assert_allclose(mirrored, bars[:50, ::-1])


def test_draws_that_are_equal_have_no_interval():
    assert deviations(np.full(5, 0.5), LEVEL) == (0.0, 0.0)


def test_the_ratio_of_two_means_is_missed_as_seldom_as_promised():
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(300):
        shared = rng.exponential(size=50)
        low, high = ratio_interval(2 * shared + rng.exponential(size=50), shared + 0.1, 0.05)
        missed += not low < 3 / 1.1 < high
    # 15 are expected; 4 standard deviations.
    assert 2 <= missed <= 30


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_a_ratio_is_above_1_exactly_where_the_difference_is_above_0(scale: float):
    rng = np.random.default_rng(3)
    # Skewed on one side, so that below and above differ.
    for shift in np.linspace(-1.5, 1.5, 61):
        plain, gated = rng.uniform(0, 2, 60) * scale, rng.exponential(size=60) ** 2 / 2 * scale
        gated = gated + max(shift, 0) * scale
        plain = plain + max(-shift, 0) * scale
        low, high = ratio_interval(gated, plain, LEVEL)
        difference = gated - plain
        below, above = deviations(difference, LEVEL)
        assert (low > 1) == (difference.mean() - below > 0)
        assert (high < 1) == (difference.mean() + above < 0)


def test_a_ratio_that_is_not_known_has_no_bounds():
    assert ratio_interval(np.array([0.0, 1.0]), np.array([1.0, 0.0]), LEVEL) == (0.0, np.inf)


def test_draws_that_are_equal_but_for_rounding_have_the_ratio_for_an_interval():
    rng = np.random.default_rng(4)
    for _ in range(200):
        one, other = rng.uniform(0.1, 10, 2)
        noise = 1 + np.finfo(float).eps * rng.integers(-1, 2, (2, 20))
        low, high = ratio_interval(
            one * noise[0], other * noise[1] if rng.random() < 0.5 else np.full(20, other), LEVEL
        )
        # Student's quantile at this level is below 30, the noise of means of 20 below one rounding.
        assert low == pytest.approx(one / other, rel=1e-13)
        assert high == pytest.approx(one / other, rel=1e-13)
