"""The equations of the spectrum against Marchenko and Pastur's law, Johnstone's scales, and random matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigvalsh_tridiagonal

from derivations import network
from derivations.spectrum import extremes, gegenbauer_expansion
from derivations.spectrum.coupled import Coupled
from derivations.spectrum.density import bulk_density, densities
from derivations.spectrum.extremes import coupled_extremes, homogeneous_extremes
from derivations.spectrum.features import coupled_parts
from derivations.spectrum.fixed_point import FixedPoint, fixed_point, outside
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import log_multiplicities
from derivations.spectrum.rows import EQUAL, RowWeights, gaussian_weights

SLOPE = 3.0


def linear(n: int, features: int, rows: RowWeights = EQUAL, rest: float = 0.0) -> FixedPoint:
    """Of the kernel SLOPE rho + rest 1(x = y) on a sphere with that many coordinates."""
    return FixedPoint(np.array([SLOPE]), np.array([SLOPE * n / features]), rest, rows)


@pytest.mark.parametrize(("n", "features"), [(100, 400), (400, 100), (1000, 1001), (10, 10**9), (10**9, 10)])
def test_edges_of_a_linear_kernel_are_those_of_marchenko_and_pastur(n: int, features: int):
    upper = linear(n, features).right_edge()
    # Eigenvalues of SLOPE / features Z Z^T, Z (n, features).
    assert upper.z == pytest.approx(SLOPE * (1 + np.sqrt(n / features)) ** 2, rel=1e-9)
    # Johnstone 2001, theorem 1.1, with n for its n - 1.
    scale = SLOPE / features * (np.sqrt(n) + np.sqrt(features)) * np.cbrt(n**-0.5 + features**-0.5)
    assert upper.scale * n ** (-2 / 3) == pytest.approx(scale, rel=1e-6)
    if features > n:
        lower = linear(n, features).left_edge()
        assert lower.z == pytest.approx(SLOPE * (1 - np.sqrt(n / features)) ** 2, rel=1e-9)
        scale = SLOPE / features * (np.sqrt(features) - np.sqrt(n)) * np.cbrt(n**-0.5 - features**-0.5)
        assert lower.scale * n ** (-2 / 3) == pytest.approx(scale, rel=1e-5)


def test_a_rest_shifts_the_spectrum():
    assert linear(100, 400, rest=2.0).left_edge().z == pytest.approx(linear(100, 400).left_edge().z + 2.0)


def test_a_common_weight_scales_the_spectrum():
    twice = RowWeights(np.array([2.0]), np.ones(1))
    for edge in ("left_edge", "right_edge"):
        one, two = (getattr(linear(100, 400, rows, rest=1.0), edge)() for rows in (EQUAL, twice))
        assert two.z == pytest.approx(2 * one.z, rel=1e-9)
        assert two.scale == pytest.approx(2 * one.scale, rel=1e-6)


def wishart(n: int, features: int, rows: RowWeights, seed: int) -> np.ndarray:
    """Eigenvalues of T^(1/2) (SLOPE / features Z Z^T) T^(1/2)."""
    t = np.repeat(rows.values, np.rint(n * rows.shares).astype(int))
    Z = np.sqrt(t)[:, None] * np.random.default_rng(seed).standard_normal((n, features))
    return np.linalg.eigvalsh(SLOPE / features * Z @ Z.T)


TWO_KINDS = RowWeights(np.array([1.0, 4.0]), np.array([0.5, 0.5]))


def test_extremes_of_unequal_rows_are_those_of_random_matrices():
    n, features, draws = 100, 400, 250
    values = np.array([wishart(n, features, TWO_KINDS, seed)[[0, -1]] for seed in range(draws)])
    equation = linear(n, features, TWO_KINDS)
    found = extremes.Extremes(n, equation.left_edge(), equation.right_edge(), None)
    # What follows Tracy and Widom's mean is of the order 1/n: measured -0.7/n and 0.4/n at most, n = 50 to 200.
    assert_mean(found.lambda_min, values[:, 0], 0.7 / n)
    assert_mean(found.lambda_max, values[:, 1], 0.4 / n)
    # Without its shift the lower edge is seen to be too low.
    assert found.lower is not None
    with pytest.raises(AssertionError):
        assert_mean(found.lower.z, values[:, 0], 0.7 / n)


def assert_mean(said: float, values: np.ndarray, bias: float) -> None:
    """Within a relative bias and four standard errors of the mean of draws."""
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    assert abs(said - mean) < bias * mean + 4 * error


def smallest_of_equal_rows(n: int, features: int, draws: int) -> np.ndarray:
    """As of `wishart`, from Dumitriu and Edelman's bidiagonal matrix: B B^T has the eigenvalues of Z Z^T."""
    rng, found = np.random.default_rng(0), []
    for _ in range(draws):
        diagonal, beside = rng.chisquare(features - np.arange(n)), rng.chisquare(n - np.arange(1, n))
        sums = diagonal + np.append(0.0, beside)
        off = np.sqrt(diagonal[:-1] * beside)
        found.append(eigvalsh_tridiagonal(sums, off, select="i", select_range=(0, 0))[0])
    return SLOPE / features * np.array(found)


