"""Bounds of eigenvalues of Hadamard products, series and sums: matrices by their entries, each statement re-checked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.matrix_symbols import (
    DIAGONAL,
    OUTPUTS,
    Diagonal,
    Entries,
    Hadamard,
    Kernel,
    Largest,
    Least,
    Most,
    RowSum,
    Semidefinite,
    Smallest,
    gram,
)
from derivations.rules.ordering import entry
from derivations.rules.rule import Rule, known
from derivations.symbols import Expectation, Phi, d, l, m, u_1, u_2, x, y

if TYPE_CHECKING:
    from derivations.derivation import Step

_DOT = sp.Sum(x[l] * y[l], (l, 1, d))


def _semidefinite(earlier: Sequence[Step]) -> list[Entries]:
    """The matrices that steps before have shown to be positive semidefinite."""
    return [
        step.lhs.args[0] for step in earlier if step.rhs == sp.true and isinstance(step.lhs, Semidefinite)
    ]


def _claimed(lhs: sp.Expr, rhs: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """Entries off and on the diagonal of the matrix that a step says is semidefinite."""
    if rhs != sp.true or not isinstance(lhs, Semidefinite) or not isinstance(lhs.args[0], Entries):
        return None
    off, on = lhs.args[0].args
    return off, on


def _certificate(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A name for how far a matrix of ones on the diagonal is from the identity: entries with names of their own."""
    claimed = _claimed(lhs, rhs)
    if claimed is None:
        return False
    off, on = claimed
    names = off.free_symbols | on.free_symbols
    taken = {s for step in earlier for s in step.lhs.free_symbols | step.rhs.free_symbols}
    own = on.is_Symbol and bool(on.is_nonnegative) and on not in off.free_symbols | taken
    plain = off.is_Symbol and off not in taken
    power = off.is_Pow and off.base.is_Symbol and off.exp.is_integer and off.exp.is_nonnegative
    return bool(own and (plain or power) and len(names) >= 2)


