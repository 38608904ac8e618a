r"""The rules of inference: what each one claims of ``lhs = rhs``, where it is stated, and how it is checked.

A checker looks only at the two sides and at the steps before. It recomputes the claim by a way of its own:
by differentiating an integral, by SymPy's derivative of the integrand, by the Gamma function instead of
Stein's recursion, by derivatives of the closed form instead of expectations of derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import sympy as sp
from sympy.core.function import AppliedUndef

from derivations.identity import vanishes
from derivations.symbols import (
    COVARIANCE,
    KERNEL,
    REMAINDER,
    SPHERE,
    UNIT,
    Coefficient,
    Expectation,
    Phi,
    a,
    alpha,
    beta,
    c,
    d,
    gamma,
    k,
    l,
    m,
    r_i,
    r_j,
    rho,
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

Checker = Callable[[sp.Expr, sp.Expr, Sequence["Step"]], bool]


@dataclass(frozen=True)
class Rule:
    """A named way to conclude ``lhs = rhs`` from earlier steps."""

    claim: str
    reference: str
    holds: Checker
    status: Literal["proved", "certified", "tested", "heuristic", "cited"] = "proved"


def rewrite(expression: sp.Expr, earlier: Sequence[Step]) -> sp.Expr:
    """Replace left sides of earlier steps by their right sides until nothing changes."""
    pairs = [(step.lhs, step.rhs) for step in earlier]
    for _ in range(len(pairs) + 1):
        before = expression
        for lhs, rhs in pairs:
            if expression.has(lhs):
                expression = expression.subs(lhs, rhs)
        if expression == before:
            return expression
    raise ValueError("the earlier steps rewrite in a circle")


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
    unit = isinstance(lhs, sp.Derivative) and lhs.expr == _known(UNIT, earlier)
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
    blocks = [weights[l] for weights in _known(UNIT, earlier).atoms(sp.IndexedBase) - {x, y}]
    complete = sorted(map(str, differentiated)) == sorted(map(str, (a, *blocks)))
    expected = sp.Add(*(m * Expectation(product) for product in products))
    return lhs == KERNEL and complete and len(products) == len(differentiated) and rhs == expected


def _output_covariance(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Sigma(x, y) is m times the expected product of one unit's values (units are centred: E a = 0)."""
    at_x = _known(UNIT, earlier)
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


def _activation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """phi and its distributional derivatives are those of the activation defined before."""
    phi = next(step.rhs for step in earlier if step.lhs == Phi(0, z))

    def derivative(order: sp.Expr, argument: sp.Expr) -> sp.Expr:
        value = phi
        for _ in range(int(order)):
            value = _without_vanishing_diracs(value.diff(z))
        return value.subs(z, argument)

    if lhs.func != Expectation or len(lhs.args) != 1 or rhs.func != Expectation:
        return False
    return rhs.args[1] == c and vanishes(lhs.args[0].replace(Phi, derivative) - rhs.args[0])


def _without_vanishing_diracs(expression: sp.Expr) -> sp.Expr:
    """Drop z^n delta(z), n > 0, which is zero, from an expanded expression."""

    def survives(term: sp.Expr) -> bool:
        powers = term.as_powers_dict()
        return not any(powers.get(e.args[0], 0) for e in term.atoms(sp.DiracDelta))

    return sp.Add(*(term for term in sp.Add.make_args(sp.expand(expression)) if survives(term)))


