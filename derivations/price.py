r"""Dual activations: \(E[f(u_1) g(u_2)]\) for a Gaussian pair, closed by Price's theorem.

Price: \(\frac{d}{dc} E_c[f(u_1)g(u_2)] = E_c[f'(u_1)g'(u_2)]\). Differentiate until no step and no distribution
function is left; that level is a Gaussian integral, or the density where Dirac terms are. Then integrate back in
the covariance, one level at a time; the constants are the values at c = 0, where the pair is independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from derivations.covariance_integral import integrate_from_zero
from derivations.gaussian import expectation, pair_expectation
from derivations.normal_form import NormalForm, not_in_class
from derivations.symbols import Expectation, c, s_1, s_2, u_1, u_2


@dataclass(frozen=True)
class Level:
    """One rung of the ladder: the pair of functions, its value at c = 0 and its closed form in c."""

    first: NormalForm
    second: NormalForm
    at_zero: sp.Expr | None
    closed: sp.Expr

    def expectation(self, covariance: sp.Expr = c) -> sp.Expr:
        """The expectation that this level closes, unevaluated."""
        return Expectation(self.first.expression(u_1) * self.second.expression(u_2), covariance)


def price_ladder(f: NormalForm, g: NormalForm) -> tuple[Level, ...]:
    r"""Levels 0, 1, ..., N of Price's ladder of \(E[f(u_1)g(u_2)]\), closed from the last to the first.

    Level k closes \(E[f^{(k)} g^{(k)}]\) as an expression in ``s_1``, ``s_2``, ``c``; the last one is a Gaussian
    integral (its ``at_zero`` is None) or is zero.

    Raises
    ------
    NotInClass
        If the ladder does not end, or a level has no integral in the class.

    Source: R. Price, IRE Trans. Inf. Theory 4 (1958) 69; the ladder is derived here.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> relu = activation("relu").normal_form
    >>> [level.closed for level in price_ladder(relu, relu)][1]
    asin(c/(s_1*s_2))/(2*pi) + 1/4
    """
    if not (f and g):
        return (Level(f, g, None, sp.S.Zero),)
    if f.is_direct and g.is_direct:
        return (Level(f, g, None, pair_expectation(f, g)),)
    _check_ends(f)
    _check_ends(g)
    above = price_ladder(f.derivative(), g.derivative())
    at_zero = expectation(f, s_1) * expectation(g, s_2)
    return (Level(f, g, at_zero, integrate_from_zero(above[0].closed, at_zero)), *above)


def _check_ends(f: NormalForm) -> None:
    """A step or distribution function goes away only if nothing but a polynomial stands beside it."""
    for atom, _ in f:
        pieces = len(atom.scales) + (atom.kind == "step")
        if atom.kind != "dirac" and pieces and (pieces > 1 or atom.rate != 0 or atom.tilt != 0):
            raise not_in_class(atom.expression(sp.Symbol("z")))


def dual(f: NormalForm, g: NormalForm) -> sp.Expr:
    r"""Closed form of \(E[f(u_1) g(u_2)]\) in ``s_1``, ``s_2`` and ``c``.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> dual(activation("identity").normal_form, activation("identity").normal_form)
    c
    """
    return price_ladder(f, g)[0].closed
