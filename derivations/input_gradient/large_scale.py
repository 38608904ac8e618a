r"""The second moments of the input gradient at large scale: their leading terms as \(s \to \infty\)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy as sp

from derivations.activations import Activation
from derivations.derivation import Step
from derivations.input_gradient.expectations import EXPECTATIONS
from derivations.input_gradient.saturation import tanh_form
from derivations.input_gradient.second_moments import GENERAL, SecondMoments
from derivations.symbols import Expectation, s_1


def limit_steps(phi: Activation, earlier: list[Step]) -> Iterator[Step]:
    """Leading terms of `EXPECTATIONS`, if all four are known."""
    closed = {step.lhs: step.rhs for step in earlier}
    form = tanh_form(phi.phi)
    for expectation in EXPECTATIONS:
        term, rule = None, "saturation"
        if expectation in closed:
            term, rule = _leading_term(closed[expectation]), "closed limit"
        elif form is not None:
            term = form.leading_term(expectation)
        if term is None:
            return
        value, power = term
        limit = sp.Limit(expectation * s_1**-power, s_1, sp.oo)
        yield Step(f"At large scale, like the power {power}", limit, value, rule)


def _leading_term(closed: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """(value, n) with `closed` ~ value s_1^n, or None where it grows or falls exponentially."""
    if closed.has(sp.exp):
        return None
    inverse = sp.Dummy("inverse", positive=True)
    # Roots of sums over inverse^2 would hide their power of it from SymPy.
    inverted = closed.subs(s_1, 1 / inverse).replace(
        lambda e: e.is_Pow and e.exp.is_Rational, lambda e: sp.factor(sp.together(e.base)) ** e.exp
    )
    value, power = inverted.leadterm(inverse)
    return sp.factor(value), -power


def large_scale_steps(parts: Sequence[str], limits: list[Step]) -> Iterator[Step]:
    """The leading term of each of these parts of the second moment, from all of `limit_steps`."""
    if len(limits) < len(EXPECTATIONS):
        return
    leading = {}
    for step in limits:
        (expectation,) = step.lhs.args[0].atoms(Expectation)
        leading[expectation] = step.rhs * sp.cancel(expectation / step.lhs.args[0])
    for name in parts:
        general = GENERAL.parts[name]
        power, top = _fastest(sp.Add.make_args(sp.expand(general.xreplace(leading))))
        limit = sp.Limit(sp.expand(general * s_1**-power), s_1, sp.oo)
        yield Step(_title(name), limit, sp.factor(top / s_1**power), "limit of sums")


def leading_terms(steps: Sequence[Step]) -> SecondMoments | None:
    """What `large_scale_steps` of all parts say, or None where they are missing."""
    limits = {step.title: step for step in steps}
    if any(_title(name) not in limits for name in GENERAL.parts):
        return None
    found = {}
    for name, part in GENERAL.parts.items():
        limit = limits[_title(name)]
        found[name] = sp.factor(limit.rhs * sp.cancel(part / limit.lhs.args[0]))
    return SecondMoments(**found)


def linear_share(leading: SecondMoments) -> sp.Expr:
    """Leading term of the linear path's share of the gated unit's second moment."""
    _, whole = _fastest([part for part in (leading.gate, leading.linear, leading.cross) if part != 0])
    return sp.factor(leading.linear / whole)


def _title(part: str) -> str:
    return f"At large scale: {part}"


def _fastest(terms: Sequence[sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    """The highest power of the scale in these products, and the sum of those that have it."""
    powers = [sp.cancel(s_1 * term.diff(s_1) / term) for term in terms]
    highest = max(powers)
    return highest, sp.Add(*(term for term, power in zip(terms, powers, strict=True) if power == highest))
