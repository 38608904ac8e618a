"""The joint test must pass true claims at its stated rate and catch planted errors at its stated power."""

import numpy as np
import pytest
from scipy import special

from derivations.errors import InputError
from verify.joint_test import hotelling, smallest_detectable
from verify.moments import neuron_moments
from verify.statistics import clopper_pearson

SINGULAR = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 0.5]])  # factor of a 3 x 3 covariance of rank 2


def draws(rng, count, shift=0.0):
    return rng.standard_normal((count, 2)) @ SINGULAR + shift


def test_p_values_are_uniform_under_a_true_claim():
    count = 2000
    samples = draws(np.random.default_rng(0), count)
    tests = [hotelling(sample, SINGULAR.T @ SINGULAR, np.zeros(3), 1e-12) for sample in samples]
    assert {test.degrees for test in tests} == {2}
    p = np.sort([test.p_value for test in tests])
    distance = np.max(np.abs(p - (np.arange(count) + 0.5) / count)) + 0.5 / count
    # A true claim fails this with probability 1e-4, and the seed is fixed.
    assert special.kolmogorov(distance * np.sqrt(count)) > 1e-4


@pytest.mark.parametrize(("alpha", "power"), [(0.05, 0.5), (0.01, 0.9)])
def test_the_smallest_detectable_shift_is_detected_with_the_stated_power(alpha, power):
    covariance = SINGULAR.T @ SINGULAR
    direction = SINGULAR.T @ np.array([1.0, -2.0])
    eps = smallest_detectable(covariance, direction, alpha, power)
    samples = draws(np.random.default_rng(1), 2000, eps * direction)
    caught = sum(hotelling(sample, covariance, np.zeros(3), 1e-12).p_value < alpha for sample in samples)
    low, high = clopper_pearson(caught, 2000, level=1 - 1e-4)
    assert low < power < high


def test_a_kernel_wrong_by_half_a_percent_is_refuted_where_the_power_says_so():
    X = np.array([[1.0, 0.0], [0.6, 0.8], [-0.5, 0.9]])
    alpha = 1e-3
    truth = neuron_moments("tanh", X, width=16, neurons=4_000_000, rng=1)
    measured = neuron_moments("tanh", X, width=16, neurons=1_000_000, rng=2)
    both = truth.covariance + measured.covariance  # the truth is itself measured
    tolerance = 1e-12 * truth.mean.max()
    eps = smallest_detectable(both, truth.mean, alpha, power=0.999)
    assert eps < 0.005
    assert hotelling(measured.mean, both, truth.mean, tolerance).p_value > alpha
    assert hotelling(measured.mean, both, 1.005 * truth.mean, tolerance).p_value < alpha


def test_a_direction_without_variance_admits_rounding_only():
    covariance = SINGULAR.T @ SINGULAR
    null = np.linalg.svd(SINGULAR)[2][2]
    assert hotelling(1e-14 * null, covariance, np.zeros(3), 1e-12).p_value == 1.0
    assert hotelling(1e-3 * null, covariance, np.zeros(3), 1e-12).p_value == 0.0


def test_an_entry_whose_spread_is_below_rounding_is_compared_by_rounding():
    covariance = np.diag([1.0, 1e-30])
    assert hotelling([0.0, 1e-13], covariance, [0.0, 0.0], [0.0, 1e-12]).p_value == 1.0
    assert hotelling([0.0, 1e-11], covariance, [0.0, 0.0], [0.0, 1e-12]).p_value == 0.0


def test_entries_of_very_different_size_are_all_tested():
    # Variances 1 and 1e-40: a threshold relative to the largest variance would call the second one fixed.
    covariance = np.diag([1.0, 1e-40])
    test = hotelling([1.0, 2e-20], covariance, [0.0, 0.0], [1e-12, 1e-32])
    assert test == pytest.approx((5.0, 2, np.exp(-2.5)))


def test_without_any_variance_the_claim_must_be_exact():
    assert hotelling([1.0, 2.0], np.zeros((2, 2)), [1.0, 2.0], 0.0) == (0.0, 0, 1.0)
    assert hotelling([1.0, 2.0], np.zeros((2, 2)), [1.0, 2.1], 0.0).p_value == 0.0


def test_a_discrepancy_along_a_fixed_direction_is_seen_above_rounding():
    eps = smallest_detectable(np.diag([1.0, 0.0]), [0.0, 2.0], 0.01, 0.9, deterministic_tolerance=1e-12)
    assert eps == pytest.approx(5e-13)
    assert smallest_detectable(np.eye(2), [0.0, 0.0], 0.01, 0.9) == np.inf


def test_smallest_detectable_solves_the_non_central_law_down_to_tiny_rates():
    for degrees in (1, 10, 36):
        for alpha in (1e-2, 1e-6, 1e-10):
            eps = smallest_detectable(np.eye(degrees), np.eye(degrees)[0], alpha, 0.99)
            missed = special.chndtr(special.chdtri(degrees, alpha), degrees, eps**2)
            assert missed == pytest.approx(0.01, rel=1e-6)


def test_bad_arguments_are_named():
    with pytest.raises(InputError, match="covariance must be a finite square matrix"):
        hotelling([0.0], np.zeros((1, 2)), [0.0], 0.0)
    with pytest.raises(InputError, match="mean must be a finite vector of length 2"):
        hotelling([0.0], np.eye(2), [0.0, 0.0], 0.0)
    with pytest.raises(InputError, match="deterministic_tolerance must not be negative"):
        hotelling([0.0], np.eye(1), [0.0], -1.0)
    with pytest.raises(InputError, match=r"power must lie between alpha = 0\.1 and 1, got 0\.05"):
        smallest_detectable(np.eye(1), [1.0], 0.1, 0.05)
