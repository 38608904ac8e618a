"""How often the difference of two losses is 0, and where it is about: each rule recomputed on sums of three modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.crossing_symbols import (
    CROSSING,
    DIFFERENCE,
    ENERGY,
    ENERGY_GATED,
    LABELS,
    MEAN,
    MEAN_GATED,
    PARTIAL,
    STEP,
    ZEROS,
    change,
    exponent,
)
from derivations.identity import vanishes
from derivations.learning_symbols import eta
from derivations.rules.rule import Rule, known
from derivations.symbols import d, m, n

if TYPE_CHECKING:
    from derivations.derivation import Step

_WEIGHTS = sp.symbols("a1:4", real=True)
_FIRST, _SECOND, _THIRD = sp.symbols("x1 s2 s3", positive=True)
_EXPONENTS = (_FIRST, _FIRST + _SECOND, _FIRST + _SECOND + _THIRD)
_LEVELS = tuple(sum(_WEIGHTS[: i + 1]) for i in range(3))
"""Three modes, the slowest first, and the partial sums of their weights."""


def _sum() -> sp.Expr:
    return sp.Add(*(a * sp.exp(-STEP * x) for a, x in zip(_WEIGHTS, _EXPONENTS, strict=True)))


def _by_parts(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """The integral over each piece on which A is constant, against the sum."""
    if lhs != DIFFERENCE:
        return False
    factor, integral = (rhs / STEP).as_independent(sp.Integral)
    if not isinstance(integral, sp.Integral) or integral.limits != ((exponent, 0, sp.oo),):
        return False
    kernel = integral.function / PARTIAL
    if kernel.has(PARTIAL):
        return False
    found = sp.S.Zero
    for level, start, end in zip(_LEVELS, _EXPONENTS, (*_EXPONENTS[1:], sp.oo), strict=True):
        found += level * sp.integrate(kernel, (exponent, start, end))
    return sp.expand(sp.expand(factor * STEP * found) - _sum()) == 0


def _slope(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The integrand's derivative."""
    if lhs != sp.Derivative(sp.exp(STEP * change) * DIFFERENCE / STEP, STEP) or not isinstance(
        rhs, sp.Integral
    ):
        return False
    integral = known(DIFFERENCE, earlier) / STEP
    if rhs.limits != integral.limits:
        return False
    inside = sp.powsimp(sp.exp(STEP * change) * integral.function)
    return sp.expand(sp.expand(sp.diff(inside, STEP) - rhs.function)).equals(0) is True


