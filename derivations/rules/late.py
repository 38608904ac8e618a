"""Which loss is larger at last: each rule recomputed on modes, and on rows, that stand for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.dynamics_symbols import EXPECTED, eigenvalue, energy, index, steps, target
from derivations.identity import vanishes
from derivations.late_symbols import (
    ALL_GATED,
    DIFFERENCE,
    FACTORS,
    HIGH,
    HIGH_GATED,
    LAST_DIFFERENCE,
    LAST_LOSS,
    LATE,
    LOW,
    LOW_GATED,
    SLOWEST,
    SLOWEST_GATED,
    WEIGHT,
    WEIGHT_GATED,
)
from derivations.learning_symbols import eta
from derivations.matrix_symbols import COVARIANCE, LEAST, Smallest
from derivations.rules.rule import Rule, known
from derivations.symbols import n

if TYPE_CHECKING:
    from derivations.derivation import Step

_MORE, _LESS = sp.symbols("s t", nonnegative=True)
_POSITIVE = sp.Symbol("sigma", positive=True)
HAS_WEIGHT = energy[n] + target[n] ** 2 > 0
_GATED = {LOW: LOW_GATED, HIGH: HIGH_GATED}


def _ends(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """|1 - eta u| at u = lambda_n + s, s + t = lambda_1 - lambda_n: below one of the two, and both are reached."""
    if lhs != FACTORS or not isinstance(rhs, sp.Max) or len(rhs.args) != 2:
        return False
    inside = 1 - eta * (LOW + _MORE)
    sides = [side.subs(HIGH, LOW + _MORE + _LESS) for side in rhs.args]
    for signed in (inside, -inside):
        if not any(sp.expand(side - signed).is_nonnegative for side in sides):
            return False
    ends = [e.subs(_MORE, 0) for e in (inside, -inside)]
    ends += [e.subs(_MORE, _MORE + _LESS) for e in (inside, -inside)]
    return all(any(sp.expand(side - end) == 0 for end in ends) for side in sides)


def _larger_end(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The condition says which of the two is larger."""
    if lhs not in (SLOWEST, SLOWEST_GATED) or not isinstance(rhs, sp.Piecewise) or len(rhs.args) != 2:
        return False
    both = known(FACTORS, earlier).xreplace(_GATED if lhs == SLOWEST_GATED else {})
    (first, condition), (second, other) = rhs.args
    if {first, second} != set(both.args) or other != sp.true or not isinstance(condition, sp.Le | sp.Ge):
        return False
    return sp.expand(first - second - condition.gts + condition.lts) == 0


