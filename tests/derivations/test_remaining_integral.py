"""Kernels with one remaining integral, against quadrature that knows nothing of ladders, and planted errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy as sp
from scipy import special

from derivations import InputError, KernelDerivation, derive, kernel_function, network
from derivations.printing import render
from derivations.symbols import COVARIANCE
from verify.activations import Array
from verify.quadrature import expectation


def bell(u: Array) -> Array:
    return np.exp(-u * u / 2)


def erf_slope(u: Array) -> Array:
    return 2 / np.sqrt(np.pi) * np.exp(-u * u)


FUNCTIONS = {
    "max(0, z)*erf(z)": (
        lambda u: np.maximum(u, 0) * special.erf(u),
        lambda u: (u > 0) * (special.erf(u) + u * erf_slope(u)),
    ),
    "max(0, z)*(1 + erf(z/sqrt(2)))/2": (
        lambda u: np.maximum(u, 0) * special.ndtr(u),
        lambda u: (u > 0) * (special.ndtr(u) + u * bell(u) / np.sqrt(2 * np.pi)),
    ),
    "max(0, z)**2*erf(z)": (
        lambda u: np.maximum(u, 0) ** 2 * special.erf(u),
        lambda u: (u > 0) * (2 * u * special.erf(u) + u * u * erf_slope(u)),
    ),
    "max(0, z)*(1 + erf(z/sqrt(2)))/2 + max(0, z)**2*erf(z)": (
        lambda u: np.maximum(u, 0) * special.ndtr(u) + np.maximum(u, 0) ** 2 * special.erf(u),
        lambda u: (
            (u > 0) * (special.ndtr(u) + u * bell(u) / np.sqrt(2 * np.pi))
            + (u > 0) * (2 * u * special.erf(u) + u * u * erf_slope(u))
        ),
    ),
    "erf(z)**2": (lambda u: special.erf(u) ** 2, lambda u: 2 * special.erf(u) * erf_slope(u)),
    "abs(z) + erf(z)**2": (
        lambda u: np.abs(u) + special.erf(u) ** 2,
        lambda u: np.sign(u) + 2 * special.erf(u) * erf_slope(u),
    ),
    "max(0, z)*exp(-z**2/2)": (
        lambda u: np.maximum(u, 0) * bell(u),
        lambda u: (u > 0) * (1 - u * u) * bell(u),
    ),
}
"""Each with its derivative, by hand."""
NO_INTEGRAL = ("max(0, z)*exp(-z**2/2)",)


@cache
def derived(text: str, gates: int = 0) -> KernelDerivation:
    return derive(network(expression=text, gates=gates), order=gates + 2)


X = np.array([[1.0, 2.0, 0.5], [0.3, -0.4, 0.1], [-1.0, 2.0, 3.0], [2.0, 4.0, 1.0], [-0.1, -0.2, -0.05]])
COVARIANCE_OF_ROWS = X @ X.T / 3


@cache
def by_quadrature(text: str) -> tuple[np.ndarray, np.ndarray]:
    """E[phi phi] and E[phi' phi'] of the pairs of rows, (5, 5) each."""
    functions, deviations = FUNCTIONS[text], np.sqrt(COVARIANCE_OF_ROWS.diagonal())
    found = np.empty((2, len(X), len(X)))
    for i, p in enumerate(deviations):
        for j, q in enumerate(deviations[: i + 1]):
            # Parallel rows have angle 0 or pi: a correlation rounded by 1e-16 would move the angle by 1e-8.
            correlation = round(COVARIANCE_OF_ROWS[i, j] / (p * q), 14)
            for order, f in enumerate(functions):
                found[order, i, j] = found[order, j, i] = expectation(f, f, p, q, correlation)
    return found[0], found[1]


@pytest.mark.parametrize("gates", [0, 1])
@pytest.mark.parametrize("text", FUNCTIONS)
def test_the_kernel_agrees_with_quadrature(text: str, gates: int) -> None:
    width, (value, slopes) = 7, by_quadrature(text)
    K = kernel_function(derived(text, gates), width=width)(X)
    T = kernel_function(derived(text, gates), kind="nngp")(X)
    linear = COVARIANCE_OF_ROWS**gates
    expected = linear * ((width + 3 * gates) * value + 3 * COVARIANCE_OF_ROWS * slopes)
    # The quadrature's own promise is 1e-13 of either part.
    for matrix, right in ((K, expected), (T, linear * value)):
        lengths = np.sqrt(matrix.diagonal())
        np.testing.assert_array_less(np.abs(matrix - right), 1e-12 * np.outer(lengths, lengths))


@pytest.mark.parametrize("text", FUNCTIONS)
def test_the_remaining_integral_is_one_and_of_one_dimension(text: str) -> None:
    integrals = derived(text).result(COVARIANCE).atoms(sp.Integral)
    assert len(integrals) == (text not in NO_INTEGRAL)
    for integral in integrals:
        assert len(integral.limits) == 1
        assert not integral.function.has(sp.Integral, sp.Heaviside, sp.DiracDelta, sp.erf)


@pytest.mark.parametrize("text", ["max(0, z)*erf(z)", "erf(z)**2", "max(0, z)*exp(-z**2/2)"])
def test_every_step_is_checked_and_a_wrong_one_is_noticed(text: str, follows: Callable[..., bool]) -> None:
    result = derived(text)
    result.check()
    assert result.derivation.status == "tested"
    steps = result.steps
    of_the_ladder = {"Price", "tilted Gaussian integral", "uncorrelated", "integration"}
    planted = 0
    for number, step in enumerate(steps):
        if step.rule not in of_the_ladder or step.rhs == 0:
            continue
        for rhs in (step.rhs * sp.Rational(201, 200), step.rhs + 1):
            assert not follows(replace(step, rhs=rhs), steps[:number]), (step.title, rhs)
            planted += 1
    assert planted >= 4


def test_rows_of_zeros_and_long_rows() -> None:
    theta = kernel_function(derived("max(0, z)*erf(z)"), width=3)
    assert theta([[0.0, 0.0], [1.0, 2.0]])[0].tolist() == [0.0, 0.0]
    # At long rows erf is 1: the kernel of ReLU, but for inputs within 1 / |x| of the kink.
    X = 30 * np.array([[1.0, 2.0], [-2.0, 0.5]])
    relu = kernel_function("relu", width=3)(X)
    assert np.abs(theta(X) / relu - 1).max() < 0.1
    with pytest.raises(InputError, match=r"^input has rows too long for the integral in this kernel"):
        kernel_function(derived("erf(z)**2"), width=3)(300 * np.random.default_rng(0).standard_normal((6, 3)))


@pytest.mark.parametrize("format", ["python", "c"])
def test_code_with_an_integral_is_refused_in_one_line(format: str) -> None:
    with pytest.raises(InputError, match=r"^format must be text, latex or json for max\(0, z\)\*erf\(z\): "):
        render(derived("max(0, z)*erf(z)"), format)


@pytest.mark.parametrize(
    "text", ["max(0, z)*exp(z)", "max(0, z)*erf(z)**2", "max(0, z)*erf(z)*exp(-z**2)", "max(0, z)*sin(z)"]
)
def test_what_leaves_more_than_one_integral_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match=r"to leave one integral at most, got the term ") as caught:
        derive(network(expression=text))
    assert "\n" not in str(caught.value)
