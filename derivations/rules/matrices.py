"""From simplified kernel matrices to published eigenvalues: theorems, and approximations that say that they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import sympy as sp

from derivations.gaussian import isserlis
from derivations.identity import vanishes
from derivations.matrix_symbols import (
    GATED,
    IDENTITY,
    ONES,
    PLAIN,
    Largest,
    Mean,
    Smallest,
    gram,
    norms,
    rank_one,
)
from derivations.rules.rule import Rule, known
from derivations.symbols import alpha, beta, d, gamma, n

if TYPE_CHECKING:
    from derivations.derivation import Step

_EIGENVALUES = (Largest, Smallest)
_POSITIVE = (gram(1), gram(2), ONES)
"""Positive semidefinite matrices."""


@cache
def _coefficients(gates: int) -> dict[sp.Expr, sp.Expr]:
    from derivations.kernel_derivation import derive

    found = derive(("relu", "reglu")[gates]).coefficients
    return {alpha: found.alpha, beta: found.beta, gamma: found.gamma}


def _derived_coefficient(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return any(rhs == _coefficients(gates).get(lhs) for gates in (0, 1))


def _simplified_matrix(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The three terms, with the coefficients of the same network."""
    if lhs not in (PLAIN, GATED):
        return False
    gates = int(lhs == GATED)
    expected = alpha * gram(gates + 1) + beta * rank_one(gates) + gamma * norms(gates + 1)
    own = _coefficients(gates)
    return rhs == expected and all(known(name, earlier) == value for name, value in own.items())


