"""Intervals, slopes and error rates."""

from typing import Any

import numpy as np
import pytest
from scipy import special

from derivations.errors import InputError
from verify.statistics import ErrorBudget, clopper_pearson, fit_slope


def test_slope_intervals_cover_at_their_level():
    rng = np.random.default_rng(0)
    x = np.array([0.0, 1.0, 2.0, 4.0])
    sigma = np.array([0.1, 0.2, 0.3, 0.1])
    runs = 2000
    known = estimated = 0
    for _ in range(runs):
        slope, half_width, _ = fit_slope(x, 3.0 - 2.0 * x + sigma * rng.standard_normal(4), sigma, level=0.9)
        known += abs(slope + 2.0) < half_width
        slope, half_width, _ = fit_slope(x, 3.0 - 2.0 * x + 0.1 * rng.standard_normal(4), level=0.9)
        estimated += abs(slope + 2.0) < half_width
    for covered in (known, estimated):
        low, high = clopper_pearson(covered, runs, level=1 - 1e-4)
        assert low < 0.9 < high


def test_a_line_is_recovered_exactly_whatever_the_weights():
    x = np.linspace(-1, 1, 5)
    fit = fit_slope(x, 0.5 + 0.25 * x, [1, 2, 3, 4, 5])
    # Five-term sums: a few eps.
    assert (fit.slope, fit.intercept) == pytest.approx((0.25, 0.5), rel=1e-14)


def test_two_points_with_known_errors_have_a_slope():
    # The deviation of (y2 - y1) / 2 is sqrt(2) / 2.
    assert fit_slope([0.0, 2.0], [0.0, 1.0], 1.0).half_width == pytest.approx(
        1.959964 * np.sqrt(0.5), rel=1e-6
    )


@pytest.mark.parametrize(
    ("x", "sigma", "message"),
    [
        ([0.0, 1.0], None, "x must hold at least two different points, and three without sigma"),
        ([1.0, 1.0], 1.0, "x must hold at least two different points"),
        ([0.0, 1.0], [1.0, 0.0], "sigma must be positive"),
        ([0.0, np.nan], 1.0, "x must be a finite vector"),
        ([0.0, 1.0, 2.0], 1.0, "y must be a finite vector of length 3"),
    ],
)
def test_a_line_through_too_little_is_refused(x, sigma, message):
    with pytest.raises(InputError, match=message):
        fit_slope(x, [0.0, 1.0], sigma)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (1, 1000)])
def test_binomial_limits_have_exactly_the_tail_probability(k, n):
    low, high = clopper_pearson(k, n, level=0.9)
    # P(at least k | low) = 5 % = P(at most k | high).
    if k > 0:
        assert special.bdtrc(k - 1, n, low) == pytest.approx(0.05, rel=1e-10)
    if k < n:
        assert special.bdtr(k, n, high) == pytest.approx(0.05, rel=1e-10)
    assert (low == 0.0) == (k == 0)
    assert (high == 1.0) == (k == n)


def test_counts_outside_their_range_are_refused():
    bad: list[Any] = [-1, 11, 2.5, True]
    for k in bad:
        with pytest.raises(InputError, match="k must be an integer from 0 to n = 10"):
            clopper_pearson(k, 10)


def test_an_error_budget_splits_its_rate():
    budget = ErrorBudget(0.01, 4)
    assert budget.share == 0.0025
    assert budget.split(5).share == pytest.approx(0.0005)
    assert 2 * special.ndtr(-budget.deviations) == pytest.approx(budget.share, rel=1e-12)


def test_impossible_rates_are_refused():
    with pytest.raises(InputError, match=r"alpha must lie strictly between 0 and 1, got 1\.0"):
        ErrorBudget(1.0)
    with pytest.raises(InputError, match="parts must be a positive integer, got 0"):
        ErrorBudget(0.1, 0)