def _one_change(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """A is a positive level before c and a negative one after it."""
    if rhs != sp.true or not isinstance(lhs, sp.Ge) or lhs.rhs != 0:
        return False
    level, apart = sp.symbols("level apart", positive=True)
    sides = [lhs.lhs.subs(PARTIAL, sign * level).subs(exponent, change - sign * apart) for sign in (1, -1)]
    return lhs.lhs.has(PARTIAL) and all(sp.expand(side).is_positive for side in sides)


def _increasing(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The derivative's integrand is what is not negative, times an exponential."""
    if lhs != sp.Le(ZEROS, 1) or rhs != sp.true:
        return False
    slope = next(step.rhs.function for step in reversed(earlier) if isinstance(step.lhs, sp.Derivative))
    held = [step.lhs.lhs for step in earlier if step.rhs == sp.true and step.rule == "one change of sign"]
    return any(sp.cancel(slope / one).is_positive for one in held)


def _odd(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """At k = 0 the difference is the last partial sum, over its slowest mode it tends to the first."""
    if lhs != sp.Eq(sp.Mod(ZEROS, 2), 1) or rhs != sp.true:
        return False
    over_slowest = sp.expand(sp.expand(_sum() * sp.exp(STEP * _FIRST)))
    last = sp.limit(sp.powsimp(over_slowest), STEP, sp.oo)
    return sp.expand(last - _LEVELS[0]) == 0 and sp.expand(_sum().subs(STEP, 0) - _LEVELS[-1]) == 0


def _exactly(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    held = {step.lhs for step in earlier if step.rhs == sp.true}
    needed = {sp.Le(ZEROS, 1), sp.Eq(sp.Mod(ZEROS, 2), 1)}
    return lhs == sp.Eq(ZEROS, 1) and rhs == sp.true and needed <= held


def _beyond(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Parseval: all degrees' (m + j d) a^2 by two Gaussian integrals of ReLU, less those of degrees 0 and 1."""
    if lhs not in (MEAN, MEAN_GATED):
        return False
    gates = int(lhs == MEAN_GATED)
    u = sp.Symbol("u", real=True)
    density = sp.exp(-(u**2) / 2) / sp.sqrt(2 * sp.pi)
    square, slope, *hermite = (sp.integrate(f * density, (u, 0, sp.oo)) for f in (u**2, sp.S.One, u, u**2))
    total = m * square + d * (gates * square + slope)
    low = sum((m + (j + gates) * d) * a**2 for j, a in enumerate(hermite) if j + gates < 2)
    return vanishes(sp.expand(total - low - rhs))


def _energy(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """C_0 is the kernel, or what the width multiplies in it."""
    mean = {ENERGY: MEAN, ENERGY_GATED: MEAN_GATED}.get(lhs)
    if mean is None:
        return False
    value = known(mean, earlier)
    outputs = sp.expand(rhs - LABELS**2)
    return any(vanishes(sp.expand(outputs - start)) for start in (value, sp.diff(value, m)))


def _two_exponentials(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    first, second = (
        w * sp.exp(-2 * eta * mean * STEP) for w, mean in ((ENERGY, MEAN), (ENERGY_GATED, MEAN_GATED))
    )
    return lhs == DIFFERENCE and sp.expand(rhs - n * (first - second) / 2) == 0


def _root(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Put in, both exponentials are equal; their logarithms are linear in the step."""
    if lhs != CROSSING:
        return False
    positive, negative = sp.expand(known(DIFFERENCE, earlier)).as_ordered_terms()
    logs = [sp.expand_log(sp.log(sp.Abs(term)), force=True) for term in (positive, negative)]
    at = sp.expand_log((logs[0] - logs[1]).subs(STEP, rhs), force=True)
    return bool(sp.simplify(at) == 0)


def _values(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    values = {name: known(name, earlier) for name in (MEAN, MEAN_GATED, ENERGY, ENERGY_GATED)}
    before = known(CROSSING, earlier)
    return lhs == CROSSING and rhs != before and bool(sp.simplify(rhs - before.xreplace(values)) == 0)


RULES: dict[str, Rule] = {
    "summation by parts": Rule(
        "sum a_i exp(-k x_i) = k int A(x) exp(-k x) dx, A the sum of the a_i with x_i <= x",
        "summation by parts",
        _by_parts,
    ),
    "slope under the integral": Rule(
        "derivative of the integrand", "differentiation under the integral", _slope
    ),
    "one change of sign": Rule(
        "if A is positive before c and negative after, or the other way round", "signs", _one_change
    ),
    "increasing": Rule(
        "a function that increases has at most one zero; A is not 0 everywhere",
        "Laguerre 1884, for one change",
        _increasing,
    ),
    "signs at both ends": Rule(
        "if the first and the last of the partial sums have opposite signs: an odd number",
        "intermediate values",
        _odd,
    ),
    "odd and at most one": Rule("one", "arithmetic", _exactly),
    "beyond degree 1": Rule(
        "of the kernel's diagonal at |x|^2 = d, per degree j (m + j d) a_(j-g)^2, a the Hermite coefficients",
        "Parseval",
        _beyond,
    ),
    "energy beyond degree 1": Rule(
        "of targets and first outputs, spread over all modes alike", "definition of C_0", _energy
    ),
    "two exponentials": Rule(
        "degrees 0 and 1 are gone, all others have one eigenvalue and n modes",
        "heuristic",
        _two_exponentials,
        "heuristic",
    ),
    "equal exponentials": Rule("w exp(-a k) = w~ exp(-b k)", "logarithms", _root),
    "blocks put in": Rule("by their values", "substitution", _values),
}