def _limit(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Modes that decay slowest, on either side of 1, and modes that decay faster, by SymPy's limit."""
    twice = 2 * rhs
    if lhs != LAST_LOSS or not isinstance(twice, sp.Sum) or twice.limits != ((index, 1, n),):
        return False
    loss = 2 * known(EXPECTED(steps), earlier)
    limit, said = sp.S.Zero, sp.S.Zero
    for number, share in enumerate((1, -1, sp.Rational(1, 2), sp.Rational(-2, 3))):
        mode = {
            eigenvalue[index]: (1 - share * SLOWEST) / eta,
            energy[index]: sp.Symbol(f"c{number}", nonnegative=True),
            target[index]: sp.Symbol(f"b{number}", real=True),
        }
        # The k-th power of a number: the weights and the rate stay symbols.
        weight = sp.expand(loss.function.xreplace(mode).subs(steps, 0))
        powers = loss.function.xreplace(mode) - weight * (share * SLOWEST) ** (2 * steps)
        if sp.expand(powers.subs(steps, 2)) != 0 or sp.expand(powers.subs(steps, 3)) != 0:
            return False
        limit += weight * sp.limit(sp.Abs(share) ** (2 * steps), steps, sp.oo)
        said += twice.function.xreplace(mode)
    return sp.expand(limit - said.doit()) == 0


def _named(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    return lhs == WEIGHT and rhs == 2 * known(LAST_LOSS, earlier)


def _difference(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """L is W q^2k / 2 to leading order and L~ likewise: the larger factor is left, or both."""
    if lhs != LAST_DIFFERENCE or 2 * known(LAST_LOSS, earlier) != known(WEIGHT, earlier):
        return False
    ratio = sp.Symbol("x", positive=True)
    found = {}
    for case, q, q_gated in (
        (SLOWEST > SLOWEST_GATED, sp.S.One, sp.exp(-ratio)),
        (SLOWEST < SLOWEST_GATED, sp.exp(-ratio), sp.S.One),
        (sp.true, sp.S.One, sp.S.One),
    ):
        found[case] = sp.limit(
            (WEIGHT * q ** (2 * steps) - WEIGHT_GATED * q_gated ** (2 * steps)) / 2, steps, sp.oo
        )
    return _same_cases(rhs, found)


def _same_cases(rhs: sp.Expr, found: dict[sp.Basic, sp.Expr]) -> bool:
    if not isinstance(rhs, sp.Piecewise) or len(rhs.args) != len(found):
        return False
    return all(case in found and sp.expand(found[case] - value) == 0 for value, case in rhs.args)


def _sign(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Of each case, the weights being positive."""
    if lhs != sp.sign(LAST_DIFFERENCE):
        return False
    return _same_cases(
        rhs, {case: sp.sign(2 * value) for value, case in known(LAST_DIFFERENCE, earlier).args}
    )


def _short_step(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Both factors in the first of their cases."""
    if lhs != SLOWEST - SLOWEST_GATED:
        return False
    (first, _), _ = known(SLOWEST, earlier).args
    (gated, _), _ = known(SLOWEST_GATED, earlier).args
    return sp.expand(rhs - first + gated) == 0


def _one_against_all(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """What is left of L is not negative; each mode of L~ has at most the slowest one's power."""
    if rhs != sp.true or not isinstance(lhs, sp.Ge) or lhs.lhs != DIFFERENCE:
        return False
    power, gated_power = SLOWEST ** (2 * steps), SLOWEST_GATED ** (2 * steps)
    faster, weight, gated = sp.symbols("f w w~", nonnegative=True)
    # L = (W q^2k + w f) / 2; L~ = sum of w~ q~^2k / (1 + s), T~ the sum of the w~.
    loss = (WEIGHT * power + weight * faster) / 2
    gated_loss = gated * gated_power / (1 + _MORE) / 2
    left = sp.factor(sp.expand(loss - lhs.rhs.subs(ALL_GATED, gated)) - gated_loss)
    # The smallest bound of its kind: reached where all modes of both decay alike.
    reached = left.subs({weight: 0, _MORE: 0})
    return bool(left.is_nonnegative) and sp.expand(reached) == 0


def _solved(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """At this step both sides of the bound are equal; the ratio of the two grows with the step where q > q~."""
    if lhs != LATE:
        return False
    bound = next(step.lhs.rhs for step in reversed(earlier) if step.rule == "one mode against all")
    positive, negative = sp.expand(2 * bound).as_ordered_terms()
    if positive.could_extract_minus_sign():
        positive, negative = negative, positive
    ratio = sp.expand_log(sp.log(positive) - sp.log(-negative), force=True)
    grows = sp.expand(sp.diff(ratio, steps) - 2 * sp.log(SLOWEST) + 2 * sp.log(SLOWEST_GATED)) == 0
    return grows and vanishes(sp.expand_log(sp.expand(ratio.subs(steps, rhs)), force=True))


def _weyl(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda_n(A + c Sigma) >= lambda_n(A) + c lambda_n(Sigma)."""
    if rhs != sp.true or not isinstance(lhs, sp.Ge) or not isinstance(lhs.lhs, Smallest):
        return False
    parts = known(lhs.lhs.args[0], earlier)
    more = parts.coeff(COVARIANCE)
    expected = Smallest(parts - more * COVARIANCE) + more * Smallest(COVARIANCE)
    return bool(more.is_nonnegative) and lhs.rhs == expected


def _solved_for_length(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Both sides over what p_min's power multiplies, which is positive."""
    if not isinstance(lhs, sp.Gt) or not isinstance(rhs, sp.Gt) or not isinstance(lhs.rhs, Smallest):
        return False
    values = {lhs.rhs: _LESS, Smallest(COVARIANCE): _POSITIVE}
    (left, right), (power, bound) = ([side.xreplace(values) for side in e.args] for e in (lhs, rhs))
    ratio = sp.cancel((left - right) / (power - bound)).factor()
    held = {step.lhs.rhs for step in earlier if step.rhs == sp.true and step.rule == "chain of bounds"}
    return (
        lhs.lhs in held
        and power.as_base_exp()[0] == LEAST
        and bool(ratio.is_positive)
        and not bound.has(LEAST)
    )


def _long_rows(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Above that length the bound is above lambda_n(K); so it is at p_min = 1 + s."""
    if rhs != sp.true or not isinstance(lhs, sp.Gt) or not isinstance(lhs.rhs, Smallest):
        return False
    condition = next(step for step in reversed(earlier) if step.rule == "solved for the length")
    bounds = {step.lhs.rhs for step in earlier if step.rhs == sp.true and step.lhs.args[0] == lhs.lhs}
    if condition.lhs.rhs != lhs.rhs or condition.lhs.lhs not in bounds:
        return False
    values = {lhs.rhs: _LESS, Smallest(COVARIANCE): _POSITIVE}
    left, right = (side.xreplace(values) for side in condition.lhs.args)
    needed = condition.rhs.rhs.xreplace(values)
    at_one = sp.expand(left.subs(LEAST, 1 + _MORE) - right)
    return bool(at_one.is_positive) and sp.cancel(1 - needed).factor().is_positive is True


def _slower(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda~_n = lambda_n + s, eta lambda~_1 = 2 - eta lambda_n - t, s, t > 0: both ends are below 1 - eta lambda_n."""
    if lhs != (SLOWEST > SLOWEST_GATED) or rhs != sp.true:
        return False
    held = [step.lhs for step in earlier if step.rhs == sp.true and isinstance(step.lhs, sp.Gt)]
    # The modes' smallest eigenvalue is the kernel's without gates, and the kernel's or larger with them.
    if HAS_WEIGHT not in held or not any(isinstance(one.lhs, Smallest) for one in held):
        return False
    more, less = sp.symbols("s t", positive=True)
    gated = [
        value.subs({LOW_GATED: LOW + more, HIGH_GATED: (2 - less) / eta - LOW})
        for value, _ in known(SLOWEST_GATED, earlier).args
    ]
    (first, condition), (second, _) = known(SLOWEST, earlier).args
    # The plain factor is at least its first case: the second is taken only where it is the larger one.
    larger = sp.expand(second - first - condition.lts + condition.gts) == 0
    return larger and all(sp.expand(first - value).is_positive for value in gated)


def _weight(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """v^T Sigma v of a unit vector in Sigma's own basis, cosine and sine of any angle, is lambda_n(Sigma) or more."""
    if lhs != HAS_WEIGHT or rhs != sp.true:
        return False
    angle = sp.Symbol("angle", real=True)
    smallest = sp.Symbol("sigma", positive=True)
    form = smallest * sp.cos(angle) ** 2 + (smallest + _MORE) * sp.sin(angle) ** 2
    return bool(sp.trigsimp(sp.expand(form - smallest)).is_nonnegative)


def _conclusion(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The case of the sign that holds."""
    if lhs != sp.Eq(sp.sign(LAST_DIFFERENCE), 1) or rhs != sp.true:
        return False
    held = {step.lhs for step in earlier if step.rhs == sp.true}
    (value, case), *_ = known(sp.sign(LAST_DIFFERENCE), earlier).args
    return value == 1 and case in held


RULES: dict[str, Rule] = {
    "ends of the spectrum": Rule(
        "|1 - eta u| is convex: largest at lambda_n or at lambda_1", "convexity", _ends
    ),
    "larger end": Rule(
        "1 - eta lambda_n is the larger one if eta (lambda_1 + lambda_n) <= 2", "subtraction", _larger_end
    ),
    "slowest modes are left": Rule(
        "(|1 - eta lambda_i| / q)^2k tends to 1 or 0", "geometric sequences", _limit
    ),
    "weight of the slowest": Rule("a name; positive, as q is that of a mode with weight", "naming", _named),
    "slower network is left": Rule(
        "W q^2k and W~ q~^2k over the larger factor's power", "geometric sequences", _difference
    ),
    "sign case by case": Rule("W and W~ are positive", "definition of the sign", _sign),
    "short steps": Rule(
        "for eta (lambda_1 + lambda_n) <= 2 and eta (lambda~_1 + lambda~_n) <= 2", "subtraction", _short_step
    ),
    "one mode against all": Rule(
        "L has at least its slowest modes, L~ at most all its weight at its slowest",
        "monotony of sums",
        _one_against_all,
    ),
    "solved for the step": Rule("where q > q~, the bound is positive beyond", "logarithms", _solved),
    "Weyl's inequality": Rule("lambda_n(A + B) >= lambda_n(A) + lambda_n(B)", "Weyl 1912", _weyl),
    "solved for the length": Rule(
        "where lambda_n(Sigma) > 0; K is positive semidefinite", "division", _solved_for_length
    ),
    "long rows": Rule("where p_min is larger than that, as it is if p_min >= 1", "monotony", _long_rows),
    "gated factor is smaller": Rule(
        "for eta (lambda_n + lambda~_1) < 2, lambda_n < lambda~_n", "subtraction", _slower
    ),
    "weight of the last mode": Rule(
        "v^T Sigma v >= lambda_n(Sigma) > 0 for a unit vector v, C_0 = Sigma without gates",
        "Rayleigh quotient",
        _weight,
    ),
    "first case": Rule("the case that holds", "substitution", _conclusion),
}
