"""From the network to expectations: gradients, iid units, independent weights, second moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.rules.rule import Rule, known, rewrite
from derivations.symbols import (
    COVARIANCE,
    KERNEL,
    UNIT,
    Expectation,
    Phi,
    a,
    c,
    d,
    k,
    l,
    m,
    s_1,
    s_2,
    scale_in,
    scale_out,
    sigma_a,
    sigma_v,
    sigma_w,
    u_1,
    u_2,
    w,
    x,
    y,
    z,
)

if TYPE_CHECKING:
    from derivations.derivation import Step

_FIXED = {
    s_1: sp.sqrt(Expectation(u_1**2)),
    s_2: sp.sqrt(Expectation(u_2**2)),
    c: Expectation(u_1 * u_2),
}
_FREE = (UNIT, Phi(0, z), sigma_a, sigma_v, sigma_w, scale_in, scale_out)


def _definition(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A name for something that had none: only these symbols name, and a dot product that is named by a new one.

    Without this restriction any claim could pass as a definition of its left side.
    """
    if rhs.has(lhs) or any(step.lhs == lhs for step in earlier):
        return False
    if lhs in _FIXED:
        return rhs == _FIXED[lhs]
    if lhs in _FREE:
        return not (lhs.is_positive and rhs.is_nonpositive)
    new = rhs.free_symbols - set().union(*(step.lhs.free_symbols | step.rhs.free_symbols for step in earlier))
    return isinstance(lhs, sp.Sum) and _is_dot_product(lhs) and bool(new)


def _is_dot_product(total: sp.Sum) -> bool:
    powers = total.function.as_powers_dict()
    return all(isinstance(factor, sp.Indexed) for factor in powers) and sum(powers.values()) == 2


def _sifted(expression: sp.Expr) -> sp.Expr:
    """Sum over k of delta_kl f(k) is f(l), the index l being in range."""

    def sift(total: sp.Expr) -> sp.Expr:
        deltas = total.function.atoms(sp.KroneckerDelta)
        if not deltas:
            return total
        return total.function.subs(deltas.pop(), 1).subs(total.limits[0][0], l)

    return expression.replace(lambda e: isinstance(e, sp.Sum), sift)


def _differentiation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The derivative, in one parameter, of the unit that was defined."""
    unit = isinstance(lhs, sp.Derivative) and lhs.expr == known(UNIT, earlier)
    return unit and vanishes(_sifted(lhs.expr.diff(*lhs.variables)) - rhs)


def _inner_product(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A gradient at x times itself at y: named factors, without the summation index, come out of the sum over it."""
    gradient = earlier[-1].rhs
    product = gradient * gradient.subs(x, y)
    if earlier[-1].rule != "differentiation" or lhs != (
        sp.Sum(product, (l, 1, d)) if product.has(l) else product
    ):
        return False
    names = [step for step in earlier if isinstance(step.lhs, sp.Sum) and step.rule == "definition"]
    if not isinstance(lhs, sp.Sum):
        return vanishes(rewrite(lhs, names) - rhs)
    index = lhs.limits[0][0]
    inner = [e for e in rhs.atoms(sp.Sum) if e.limits == lhs.limits]
    if len(inner) != 1 or (rhs / inner[0]).has(index):
        return False
    return vanishes(rewrite(lhs.function, names) - rhs.subs(inner[0], inner[0].function))