def _price(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """d/dc E[F(u_1, u_2)] = E[d^2 F / du_1 du_2]."""
    if lhs != sp.Derivative(lhs.expr, c) or lhs.expr.func != Expectation or rhs.func != Expectation:
        return False
    before = lhs.expr.args[0]
    after = _without_vanishing_diracs(before.diff(u_1)).diff(u_2)
    difference = _without_vanishing_diracs(after) - rhs.args[0]
    return lhs.expr.args[1] == c == rhs.args[1] and vanishes(_without_vanishing_diracs(difference))


def _origin_density(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Each delta^(i)(u_1) delta^(j)(u_2) is (-1)^(i+j) times the density's derivative at the origin."""
    if lhs.func != Expectation or lhs.args[1] != c:
        return False
    determinant = s_1**2 * s_2**2 - c**2
    exponent = -(s_2**2 * u_1**2 - 2 * c * u_1 * u_2 + s_1**2 * u_2**2) / (2 * determinant)
    density = sp.exp(exponent) / (2 * sp.pi * sp.sqrt(determinant))
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(lhs.args[0])):
        if term == 0:
            continue
        coefficient, diracs = term.as_independent(sp.DiracDelta)
        deltas = sp.Mul.make_args(diracs)
        # One of each variable, and nothing else that is random, or the origin is not where the mass is.
        if {delta.args[0] for delta in deltas} != {u_1, u_2} or len(deltas) != 2 or coefficient.free_symbols:
            return False
        derivative = density
        for dirac in deltas:
            order = int(dirac.args[1]) if len(dirac.args) > 1 else 0
            derivative = (-1) ** order * derivative.diff(dirac.args[0], order)
        total += coefficient * derivative.subs({u_1: 0, u_2: 0})
    return vanishes(total - rhs)


def _uncorrelated(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """At c = 0 the expectation factorises into half-line moments 2^(n/2-1) Gamma((n+1)/2) s^n / sqrt(pi).

    A Dirac term's is a derivative of the one-dimensional density at 0.
    """
    if lhs.func != Expectation or lhs.args[1] != 0:
        return False

    def moment(factor: sp.Expr, u: sp.Symbol, s: sp.Expr) -> sp.Expr:
        powers = factor.as_powers_dict()
        power, step = int(powers.pop(u, 0)), powers.pop(sp.Heaviside(u), 0)
        if not powers or factor == 1:
            half = (
                sp.Rational(2) ** sp.Rational(power - 2, 2) * sp.gamma(sp.Rational(power + 1, 2)) * s**power
            )
            return half / sp.sqrt(sp.pi) * (1 if step else 1 + (-1) ** power)
        order = int(factor.args[1]) if len(factor.args) > 1 else 0
        if sp.DiracDelta(u, order) != factor:
            raise ValueError(f"no moment is known of {factor}")
        density = sp.exp(-(u**2) / (2 * s**2)) / (sp.sqrt(2 * sp.pi) * s)
        return (-1) ** order * density.diff(u, order).subs(u, 0)

    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(lhs.args[0])):
        coefficient, first = term.as_independent(u_1)
        coefficient, second = coefficient.as_independent(u_2)
        total += coefficient * moment(first, u_1, s_1) * moment(second, u_2, s_2)
    return vanishes(total - rhs)


def _integration(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The right side has the derivative in c that an earlier step gives, and the value at 0 of another."""
    known = {step.lhs: step.rhs for step in earlier}
    derivative, at_zero = sp.Derivative(lhs, c), lhs.subs(c, 0)
    if derivative not in known or at_zero not in known:
        return False
    slope = known.get(known[derivative], known[derivative])
    return vanishes(rhs.diff(c) - slope) and vanishes(rhs.subs(c, 0) - known[at_zero])


def _substitution(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    return vanishes(rewrite(lhs, earlier) - rewrite(rhs, earlier))


def _law_of_large_numbers(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A mean of m iid terms converges to its expectation; the expectation must not depend on m."""
    return lhs == sp.Limit(rhs, m, sp.oo) and rhs == KERNEL and not rewrite(rhs, earlier).has(m)


def _on_the_sphere(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """f(rho) is the kernel K at |x|^2 = |y|^2 = d."""
    kernel = _known(KERNEL, earlier)
    return lhs == SPHERE and vanishes(kernel.subs({r_i: sp.sqrt(d), r_j: sp.sqrt(d)}) - rhs)


def _known(lhs: sp.Expr, earlier: Sequence[Step]) -> sp.Expr:
    """The right side of the latest step with this left side."""
    return next(step.rhs for step in reversed(earlier) if step.lhs == lhs)


@lru_cache(maxsize=64)
def _derivative(function: sp.Expr, order: int) -> sp.Expr:
    return function if order == 0 else _derivative(function, order - 1).diff(rho)


def _taylor(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The coefficient of rho^j is the j-th derivative of the closed form at 0 over j!."""
    if not isinstance(lhs, Coefficient):
        return False
    j = int(lhs.args[0])
    value = _derivative(_known(SPHERE, earlier), j).subs(rho, 0)
    return vanishes(value / sp.factorial(j) - rhs)


def _value(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A closed form at a point."""
    point = dict(zip(lhs.variables, lhs.point, strict=True))
    return vanishes(_known(lhs.expr, earlier).subs(point) - rhs)


def _nonnegative_coefficients(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """sup over 0 < |rho| <= 1 of |f - P_J| / |rho|^(J+1) is attained at rho = 1."""
    coefficients = {int(step.lhs.args[0]): step.rhs for step in earlier if isinstance(step.lhs, Coefficient)}
    complete = sorted(coefficients) == list(range(int(lhs.args[0]) + 1))
    positive = all(_is_nonnegative(value) for value in coefficients.values())
    at_one = _known(SPHERE, earlier).subs(rho, 1)
    return (
        isinstance(lhs, AppliedUndef)
        and lhs.func == REMAINDER
        and complete
        and positive
        and vanishes(at_one - sp.Add(*coefficients.values()) - rhs)
    )


def _is_nonnegative(value: sp.Expr) -> bool:
    """Whether all its monomials in symbols, which are positive, have numbers >= 0 as coefficients."""
    parts = sp.together(value).as_numer_denom()
    symbols = sorted(value.free_symbols, key=str)
    if not all(symbol.is_positive for symbol in symbols):
        return False
    polynomials = (sp.Poly(part, *symbols).coeffs() if symbols else [part] for part in parts)
    return all(sp.expand(number).is_nonnegative for numbers in polynomials for number in numbers)


def _reading_off(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """beta and alpha are c_g and c_(g+1) over d^(g+1); gamma closes the diagonal, f(1) / d^(g+1)."""
    if lhs not in (alpha, beta, gamma):
        return False
    gates = len(_known(UNIT, earlier).atoms(sp.IndexedBase) - {x, y, w})
    scaled = rhs * d ** (gates + 1)
    if lhs == gamma:
        off_diagonal = (_known(alpha, earlier) + _known(beta, earlier)) * d ** (gates + 1)
        return vanishes(scaled + off_diagonal - _known(SPHERE, earlier).subs(rho, 1))
    return vanishes(scaled - _known(Coefficient(gates + (lhs == alpha)), earlier))


_NAMING = "a name for an expression"
RULES: dict[str, Rule] = {
    "definition": Rule(_NAMING, "-", _definition),
    "differentiation": Rule("derivative of the unit in one parameter", "chain rule", _differentiation),
    "inner product": Rule("factors without the index leave the sum", "distributivity", _inner_product),
    "identical units": Rule(
        "the m hidden units are independent and identically distributed, so the expected kernel is m times one "
        "unit's",
        "Jacot, Gabriel, Hongler 2018, section 4 (definition of the kernel); linearity of the expectation",
        _identical_units,
    ),
    "independence": Rule(
        "expectations of products of functions of independent weights factorise",
        "independence of a, w and the gates' weights",
        _independence,
    ),
    "Isserlis": Rule("second moment of linear forms in iid Gaussian weights", "Isserlis 1918", _isserlis),
    "activation": Rule("the activation and its derivative are put in", "definition of phi", _activation),
    "Price": Rule("d/dc E[f(u_1) g(u_2)] = E[f'(u_1) g'(u_2)]", "Price 1958", _price),
    "origin density": Rule(
        "Dirac terms sample the Gaussian density and its derivatives at the origin",
        "definition of the Dirac distribution; bivariate normal density",
        _origin_density,
    ),
    "uncorrelated": Rule(
        "at c = 0 the pair is independent: a product of one-dimensional moments",
        "Stein 1981 (lemma 1)",
        _uncorrelated,
    ),
    "integration": Rule(
        "the derivative in c and the value at c = 0 determine the function",
        "fundamental theorem of calculus",
        _integration,
    ),
    "substitution": Rule("earlier steps are put in", "substitution of equals", _substitution),
    "covariance of outputs": Rule(
        "outputs are sums of m iid centred units", "Neal 1996, section 2.1", _output_covariance
    ),
    "law of large numbers": Rule(
        "a mean over m iid units converges almost surely to its expectation",
        "Kolmogorov's strong law",
        _law_of_large_numbers,
    ),
    "sphere": Rule("the kernel at |x|^2 = |y|^2 = d", "substitution of equals", _on_the_sphere),
    "value": Rule("a closed form at a point", "substitution of equals", _value),
    "Taylor": Rule(
        "Price's theorem at c = 0: the coefficient of c^j in E[phi phi] is E[phi^(j)(u_1)] E[phi^(j)(u_2)] / j!",
        "Price 1958; Taylor's theorem",
        _taylor,
    ),
    "nonnegative coefficients": Rule(
        "on the sphere every coefficient is a sum of squares E[phi^(j)]^2 / j! times positive numbers, so "
        "|f(rho) - P_J(rho)| <= |rho|^(J+1) (f(1) - P_J(1))",
        "Schoenberg 1942; Abel's theorem for the value at 1",
        _nonnegative_coefficients,
    ),
    "reading off": Rule(
        "beta (r r^T) o G^og + alpha G^o(g+1) + gamma D^(g+1), the diagonal kept exact",
        "definition of alpha, beta, gamma",
        _reading_off,
    ),
}
