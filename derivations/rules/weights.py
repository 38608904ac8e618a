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
    b,
    c,
    d,
    gate_bias,
    k,
    l,
    m,
    s_1,
    s_2,
    scale_bias,
    scale_in,
    scale_out,
    sigma_a,
    sigma_b,
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
_FREE = (UNIT, Phi(0, z), sigma_a, sigma_b, sigma_v, sigma_w, scale_bias, scale_in, scale_out)
_BIASES = (b, gate_bias(1), gate_bias(2))


def _definition(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A name for something that had none: only these symbols name, and an affine form that is named by a new one.

    Without this restriction any claim could pass as a definition of its left side.
    """
    if rhs.has(lhs) or any(step.lhs == lhs for step in earlier):
        return False
    if lhs in _FIXED:
        return rhs == _FIXED[lhs]
    if lhs in _FREE:
        return not (lhs.is_positive and rhs.is_nonpositive)
    new = rhs.free_symbols - set().union(*(step.lhs.free_symbols | step.rhs.free_symbols for step in earlier))
    terms = {term.as_independent(*_BIASES, sp.Sum, as_Add=False)[1] for term in sp.Add.make_args(lhs)}
    affine = isinstance(lhs, sp.Sum) or (lhs.is_Add and sum(term in _BIASES for term in terms) == 1)
    return affine and all(term in _BIASES or _is_dot_product(term) for term in terms) and bool(new)


def _is_dot_product(total: sp.Expr) -> bool:
    if not isinstance(total, sp.Sum):
        return False
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


def _names(earlier: Sequence[Step]) -> list[Step]:
    """What the preactivation and the gates' values are called."""
    return [step for step in earlier if step.lhs.has(sp.Sum) and step.rule == "definition"]


def _inner_product(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A gradient at x times itself at y: named factors, without the summation index, come out of the sum over it."""
    gradient = earlier[-1].rhs
    product = gradient * gradient.subs(x, y)
    if earlier[-1].rule != "differentiation" or lhs != (
        sp.Sum(product, (l, 1, d)) if product.has(l) else product
    ):
        return False
    names = _names(earlier)
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
    unit = known(UNIT, earlier)
    blocks = [weights[l] for weights in unit.atoms(sp.IndexedBase) - {x, y}]
    blocks += [bias for bias in _BIASES if unit.has(bias)]
    complete = sorted(map(str, differentiated)) == sorted(map(str, (a, *blocks)))
    expected = sp.Add(*(m * Expectation(product) for product in products))
    return lhs == KERNEL and complete and len(products) == len(differentiated) and rhs == expected


def _output_covariance(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Sigma(x, y) is m times the expected product of one unit's values (units are centred: E a = 0)."""
    at_x = known(UNIT, earlier)
    names = _names(earlier)
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
    """E of a product of two affine forms: over weights and biases, variance times the products of coefficients."""
    if not isinstance(lhs, Expectation) or len(lhs.args) != 1:
        return False
    if lhs == Expectation(a**2):
        return rhs == sigma_a**2
    factors = [base for base, power in lhs.args[0].as_powers_dict().items() for _ in range(int(power))]
    named = {  # u -> s_in Sum(weight[k] data[k]) + s_b bias
        symbol: sp.expand(step.lhs * symbol / step.rhs)
        for step in _names(earlier)
        for symbol in factors
        if step.rhs.has(symbol)
    }
    if len(factors) != 2 or any(factor not in named for factor in factors):
        return False
    value = sp.S.Zero
    for first in sp.Add.make_args(named[factors[0]]):
        for second in sp.Add.make_args(named[factors[1]]):
            value += _second_moment(first, second)
    return vanishes(value - rhs)


def _second_moment(first: sp.Expr, second: sp.Expr) -> sp.Expr:
    """E of a product of two terms, each linear in a bias or in iid weights; 0 where these are independent."""
    scales, randoms = zip(
        *(term.as_independent(*_BIASES, sp.Sum, as_Add=False) for term in (first, second)), strict=True
    )
    if not all(isinstance(random, sp.Sum) for random in randoms):
        return sp.Mul(*scales) * sigma_b**2 if randoms[0] == randoms[1] else sp.S.Zero
    weights, data = zip(*map(_weight_and_data, randoms), strict=True)
    if weights[0] != weights[1]:
        return sp.S.Zero
    variance = sigma_w**2 if weights[0].base == w else sigma_v**2
    return sp.Mul(*scales) * variance * sp.Sum(sp.Mul(*data), randoms[0].limits[0]).xreplace({k: l})


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
    "Isserlis": Rule(
        "second moment of affine forms in independent Gaussian weights and biases", "Isserlis 1918", _isserlis
    ),
}