def test_the_mean_and_the_spread_of_draws_are_those_of_tracy_and_widom():
    n, features, draws = 200, 800, 4000
    values = smallest_of_equal_rows(n, features, draws)
    found = extremes.Extremes(n, linear(n, features).left_edge(), linear(n, features).right_edge(), None)
    # Measured -0.45/n at n = 50 to 400.
    assert_mean(found.lambda_min, values, 0.5 / n)
    # A deviation of so many draws is known to 1 / sqrt(2 draws), and that of the law to the order n^(-2/3).
    assert np.std(values) / np.mean(values) == pytest.approx(
        found.fluctuation, rel=4 / np.sqrt(2 * draws) + n ** (-2 / 3)
    )


@pytest.mark.parametrize(("n", "features"), [(100, 400), (400, 100)])
def test_the_density_is_that_of_marchenko_and_pastur(n: int, features: int):
    ratio = n / features
    low, high = SLOPE * (1 - np.sqrt(ratio)) ** 2, SLOPE * (1 + np.sqrt(ratio)) ** 2
    x = np.linspace(low, high, 50)[1:-1]
    exact = np.sqrt((high - x) * (x - low)) / (2 * np.pi * SLOPE * ratio * x)
    np.testing.assert_allclose(densities(linear(n, features), x), exact, rtol=1e-5)
    found = bulk_density(linear(n, features), n, features)
    assert found.atom == pytest.approx(max(0.0, 1 - features / n))
    # Like a root at either end: of the outermost intervals, of at most 1/250 each, trapezia miss a quarter.
    assert found.mass == pytest.approx(1, abs=2 / 4 / 250)
    assert found.mean == pytest.approx(SLOPE, rel=2 / 4 / 250)


def test_the_density_of_unequal_rows_is_that_of_random_matrices():
    n, features = 1000, 2000
    found = bulk_density(linear(n, features, TWO_KINDS), n, features)
    values = wishart(n, features, TWO_KINDS, seed=0)
    # Eigenvalues of a random matrix are rigid: their counting function is within a few of n.
    assert np.max(np.abs(found.cumulative(values) - (np.arange(n) + 0.5) / n)) < 5 / n
    assert found.mean == pytest.approx(found.trace, rel=2 / 4 / 250)


def test_distances_outside_solve_their_equation():
    rng = np.random.default_rng(0)
    c, delta = rng.uniform(0.1, 3, 9), np.sort(rng.uniform(0, 5, (4, 9)), axis=1)
    delta -= delta[:, :1]
    size = 10.0 ** np.array([-9, -1, 1, 9])
    np.testing.assert_allclose(np.sum(c / outside(c, delta, size), axis=1), size, rtol=1e-12)


