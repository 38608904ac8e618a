"""The closed forms of the kernels in norms and cosine of the data, written so that they lose no digits at rho = 1."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import sympy as sp

from derivations.derivation import Step
from derivations.geometry import geometry_steps
from derivations.networks import TwoLayer
from derivations.price_steps import price_steps
from derivations.remaining_integral import dual_ladder
from derivations.rules import rewrite
from derivations.symbols import COVARIANCE, KERNEL, Expectation, c, m, r_i, r_j, rho

_KERNELS = {"NNGP covariance": COVARIANCE, "NTK": KERNEL}


def closed_steps(network: TwoLayer, steps: list[Step]) -> list[Step]:
    """`steps` and those to the closed forms of the kernels that they have as expectations.

    Raises
    ------
    NotInClass
        If there is no closed form.
    """
    known = {step.lhs for step in steps}
    steps = [*steps, *price_steps(network.activation.normal_form, dual_ladder), *geometry_steps(network)]
    for name, kernel in _KERNELS.items():
        if kernel in known:
            steps.append(Step(f"Closed form of the {name}", kernel, _closed(kernel, steps), "substitution"))
    if KERNEL in known and not steps[-1].rhs.has(m):
        steps.append(Step("Infinite width", sp.Limit(KERNEL, m, sp.oo), KERNEL, "law of large numbers"))
    return steps


def _closed(kernel: sp.Expr, earlier: list[Step]) -> sp.Expr:
    """`kernel` after all earlier steps, every radicand as 1 - rho^2 times one part plus a positive other one."""
    # Frozen, or they would be expanded and the sums of positive terms lost in differences.
    roots = {
        base: sp.Dummy("root", positive=True)
        for step in earlier
        if isinstance(step.lhs, Expectation)
        for base in _radicands(step.rhs)
    }
    squares = {base: root**2 for base, root in roots.items()}
    frozen = [replace(step, rhs=step.rhs.xreplace(squares)) for step in earlier]
    closed = rewrite(kernel, frozen)
    values = {root: stable_root(rewrite(base, earlier)) for base, root in roots.items()}
    integrals = {integral: sp.Dummy() for integral in closed.atoms(sp.Integral)}
    if integrals:  # left as they are: nothing in them is to be multiplied out
        back = {symbol: integral for integral, symbol in integrals.items()}
        return sp.factor_terms(closed.xreplace(integrals).subs(values)).xreplace(back)
    if all(value.is_Mul for value in values.values()):
        return ordered(closed.subs(values))
    # One level deep: m and the readout's 1/m meet, sums of positive terms stay what they are.
    return sp.factor_terms(sp.expand_mul(closed, deep=False).subs(values))


def _radicands(expression: sp.Expr) -> set[sp.Expr]:
    return {
        e.base
        for e in expression.atoms(sp.Pow)
        if e.base.has(c) and e.exp.is_Rational and not e.exp.is_Integer
    }


def stable_root(base: sp.Expr) -> sp.Expr:
    """The square root of `base`, a polynomial in rho^2, with the angle in 1 - rho^2 alone."""
    base = sp.expand(base)
    growing = -base.coeff(rho, 2)
    rest = sp.expand(base + growing * (rho**2 - 1))
    if rest == 0:
        return sp.sqrt(growing) * sp.sqrt(1 - rho**2)
    return sp.sqrt(rest + growing * (1 - rho**2))


def ordered(closed: sp.Expr) -> sp.Expr:
    """Ordered by sqrt(1 - rho^2), pi - arccos(rho) and powers of the norms."""
    arc, root = sp.Dummy("arc", real=True), sp.Dummy("root", positive=True)
    # asin(rho) = (pi - acos(rho)) - pi/2: in the literature's variable ReLU has no other term.
    closed = sp.expand(closed.subs({sp.asin(rho): arc - sp.pi / 2, sp.sqrt(1 - rho**2): root}))
    parts: dict[sp.Expr, list[sp.Expr]] = defaultdict(list)
    for term in sp.Add.make_args(closed):
        factor, monomial = term.as_independent(arc, root, r_i, r_j, as_Add=False)
        parts[monomial].append(factor)
    return sp.Add(*(sp.factor(sp.Add(*factors)) * monomial for monomial, factors in parts.items())).subs(
        {arc: sp.pi - sp.acos(rho), root: sp.sqrt(1 - rho**2)}
    )
