"""From the resolvent of one network's kernel to the law of its spectrum: what is exact, and what is heuristic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import mpmath
import sympy as sp

from derivations.identity import vanishes
from derivations.matrix_symbols import OfNetwork, Smallest
from derivations.network_symbols import (
    COUNT,
    ENTRY,
    FLUCTUATION,
    FORM,
    HEIGHT,
    HIGHEST,
    LEVEL,
    LEVERAGE,
    LOAD,
    MASS,
    NUMBER,
    PART,
    PART_REST,
    POINT,
    REST,
    ROWS,
    SCALE,
    TRACE,
    over_degrees,
)
from derivations.rules.rule import Rule, known
from derivations.symbols import Expectation, k, m

if TYPE_CHECKING:
    from derivations.derivation import Step

_DIGITS, _AGREE = 30, mpmath.mpf(10) ** -20
"""Of quadrature, and what is asked of it."""


@cache
def _forms() -> tuple[sp.Rational, sp.Rational]:
    """u^T (A + u u^T)^-1 u and u^T A^-1 u of some positive definite matrix, exactly."""
    A = sp.Matrix([[3, 1, 0], [1, 4, -1], [0, -1, 2]])
    u = sp.Matrix([1, sp.Rational(2, 3), -2])
    return (u.T * (A + u * u.T).inv() * u)[0], (u.T * A.inv() * u)[0]


def _left_out(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Sherman and Morrison's formula on a matrix: a Moebius function, 0 at 0 and 1 at infinity, is known by a point."""
    with_u, without = _forms()
    shape = sp.degree(sp.denom(sp.together(rhs)), LEVERAGE) == 1
    return bool(
        lhs == FORM
        and shape
        and rhs.subs(LEVERAGE, without) == with_u
        and rhs.subs(LEVERAGE, 0) == 0
        and sp.limit(rhs, LEVERAGE, sp.oo) == 1
    )


