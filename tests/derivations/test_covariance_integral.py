"""Integration in the covariance: each antiderivative against quadrature and against its own derivative."""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy as sp

from derivations.covariance_integral import integrate_from_zero
from derivations.gaussian import origin_density
from derivations.symbols import c, s_1, s_2

D = s_1**2 * s_2**2 - c**2
ARC = sp.asin(c / (s_1 * s_2))
FIRST, SECOND = sp.Rational(7, 10), sp.Rational(19, 10)
CLASS = (
    *(c**i for i in range(5)),
    *(c**i * ARC for i in range(5)),
    *(c**i * D ** sp.Rational(j, 2) for i in range(4) for j in (-5, -3, -1, 1, 3)),
    *(origin_density(i, j) for i, j in ((0, 0), (1, 1), (2, 0), (2, 2), (3, 1))),
    3 * ARC * c - sp.pi * s_1 * sp.sqrt(D) + s_2**2 / 4,
    sp.expand((1 + c) * D) * sp.sqrt(D),
    D**2 * c,
)


@pytest.mark.parametrize("member", CLASS, ids=str)
def test_an_integral_is_that_of_quadrature_and_its_derivative_the_integrand(member: sp.Expr) -> None:
    integral = integrate_from_zero(member)
    assert integral.subs(c, 0) == 0
    values = {s_1: FIRST, s_2: SECOND}
    with mp.workdps(40):
        integrand = sp.lambdify(c, member.subs(values), "mpmath")
        closed = sp.lambdify(c, integral.subs(values), "mpmath")
        # Up to 0.99 of the largest covariance, on either side.
        for end in (mp.mpf("0.6"), mp.mpf("-1.31")):
            numerical = mp.quad(integrand, mp.linspace(0, end, 7))
            assert abs(closed(end) - numerical) < mp.mpf("1e-24") * (1 + abs(numerical))
            assert abs(mp.diff(closed, end) - integrand(end)) < mp.mpf("1e-15") * (1 + abs(integrand(end)))


@pytest.mark.parametrize(
    "other", [sp.exp(c), ARC**2, 1 / c, 1 / D, ARC * sp.sqrt(D), sp.sqrt(1 + c), 1 / (1 + c)], ids=str
)
def test_what_is_not_in_the_class_is_refused(other: sp.Expr) -> None:
    with pytest.raises(ValueError, match=r"^not in the class that integrates in the covariance: "):
        integrate_from_zero(other)