def _norms_at_their_mean(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    means = {rank_one(0): d * ONES, rank_one(1): d * gram(1)}
    means |= {norms(power): d**power * IDENTITY for power in (1, 2)}
    return lhs in (PLAIN, GATED) and rhs == known(lhs, earlier).subs(means)


def _eigenvalue_shift(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda(A + c I) = lambda(A) + c."""
    if not isinstance(lhs, _EIGENVALUES):
        return False
    matrix = known(lhs.args[0], earlier)
    constant = matrix.coeff(IDENTITY)
    return rhs == lhs.func(matrix - constant * IDENTITY) + constant


def _direction_of_ones(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return isinstance(lhs, Largest) and rhs == Mean(lhs.args[0])


def _linear(lhs: sp.Expr, rhs: sp.Expr) -> bool:
    """Whether rhs is the function of the matrix in lhs, taken term by term, coefficients being positive."""
    total = sp.S.Zero
    for term in sp.Add.make_args(lhs.args[0]):
        factor, matrix = term.as_independent(*_POSITIVE, as_Add=False)
        if matrix not in _POSITIVE or factor.free_symbols - {alpha, beta, gamma, d}:
            return False
        total += factor * lhs.func(matrix)
    return vanishes(total - rhs)


def _linearity(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return isinstance(lhs, Mean) and _linear(lhs, rhs)


def _weyl(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return isinstance(lhs, _EIGENVALUES) and lhs.args[0].is_Add and _linear(lhs, rhs)


def _part_of_a_sum(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """One of two positive semidefinite terms, the highest Hadamard power of G."""
    if not isinstance(lhs, _EIGENVALUES) or not lhs.args[0].is_Add:
        return False
    kept = gram(2) if lhs.args[0].has(gram(2)) else gram(1)
    return rhs == lhs.args[0].coeff(kept) * lhs.func(kept)


def _mean_value(matrix: sp.Expr) -> sp.Expr:
    """E[1^T A 1] / n for n rows N(0, I_d): n - 1 pairs of different rows, and the diagonal."""
    if matrix == ONES:
        return n
    power = {gram(1): 1, gram(2): 2}[matrix]
    # x.y given y is N(0, |y|^2), and E|y|^2 = d; |x|^2 is a sum of d squares of normals.
    between = isserlis(power, 0, d, 0, 0)
    fourth = isserlis(4, 0, sp.S.One, 0, 0)
    diagonal = d if power == 1 else d * fourth + d * (d - 1)
    return sp.expand((n - 1) * between + diagonal)


def _gaussian_mean(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return isinstance(lhs, Mean) and lhs.args[0] in _POSITIVE and vanishes(_mean_value(lhs.args[0]) - rhs)


def _leading_mean(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """The terms of the highest degree in n and d together."""
    if not isinstance(lhs, Mean) or lhs.args[0] not in _POSITIVE:
        return False
    terms = sp.Poly(_mean_value(lhs.args[0]), n, d).terms()
    highest = max(sum(powers) for powers, _ in terms)
    leading = sp.Add(*(value * n**i * d**j for (i, j), value in terms if i + j == highest))
    return vanishes(leading - rhs)


def _edge(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Of n rows of p features of unit variance the smallest eigenvalue is p max(0, 1 - sqrt(n / p))^2."""
    if lhs == Smallest(gram(1)):
        features, scale = d, sp.S.One
    elif lhs == Smallest(gram(2)):
        features, scale = d**2 / 2, sp.Integer(2)
    else:
        return False
    root = sp.powdenest(sp.sqrt(n / features), force=True)
    return vanishes(scale * features * sp.Max(0, 1 - root) ** 2 - rhs)


def _edge_without_cross_term(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return lhs == Largest(gram(1)) and vanishes(
        sp.expand((sp.sqrt(n) + sp.sqrt(d)) ** 2) - 2 * sp.sqrt(n * d) - rhs
    )


def _rows_beyond(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """For n > d the edge of X X^T is 0, in both values."""
    if lhs != Smallest(GATED) - Smallest(PLAIN):
        return False
    difference = known(Smallest(GATED), earlier) - known(Smallest(PLAIN), earlier)
    at_zero = difference.replace(
        lambda e: isinstance(e, sp.Max) and vanishes(e.args[1] - (1 - sp.sqrt(n / d))), lambda e: sp.S.Zero
    )
    return vanishes(at_zero - rhs)


RULES: dict[str, Rule] = {
    "derived coefficient": Rule(
        "alpha, beta or gamma of ReLU or ReGLU, as derived from the network",
        "derivations.derive",
        _derived_coefficient,
    ),
    "simplified matrix": Rule(
        "the kernel cut after the degree of its first two terms, the diagonal kept",
        "Wen et al. 2026, equations 10 and 11",
        _simplified_matrix,
        "cited",
    ),
    "norms at their mean": Rule(
        "|x_i|^2 = d for every row: right to relative order d^-1/2",
        "law of large numbers",
        _norms_at_their_mean,
        "heuristic",
    ),
    "eigenvalue shift": Rule(
        "lambda(A + c I) = lambda(A) + c", "definition of eigenvalues", _eigenvalue_shift
    ),
    "direction of ones": Rule(
        "the vector of ones stands for the top eigenvector: a lower bound taken as the value",
        "Rayleigh quotient",
        _direction_of_ones,
        "heuristic",
    ),
    "linearity of the mean": Rule("1^T A 1 is linear in A", "linearity", _linearity),
    "Gaussian mean": Rule("E[1^T A 1] / n of n rows N(0, I_d)", "Isserlis 1918", _gaussian_mean),
    "leading Gaussian mean": Rule(
        "E[1^T A 1] / n of n rows N(0, I_d), terms of lower degree in n and d left out",
        "Isserlis 1918",
        _leading_mean,
        "heuristic",
    ),
    "part of a sum": Rule(
        "of two positive semidefinite terms one is left out: by Weyl a lower bound, taken as the value",
        "Weyl 1912",
        _part_of_a_sum,
        "heuristic",
    ),
    "Weyl as an equality": Rule(
        "the eigenvalue of a sum as the sum of eigenvalues: by Weyl a bound, taken as the value",
        "Weyl 1912",
        _weyl,
        "heuristic",
    ),
    "Marchenko-Pastur edge": Rule(
        "the lower edge for independent features; those of the Hadamard square are not independent",
        "Marchenko, Pastur 1967",
        _edge,
        "heuristic",
    ),
    "edge without its cross term": Rule(
        "n + d in the place of the upper edge (sqrt(n) + sqrt(d))^2 of X X^T",
        "Marchenko, Pastur 1967",
        _edge_without_cross_term,
        "heuristic",
    ),
    "rows beyond the dimension": Rule("for n > d the lower edge of X X^T is 0", "rank of X", _rows_beyond),
}