@pytest.mark.parametrize("name", ["relu", "reglu", "gqu"])
def test_coupled_equations_of_a_homogeneous_activation_are_the_single_one(name: str):
    n, d, width = 600, 60, 100
    chosen = network(name)
    expansion = gegenbauer_expansion(chosen, d, width, 30)
    single = homogeneous_extremes(expansion, n, gaussian_weights(n, d, 1 + chosen.gates))
    coupled = coupled_extremes(chosen, expansion, n, width, gaussian_weights(n, d, 1))
    assert single.lower is not None
    assert coupled.lower is not None
    for one, two in ((single.lower, coupled.lower), (single.upper, coupled.upper)):
        # The coupled edge is a maximum that is searched for: measured 8e-6, and of its curvature 0.9 %.
        assert two.z == pytest.approx(one.z, rel=1.6e-5)
        assert two.scale == pytest.approx(one.scale, rel=1.8e-2)
    assert coupled.lambda_max == pytest.approx(single.lambda_max, rel=1.6e-5)
    assert (coupled.outlier is None) == (single.outlier is None)


def test_coupled_solutions_fulfil_their_equations():
    n, d = 500, 50
    parts = coupled_parts(network("swiglu"), d, 100, 20, gaussian_weights(n, d, 1))
    equations: Coupled = parts.equations(n, without_constant=False)
    found = equations.solve(np.array([0.5, 0.7]))
    z, G = found.z[0], found.G[0]
    for j in (0, 20, len(G) - 1):
        b = equations.rest[j]
        for u, ratio in zip(equations.features, equations.ratios, strict=True):
            M = sum(w * g * np.outer(v, v) for w, g, v in zip(equations.shares, G, u, strict=True))
            b += u[j] @ np.linalg.inv(np.eye(u.shape[1]) + ratio * M) @ u[j]
        assert 1 / (b - z) == pytest.approx(G[j], rel=1e-7)


def test_features_reproduce_the_diagonal_of_every_row():
    rows = gaussian_weights(500, 30, 1)
    parts = coupled_parts(network("silu"), 30, 100, 30, rows)
    for j in (0, 30, -1):
        # The kernel of rows of this length is that of another activation on the sphere.
        r = float(np.sqrt(rows.values[j]))
        scaled = network(expression=f"{r!r}*z*sigmoid({r!r}*z)")
        exact = gegenbauer_expansion(scaled, 30, 100, 30)
        masses = np.sum(parts.features[:, j] ** 2, axis=1)
        np.testing.assert_allclose(masses, exact.masses, atol=1e-8 * exact.total)
        assert parts.diagonal[j] == pytest.approx(exact.total, rel=1e-10)


def test_degree_zero_is_left_out_where_asked():
    expansion = GegenbauerExpansion(10, np.array([5.0, 3.0]), log_multiplicities(10, 1), 0.0)
    assert len(fixed_point(expansion, 20, EQUAL, without_constant=True).tau) == 1
    found = homogeneous_extremes(expansion, 20, EQUAL)
    # The constant's eigenvalue n * 5, pushed up by the bulk: g_1 / (1 - tau_1 / tau_0).
    assert found.outlier == pytest.approx(100 + 3 / (1 - 6 / 100))


def planted_scale(monkeypatch):
    true = FixedPoint.curvature
    monkeypatch.setattr(FixedPoint, "curvature", lambda self, a: true(self, a) * 1.1)


def planted_slope(monkeypatch):
    true = FixedPoint.slope
    monkeypatch.setattr(FixedPoint, "slope", lambda self, a: true(self, a) * (1 + 1e-3))


@pytest.mark.parametrize("plant", [planted_scale, planted_slope])
def test_marchenko_and_pastur_see_a_planted_error(plant, monkeypatch):
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        test_edges_of_a_linear_kernel_are_those_of_marchenko_and_pastur(100, 400)


def test_random_matrices_see_the_wrong_side_of_tracy_and_widom(monkeypatch):
    monkeypatch.setattr(extremes, "TRACY_WIDOM_MEAN", -extremes.TRACY_WIDOM_MEAN)
    with pytest.raises(AssertionError):
        test_extremes_of_unequal_rows_are_those_of_random_matrices()
