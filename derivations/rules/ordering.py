"""Inequalities between eigenvalues of kernels with and without gates: each step's left side holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.matrix_symbols import COVARIANCE, LEAST, MOST, Hadamard, Kernel, Largest, Smallest, gram
from derivations.rules.rule import Rule, known
from derivations.symbols import KERNEL, Expectation, Phi, d, l, m, u_1, u_2, x, y

if TYPE_CHECKING:
    from derivations.derivation import Step

_DOT = sp.Sum(x[l] * y[l], (l, 1, d))


@cache
def entry(gates: int) -> sp.Expr:
    """The general kernel's entry, standard parametrization, from steps that are derived and checked here."""
    from derivations.derivation import Derivation
    from derivations.networks import network
    from derivations.ntk import general_steps

    described = network("relu", gates=gates)
    steps = general_steps(described)
    Derivation("a kernel", tuple(steps)).check()
    return described.parametrization.at(known(KERNEL, steps))


def _gating_law(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Entry by entry, for every value of E[phi phi], E[phi' phi'] and x.y."""
    if not isinstance(lhs, Kernel) or lhs.args[1] != m or not isinstance(rhs, Hadamard):
        return False
    gates, (factor, plain) = int(lhs.args[0]), rhs.args
    if not isinstance(plain, Kernel) or plain.args[0] != 0 or factor != gram(gates) / d**gates:
        return False
    definitions = {step.lhs: step.rhs for step in earlier if step.rule == "definition" and step.lhs.is_Symbol}
    gated = known(KERNEL, earlier).subs(definitions)
    return vanishes(gated - (_DOT / d) ** gates * entry(0).subs(m, plain.args[1]))


def _readout_block(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Without gates the kernel is affine in the width, with E[phi phi] as slope."""
    if not isinstance(lhs, Kernel) or lhs.args[0] != 0:
        return False
    more = lhs.args[1] - m
    slope = sp.expand(entry(0).subs(m, m + more) - entry(0))
    expected = more * Expectation(Phi(0, u_1) * Phi(0, u_2))
    return vanishes(slope - expected) and rhs == Kernel(0, m) + more * COVARIANCE


def _sphere_lengths(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return lhs in (LEAST, MOST) and rhs == 1


def _lengths(earlier: Sequence[Step]) -> dict[sp.Expr, sp.Expr]:
    return {step.lhs: step.rhs for step in earlier if step.lhs in (LEAST, MOST)}


def _schur(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda_n(A o B) >= min a_ii lambda_n(B) and lambda_1(A o B) <= max a_ii lambda_1(B), A, B semidefinite."""
    if rhs != sp.true or not isinstance(lhs, sp.Ge | sp.Le):
        return False
    eigenvalue = Smallest if isinstance(lhs, sp.Ge) else Largest
    (gated,) = lhs.lhs.args
    if lhs.lhs != eigenvalue(gated) or not isinstance(gated, Kernel):
        return False
    _, plain = known(gated, earlier).args  # of the gating law
    extreme = LEAST if eigenvalue is Smallest else MOST
    factor = (extreme ** gated.args[0]).subs(_lengths(earlier))
    return lhs.rhs == factor * eigenvalue(plain)


def _monotone(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda_n(A + c Sigma) >= lambda_n(A) for c >= 0, Sigma semidefinite."""
    if rhs != sp.true or not isinstance(lhs, sp.Ge) or not isinstance(lhs.lhs, Smallest):
        return False
    parts = known(lhs.lhs.args[0], earlier)
    more = parts.coeff(COVARIANCE)
    return bool(more.is_nonnegative) and lhs.rhs == Smallest(parts - more * COVARIANCE)


def _chain(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """a >= k b and b >= c give a >= k c for k >= 0."""
    held = [step.lhs for step in earlier if step.rhs == sp.true and isinstance(step.lhs, sp.Ge)]
    for first in held:
        for second in held:
            factor = first.rhs / second.lhs
            if (
                not factor.has(Smallest)
                and factor.is_nonnegative
                and lhs == (first.lhs >= factor * second.rhs)
            ):
                return bool(rhs == sp.true)
    return False


def _quotient(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """a <= b and c >= e > 0 give a / c <= b / e; where e = 0 the right side is infinite."""
    held = [step.lhs for step in earlier if step.rhs == sp.true]
    above = [s for s in held if isinstance(s, sp.Le)]
    below = [s for s in held if isinstance(s, sp.Ge)]
    return rhs == sp.true and any(
        lhs == (upper.lhs / lower.lhs <= upper.rhs / lower.rhs) for upper in above for lower in below
    )


RULES: dict[str, Rule] = {
    "gating law": Rule(
        "a linear gate multiplies the kernel entry by entry by x.y / d and widens the network by d",
        "derived here: comparison of the general kernels with and without gates",
        _gating_law,
    ),
    "readout block": Rule(
        "the kernel without gates grows by E[phi phi] with every hidden unit", "derived here", _readout_block
    ),
    "sphere lengths": Rule("p_i = |x_i|^2 / d = 1", "definition of the sphere", _sphere_lengths),
    "Schur's bounds": Rule(
        "for positive semidefinite A, B: min a_ii lambda_n(B) <= lambda_n(A o B), lambda_1(A o B) <= max a_ii lambda_1(B)",
        "Schur 1911; Horn, Johnson 1991, theorem 5.3.4",
        _schur,
    ),
    "monotone in the width": Rule(
        "adding a positive semidefinite matrix lowers no eigenvalue", "Weyl 1912", _monotone
    ),
    "chain of bounds": Rule("a >= k b, b >= c, k >= 0: a >= k c", "transitivity", _chain),
    "quotient of bounds": Rule("a <= b, c >= e > 0: a / c <= b / e", "monotony of division", _quotient),
}
