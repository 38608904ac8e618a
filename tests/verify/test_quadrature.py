"""The quadrature oracle against integrals known by symmetry or from elsewhere."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from verify.quadrature import expectation

# The docstring's promise, times the size of the largest integrand here, E u^4 = 3.
TOLERANCE = 3e-13


def step(z: np.ndarray) -> np.ndarray:
    return np.heaviside(z, 0.5)


def relu(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0)


@pytest.mark.parametrize("rho", [-1.0, -0.9999, -0.3, 0.0, 0.5, 0.97, 0.999999, 1.0])
def test_moments_of_the_pair_are_those_of_isserlis(rho: float):
    s_1, s_2 = 0.7, 1.3
    covariance = s_1 * s_2 * rho
    assert expectation(np.asarray, np.asarray, s_1, s_2, rho) == pytest.approx(covariance, abs=TOLERANCE)
    square = expectation(np.square, np.square, s_1, s_2, rho)
    assert square == pytest.approx((s_1 * s_2) ** 2 + 2 * covariance**2, abs=TOLERANCE)


@pytest.mark.parametrize("rho", [-0.9, -0.2, 0.4, 0.95])
def test_the_quadrant_has_its_normal_probability(rho: float):
    law = {"mean": [0, 0], "cov": [[1, rho], [rho, 1]], "abseps": 1e-12, "releps": 1e-12, "maxpts": 10**7}
    # SciPy's own integration of the bivariate normal is good to about 1e-8.
    assert expectation(step, step, 1, 1, rho) == pytest.approx(
        multivariate_normal.cdf([0, 0], **law), abs=1e-7
    )


@pytest.mark.parametrize("rho", [-0.999, -0.5, 0.1, 0.8, 0.99999])
def test_relu_pairs_agree_with_a_polar_integral_at_30_digits(rho: float):
    # E[R^2] = 2 and the angle is uniform: E = (1/pi) int over the overlap of the two half-planes.
    with mp.workdps(30):
        angle = mp.acos(mp.mpf(rho))
        integrand = lambda t: mp.cos(t) * mp.cos(t - angle)  # noqa: E731
        polar = mp.quad(integrand, [angle - mp.pi / 2, mp.pi / 2]) / mp.pi
    assert expectation(relu, relu, 1, 1, rho) == pytest.approx(float(polar), abs=TOLERANCE)