def _identical_units(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """K(x, y) is m times the expected sum, over one unit's parameter blocks, of the gradient products."""
    products = [step.rhs for step in earlier if step.rule == "inner product"]
    differentiated = [step.lhs.variables[0] for step in earlier if step.rule == "differentiation"]
    blocks = [weights[l] for weights in known(UNIT, earlier).atoms(sp.IndexedBase) - {x, y}]
    complete = sorted(map(str, differentiated)) == sorted(map(str, (a, *blocks)))
    expected = sp.Add(*(m * Expectation(product) for product in products))
    return lhs == KERNEL and complete and len(products) == len(differentiated) and rhs == expected


def _output_covariance(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Sigma(x, y) is m times the expected product of one unit's values (units are centred: E a = 0)."""
    at_x = known(UNIT, earlier)
    names = [step for step in earlier if isinstance(step.lhs, sp.Sum) and step.rule == "definition"]
    expectations = rhs.atoms(Expectation)
    if lhs != COVARIANCE or len(expectations) != 1 or rhs != m * (inside := expectations.pop()):
        return False
    return len(inside.args) == 1 and vanishes(inside.args[0] - rewrite(at_x * at_x.subs(x, y), names))


def _independent_groups(expression: sp.Expr) -> set[str]:
    """Groups of weights, independent of one another, on which `expression` depends."""
    groups = {a: "a", u_1: "w", u_2: "w"}
    return {
        groups.get(symbol, symbol.name.split("_")[0])
        for symbol in expression.free_symbols
        if symbol in groups or symbol.name.startswith("h")
    }


def _independence(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    factors = rhs.atoms(Expectation)
    if not isinstance(lhs, Expectation) or any(len(e.args) != 1 for e in (lhs, *factors)):
        return False
    groups = [_independent_groups(e.args[0]) for e in factors]
    disjoint = all(len(group) == 1 for group in groups) and len(set().union(*groups)) == len(groups)
    constant = rhs / sp.Mul(*factors)
    if constant.atoms(sp.IndexedBase) - {x, y}:  # a sum over weights is random, whatever its name
        return False
    unfolded = constant * sp.Mul(*(e.args[0] for e in factors))
    return disjoint and not _independent_groups(constant) and vanishes(lhs.args[0] - unfolded)


def _isserlis(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """E of a product of two linear forms in iid weights: the variance times the sum of products of coefficients."""
    if not isinstance(lhs, Expectation) or len(lhs.args) != 1:
        return False
    if lhs == Expectation(a**2):
        return rhs == sigma_a**2
    factors = [base for base, power in lhs.args[0].as_powers_dict().items() for _ in range(int(power))]
    named = {  # u -> (s_in, Sum(weight[k] data[k]))
        symbol: (symbol / step.rhs, step.lhs)
        for step in earlier
        if isinstance(step.lhs, sp.Sum) and step.rule == "definition"
        for symbol in factors
        if step.rhs.has(symbol)
    }
    if len(factors) != 2 or any(factor not in named for factor in factors):
        return False
    scales, sums = zip(*(named[factor] for factor in factors), strict=True)
    weights, data = zip(*(_weight_and_data(total) for total in sums), strict=True)
    if weights[0] != weights[1]:
        return False
    variance = sigma_w**2 if weights[0].base == w else sigma_v**2
    products = sp.Sum(sp.Mul(*data), sums[0].limits[0]).xreplace({k: l})
    return vanishes(sp.Mul(*scales) * variance * products - rhs)


def _weight_and_data(total: sp.Sum) -> tuple[sp.Indexed, sp.Indexed]:
    first, second = total.function.args
    return (second, first) if first.base in (x, y) else (first, second)


RULES: dict[str, Rule] = {
    "definition": Rule("a name for an expression", "-", _definition),
    "differentiation": Rule("derivative of the unit in one parameter", "chain rule", _differentiation),
    "inner product": Rule("factors without the index leave the sum", "distributivity", _inner_product),
    "identical units": Rule(
        "the m hidden units are independent and identically distributed, so the expected kernel is m times one "
        "unit's",
        "Jacot, Gabriel, Hongler 2018, section 4 (definition of the kernel); linearity of the expectation",
        _identical_units,
    ),
    "covariance of outputs": Rule(
        "outputs are sums of m iid centred units", "Neal 1996, section 2.1", _output_covariance
    ),
    "independence": Rule(
        "expectations of products of functions of independent weights factorise",
        "independence of a, w and the gates' weights",
        _independence,
    ),
    "Isserlis": Rule("second moment of linear forms in iid Gaussian weights", "Isserlis 1918", _isserlis),
}
