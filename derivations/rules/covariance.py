"""Expectations of the activation as functions of the covariance: Price's ladder up and down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.rules.gaussian_moments import density_at_origin, exponential_terms, gaussian_moment, moment
from derivations.rules.rule import Rule
from derivations.symbols import (
    Expectation,
    Phi,
    c,
    s_1,
    s_2,
    u_1,
    u_2,
    z,
)

if TYPE_CHECKING:
    from derivations.derivation import Step


def _activation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """phi and its distributional derivatives are those of the activation defined before."""
    phi = next(step.rhs for step in earlier if step.lhs == Phi(0, z))

    def derivative(order: sp.Expr, argument: sp.Expr) -> sp.Expr:
        value = phi
        for _ in range(int(order)):
            value = _without_vanishing_diracs(value.diff(z))
        return value.subs(z, argument)

    if lhs.func != Expectation or len(lhs.args) != 1 or rhs.func != Expectation:
        return False
    return rhs.args[1] == c and vanishes(lhs.args[0].replace(Phi, derivative) - rhs.args[0])


def _without_vanishing_diracs(expression: sp.Expr) -> sp.Expr:
    """Expanded, f(u) delta^(n)(u) as the sum of (-1)^k binom(n, k) f^(k)(0) delta^(n-k)(u)."""

    def sifted(term: sp.Expr) -> sp.Expr:
        for delta in term.atoms(sp.DiracDelta):
            u, order = delta.args[0], int(delta.args[1]) if len(delta.args) > 1 else 0
            constant, function = (term / delta).as_independent(u, as_Add=False)
            if function == 1:
                continue
            if function.has(sp.Heaviside, sp.DiracDelta):
                raise ValueError(f"no distribution is {term}")
            term = constant * sp.Add(
                *(
                    (-1) ** k * sp.binomial(order, k) * function.diff(u, k).subs(u, 0)
                    * (sp.DiracDelta(u, order - k) if order > k else sp.DiracDelta(u))
                    for k in range(order + 1)
                )
            )  # fmt: skip
            return sp.Add(*map(sifted, sp.Add.make_args(sp.expand(term))))
        return term

    return sp.Add(*map(sifted, sp.Add.make_args(sp.expand(expression))))


def _price(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """d/dc E[F(u_1, u_2)] = E[d^2 F / du_1 du_2]."""
    if lhs != sp.Derivative(lhs.expr, c) or lhs.expr.func != Expectation or rhs.func != Expectation:
        return False
    before = lhs.expr.args[0]
    after = _without_vanishing_diracs(before.diff(u_1)).diff(u_2)
    difference = _without_vanishing_diracs(after) - rhs.args[0]
    return lhs.expr.args[1] == c == rhs.args[1] and vanishes(_without_vanishing_diracs(difference))


def _origin_density(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Each delta^(i)(u_1) delta^(j)(u_2) is (-1)^(i+j) times the density's derivative at the origin."""
    if lhs.func != Expectation or lhs.args[1] != c:
        return False
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(lhs.args[0])):
        if term == 0:
            continue
        coefficient, diracs = term.as_independent(sp.DiracDelta)
        if coefficient.free_symbols:
            return False
        total += coefficient * density_at_origin(diracs)
    return vanishes(total - rhs)


