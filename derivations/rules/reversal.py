"""Kernels of ReLU networks at given rows, by integrals over the angle of a Gaussian pair, and orders of their eigenvalues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.late_symbols import ROW, SHARE, AtRows
from derivations.matrix_symbols import Kernel, Smallest
from derivations.rules.ordering import entry
from derivations.rules.rule import Rule, known
from derivations.symbols import Expectation, Phi, d, l, m, u_1, u_2, x, y

if TYPE_CHECKING:
    from derivations.derivation import Step

_DOT = sp.Sum(x[l] * y[l], (l, 1, d))
_ANGLE = sp.Symbol("t", real=True)


def _entry(gates: int, one: Sequence[sp.Expr], other: Sequence[sp.Expr]) -> sp.Expr:
    """The general kernel with its two expectations of ReLU: both units are on for angles from theta - pi/2 to pi/2.

    A Gaussian pair of radius R and angle t has E R^2 = 2 and preactivations |x| R cos t, |y| R cos(t - theta).
    """
    dimension = len(one)
    dot, (r, s) = (
        sum(a * b for a, b in zip(one, other, strict=True)),
        (sp.sqrt(sum(a**2 for a in row)) for row in (one, other)),
    )
    theta = sp.acos(dot / (r * s))
    arc = (_ANGLE, theta - sp.pi / 2, sp.pi / 2)
    both = 2 * r * s / dimension * sp.integrate(sp.cos(_ANGLE) * sp.cos(_ANGLE - theta), arc)
    values = {
        Expectation(Phi(0, u_1) * Phi(0, u_2)): both / (2 * sp.pi),
        Expectation(Phi(1, u_1) * Phi(1, u_2)): sp.integrate(sp.S.One, arc) / (2 * sp.pi),
        _DOT: dot,
    }
    return sp.expand_trig(entry(gates).xreplace(values).subs(d, dimension))


def _one_row(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Its preactivation is N(0, |x|^2/d): half a Gaussian integral."""
    if not isinstance(lhs, AtRows) or lhs.args[1] != ROW or lhs.args[0] != Kernel(lhs.args[0].args[0], m):
        return False
    u = sp.Symbol("u", real=True)
    density = sp.exp(-(u**2) / (2 * SHARE)) / sp.sqrt(2 * sp.pi * SHARE)
    squares = [sp.integrate(u**power * density, (u, 0, sp.oo)) for power in (2, 0)]
    values = {Expectation(Phi(i, u_1) * Phi(i, u_2)): square for i, square in enumerate(squares)}
    return vanishes(entry(int(lhs.args[0].args[0])).xreplace(values | {_DOT: SHARE * d}) - rhs)


def _reversed_where(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The difference is a positive factor times that of the sides."""
    if not isinstance(lhs, sp.Lt) or not isinstance(rhs, sp.Lt) or not isinstance(lhs.lhs, AtRows):
        return False
    if lhs.lhs.args[0].args[0] == 0 or lhs.rhs != AtRows(Kernel(0, m), lhs.lhs.args[1]):
        return False
    gated, plain = (known(side, earlier) for side in lhs.args)
    return bool(sp.cancel((plain - gated) / (rhs.rhs - rhs.lhs)).factor().is_positive)


def _given_rows(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    if not isinstance(lhs, AtRows) or lhs.args[0] != Kernel(lhs.args[0].args[0], m):
        return False
    rows, gates = lhs.args[1], int(lhs.args[0].args[0])
    return rhs.shape == (len(rows), len(rows)) and all(
        vanishes(sp.expand(_entry(gates, one, other) - rhs[i, j]))
        for i, one in enumerate(rows)
        for j, other in enumerate(rows)
    )


def _least_entry(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    if not isinstance(lhs, Smallest):
        return False
    matrix = known(lhs.args[0], earlier)
    entries = list(matrix.diagonal())
    return matrix.is_diagonal() and rhs in entries and all(sp.expand(e - rhs).is_nonnegative for e in entries)


def _minors(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """All leading minors of K - t I, as polynomials in m with positive coefficients."""
    if rhs != sp.true or not isinstance(lhs, sp.Gt) or not isinstance(lhs.lhs, Smallest):
        return False
    matrix = known(lhs.lhs.args[0], earlier)
    shifted = matrix - lhs.rhs * sp.eye(matrix.rows)
    minors = [sp.expand(shifted[:size, :size].det(method="berkowitz")) for size in range(1, matrix.rows + 1)]
    return all(all(c.is_positive for c in sp.Poly(minor, m).coeffs()) for minor in minors)


def _compared(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """a = t and b > t give a < b."""
    if rhs != sp.true or not isinstance(lhs, sp.Lt):
        return False
    held = {step.lhs for step in earlier if step.rhs == sp.true}
    return (lhs.rhs > known(lhs.lhs, earlier)) in held


RULES: dict[str, Rule] = {
    "kernel of one row": Rule(
        "m E[relu(u)^2] + |x|^2 E[relu'(u)^2], times the gates", "Gaussian integrals", _one_row
    ),
    "smaller where": Rule("the difference of both, factored", "algebra", _reversed_where),
    "kernel of given rows": Rule(
        "expectations of ReLU as integrals over an angle", "polar coordinates", _given_rows
    ),
    "diagonal matrix": Rule("its eigenvalues are its entries", "definition of eigenvalues", _least_entry),
    "leading minors": Rule(
        "K - t I is positive definite if they are positive", "Sylvester's criterion", _minors
    ),
    "compared": Rule("a = t, t < b: a < b", "transitivity", _compared),
}
