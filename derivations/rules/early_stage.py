"""The early stage over Gaussian rows: traces by polar coordinates, limits by degrees, signs by coefficients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.dynamics_symbols import EXPECTED, MATRIX, OfTargets, Trace, steps
from derivations.early_symbols import (
    CRITICAL,
    DIAGONAL,
    GAPS,
    LEAST,
    PAIRS,
    SLOPE,
    THRESHOLD,
    MeanOutputs,
    MeanTrace,
    Negative,
    NeverEnough,
    PositiveFrom,
)
from derivations.identity import vanishes
from derivations.learning_symbols import eta
from derivations.matrix_symbols import GATED, IDENTITY, OUTPUTS, PLAIN, gram, norms, rank_one
from derivations.rules.rule import Rule, known, rewrite
from derivations.symbols import d, m, n

if TYPE_CHECKING:
    from derivations.derivation import Step

_MOST_DEGREE = 8
"""In d, of E Tr K^2 with one gate: |x|^8 has a mean of that degree less 4, with d^4 to spare."""
_FARTHEST = 200
"""d from which on all coefficients have one sign at the latest."""


def _symmetric(name: str) -> sp.Matrix:
    return sp.Matrix(2, 2, lambda i, j: sp.Symbol(f"{name}{min(i, j)}{max(i, j)}", real=True))


_KERNEL, _COVARIANCE = _symmetric("k"), _symmetric("c")
_TARGETS = sp.Matrix(2, 1, sp.symbols("y0 y1", real=True))


def _first_order(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """By derivatives of the expected loss in the rate, on generic 2 x 2 matrices, after 0 to 3 steps."""
    if lhs != SLOPE(steps) or rhs.has(eta):
        return False
    before = known(EXPECTED(steps), earlier)
    for count in range(4):
        slope = sp.diff(_of_matrices(before, count), eta).subs(eta, 0)
        if sp.expand(slope - _of_matrices(rhs, count)) != 0:
            return False
    return True


def _of_matrices(expression: sp.Expr, count: int) -> sp.Expr:
    """Traces and quadratic forms after so many steps: K, C_0 = K or another symbol, and Y put in."""
    at = expression.subs(steps, count)
    at = at.replace(Trace, lambda inside: _matrix(inside).trace())
    return sp.expand(at.replace(OfTargets, lambda inside: (_TARGETS.T * _matrix(inside) * _TARGETS)[0]))


def _matrix(inside: sp.Expr) -> sp.Matrix:
    total = sp.zeros(2)
    for (_, power, outputs), factor in sp.Poly(sp.expand(inside), IDENTITY, MATRIX, OUTPUTS).terms():
        total += factor * _KERNEL**power * _COVARIANCE**outputs
    return total


def _gaussian_traces(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """By lengths and angles: |x|^2 is a chi square, the cosine of two rows has the density of a sphere's projection."""
    if not isinstance(lhs, MeanTrace):
        return False
    gates, power = map(int, lhs.args)
    matrix, h = known((PLAIN, GATED)[gates], earlier), gates + 1
    terms = {h: matrix.coeff(gram(h)), gates: matrix.coeff(rank_one(gates))}
    on = sp.Add(*terms.values(), matrix.coeff(norms(h)))
    polynomial = sp.Poly(sp.expand(rhs), d)
    if polynomial.degree() > _MOST_DEGREE or power not in (1, 2):
        return False
    for size in range(1, _MOST_DEGREE + 2):
        mean = n * on**power * _length(size, h * power)
        if power == 2:
            pairs = [f * g * _cosine(size, i + j) for i, f in terms.items() for j, g in terms.items()]
            mean += n * (n - 1) * _length(size, h) ** 2 * sp.Add(*pairs)
        if sp.expand(polynomial.eval(size) - mean) != 0:
            return False
    return True


def _length(size: int, a: int) -> sp.Expr:
    """E |x|^2a by the Gamma function."""
    half = sp.Rational(size, 2)
    return sp.simplify(2**a * sp.gamma(half + a) / sp.gamma(half))


def _cosine(size: int, j: int) -> sp.Expr:
    """E cos^j of the angle between independent rows, a Beta integral."""
    if j % 2:
        return sp.S.Zero
    half = sp.Rational(size, 2)
    value = sp.gamma(sp.Rational(j + 1, 2)) * sp.gamma(half) / sp.gamma(half + sp.Rational(j, 2))
    return sp.simplify(value / sp.sqrt(sp.pi))


