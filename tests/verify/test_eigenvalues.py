"""Extreme eigenvalues, and the bias of the smallest one of a mean kernel."""

from __future__ import annotations

import numpy as np
import pytest

from verify.eigenvalues import extremes, smallest_eigenvalue_bias, top_vector


def random_kernel(n: int, seed: int = 0) -> np.ndarray:
    X = np.random.default_rng(seed).standard_normal((n, 2 * n))
    return X @ X.T + 1.0


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_extremes_and_top_vector_are_those_of_the_full_decomposition(n: int):
    K = random_kernel(n)
    values, vectors = np.linalg.eigh(K)
    found = extremes(K)
    # LAPACK's error: n eps times the largest.
    tolerance = 10 * n * np.finfo(float).eps * values[-1]
    assert abs(found.largest - values[-1]) <= tolerance
    assert abs(found.smallest - values[0]) <= tolerance
    # The top eigenvalue is about n, the next below 6 n / 2: a gap of the order of n keeps the vector to 1e-8.
    assert abs(abs(top_vector(K) @ vectors[:, -1]) - 1) < 1e-8


@pytest.mark.parametrize("power", [-1000, -500, 500, 990])
def test_extremes_scale_exactly_with_powers_of_two(power: int):
    K = random_kernel(5)
    plain, scaled = extremes(K), extremes(np.ldexp(K, power))
    assert scaled.largest == np.ldexp(plain.largest, power)
    assert scaled.smallest == np.ldexp(plain.smallest, power)


def test_a_kernel_of_zeros_has_an_infinite_condition_number():
    found = extremes(np.zeros((3, 3)))
    assert (found.largest, found.smallest, found.condition_number) == (0.0, 0.0, float("inf"))


def test_equal_rows_make_the_condition_number_infinite():
    K = random_kernel(6)
    K[:, 1], K[1, :] = K[:, 0], K[0, :]
    K[1, 1] = K[0, 0]
    assert extremes(K).condition_number == float("inf")


@pytest.mark.parametrize("n", [20, 60])
def test_the_estimated_bias_brings_a_mean_kernel_nearer_to_the_expected_one(n: int):
    # Wishart means: E K = I, so lambda_min is 1 and every sample lies below. N = 32 n samples.
    rng = np.random.default_rng(n)
    errors, corrected, rates = [], [], []
    for _ in range(30):
        quarters = [X @ X.T / X.shape[1] for X in rng.standard_normal((4, n, 8 * n))]
        whole = extremes(sum(quarters[1:], start=quarters[0]) / 4)
        bias = smallest_eigenvalue_bias(whole, quarters)
        errors.append(whole.smallest - 1)
        corrected.append(whole.smallest - bias.bias - 1)
        rates.append(bias.rate)
    # The edge of a Wishart spectrum is (1 - sqrt(n/N))^2, a bias of order N^(-1/2), here -0.32; around it lies
    # -scale times a Tracy-Widom variable of mean -1.2065 and deviation 1.268: 5 errors of the mean of 30 are 1.16.
    samples = 32 * n
    edge = (np.sqrt(samples) - np.sqrt(n)) / samples
    scale = edge * (1 / np.sqrt(n) - 1 / np.sqrt(samples)) ** (1 / 3)
    expected = (1 - np.sqrt(1 / 32)) ** 2 - 1 + 1.2065 * scale
    assert np.mean(errors) == pytest.approx(expected, abs=1.16 * scale)
    assert abs(np.mean(corrected)) < abs(np.mean(errors)) / 4
    assert 0.5 <= np.mean(rates) < 0.75


def test_equal_parts_have_no_bias():
    K = random_kernel(4)
    assert smallest_eigenvalue_bias(extremes(K), [K] * 4).bias == pytest.approx(0, abs=1e-12)