def _ceiling(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The same from above: l I - B has the entries -b and l - 1."""
    claimed = _claimed(lhs, rhs)
    if claimed is None:
        return False
    off, on = claimed
    taken = {s for step in earlier for s in step.lhs.free_symbols | step.rhs.free_symbols}
    level = on + 1
    return bool(
        (-off).is_Symbol
        and level.is_Symbol
        and level != -off
        and not {level, -off} & taken
        and level.is_nonnegative
    )


def _schur_product(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    claimed = _claimed(lhs, rhs)
    held = _semidefinite(earlier)
    return claimed is not None and any(
        all(vanishes(c - a * b) for c, a, b in zip(claimed, first.args, second.args, strict=True))
        for i, first in enumerate(held)
        for second in held[i + 1 :]
    )


def _congruence(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """D A D has the entries s_i s_k a_ik, for D = diag(s): one value of both rows, its square on the diagonal."""
    claimed = _claimed(lhs, rhs)
    if claimed is None:
        return False
    for matrix in _semidefinite(earlier):
        factor, square = sp.cancel(claimed[0] / matrix.args[0]), sp.cancel(claimed[1] / matrix.args[1])
        parts = sp.Mul.make_args(factor)
        if len(parts) == 2 and all(part.is_Symbol for part in parts):
            first, second = sorted(parts, key=str)
            # Rows are named by the last letter: s_i and s_k.
            if (str(first)[:-1], str(first)[-1], str(second)[-1]) == (str(second)[:-1], "i", "k"):
                return bool(vanishes(square - first**2)) and not matrix.args[1].has(first, second)
    return False


def _sum(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Two terms added, or one summed over its degree."""
    claimed = _claimed(lhs, rhs)
    held = _semidefinite(earlier)
    if claimed is None:
        return False
    if any(
        all(vanishes(c - a - b) for c, a, b in zip(claimed, first.args, second.args, strict=True))
        for i, first in enumerate(held)
        for second in held[i + 1 :]
    ):
        return True
    return all(isinstance(part, sp.Sum) for part in claimed) and any(
        all(part.function == term for part, term in zip(claimed, one.args, strict=True))
        and len({part.limits for part in claimed}) == 1
        for one in held
    )


def _dominance(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Gershgorin: entries e off the diagonal, and on it at least the sum of |e| v_k / v_i over the row, v > 0."""
    claimed = _claimed(lhs, rhs)
    if claimed is None or not isinstance(claimed[1], RowSum):
        return False
    off, inside = claimed[0], claimed[1].args[0]
    ratio = sp.cancel(inside / sp.Abs(off))
    top, bottom = sp.fraction(ratio)
    sign = off.is_Symbol or (-off).is_Symbol
    return bool(
        sign
        and top.is_Symbol
        and bottom.is_Symbol
        and top.is_positive
        and bottom.is_positive
        and (str(top)[:-1], str(top)[-1], str(bottom)[-1]) == (str(bottom)[:-1], "k", "i")
    )


def _diagonal_shift(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A + diag(y - z) semidefinite, A with diagonal z: lambda_n(A) >= min z - y; with -A, lambda_1(A) <= max z + y."""
    if rhs != sp.true:
        return False
    for matrix in _semidefinite(earlier):
        off, on = matrix.args
        if isinstance(lhs, sp.Ge) and isinstance(lhs.lhs, Smallest) and isinstance(lhs.rhs, Least):
            (whole,) = lhs.lhs.args
            sign = 1
        elif isinstance(lhs, sp.Le) and isinstance(lhs.lhs, Largest) and isinstance(lhs.rhs, Most):
            (whole,) = lhs.lhs.args
            sign = -1
        else:
            return False
        if isinstance(whole, Entries) and vanishes(whole.args[0] - sign * off):
            return bool(vanishes(lhs.rhs.args[0] - (whole.args[1] - sign * on)))
    return False


@cache
def _slope(gates: int) -> sp.Expr:
    """What a hidden unit adds to an entry of the kernel."""
    general = sp.expand(entry(gates))
    return sp.expand(general.subs(m, m + 1) - general)


def _affine(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """K at m + k is K at m and k times the covariance of the outputs: entry by entry, from the general kernel."""
    if not isinstance(lhs, Kernel) or not lhs.args[0].is_Integer:
        return False
    gates, more = int(lhs.args[0]), lhs.args[1] - m
    covariance = Expectation(Phi(0, u_1) * Phi(0, u_2)) * (_DOT / d) ** gates
    general = sp.expand(entry(gates))
    difference = sp.expand(general.subs(m, m + more) - general)
    return bool(
        not _slope(gates).has(m)
        and vanishes(_slope(gates) - covariance)
        and vanishes(difference - more * covariance)
        and rhs == Kernel(gates, m) + more * OUTPUTS
    )


def _weyl(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda_n(A + k B) >= lambda_n(A) + k lambda_n(B) and lambda_1(A + k B) <= lambda_1(A) + k lambda_1(B), k >= 0."""
    if rhs != sp.true or not isinstance(lhs, sp.Ge | sp.Le):
        return False
    eigenvalue = Smallest if isinstance(lhs, sp.Ge) else Largest
    if not isinstance(lhs.lhs, eigenvalue):
        return False
    total = known(lhs.lhs.args[0], earlier)
    more = total.coeff(OUTPUTS)
    rest = sp.expand(total - more * OUTPUTS)
    return bool(more.is_nonnegative) and lhs.rhs == eigenvalue(rest) + more * eigenvalue(OUTPUTS)


def _defect(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """For A with ones on its diagonal, B with t there: 1 - lambda_n(A o B) / t <= (1 - lambda_n(A)) (1 - lambda_n(B) / t)."""
    if rhs != sp.true or not isinstance(lhs, sp.Le):
        return False
    found = [step for step in earlier if isinstance(step.rhs, Hadamard) and lhs.has(step.lhs)]
    if len(found) != 1:
        return False
    first, second = found[0].rhs.args
    diagonals = {step.lhs.args[0]: step.rhs for step in earlier if isinstance(step.lhs, Diagonal)}
    if diagonals.get(first) != 1 or second not in diagonals:
        return False
    t, low = diagonals[second], Smallest(first)
    # Once more from Schur: A o B = low I t + (A - low I) o B, whose second term has the diagonal (1 - low) t.
    bound = low * t + (1 - low) * Smallest(second)
    whole = Smallest(found[0].lhs)
    return vanishes(lhs.lhs - (1 - whole / t)) and vanishes(sp.expand(lhs.rhs - (1 - bound / t)))


def _unit_diagonal(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """On |x|^2 = d, (G/d)^og has ones on the diagonal, and a kernel one and the same number."""
    if not isinstance(lhs, Diagonal):
        return False
    matrix = lhs.args[0]
    powers = [gram(gates) / d**gates for gates in (1, 2)]
    return (matrix in powers and rhs == 1) or (isinstance(matrix, Kernel) and rhs == DIAGONAL)


RULES: dict[str, Rule] = {
    "certificate": Rule(
        "a name for a vector with A - I + diag(eps) positive semidefinite, ones on the diagonal of A",
        "definition",
        _certificate,
    ),
    "ceiling": Rule(
        "a name for a number with l I - B positive semidefinite, ones on the diagonal of B",
        "definition",
        _ceiling,
    ),
    "Schur product": Rule(
        "the product entry by entry of positive semidefinite matrices is positive semidefinite",
        "Schur 1911",
        _schur_product,
    ),
    "congruence": Rule("S A S^T is positive semidefinite where A is", "Sylvester 1852", _congruence),
    "sum of semidefinite matrices": Rule(
        "sums of positive semidefinite matrices are positive semidefinite", "definition", _sum
    ),
    "diagonal dominance": Rule(
        "with the row sums of |e_ik| v_k / v_i on its diagonal, v > 0, a symmetric matrix is positive semidefinite",
        "Gershgorin 1931; Collatz 1942",
        _dominance,
    ),
    "shift of the diagonal": Rule(
        "what has to be added to the diagonal of A to make it semidefinite bounds its smallest eigenvalue",
        "Weyl 1912",
        _diagonal_shift,
    ),
    "affine in the width": Rule(
        "every hidden unit adds the covariance of the outputs to the kernel", "derived here", _affine
    ),
    "Weyl's bounds": Rule(
        "lambda_n(A + B) >= lambda_n(A) + lambda_n(B), lambda_1(A + B) <= lambda_1(A) + lambda_1(B)",
        "Weyl 1912",
        _weyl,
    ),
    "diagonal on the sphere": Rule(
        "(G/d)^og has ones on the diagonal, a kernel the constant f(1)",
        "definition of the sphere",
        _unit_diagonal,
    ),
    "product of defects": Rule(
        "1 - lambda_n(A o B) / t <= (1 - lambda_n(A)) (1 - lambda_n(B) / t), A with diagonal 1, B with t",
        "derived here, from Schur 1911",
        _defect,
    ),
}