def _kernel_as_outputs(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """C_0 = K: one more power."""
    return isinstance(lhs, MeanOutputs) and vanishes(
        rhs - known(MeanTrace(lhs.args[0], lhs.args[1] + 1), earlier)
    )


def _slope_in_the_width(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """C_0 is what the width multiplies in K: by polarisation, traces of kernels of neighbouring widths."""
    if not isinstance(lhs, MeanOutputs):
        return False
    gates, power = map(int, lhs.args)
    traces = known(MeanTrace(gates, power + 1), earlier)
    wider, narrower = (traces.subs(m, m + shift) for shift in (1, -1))
    return vanishes(rhs - (wider - narrower) / (2 * (power + 1)))


def _rows_and_pairs(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """One row has a diagonal alone; two rows add a pair each."""
    if lhs not in (DIAGONAL, PAIRS):
        return False
    gap = rewrite(GAPS[1], earlier)
    one, two = (gap.subs(n, count) / count for count in (1, 2))
    return vanishes(rhs - (one if lhs == DIAGONAL else two - one))


def _one_sign(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """All coefficients of the numerator are negative, of the denominator positive, in positive n, d and m."""
    if not isinstance(lhs, Negative) or rhs != sp.true:
        return False
    top, bottom = sp.fraction(sp.cancel(sp.together(rewrite(lhs.args[0], earlier).doit())))
    return _positive(-top, n, d, m) and _positive(bottom, n, d, m)


def _positive(expression: sp.Expr, *variables: sp.Symbol) -> bool:
    return all(bool(c.is_positive) for c in sp.Poly(sp.expand(expression), *variables).coeffs())


def _root_in_rows(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Where A + (n - 1) Q changes its sign, upwards where Q > 0, given that A < 0."""
    if lhs != THRESHOLD or known(Negative(DIAGONAL), earlier) != sp.true:
        return False
    per_row = sp.expand(known(GAPS[1], earlier) / n)
    return per_row.coeff(n, 1) == PAIRS and vanishes(per_row.subs(n, rhs))


def _limit(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Of a quotient of two polynomials: by their degrees and leading coefficients."""
    if not isinstance(lhs, sp.Limit) or lhs.args[2] != sp.oo:
        return False
    inside, variable = lhs.args[:2]
    if inside.has(LEAST):
        law = known(THRESHOLD, earlier)
        width = rewrite(law, earlier)
        inside = inside.replace(LEAST, lambda _, at: width.subs(m, at))
    top, bottom = (
        sp.Poly(sp.expand(part), variable) for part in sp.fraction(sp.together(rewrite(inside, earlier)))
    )
    limit = top.LC() / bottom.LC() if top.degree() == bottom.degree() else sp.S.Zero
    return bool(top.degree() <= bottom.degree()) and vanishes(rhs - limit)


def _sign_from(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Positive coefficients in d - D and m - 1 from some D on, each smaller d by itself; negative before, at m = 1."""
    if not isinstance(lhs, PositiveFrom) or rhs != sp.true:
        return False
    top, bottom = sp.fraction(sp.cancel(sp.together(rewrite(lhs.args[0], earlier))))
    first = int(lhs.args[1])
    if not _positive(bottom, d, m) or not all(top.subs({d: k, m: 1}).is_negative for k in range(1, first)):
        return False
    e, mu = sp.symbols("e mu", positive=True)
    for size in range(first, _FARTHEST):
        if _positive(top.subs({d: size + e, m: 1 + mu}), e, mu):
            # With its constant: at the first size and width, too.
            return bool(top.subs({d: size, m: 1}).is_positive)
        if not _positive_at_every_width(sp.Poly(sp.expand(top.subs({d: size, m: 1 + mu})), mu)):
            return False
    return False


def _positive_at_every_width(polynomial: sp.Poly) -> bool:
    """Of degree 2 at most, on [0, oo): a positive value at 0 and leading coefficient, rising there or without a root."""
    square, slope, constant = (polynomial.nth(i) for i in (2, 1, 0))
    if not constant.is_positive or polynomial.degree() > 2 or square.is_negative:
        return False
    return bool(slope.is_nonnegative or (slope**2 - 4 * square * constant).is_negative)


def _too_few_rows(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Of one neuron: negative coefficients in d - D from some D on, and each smaller d by itself."""
    if not isinstance(lhs, NeverEnough) or rhs != sp.true:
        return False
    value = rewrite(DIAGONAL + (lhs.args[0] - 1) * PAIRS, earlier).subs(m, lhs.args[1])
    top, bottom = sp.fraction(sp.cancel(sp.together(value)))
    e = sp.Symbol("e", positive=True)
    for size in range(1, _FARTHEST):
        if not top.subs(d, size).is_negative:
            return False
        if _positive(-top.subs(d, size + e), e):
            return _positive(bottom, d)
    return False


def _largest_root(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Q vanishes there, at d from where the widest networks have an n to where all have, and at no larger width."""
    if lhs != CRITICAL:
        return False
    top = sp.Poly(sp.fraction(sp.together(rewrite(PAIRS, earlier)))[0], m)
    if not _vanishes_at(top, rhs):
        return False
    some, every = sorted(_starts(earlier))
    for size in range(some, every):
        at = sp.Poly(top.as_expr().subs(d, size), m)
        root = rhs.subs(d, size)
        others = -at.nth(1) / at.nth(2) - root if at.degree() == 2 else sp.S.Zero
        if not (at.LC().is_positive and sp.N(root, 30) > 0 and sp.N(root - others, 30) > 0):
            return False
    return True


def _vanishes_at(polynomial: sp.Poly, root: sp.Expr) -> bool:
    """With a name for the square root, whose square is known: long radicands cost a normal form seconds."""
    name = sp.Dummy("S")
    radicals = [power for power in root.atoms(sp.Pow) if power.exp == sp.S.Half]
    if len(radicals) > 1:
        return False
    for radical in radicals:
        root = root.xreplace({radical: name})
    top = sp.fraction(sp.together(polynomial.as_expr().subs(polynomial.gen, root)))[0]
    for radical in radicals:
        top = sp.rem(sp.expand(top), name**2 - sp.expand(radical.base), name)
    return bool(sp.expand(top) == 0)


def _starts(earlier: Sequence[Step]) -> Iterator[int]:
    return (int(step.lhs.args[1]) for step in earlier if isinstance(step.lhs, PositiveFrom))


RULES: dict[str, Rule] = {
    "first order in the rate": Rule(
        "(I - eta K)^2k = I - 2 k eta K + O(eta^2)", "Taylor's theorem", _first_order
    ),
    "moments of Gaussian rows": Rule(
        "E Tr K and E Tr K^2 of a simplified matrix over n rows N(0, I_d), by Isserlis' theorem",
        "Isserlis 1918",
        _gaussian_traces,
    ),
    "outputs of covariance K": Rule(
        "the outputs at the start have the covariance K", "assumption", _kernel_as_outputs
    ),
    "slope in the width": Rule(
        "the outputs of a real network have the covariance that the width multiplies in K: E Tr[K^p C_0] is the "
        "derivative in m of E Tr K^(p+1), over p + 1",
        "derived here",
        _slope_in_the_width,
    ),
    "rows and pairs": Rule("n rows have n (n - 1) ordered pairs", "counting", _rows_and_pairs),
    "one sign": Rule("a polynomial with negative coefficients is negative", "arithmetic", _one_sign),
    "root in n": Rule(
        "for A < 0, A + (n - 1) Q >= 0 exactly where Q > 0 and n >= 1 - A/Q", "arithmetic", _root_in_rows
    ),
    "limit of a quotient": Rule(
        "the limit of a quotient of two polynomials is that of their leading terms", "calculus", _limit
    ),
    "sign from a dimension": Rule(
        "a polynomial with positive coefficients in d - D and m - 1 is positive for d >= D, m >= 1",
        "arithmetic",
        _sign_from,
    ),
    "too few at every d": Rule(
        "A + (n - 1) Q < 0 at every d: a polynomial with negative coefficients in d - D is negative for d >= D",
        "arithmetic",
        _too_few_rows,
    ),
    "largest root in m": Rule(
        "Q grows through 0 at its largest root: some n is enough exactly above it",
        "arithmetic",
        _largest_root,
    ),
}
