"""Variances of a finite network's kernel against quadrature of the unit's moments and against drawn neurons."""

from __future__ import annotations

from functools import cache
from math import sqrt

import numpy as np
import pytest
import sympy as sp

from derivations import InputError, derive, kernel_function, network
from derivations.fluctuation import VarianceSeries, kernel_variance, variance_function
from derivations.kernel_derivation import Kernel, KernelDerivation
from derivations.symbols import d, m, r_i, r_j, rho
from verify.activations import ACTIVATIONS, Array
from verify.finite import finite_network
from verify.quadrature import expectation

NETWORKS = ("relu", "leaky_relu", "abs", "relu2", "identity", "reglu", "bilinear", "gqu")
SERIES = ("erf", "probit", "gelu", "silu", "tanh", "softplus", "mish", "geglu", "swiglu", "glu")
ACTIVATION = {
    "reglu": "relu", "gqu": "relu", "bilinear": "identity", "geglu": "gelu", "swiglu": "silu", "glu": "sigmoid"
}  # fmt: skip


@cache
def derived(name: str, parametrization: str) -> tuple[KernelDerivation, Kernel]:
    result = derive(network(name, parametrization=parametrization), order=4)
    return result, kernel_variance(result)


def second_moment(
    name: str, gates: int, p: float, q: float, correlation: float, scales: dict[str, float]
) -> float:
    """E xi^2 of one unit, from xi = P(R + W): written out for 0 and 1 gate, with quadrature for phi's factors."""
    phi, slope = ACTIVATIONS[ACTIVATION.get(name, name)]
    assert slope is not None
    derivative = slope

    def both(u: Array) -> Array:
        return phi(u) * derivative(u)

    gram, sigma_a, s_in, s_out = p * q * correlation, scales["a"], scales["in"], scales["out"]
    deviations = s_in * scales["w"] * p, s_in * scales["w"] * q, correlation
    values = expectation(lambda u: phi(u) ** 2, lambda u: phi(u) ** 2, *deviations)
    mixed = expectation(both, both, *deviations)
    slopes = expectation(lambda u: derivative(u) ** 2, lambda u: derivative(u) ** 2, *deviations)
    inside = s_in**2 * gram
    if gates == 0:
        # xi = s_out^2 (phi phi + a^2 s_in^2 G phi' phi'), E a^4 = 3 sigma_a^4.
        total = values + 2 * sigma_a**2 * inside * mixed + 3 * sigma_a**4 * inside**2 * slopes
    else:
        # xi = s_out^2 (phi phi h h + a^2 s_in^2 G (phi' phi' h h + phi phi)).
        variance = (s_in * scales["w"]) ** 2
        first, pair = variance * gram, variance**2 * ((p * q) ** 2 + 2 * gram**2)
        total = (
            values * pair
            + 2 * sigma_a**2 * inside * (mixed * pair + values * first)
            + 3 * sigma_a**4 * inside**2 * (slopes * pair + 2 * mixed * first + values)
        )
    return s_out**4 * total


@pytest.mark.parametrize(
    ("name", "parametrization"),
    [*((name, "standard") for name in NETWORKS if name != "gqu"), ("relu", "ntk"), ("reglu", "ntk")],
)
def test_variances_follow_from_the_moments_of_one_unit(name: str, parametrization: str) -> None:
    width, dimension = 11, 4
    standard = parametrization == "standard"
    inner, outer = 1 / sqrt(dimension), 1 / sqrt(width)
    scales = (
        {"a": outer, "w": inner, "in": 1.0, "out": 1.0}
        if standard
        else {"a": 1.0, "w": 1.0, "in": inner, "out": outer}
    )
    result, variance = derived(name, parametrization)
    values = {m: width, d: dimension}
    closed = sp.lambdify((r_i, r_j, rho), variance.off_diagonal.subs(values), "math")
    mean = sp.lambdify((r_i, r_j, rho), result.kernel.off_diagonal.subs(values), "math")
    diagonal = sp.lambdify(r_i, variance.diagonal.subs(values), "math")
    for p, q, correlation in ((2.0, 0.7, -0.9), (1.0, 1.5, 0.3), (2.0, 2.0, 1.0)):
        square = second_moment(name, result.network.gates, p, q, correlation, scales)
        expected = width * (square - (mean(p, q, correlation) / width) ** 2)
        # Quadrature is right to some 1e-13 of the largest moment, that of parallel inputs.
        size = width * second_moment(name, result.network.gates, p, q, 1.0, scales)
        assert closed(p, q, correlation) == pytest.approx(expected, abs=1e-11 * size)
    assert diagonal(2.0) == pytest.approx(closed(2.0, 2.0, 1.0), rel=1e-12)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", SERIES)
