"""Gaussian moments against sums over pairings, quadrature and numerical derivatives, to 30 digits."""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy as sp

from derivations.activations import parse
from derivations.gaussian import expectation, isserlis, origin_density
from derivations.normal_form import Atom, NormalForm, from_expression
from derivations.symbols import c, s_1, s_2

P, Q, C = sp.symbols("p q c")


def pairings(items: tuple[int, ...]) -> list[list[tuple[int, int]]]:
    """All ways to split an even number of items into pairs."""
    if not items:
        return [[]]
    first, *rest = items
    return [
        [(first, other), *more]
        for n, other in enumerate(rest)
        for more in pairings((*rest[:n], *rest[n + 1 :]))
    ]


@pytest.mark.parametrize(("i", "j"), [(i, j) for i in range(7) for j in range(7) if i + j <= 8])
def test_a_moment_is_the_sum_over_all_pairings(i: int, j: int) -> None:
    covariances = {(0, 0): P, (1, 1): Q, (0, 1): C}
    which = (0,) * i + (1,) * j
    every = pairings(which) if (i + j) % 2 == 0 else []
    brute = sp.Add(*(sp.Mul(*(covariances[min(pair), max(pair)] for pair in pairing)) for pairing in every))
    assert sp.expand(isserlis(i, j, P, Q, C) - brute) == 0


EXPRESSIONS = (
    "z**4 - z + 2",
    "max(0, z)",
    "max(0, z)**3 - abs(z)",
    "step(z)",
    "max(z/100, z)",
    "max(0, z) + z**2",
    "pi*abs(z)**5 + 3",
    "sign(z)*z**4",
)


@pytest.mark.parametrize("text", EXPRESSIONS)
@pytest.mark.parametrize("deviation", [sp.Rational(1, 7), sp.Integer(3)])
def test_expectations_are_those_of_quadrature(text: str, deviation: sp.Rational) -> None:
    form = from_expression(parse(text))
    names = {"max": max, "abs": abs, "pi": mp.pi, "step": lambda u: mp.mpf(u > 0), "sign": mp.sign}
    with mp.workdps(40):
        s = mp.mpf(deviation.p) / deviation.q

        def integrand(u: mp.mpf) -> mp.mpf:
            return eval(text, {"__builtins__": {}}, {"z": s * u, **names}) * mp.npdf(u)

        # Beyond 14 deviations the integrands are below 1e-37.
        numerical = mp.quad(integrand, [-14, -6, -2, 0, 2, 6, 14])
        assert abs(numerical - mp.mpf(sp.N(expectation(form, deviation), 40))) < mp.mpf("1e-30") * (
            1 + abs(numerical)
        )


@pytest.mark.parametrize("n", range(6))
def test_a_dirac_term_is_a_derivative_of_the_density(n: int) -> None:
    form = NormalForm({Atom("dirac", n): sp.Integer(3)})
    with mp.workdps(40):
        s = mp.mpf(2) / 3
        numerical = 3 * (-1) ** n * mp.diff(lambda u: mp.npdf(u, 0, s), 0, n)
        assert abs(numerical - mp.mpf(sp.N(expectation(form, sp.Rational(2, 3)), 40))) < mp.mpf("1e-20")


@pytest.mark.parametrize(("i", "j"), [(i, j) for i in range(5) for j in range(5) if i + j <= 6])
@pytest.mark.parametrize("correlation", ["0.3", "-0.9"])
def test_the_origin_density_is_a_derivative_of_the_bivariate_density(
    i: int, j: int, correlation: str
) -> None:
    with mp.workdps(60):
        first, second = mp.mpf("0.7"), mp.mpf("1.9")
        covariance = mp.mpf(correlation) * first * second
        determinant = first**2 * second**2 - covariance**2

        def density(u: mp.mpf, v: mp.mpf) -> mp.mpf:
            form = (second**2 * u**2 - 2 * covariance * u * v + first**2 * v**2) / determinant
            return mp.exp(-form / 2) / (2 * mp.pi * mp.sqrt(determinant))

        numerical = (-1) ** (i + j) * mp.diff(density, (0, 0), (i, j))
        value = origin_density(i, j).subs({s_1: sp.Rational(7, 10), s_2: sp.Rational(19, 10)})
        closed = mp.mpf(sp.N(value.subs(c, sp.Rational(correlation) * sp.Rational(133, 100)), 50))
        # mp.diff works with steps of 10^(-60 / 2) or so and 60 extra digits.
        assert abs(numerical - closed) < mp.mpf("1e-20") * (1 + abs(closed))
