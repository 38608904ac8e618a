r"""Dual activations: \(E[f(u_1) g(u_2)]\) for a Gaussian pair, closed by Price's theorem.

Price: \(\frac{d}{dc} E_c[f(u_1)g(u_2)] = E_c[f'(u_1)g'(u_2)]\). Differentiate until only Dirac terms (or nothing)
remain; that level is the Gaussian density at the origin. Then integrate back in the covariance, one level at
a time; the constants are the values at c = 0, where the pair is independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from derivations.covariance_integral import integrate_from_zero
from derivations.gaussian import expectation, origin_density
from derivations.piecewise import Piecewise
from derivations.symbols import Expectation, c, s_1, s_2, u_1, u_2


@dataclass(frozen=True)
class Level:
    """One rung of the ladder: the pair of functions, its value at c = 0 and its closed form in c."""

    first: Piecewise
    second: Piecewise
    at_zero: sp.Expr | None
    closed: sp.Expr

    def expectation(self, covariance: sp.Expr = c) -> sp.Expr:
        """The expectation that this level closes, unevaluated."""
        return Expectation(self.first.expression(u_1) * self.second.expression(u_2), covariance)


def price_ladder(f: Piecewise, g: Piecewise) -> tuple[Level, ...]:
    r"""Levels 0, 1, ..., N of Price's ladder of \(E[f(u_1)g(u_2)]\), closed from the last to the first.

    Level k closes \(E[f^{(k)} g^{(k)}]\) as an expression in ``s_1``, ``s_2``, ``c``; the last one holds Dirac terms
    only (its ``at_zero`` is None) or is zero.

    Source: R. Price, IRE Trans. Inf. Theory 4 (1958) 69; the ladder is derived here.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> relu = activation("relu").normal_form
    >>> [level.closed for level in price_ladder(relu, relu)][1]
    asin(c/(s_1*s_2))/(2*pi) + 1/4
    """
    # A homogeneous Dirac pair appears after at most degree + 1 differentiations of the higher degree.
    if not (f and g):
        return (Level(f, g, None, sp.S.Zero),)
    if f.degree < 0 and g.degree < 0:
        return (Level(f, g, None, _dirac_pair(f, g)),)
    above = price_ladder(f.derivative(), g.derivative())
    at_zero = expectation(f, s_1) * expectation(g, s_2)
    return (Level(f, g, at_zero, at_zero + integrate_from_zero(above[0].closed)), *above)


def dual(f: Piecewise, g: Piecewise) -> sp.Expr:
    r"""Closed form of \(E[f(u_1) g(u_2)]\) in ``s_1``, ``s_2`` and ``c``.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> dual(activation("identity").normal_form, activation("identity").normal_form)
    c
    """
    return price_ladder(f, g)[0].closed


def _dirac_pair(f: Piecewise, g: Piecewise) -> sp.Expr:
    return sp.Add(*(first * second * origin_density(i, j) for _, i, first in f for _, j, second in g))