def test_variances_of_analytic_activations_follow_from_the_moments_of_one_unit(
    name: str, parametrization: str
) -> None:
    width, dimension = 11, 4
    inner, outer = 1 / sqrt(dimension), 1 / sqrt(width)
    scales = (
        {"a": outer, "w": inner, "in": 1.0, "out": 1.0}
        if parametrization == "standard"
        else {"a": 1.0, "w": 1.0, "in": inner, "out": outer}
    )
    described = network(name, parametrization=parametrization)
    variance = variance_function(described, width)
    assert isinstance(variance, VarianceSeries)
    mean = kernel_function(described, width=width)
    for p, q, correlation in ((2.0, 0.7, -0.9), (20.0, 1.5, 0.3), (6.0, 6.0, 1.0)):
        X = np.array([[p, 0.0, 0.0, 0.0], q * np.array([correlation, sqrt(1 - correlation**2), 0.0, 0.0])])
        square = second_moment(name, described.gates, p, q, correlation, scales)
        expected = width * (square - (mean(X)[0, 1] / width) ** 2)
        # Quadrature is right to some 1e-13 of sqrt(E xi_ii^2 E xi_jj^2), the series to less.
        sizes = [second_moment(name, described.gates, norm, norm, 1.0, scales) for norm in (p, q)]
        allowed = 1e-12 * width * sqrt(sizes[0] * sizes[1])
        assert variance(X)[0, 1] == pytest.approx(expected, abs=allowed)
        assert variance(X[:1], X[1:])[0, 0] == pytest.approx(expected, abs=allowed)


@pytest.mark.parametrize("name", ["relu", "reglu", "gqu", "sin", "gaussian"])
def test_where_there_is_a_closed_form_of_the_variance_the_function_evaluates_it(name: str) -> None:
    result, closed = derived(name, "standard")
    X = np.array([[1.0, 0.5, -0.3], [0.2, -1.0, 0.8]])
    norms = np.linalg.norm(X, axis=1)
    values = {m: 11, d: 3, r_i: norms[0], r_j: norms[1], rho: X[0] @ X[1] / norms.prod()}
    variance = variance_function(result.network, 11)
    assert not isinstance(variance, VarianceSeries)
    assert variance(X)[0, 1] == pytest.approx(float(closed.off_diagonal.subs(values)), rel=1e-12)


def test_a_variance_that_neither_closes_nor_is_a_series_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^activation must be a polynomial in z on either side of 0"):
        variance_function(network(expression="max(0, z) + erf(z)"), 3)
    with pytest.raises(InputError, match=r"^width must be a positive integer, got 0"):
        variance_function("erf", 0)
    with pytest.raises(InputError, match=r"jumps at 0"):
        variance_function("step", 3)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", ["relu", "reglu", "gqu", "abs", "erf", "gelu", "swiglu"])
def test_variances_are_those_of_drawn_neurons(name: str, parametrization: str) -> None:
    width, dimension, batches, size = 16, 3, 40, 5000
    X = np.array([[1.0, 0.5, -0.3], [0.2, -1.0, 0.8]])
    drawn = finite_network(name, parametrization)
    rng = np.random.default_rng(20)
    units = []
    for _ in range(batches):
        factors = drawn.factors(drawn.draw(rng, dimension, width, size), X, width)
        R, G = factors.readout, factors.gradient
        units.append(np.einsum("ib,jb->ijb", R, R) + (X @ X.T)[:, :, None] * np.einsum("ilb,jlb->ijb", G, G))
    estimates = width * np.array([batch.var(axis=2, ddof=1) for batch in units])
    mean, error = estimates.mean(axis=0), estimates.std(axis=0, ddof=1) / sqrt(batches)
    variance = variance_function(network(name, parametrization=parametrization), width)(X)
    expected = variance[[0, 0, 1], [0, 1, 1]]
    measured, errors = mean[[0, 0, 1], [0, 1, 1]], error[[0, 0, 1], [0, 1, 1]]
    # 42 intervals of 5 standard errors, with 39 degrees of freedom: a false alarm in 5e-4 of the seeds.
    assert np.all(np.abs(measured - expected) < 5 * errors)
    # What this can see: a variance that is wrong by half of itself, the tails being heavy.
    assert np.all(5 * errors < 0.5 * expected)


@pytest.mark.parametrize(("name", "limit"), [("relu", 5), ("reglu", 17)])
def test_relative_variances_on_the_diagonal_at_large_width(name: str, limit: int) -> None:
    # E phi^4 / (E phi^2)^2 - 1 = 6 - 1; a gate multiplies the fourth moment by 3: 18 - 1.
    result, variance = derived(name, "standard")
    relative = sp.cancel(variance.diagonal / result.kernel.diagonal**2 * m)
    assert sp.limit(relative, m, sp.oo) == limit


@pytest.mark.parametrize("name", NETWORKS)
def test_variances_are_not_negative(name: str) -> None:
    _, variance = derived(name, "standard")
    for width in (1, 5, 1000):
        closed = sp.lambdify((r_i, r_j, rho), variance.off_diagonal.subs({m: width, d: 3}), "math")
        for correlation in (-1.0, -0.99, 0.0, 0.5, 1.0):
            # At antipodal points a ReLU network's variance is 0 up to rounding of K_ii K_jj.
            assert closed(1.0, 2.0, correlation) > -1e-13 * closed(1.0, 2.0, 1.0)
