"""The expansion in the cosine against numerical derivatives and Hermite coefficients by quadrature."""

from __future__ import annotations

from functools import cache

import mpmath as mp
import pytest
import sympy as sp

from derivations import InputError, KernelDerivation, derive, network
from derivations.expansion import hermite_coefficient
from derivations.symbols import d, m, r_i, r_j, rho

NETWORKS = (
    "relu",
    "leaky_relu",
    "abs",
    "relu2",
    "relu3",
    "identity",
    "reglu",
    "bilinear",
    "gqu",
    "max(0, z) + z*z",
)
ORDER = 12
WIDTH, DIMENSION = 48, 7
VALUES = {m: sp.Integer(WIDTH), d: sp.Integer(DIMENSION)}
ACTIVATION = {"reglu": "relu", "gqu": "relu", "bilinear": "identity"}
PHI = {
    "relu": lambda u: max(u, mp.mpf(0)),
    "leaky_relu": lambda u: max(u, u / 100),
    "abs": abs,
    "relu2": lambda u: max(u, mp.mpf(0)) ** 2,
    "relu3": lambda u: max(u, mp.mpf(0)) ** 3,
    "identity": lambda u: u,
    "max(0, z) + z*z": lambda u: max(u, mp.mpf(0)) + u * u,
}


@cache
def derived(name: str) -> KernelDerivation:
    described = network(expression=name) if "z" in name else network(name)
    return derive(described, order=ORDER)


@cache
def hermite(name: str) -> list[mp.mpf]:
    """E[phi(z) He_k(z)] / sqrt(k!), by quadrature to 30 digits."""
    with mp.workdps(36):

        def coefficient(k: int) -> mp.mpf:
            he = [mp.mpf(factor) for factor in sp.Poly(_he(k), sp.Symbol("z")).all_coeffs()]
            integral = mp.quad(
                lambda u: PHI[name](u) * mp.polyval(he, u) * mp.npdf(u),
                [-17, -8, -3, 0, 3, 8, 17],
                maxdegree=8,
            )
            return integral / mp.sqrt(mp.factorial(k))

        return [coefficient(k) for k in range(ORDER + 1)]


def _he(k: int) -> sp.Expr:
    """Probabilists' Hermite polynomials by their recurrence."""
    z = sp.Symbol("z")
    before, now = sp.S.Zero, sp.S.One
    for n in range(k):
        before, now = now, sp.expand(z * now - n * before)
    return now


def on_the_sphere(name: str) -> sp.Expr:
    radius = sp.sqrt(DIMENSION)
    return derived(name).kernel.off_diagonal.subs(VALUES).subs({r_i: radius, r_j: radius})


def precise(expression: sp.Expr) -> mp.mpf:
    return mp.mpf(sp.N(expression.subs(VALUES), 50))


@pytest.mark.parametrize("name", NETWORKS)
def test_coefficients_are_the_derivatives_of_the_closed_form(name: str) -> None:
    closed = sp.lambdify(rho, on_the_sphere(name), "mpmath")
    with mp.workdps(60):
        # 12th differences with mpmath's step lose some 10 of 60 digits more than it works with.
        numerical = mp.taylor(closed, 0, ORDER)
        for value, exact in zip(numerical, derived(name).expansion.coefficients, strict=True):
            assert abs(value - precise(exact)) < mp.mpf("1e-40")


@pytest.mark.parametrize("name", NETWORKS)
def test_coefficients_follow_from_hermite_coefficients_by_the_shift_law(name: str) -> None:
    gates = derived(name).network.gates
    for j, exact in enumerate(derived(name).expansion.coefficients):
        with mp.workdps(50):
            a = hermite(ACTIVATION.get(name, name))[j - gates] if j >= gates else mp.mpf(0)
            assert abs((WIDTH + j * DIMENSION) * a**2 - precise(exact)) < mp.mpf("1e-25")


@pytest.mark.parametrize("name", PHI)
def test_hermite_coefficients_are_those_of_quadrature(name: str) -> None:
    phi = derived(name).network.activation.normal_form
    for k, numerical in enumerate(hermite(name)):
        with mp.workdps(50):
            assert abs(numerical - mp.mpf(sp.N(hermite_coefficient(phi, k), 50))) < mp.mpf("1e-28")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_remainder_bounds_and_is_attained_at_one(name: str) -> None:
    expansion = derived(name).expansion
    assert expansion.order == ORDER
    closed = sp.lambdify(rho, on_the_sphere(name), "mpmath")
    with mp.workdps(60):
        polynomial = [precise(value) for value in reversed(expansion.coefficients)]
        bound = precise(expansion.remainder)
        assert bound >= 0
        grid = [mp.mpf(n) / 20 for n in range(-20, 21) if n] + [mp.mpf("0.999999"), mp.mpf("-0.999999")]
        for t in grid:
            gap = abs(mp.re(closed(t)) - mp.polyval(polynomial, t))
            # The exact numbers were rounded to 50 digits.
            assert gap <= bound * abs(t) ** (ORDER + 1) + mp.mpf("1e-40")
        gap = mp.re(closed(mp.mpf(1))) - mp.polyval(polynomial, 1)
        assert abs(gap - bound) < mp.mpf("1e-40")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_simplified_matrix_keeps_the_diagonal_and_the_leading_terms(name: str) -> None:
    result = derived(name)
    g = result.network.gates
    alpha, beta, gamma = (getattr(result.coefficients, symbol) for symbol in ("alpha", "beta", "gamma"))
    diagonal = result.kernel.diagonal.subs(r_i, sp.sqrt(d))
    assert sp.expand((alpha + beta + gamma) * d ** (g + 1) - diagonal) == 0
    if result.network.activation.homogeneity == 1:
        assert sp.expand((alpha + beta + gamma) * r_i ** (2 * g + 2) - result.kernel.diagonal) == 0
    assert sp.expand(beta * d ** (g + 1) - result.expansion.coefficients[g]) == 0
    assert sp.expand(alpha * d ** (g + 1) - result.expansion.coefficients[g + 1]) == 0
    assert all(value == 0 for value in result.expansion.coefficients[:g])


@pytest.mark.parametrize(
    ("name", "order", "least"),
    [
        ("relu", 0, 1),
        ("relu", -1, 1),
        ("reglu", 1, 2),
        ("gqu", 2, 3),
        ("relu", 201, 1),
        ("relu", True, 1),
        ("relu", 8.0, 1),
        ("relu", "8", 1),
    ],
)
def test_an_order_out_of_range_is_refused(name: str, order: int, least: int) -> None:
    with pytest.raises(InputError) as caught:
        derive(network(name), order=order)
    line = f"order must be a whole number from {least} (gates + 1) to 200, got {order!r}"
    assert str(caught.value) == line


def test_the_smallest_order_suffices_for_the_coefficients() -> None:
    for name, order in (("relu", 1), ("reglu", 2), ("gqu", 3)):
        assert derive(network(name), order=order).coefficients == derived(name).coefficients


@pytest.mark.parametrize("gates", [0, 1])
@pytest.mark.parametrize("k", [2, 3])
def test_a_hermite_polynomial_has_a_kernel_of_a_single_degree(k: int, gates: int) -> None:
    # The shift law with a_k = 1 alone: (m + (k + g) d) rho^(k + g).
    coefficients = derive(network(f"hermite{k}", gates=gates)).expansion.coefficients
    for degree, value in enumerate(coefficients):
        assert sp.expand(value - (m + degree * d) * int(degree == k + gates)) == 0