def _uncorrelated(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """At c = 0 the expectation factorises into one-dimensional moments."""
    if lhs.func != Expectation or lhs.args[1] != 0:
        return False
    total = sp.S.Zero
    for term in sp.Add.make_args(exponential_terms(lhs.args[0])):
        coefficient, first = term.as_independent(u_1, as_Add=False)
        coefficient, second = coefficient.as_independent(u_2, as_Add=False)
        total += coefficient * moment(first, u_1, s_1) * moment(second, u_2, s_2)
    return vanishes(sp.expand(total) - rhs)


def _gaussian_integral(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Moments with exponential weights are derivatives of a generating function in the linear exponent.

    A Dirac term in one variable takes the derivative, at 0 of that variable, of its density times what is
    expected of the other one given it.
    """
    is_direct = not lhs.has(sp.erf, sp.Heaviside)
    return is_direct and lhs.args[1] == c and vanishes(sp.expand(gaussian_moment(lhs)) - rhs)


def _tilted_integral(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """By Stein's lemma and Sheppard's quadrants, compared at points to 45 digits: a normal form takes minutes."""
    if lhs.func != Expectation or lhs.args[1] != c or not lhs.has(sp.erf, sp.Heaviside):
        return False
    if (lhs.free_symbols | rhs.free_symbols) - {*_LAW, u_1, u_2}:
        return False
    expected = gaussian_moment(lhs)

    def equal(point: tuple[str, ...]) -> bool:
        at = dict(zip(_LAW, map(sp.Rational, point), strict=True))
        first, second = (sp.N(side.subs(at), 60) for side in (expected, rhs))
        return bool(abs(first - second) <= sp.Rational(1, 10**45) * (1 + abs(first)))

    return all(map(equal, _POINTS))


_LAW = (s_1, s_2, c)
_POINTS = (("1.3", "0.7", "0.61"), ("0.4", "1.9", "-0.3"), ("2.7", "2.3", "5.9"), ("0.9", "0.8", "-0.71"))
"""Deviations and covariances; the last decimals have no meaning."""


def _integration(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The right side has the derivative in c that an earlier step gives, and the value at 0 of another."""
    known = {step.lhs: step.rhs for step in earlier}
    derivative, at_zero = sp.Derivative(lhs, c), lhs.subs(c, 0)
    if derivative not in known or at_zero not in known:
        return False
    slope = known.get(known[derivative], known[derivative])
    difference = _merged(sp.expand(rhs.diff(c) - slope, deep=False))
    return vanishes(difference) and vanishes(rhs.subs(c, 0) - known[at_zero])


def _merged(expression: sp.Expr) -> sp.Expr:
    """Multiples of integrals over one range as one integral, which is left out if its integrand vanishes."""
    rest = sp.S.Zero
    integrands: dict[tuple[sp.Expr, ...], sp.Expr] = {}
    for term in sp.Add.make_args(expression):
        factor, integral = term.as_independent(sp.Integral, as_Add=False)
        if not isinstance(integral, sp.Integral) or factor.free_symbols & set(integral.variables):
            rest += term
            continue
        (limits,) = integral.limits
        number, function = (factor * integral.function).as_coeff_Mul()
        # The elementary part is free of c, and stays what it is.
        elementary, power = function.as_independent(c, as_Add=False)
        key = (*limits, elementary)
        integrands[key] = integrands.get(key, sp.S.Zero) + number * power
    return rest + sp.Add(
        *(
            sp.Integral(elementary * power, (t, start, end))
            for (t, start, end, elementary), power in integrands.items()
            if sp.expand(power) != 0
        )
    )


RULES: dict[str, Rule] = {
    "activation": Rule("the activation and its derivative are put in", "definition of phi", _activation),
    "Price": Rule("d/dc E[f(u_1) g(u_2)] = E[f'(u_1) g'(u_2)]", "Price 1958", _price),
    "origin density": Rule(
        "Dirac terms sample the Gaussian density and its derivatives at the origin",
        "definition of the Dirac distribution; bivariate normal density",
        _origin_density,
    ),
    "Gaussian integral": Rule(
        "polynomials times exponentials, and Dirac terms, under a Gaussian pair: complete the square",
        "moments of the normal distribution",
        _gaussian_integral,
    ),
    "tilted Gaussian integral": Rule(
        "a Gaussian factor beside a step or distribution function turns the pair's covariance into another",
        "Stein 1981 (lemma 1); Sheppard 1899; compared at points to 45 digits",
        _tilted_integral,
        "tested",
    ),
    "uncorrelated": Rule(
        "at c = 0 the pair is independent: a product of one-dimensional moments",
        "Stein 1981 (lemma 1)",
        _uncorrelated,
    ),
    "integration": Rule(
        "the derivative in c and the value at c = 0 determine the function",
        "fundamental theorem of calculus",
        _integration,
    ),
}