def _concentration(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return lhs == LEVERAGE and rhs == LOAD * TRACE


def _of_one_column(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """u u^T R = u u^T R_u (form / leverage): what the column counts of its covariance, load times that ratio."""
    ratio = known(FORM, earlier) / LEVERAGE
    return lhs == ENTRY and vanishes(
        sp.together((LOAD * ratio).subs(LEVERAGE, known(LEVERAGE, earlier)) - rhs)
    )


def _average(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    return lhs == COUNT and rhs == Expectation(known(ENTRY, earlier))


def _gaussian_load(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """E[g^2 / (1 + g^2 T)], g standard normal, by quadrature at small and large T."""
    if not isinstance(lhs, Expectation) or lhs != known(COUNT, earlier):
        return False
    for trace in (sp.Rational(1, 50), sp.S.One, sp.Integer(40)):
        parts = sp.fraction(sp.together(lhs.args[0].subs(TRACE, trace)))
        with mpmath.workdps(_DIGITS):
            above, below = ([_number(c) for c in sp.Poly(part, LOAD).all_coeffs()] for part in parts)
            found = 2 * mpmath.quad(
                lambda g, above=above, below=below: (
                    mpmath.polyval(above, g * g) / mpmath.polyval(below, g * g) * mpmath.npdf(g)
                ),
                [0, 0.1, 1, 4, 12, mpmath.inf],
            )
            if abs(found - _number(rhs.subs(TRACE, trace))) > _AGREE * found:
                return False
    return True


def _number(expression: sp.Expr) -> mpmath.mpf:
    return mpmath.mpf(str(sp.N(expression, _DIGITS)))


def _infinite_width(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A network of any number of neurons, of which one has no leverage: E[load] = 1."""
    if lhs != COUNT.subs(TRACE, 0):
        return False
    small = sp.Rational(1, 10**10)
    value = sp.N(known(known(COUNT, earlier), earlier).subs(TRACE, small), _DIGITS)
    # E[g^2 / (1 + g^2 T)] = 1 - 3 T + ...
    return bool(rhs == 1 and abs(value - 1) < 4 * small)


def _count_of(leverage: sp.Expr, earlier: Sequence[Step]) -> sp.Expr:
    """Of a feature of load 1 and that leverage, by the step that leaves it out."""
    return (known(FORM, earlier) / LEVERAGE).subs(LEVERAGE, leverage)


def _features(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Each of the N_k harmonics of a degree is a column of n entries and the weight g_k / N_k."""
    each = _count_of(POINT * ROWS * MASS[k] / NUMBER[k], earlier)
    if lhs == LEVEL:
        return _is_sum(rhs, sp.cancel(MASS[k] * each), REST, sp.S.One)
    if lhs == TRACE:
        return _is_sum(rhs, sp.cancel(PART[k] * each), PART_REST, SCALE * ROWS * POINT)
    return False


def _is_sum(rhs: sp.Expr, term: sp.Expr, rest: sp.Expr, factor: sp.Expr) -> bool:
    """Whether rhs is factor (sum of term over the degrees + rest)."""
    sums = rhs.atoms(sp.Sum)
    if len(sums) != 1:
        return False
    (total,) = sums
    if total != over_degrees(total.function):
        return False
    stand_in = sp.Dummy()
    shape = sp.expand(rhs.xreplace({total: stand_in}) - factor * (stand_in + rest))
    return bool(shape == 0 and sp.cancel(total.function - term) == 0)


def _row_left_out(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """On the sphere: the resolvent's diagonal a = 1 / (b - z), by Schur's complement."""
    (solution,) = sp.solve(sp.Eq(POINT, 1 / (LEVEL - HEIGHT)), HEIGHT)
    return lhs == HEIGHT and vanishes(sp.together(solution - rhs))


def _variance(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Over u and the gate's h: a row's gradients have D^2 = h^2 [u > 0] + u^2 [u > 0], and [u > 0] without a gate."""
    if not isinstance(lhs, FLUCTUATION) or len(lhs.args) != 1 or lhs.args[0] not in (0, 1):
        return False
    u, h, g = sp.symbols("u h g", real=True)
    square = (h**2 + u**2) if lhs.args[0] else sp.S.One

    def half(power: int) -> sp.Expr:
        inner = sp.integrate(sp.expand(square**power) * sp.exp(-(u**2) / 2), (u, 0, sp.oo))
        return sp.integrate(sp.expand(inner) * sp.exp(-(h**2) / 2), (h, -sp.oo, sp.oo)) / (2 * sp.pi)

    readouts = sp.integrate(g**4 * sp.exp(-(g**2) / 2), (g, -sp.oo, sp.oo)) / sp.sqrt(2 * sp.pi)
    return vanishes(readouts * (half(2) / half(1) ** 2 - 1) / m - rhs)


def _edge(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    has_curve = any(step.lhs == HEIGHT for step in earlier)
    return has_curve and isinstance(lhs, Smallest) and isinstance(lhs.args[0], OfNetwork) and rhs == HIGHEST


RULES: dict[str, Rule] = {
    "column left out": Rule(
        "u^T (A + u u^T)^-1 u = q / (1 + q), q = u^T A^-1 u", "Sherman, Morrison 1950", _left_out
    ),
    "concentration of quadratic forms": Rule(
        "the form of a column with a resolvent that does not know it is near its mean, load times a trace",
        "as for independent entries: Silverstein, Bai 1995",
        _concentration,
        "heuristic",
    ),
    "one column": Rule("u u^T R = u u^T R_u (u^T R u) / (u^T R_u u)", "derived here", _of_one_column),
    "average over neurons": Rule(
        "the sum over many neurons is near its mean",
        "law of large numbers",
        _average,
        "heuristic",
    ),
    "Gaussian load": Rule(
        "E[g^2 / (1 + g^2 T)] of a normal readout", "quadrature to 20 digits", _gaussian_load, "tested"
    ),
    "no leverage": Rule(
        "as one neuron of many has no leverage, a block counts 1", "derived here", _infinite_width, "tested"
    ),
    "independent harmonics": Rule(
        "each harmonic is left out like an independent column of variance n g_k / N_k",
        "Lu, Yau 2022 for given degrees; derived here for all",
        _features,
        "heuristic",
    ),
    "row left out": Rule(
        "the diagonal of the resolvent by Schur's complement, equal for all rows of the sphere",
        "Silverstein, Choi 1995",
        _row_left_out,
        "heuristic",
    ),
    "variance of a row": Rule(
        "given the readouts, over u = w.x and the gate: 3 (E D^4 / (E D^2)^2 - 1) / m",
        "Gaussian moments",
        _variance,
    ),
    "edge of the support": Rule(
        "below the spectrum z(a) increases with a up to the edge",
        "Silverstein, Choi 1995",
        _edge,
        "heuristic",
    ),
}
