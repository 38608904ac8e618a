r"""Dual activations that end in one remaining integral: products of two steps or distribution functions.

Where \(f\) has terms \(z^n\,\theta(z)\Phi(sz)\) or \(z^n\,\Phi(sz)\Phi(tz)\), Price's ladder takes one factor off
each after N rungs,

\[ E[f g] = \sum_{j<N} E[f^{(j)}]\,E[g^{(j)}]\,\frac{c^j}{j!}
   + \int_0^c \frac{(c-t)^{N-1}}{(N-1)!}\, H(t)\,dt,\qquad H(t) = E_t[f^{(N)} g^{(N)}], \]

and what is left, at most one factor a side beside a Gaussian, has the elementary expectation H: a weight
\(e^{-a_1u_1^2/2-a_2u_2^2/2}\) turns the covariance matrix into that of another pair, for which the ladder closes. The
integral of H is not elementary; its integrand is smooth in u = arcsin(t / (s_1 s_2)).

Source: derived here.
"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from derivations.gaussian import expectation, isserlis, pair_expectation
from derivations.normal_form import Atom, NormalForm, NotInClass, not_in_class
from derivations.price import Level, price_ladder
from derivations.symbols import c, s_1, s_2

T = sp.Symbol("t", real=True)
"""The variable of the remaining integral, a covariance between 0 and c."""
_GAP = s_1**2 * s_2**2 - c**2


def dual_ladder(f: NormalForm, g: NormalForm) -> tuple[Level, ...]:
    """The ladder that closes, or the one that ends in a remaining integral.

    Raises
    ------
    NotInClass
        As `remaining_ladder`.
    """
    try:
        return price_ladder(f, g)
    except NotInClass:
        return remaining_ladder(f, g)


def remaining_ladder(f: NormalForm, g: NormalForm) -> tuple[Level, ...]:
    """Levels 0, ..., N of the ladder: the last elementary, those before with the remaining integral.

    Raises
    ------
    NotInClass
        If a term has three factors, or two beside an exponential or a power of two distribution functions, or one
        beside a linear exponent.
    """
    if not (f and g):
        return (Level(f, g, None, sp.S.Zero),)
    if _is_elementary(f) and _is_elementary(g):
        return (Level(f, g, None, elementary_dual(f, g)),)
    for form in (f, g):
        for atom, _ in form:
            if atom.pieces and not _leaves_one_integral(atom):
                raise NotInClass(
                    "activation must be a polynomial in z on either side of 0 times erf, or times exp(-a z**2), or one of z "
                    "times erf**2, to leave one integral at most, got the term "
                    f"{sp.sstr(atom.expression(sp.Symbol('z')))}"
                )
    above = remaining_ladder(f.derivative(), g.derivative())
    at_zero = sp.factor(sp.expand(expectation(f, s_1))) * sp.factor(sp.expand(expectation(g, s_2)))
    values = [at_zero, *(level.at_zero for level in above[:-1])]
    polynomial = sp.Add(*(value * c**j / sp.factorial(j) for j, value in enumerate(values)))
    rung = len(values) - 1
    integrand = above[-1].closed.subs(c, T) * (c - T) ** rung / sp.factorial(rung)
    return (Level(f, g, at_zero, polynomial + sp.Integral(integrand, (T, 0, c))), *above)


def _leaves_one_integral(atom: Atom) -> bool:
    if atom.tilt != 0 or atom.pieces > 2:
        return False
    # Higher powers of z leave one, too, whose integrand takes minutes.
    return atom.pieces == 1 or (atom.rate == 0 and (atom.kind == "step" or atom.n < 2))


def _is_elementary(f: NormalForm) -> bool:
    return all(
        atom.kind == "dirac" or atom.is_smooth or (atom.pieces == 1 and atom.tilt == 0) for atom, _ in f
    )


def elementary_dual(f: NormalForm, g: NormalForm) -> sp.Expr:
    r"""\(E[f(u_1)g(u_2)]\) for terms with one step or distribution function at most, beside a Gaussian.

    Examples
    --------
    >>> from derivations.normal_form import from_expression
    >>> from derivations.symbols import z
    >>> bell = from_expression(sp.Heaviside(z) * sp.exp(-z**2/2))
    >>> elementary_dual(bell, bell).subs({s_1: 1, s_2: 1, c: 0})
    1/8
    """
    return sp.Add(
        *(
            first * second * part
            for one, first in f
            for other, second in g
            for part in sp.Add.make_args(_pair(one, other))
        )
    )


def _pair(one: Atom, other: Atom) -> sp.Expr:
    if not (one.pieces or other.pieces):
        return pair_expectation(NormalForm({one: sp.S.One}), NormalForm({other: sp.S.One}))
    if one.kind == "dirac":
        return _at_zero(one.n, other)
    if other.kind == "dirac":
        return _at_zero(other.n, one).subs({s_1: s_2, s_2: s_1}, simultaneous=True)
    if one.tilt != 0 or other.tilt != 0:
        raise not_in_class((one if one.tilt != 0 else other).expression(sp.Symbol("z")))
    plain = (NormalForm({replace(atom, rate=sp.S.Zero): sp.S.One}) for atom in (one, other))
    closed = price_ladder(*plain)[0].closed
    if one.rate == other.rate == 0:
        return closed
    arc = sp.Dummy("arc")
    closed = closed.subs(sp.asin(c / (s_1 * s_2)), arc)
    a, b, p, q = one.rate, other.rate, s_1**2, s_2**2
    gap, determinant = sp.symbols("gap determinant", positive=True)
    first, second = sp.symbols("first second", positive=True)
    # The tilted pair has covariance matrix [[first, c], [c, second]] / determinant and gap / determinant.
    tilted = closed.xreplace({_GAP: gap / determinant}).subs(
        {s_1: sp.sqrt(first / determinant), s_2: sp.sqrt(second / determinant), c: c / determinant},
        simultaneous=True,
    )
    values = {
        determinant: 1 + a * p + b * q + a * b * _GAP,
        first: p + b * _GAP,
        second: q + a * _GAP,
        gap: _GAP,
    }
    tilted = tilted.replace(
        lambda e: e.is_Pow and e.exp.is_Rational and e.exp.q == 2,
        lambda e: sp.Mul(
            *(
                part**power
                for part, power in zip(sp.fraction(sp.together(e.base)), (e.exp, -e.exp), strict=True)
            )
        ),
    )
    # Multiplied out, so that constants of several pairs cancel here and not in floating point.
    value = sp.expand(tilted / sp.sqrt(determinant)).subs(values)
    # By the arctangent of two arguments: the arcsine's would be rounded across 1.
    return value.subs(arc, sp.pi / 2 - sp.atan2(sp.sqrt(_GAP) * sp.sqrt(values[determinant]), c))


def _at_zero(order: int, other: Atom) -> sp.Expr:
    r"""\(E[\delta^{(n)}(u_1) g(u_2)] = (-1)^n \sum_k \binom nk\, p^{(n-k)}(0)\, (c/s_1^2)^k\, E[g^{(k)}(v)]\).

    p is the density of u_1, and u_2 given u_1 = u is c u / s_1^2 plus v of variance s_2^2 - c^2 / s_1^2.
    """
    if other.tilt != 0:
        raise not_in_class(other.expression(sp.Symbol("z")))
    form = NormalForm({other: sp.S.One})
    total = sp.S.Zero
    for k in range(order + 1):
        if (order - k) % 2 == 0:
            sign = sp.Integer(-1) ** ((order - k) // 2)
            density = sign * isserlis(order - k, 0, s_1**-2, 0, 0) / (sp.sqrt(2 * sp.pi) * s_1)
            total += (
                sp.binomial(order, k) * density * (c / s_1**2) ** k * expectation(form, sp.sqrt(_GAP) / s_1)
            )
        form = form.derivative()
    return sp.Integer(-1) ** order * total
