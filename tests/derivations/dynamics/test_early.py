"""Expected traces over Gaussian rows by two other ways, and the region in which the plain network is ahead early."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad

from derivations import KernelFunction, SeriesKernel, derive, kernel_function
from derivations.dynamics import (
    early_loss,
    early_stage,
    exact_smallest_rows,
    expected_trace,
    expected_trace_with_outputs,
    trace_polynomial,
)
from derivations.dynamics.exact_region import exact_squares
from derivations.errors import InputError
from derivations.learning_symbols import eta
from derivations.networks import network
from derivations.symbols import alpha, beta, d, gamma, k, m, n

NETWORKS = ("relu", "reglu")


def moment(form: sp.Expr, variables: list[sp.Symbol]) -> sp.Expr:
    """E of a polynomial in independent normals: products of double factorials."""
    return sp.Add(
        *(
            factor * prod(sp.factorial2(p - 1) if p % 2 == 0 else 0 for p in powers)
            for powers, factor in sp.Poly(sp.expand(form), *variables).terms()
        )
    )


@pytest.mark.parametrize(
    ("gates", "power", "size"), [*product(range(3), (1, 2), (1, 2)), (0, 3, 2), (1, 3, 1)]
)
def test_the_trace_is_the_sum_over_coordinates(gates: int, power: int, size: int):
    # Three rows, every product of entries by moments of single coordinates; terms odd in a row have mean 0.
    rows = [[sp.Symbol(f"x{i}_{c}") for c in range(size)] for i in range(min(power, 3))]
    variables = [entry for row in rows for entry in row]
    count = len(rows)

    def dot(i: int, j: int) -> sp.Expr:
        return sp.Add(*(a * b for a, b in zip(rows[i], rows[j], strict=True)))

    total = sp.S.Zero
    for indices in product(range(count), repeat=power):
        pairs = [(indices[t], indices[(t + 1) % power]) for t in range(power)]
        if all(i == j for i, j in pairs):
            total += moment(((alpha + beta + gamma) * dot(*pairs[0]) ** (gates + 1)) ** power, variables)
            continue
        off = [(i, j) for i, j in pairs if i != j]
        on = sp.Mul(*((alpha + beta + gamma) * dot(i, i) ** (gates + 1) for i, j in pairs if i == j))
        for choice in ("alpha", "beta"):
            degree = gates + (choice == "alpha")
            entries = sp.Mul(*(dot(i, j) ** degree for i, j in off))
            if choice == "beta":  # every row is in two factors: its norm comes squared
                touched = [i for pair in off for i in pair]
                entries *= sp.Mul(*(dot(i, i) ** (touched.count(i) // 2) for i in set(touched)))
            total += (alpha if choice == "alpha" else beta) ** len(off) * moment(on * entries, variables)
    assert sp.expand(trace_polynomial(gates, power).subs({n: count, d: size}) - total) == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_the_traces_are_those_of_drawn_matrices(name: str):
    # 5 standard errors of 4000 draws: wrong by chance once in 2 million; the wrong factor n - 1 -> n is 30 of them.
    rows, size, width, gates = 8, 6, 5, network(name).gates
    found = derive(name).coefficients
    a, b, c = (float(value.subs({d: size, m: width})) for value in (found.alpha, found.beta, found.gamma))
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4000, rows, size))
    G = X @ X.transpose(0, 2, 1)
    p = np.einsum("kii->ki", G)
    K = a * G ** (gates + 1) + b * np.sqrt(p[:, :, None] * p[:, None, :]) * G**gates
    K[:, range(rows), range(rows)] += c * p ** (gates + 1)
    power = K
    for exponent in (1, 2, 3):
        draws = np.einsum("kii->k", power)
        expected = float(expected_trace(name, exponent).subs({n: rows, d: size, m: width}))
        assert abs(draws.mean() - expected) < 5 * draws.std() / np.sqrt(len(draws))
        power = power @ K


def test_the_known_difference_of_the_traces():
    assert sp.expand(early_stage("kernel").start + n * (d**2 + 4 * d + 2 * m) / (2 * d)) == 0
    assert sp.expand(early_stage("nngp").start + n / d) == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_the_outputs_covariance_is_the_slope_in_the_width(name: str):
    # K = m Phi + Psi: Tr K C_0 by the bilinear form of traces of two widths.
    squares = expected_trace(name, 2)
    polarised = (squares.subs(m, m + 1) - squares.subs(m, m - 1)) / 4
    assert sp.expand(polarised - expected_trace_with_outputs(name, 1)) == 0


@pytest.mark.parametrize("initial", ["kernel", "nngp"])
def test_the_threshold_is_where_the_sign_changes(initial: str):
    stage = early_stage(initial)  # type: ignore[arg-type]
    for size, width in ((5, 1000), (10, 100), (50, 10), (4, 200)):
        least = stage.smallest_rows(size, width)
        assert least is not None
        slope = (
            expected_trace("relu", 2) - expected_trace("reglu", 2)
            if initial == "kernel"
            else expected_trace_with_outputs("relu", 1) - expected_trace_with_outputs("reglu", 1)
        )
        at = [float(slope.subs({n: rows, d: size, m: width})) for rows in (least - 1, least, 10 * least)]
        assert at[0] < 0 <= at[1] < at[2]


def test_five_dimensions_and_three_hundred_rows_are_neither_needed_nor_enough():
    stage = early_stage("kernel")
    # Not needed: four dimensions, 166 rows are enough for wide networks.
    assert stage.smallest_rows(4, None) == 166
    assert stage.smallest_rows(3, None) is None
    assert stage.smallest_rows(5, None) == 61
    # Not enough: narrow networks, at every dimension that was stated.
    assert stage.smallest_rows(5, 10) is None
    for size in (5, 10, 20, 50, 100, 1000):
        least = stage.smallest_rows(size, 1)
        assert least is None or least > 300


def test_the_exact_kernels_squares_are_those_of_drawn_rows():
    size, width, count = 20, 7, 3000
    X = np.random.default_rng(1).standard_normal((count, size))
    off = ~np.eye(count, dtype=bool)
    for name in NETWORKS:
        K = kernel_function(name, width=width)(X)
        on, pairs = (part @ [width**2, width, 1] for part in exact_squares(name, size))
        of_rows = (K.diagonal() ** 2, (K**2).sum(axis=1, where=off) / (count - 1))
        # Five standard errors; a mean over pairs has twice that of the rows' means (Hoeffding).
        for said, values, factor in zip((on, pairs), of_rows, (1, 2), strict=True):
            assert abs(said - values.mean()) < 5 * factor * values.std() / np.sqrt(count)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [3, 20])
def test_the_exact_kernels_squares_are_integrals_over_the_angle(name: str, size: int):
    # K = (r_i r_j)^h f(rho): chi moments times an integral of f^2 over the density of the cosine of two directions.
    h = network(name).gates + 1
    moment_of_norm = prod(size + 2 * i for i in range(h))
    half = (size - 3) / 2
    # Each of the coefficients of m^2, m and 1 has a share of a fifth or more at one of these widths.
    for width in (1, size, 4 * size):
        K = kernel_function(name, width=width)

        def entry(rho: float, K: KernelFunction | SeriesKernel = K) -> float:
            # Rows of unit length in the dimension of which the kernel's variances are.
            X = np.zeros((2, size))
            X[0, 0], X[1, :2] = 1, (rho, np.sqrt(1 - rho**2))
            return float(K(X)[0, 1])

        above, below = (
            quad(lambda rho, g=g: g(rho) * (1 - rho**2) ** half, -1, 1, epsabs=0, epsrel=1e-11)[0]
            for g in (lambda rho: entry(rho) ** 2, lambda _: 1.0)
        )
        said = float(exact_squares(name, size)[1] @ [width**2, width, 1])
        assert said == pytest.approx(moment_of_norm**2 * above / below, rel=1e-9)


def test_the_exact_diagonal_is_the_simplified_one():
    stage = early_stage("kernel")
    for size in (3, 10):
        one, other = (exact_squares(name, size)[0] for name in NETWORKS)
        for width in (1, 50):
            expected = float(stage.diagonal.subs({d: size, m: width}))
            assert (one - other) @ [width**2, width, 1] == pytest.approx(expected, rel=1e-12)


def test_the_exact_region_is_near_the_simplified_one_and_not_it():
    found = [exact_smallest_rows(size, None) for size in (3, 4, 5, 10, 100)]
    assert found == [None, 194, 59, 15, 3]


def test_the_early_loss_is_a_second_order_expansion():
    # One row: the trace is a number with a known power law, and all orders are binomials.
    loss = early_loss("relu", "kernel", variance=0).subs(k, 1)
    traces = [expected_trace("relu", power) for power in (1, 2, 3)]
    assert sp.expand(loss - (traces[0] - 2 * eta * traces[1] + eta**2 * traces[2]) / 2) == 0
    labels = early_loss("relu", "zero", variance=3).subs(k, 2)
    expected = n - 4 * eta * traces[0] + 6 * eta**2 * traces[1]
    assert sp.expand(labels - sp.Rational(3, 2) * expected) == 0


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: trace_polynomial(3, 1), "gates must be"),
        (lambda: trace_polynomial(0, 4), "power must be"),
        (lambda: expected_trace("gelu", 1), "homogeneous of degree 1"),
        (lambda: early_stage("zero"), "initial must be"),  # type: ignore[arg-type]
        (lambda: exact_smallest_rows(5, 10, "zero"), "initial must be"),  # type: ignore[arg-type]
        (lambda: early_stage().smallest_rows(0, 1), "d must be"),
    ],
)
def test_other_arguments_are_refused(call, line: str):
    with pytest.raises(InputError, match=line):
        call()
