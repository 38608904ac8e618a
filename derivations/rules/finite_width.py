"""One network of finite width: theorems on its random kernel, and the heuristic steps to the law of its spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from operator import mul
from random import Random
from typing import TYPE_CHECKING

import mpmath
import sympy as sp

from derivations.identity import vanishes
from derivations.matrix_symbols import Kernel, Largest, OfNetwork, OverNetworks, Rank, Smallest
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
from derivations.symbols import KERNEL, Expectation, Phi, d, k, m, u_1

if TYPE_CHECKING:
    from derivations.derivation import Step

_DIGITS, _AGREE = 30, mpmath.mpf(10) ** -20
"""Of quadrature, and what is asked of it."""


def _mean(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The kernel of a network is a sum over its units, whose expectation earlier steps have found."""
    if not isinstance(lhs, OverNetworks) or not isinstance(lhs.args[0], OfNetwork):
        return False
    gates, width = lhs.args[0].args
    units = [step for step in earlier if step.rule == "identical units" and step.lhs == KERNEL]
    blocks = sum(step.rule == "inner product" for step in earlier)
    if len(units) != 1 or blocks != 2 + gates:
        return False
    one = units[0].rhs.subs(m, 1)
    # m times one unit at every m: no limit is taken.
    return vanishes(units[0].rhs - m * one) and rhs == Kernel(gates, width) and width == m


def _network(statement: sp.Expr, earlier: Sequence[Step]) -> Kernel | None:
    """The random matrix of an inequality's left side, and that its mean is known."""
    random = list(statement.atoms(OfNetwork))
    if len(random) != 1:
        return None
    mean = [step.rhs for step in earlier if step.lhs == OverNetworks(random[0])]
    return mean[-1] if mean else None


def _jensen(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda_n is a minimum and lambda_1 a maximum of functions that are linear in the matrix."""
    if rhs != sp.true or not isinstance(lhs, sp.Le | sp.Ge):
        return False
    mean = _network(lhs, earlier)
    if mean is None:
        return False
    eigenvalue = Smallest if isinstance(lhs, sp.Le) else Largest
    (random,) = lhs.atoms(OfNetwork)
    return lhs.lhs == OverNetworks(eigenvalue(random)) and lhs.rhs == eigenvalue(mean)


def _columns(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The rank of one unit's gradient at more random rows than it has parameters, in exact numbers."""
    if rhs != sp.true or not isinstance(lhs, sp.Le) or not isinstance(lhs.lhs, Rank):
        return False
    (random,) = lhs.lhs.args
    if not isinstance(random, OfNetwork) or random.args[1] != m:
        return False
    gates = int(random.args[0])
    euler = any(step.rule == "Euler" for step in earlier)
    size = 3
    columns = 1 + (1 + gates) * size
    missing = columns - _gradient_rank(gates, size, columns + 3, euler)
    return bool(lhs.rhs == sp.expand(m * (1 + (1 + gates) * d - missing)).factor())


@cache
def _gradient_rank(gates: int, size: int, rows: int, euler: bool) -> int:
    """Of a phi(w.x) h_1 ... h_g by all parameters; phi and phi' are any numbers, but for Euler's relation."""
    draw = Random(0)

    def numbers(count: int) -> list[sp.Rational]:
        return [
            sp.Rational(draw.randint(1, 99), draw.randint(1, 99)) * draw.choice((1, -1)) for _ in range(count)
        ]

    weights = [numbers(size) for _ in range(1 + gates)]
    gradient = []
    for _ in range(rows):
        x = numbers(size)
        u, *h = (sum(map(mul, each, x)) for each in weights)
        slope, value = numbers(2)
        value = u * slope if euler else value
        row = [value * prod(h), *(slope * prod(h) * entry for entry in x)]
        for gate in range(gates):
            row += [value * prod(h[:gate] + h[gate + 1 :]) * entry for entry in x]
        gradient.append(row)
    return int(sp.Matrix(gradient).rank())


def _euler(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Of ReLU: u phi'(u) = phi(u), on either side of 0."""
    return lhs == u_1 * Phi(1, u_1) and rhs == Phi(0, u_1)


def _weyl(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    if rhs != sp.true or not isinstance(lhs, sp.Ge) or not isinstance(lhs.lhs, Smallest):
        return False
    (random,) = lhs.lhs.args
    if not isinstance(random, OfNetwork):
        return False
    parts = [sp.Symbol(f"{name}({random})", real=True) for name in ("readout", "gradient")]
    return lhs.rhs == sum(Smallest(part) for part in parts)


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
    "mean over networks": Rule(
        "a network's kernel is the sum of m identically distributed units', so its mean is the kernel at every m",
        "linearity of the expectation",
        _mean,
    ),
    "Jensen for eigenvalues": Rule(
        "lambda_n is concave and lambda_1 convex in the matrix", "Jensen 1906; Rayleigh's quotient", _jensen
    ),
    "Euler": Rule("ReLU is homogeneous: u phi'(u) = phi(u)", "Euler's theorem", _euler),
    "columns of the gradient": Rule(
        "the rank is at most the number of columns that are independent: a gate's weights combine its columns, and "
        "by Euler w its own, to the readout's",
        "derived here",
        _columns,
    ),
    "parts of a network": Rule(
        "lambda_n of a sum is at least the sum of those of its positive semidefinite parts",
        "Weyl 1912",
        _weyl,
    ),
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
