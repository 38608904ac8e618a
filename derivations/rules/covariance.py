"""Expectations of the activation as functions of the covariance: Price's ladder up and down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
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
    """Drop z^n times the k-th derivative of delta(z), which is zero for n > k, from an expanded expression."""

    def survives(term: sp.Expr) -> bool:
        powers = term.as_powers_dict()
        return not any(
            powers.get(e.args[0], 0) > (e.args[1] if len(e.args) > 1 else 0)
            for e in term.atoms(sp.DiracDelta)
        )

    return sp.Add(*(term for term in sp.Add.make_args(sp.expand(expression)) if survives(term)))


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
    determinant = s_1**2 * s_2**2 - c**2
    exponent = -(s_2**2 * u_1**2 - 2 * c * u_1 * u_2 + s_1**2 * u_2**2) / (2 * determinant)
    density = sp.exp(exponent) / (2 * sp.pi * sp.sqrt(determinant))
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(lhs.args[0])):
        if term == 0:
            continue
        coefficient, diracs = term.as_independent(sp.DiracDelta)
        deltas = sp.Mul.make_args(diracs)
        # One of each variable, and nothing else that is random, or the origin is not where the mass is.
        if {delta.args[0] for delta in deltas} != {u_1, u_2} or len(deltas) != 2 or coefficient.free_symbols:
            return False
        derivative = density
        for dirac in deltas:
            order = int(dirac.args[1]) if len(dirac.args) > 1 else 0
            derivative = (-1) ** order * derivative.diff(dirac.args[0], order)
        total += coefficient * derivative.subs({u_1: 0, u_2: 0})
    return vanishes(total - rhs)


def _uncorrelated(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """At c = 0 the expectation factorises into half-line moments 2^(n/2-1) Gamma((n+1)/2) s^n / sqrt(pi).

    A Dirac term's is a derivative of the one-dimensional density at 0.
    """
    if lhs.func != Expectation or lhs.args[1] != 0:
        return False

    def moment(factor: sp.Expr, u: sp.Symbol, s: sp.Expr) -> sp.Expr:
        powers = factor.as_powers_dict()
        power, step = int(powers.pop(u, 0)), powers.pop(sp.Heaviside(u), 0)
        if not powers or factor == 1:
            half = (
                sp.Rational(2) ** sp.Rational(power - 2, 2) * sp.gamma(sp.Rational(power + 1, 2)) * s**power
            )
            return half / sp.sqrt(sp.pi) * (1 if step else 1 + (-1) ** power)
        order = int(factor.args[1]) if len(factor.args) > 1 else 0
        if sp.DiracDelta(u, order) != factor:
            raise ValueError(f"no moment is known of {factor}")
        density = sp.exp(-(u**2) / (2 * s**2)) / (sp.sqrt(2 * sp.pi) * s)
        return (-1) ** order * density.diff(u, order).subs(u, 0)

    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(lhs.args[0])):
        coefficient, first = term.as_independent(u_1)
        coefficient, second = coefficient.as_independent(u_2)
        total += coefficient * moment(first, u_1, s_1) * moment(second, u_2, s_2)
    return vanishes(total - rhs)


def _integration(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The right side has the derivative in c that an earlier step gives, and the value at 0 of another."""
    known = {step.lhs: step.rhs for step in earlier}
    derivative, at_zero = sp.Derivative(lhs, c), lhs.subs(c, 0)
    if derivative not in known or at_zero not in known:
        return False
    slope = known.get(known[derivative], known[derivative])
    return vanishes(rhs.diff(c) - slope) and vanishes(rhs.subs(c, 0) - known[at_zero])


RULES: dict[str, Rule] = {
    "activation": Rule("the activation and its derivative are put in", "definition of phi", _activation),
    "Price": Rule("d/dc E[f(u_1) g(u_2)] = E[f'(u_1) g'(u_2)]", "Price 1958", _price),
    "origin density": Rule(
        "Dirac terms sample the Gaussian density and its derivatives at the origin",
        "definition of the Dirac distribution; bivariate normal density",
        _origin_density,
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
