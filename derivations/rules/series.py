"""From the closed form to its expansion, its remainder and alpha, beta, gamma."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy as sp
from sympy.core.function import AppliedUndef

from derivations.identity import vanishes
from derivations.rules.rule import Rule, known, rewrite
from derivations.symbols import (
    KERNEL,
    REMAINDER,
    SPHERE,
    UNIT,
    Coefficient,
    DualCoefficient,
    Enclosure,
    Expectation,
    Hermite,
    Phi,
    alpha,
    beta,
    d,
    gamma,
    j,
    k,
    l,
    m,
    r_i,
    r_j,
    rho,
    scale_bias,
    sigma_b,
    u_1,
    u_2,
    w,
    x,
    y,
    z,
)

if TYPE_CHECKING:
    from derivations.derivation import Step


def _substitution(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    return vanishes(rewrite(lhs, earlier) - rewrite(rhs, earlier))


def _law_of_large_numbers(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A mean of m iid terms converges to its expectation; the expectation must not depend on m."""
    return lhs == sp.Limit(rhs, m, sp.oo) and rhs == KERNEL and not rewrite(rhs, earlier).has(m)


def _on_the_sphere(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """f(rho) is the kernel K at |x|^2 = |y|^2 = d, x.y = d rho, the norms and cosine in K as they were defined."""
    definitions = {step.lhs: step.rhs for step in earlier if step.rule == "definition" and step.lhs.is_Symbol}
    norm = known(sp.Sum(x[l] ** 2, (l, 1, d)), earlier).subs(definitions)  # r_i^2, less e^2 with biases
    extension = r_i**2 - norm
    square = d + extension
    at = {r_i: sp.sqrt(square), r_j: sp.sqrt(square), rho: sp.cancel((d * rho + extension) / square)}
    return lhs == SPHERE and vanishes(known(KERNEL, earlier).subs(at, simultaneous=True) - rhs)


@lru_cache(maxsize=64)
def _derivative(function: sp.Expr, order: int) -> sp.Expr:
    return function if order == 0 else _derivative(function, order - 1).diff(rho)


def _taylor(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The coefficient of rho^j is the j-th derivative of the closed form at 0 over j!."""
    if not isinstance(lhs, Coefficient):
        return False
    j = int(lhs.args[0])
    value = _derivative(known(SPHERE, earlier), j).subs(rho, 0)
    return vanishes(value / sp.factorial(j) - rhs)


def _value(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A closed form at a point."""
    point = dict(zip(lhs.variables, lhs.point, strict=True))
    return vanishes(known(lhs.expr, earlier).subs(point) - rhs)


def _at_one(earlier: Sequence[Step]) -> sp.Expr:
    """f(1), from the closed form or from the second moments."""
    at_one = sp.Subs(SPHERE, rho, 1)
    if any(step.lhs == at_one for step in earlier):
        return known(at_one, earlier)
    return known(SPHERE, earlier).subs(rho, 1)


def _mehler(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """E[phi phi] is sum a_k^2 rho^k at unit variances, E[phi' phi'] its derivative term by term."""
    series = Hermite(k) ** 2 * rho**k
    if lhs == Expectation(Phi(0, u_1) * Phi(0, u_2)):
        return rhs == sp.Sum(series, (k, 0, sp.oo))
    if lhs != Expectation(Phi(1, u_1) * Phi(1, u_2)) or rhs.limits != ((k, sp.S.One, sp.oo),):
        return False
    return sp.powsimp(sp.expand(series.diff(rho) - rhs.function)) == 0


def _kernel_of(value: sp.Expr, slope: sp.Expr, earlier: Sequence[Step]) -> sp.Expr:
    """The general kernel on the sphere with E[phi phi] and E[phi' phi'] put in."""
    general = known(KERNEL, earlier)
    at = {
        Expectation(Phi(0, u_1) * Phi(0, u_2)): value,
        Expectation(Phi(1, u_1) * Phi(1, u_2)): slope,
        sp.Sum(x[l] * y[l], (l, 1, d)): d * rho,
    }
    definitions = {step.lhs: step.rhs for step in earlier if step.rule == "definition" and step.lhs.is_Symbol}
    return sp.expand(general.subs(at).subs(definitions))


def _shift_law(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Degree by degree, from a polynomial with symbols in the place of a_k^2; a formula in j is affine in j."""
    if not isinstance(lhs, Coefficient):
        return False
    degree = lhs.args[0]
    gates = len(known(UNIT, earlier).atoms(sp.IndexedBase) - {x, y, w})
    degrees = range(gates, gates + 3) if degree == j else [int(degree)]
    if degree == j:
        weight = sp.cancel(rhs / Hermite(j - gates) ** 2)
        if not weight.is_polynomial(j) or sp.degree(weight, j) > 1 or weight.has(Hermite):
            return False
    for number in degrees:
        squares = {index: sp.Dummy() for index in range(number + 2)}
        value = sp.Add(*(symbol * rho**index for index, symbol in squares.items()))
        found = _kernel_of(value, value.diff(rho), earlier).coeff(rho, number)
        stated = rhs.subs(j, number) if degree == j else rhs
        stated = stated.subs({Hermite(index) ** 2: symbol for index, symbol in squares.items()})
        if not vanishes(found - stated):
            return False
    return True


def _bias_variance(earlier: Sequence[Step]) -> sp.Expr:
    """What biases add to the variance of preactivations; 0 without."""
    values = {step.lhs: step.rhs for step in earlier if step.lhs in (sigma_b, scale_bias)}
    return (values[sigma_b] * values[scale_bias]) ** 2 if values else sp.S.Zero


def _second_moments(earlier: Sequence[Step]) -> tuple[sp.Expr, sp.Expr]:
    """E phi^2 and E phi'^2 at that variance, on the sphere."""
    at = sp.sqrt(1 + _bias_variance(earlier)) * z
    return Expectation(Phi(0, at) ** 2), Expectation(Phi(1, at) ** 2)


def _certified_series(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Enclosed again, ten digits sharper, the coefficient lies in the ball that is stated."""
    from derivations.certified import certified_dual_series

    if not isinstance(rhs, Enclosure) or not isinstance(lhs, DualCoefficient):
        return False
    phi, degree, digits = known(Phi(0, z), earlier), int(lhs.args[0]), rhs.digits + 10
    sharper = certified_dual_series(phi, degree + 1, digits, _bias_variance(earlier))[-1]
    middle, radius = rhs.args
    return bool(abs(sp.Rational(sharper.value) - middle) <= radius - sp.Rational(sharper.radius))


def _product_of_series(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The general kernel is a product of series, and by Price E[phi' phi'] is the derivative of E[phi phi]."""
    if not isinstance(lhs, Coefficient) or not lhs.args[0].is_Integer:
        return False
    degree = int(lhs.args[0])
    value = sp.Add(*(DualCoefficient(i) * rho**i for i in range(degree + 2)))
    slope = sp.Add(*(i * DualCoefficient(i) * rho ** (i - 1) for i in range(1, degree + 2)))
    return vanishes(_kernel_of(value, slope, earlier).coeff(rho, degree) - rhs)


def _equal_inputs(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """At rho = 1 both expectations are second moments, at the preactivations' variance."""
    square, slope = _second_moments(earlier)
    value = _kernel_of(square, slope, earlier).subs(rho, 1)
    return lhs == sp.Subs(SPHERE, rho, 1) and vanishes(value - rhs)


def _certified_quadrature(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Enclosed again, ten digits sharper, the number lies in the ball that is stated."""
    from derivations.certified import certified_expectation, certified_hermite

    if not isinstance(rhs, Enclosure):
        return False
    phi, digits = known(Phi(0, z), earlier), rhs.digits + 10
    if isinstance(lhs, Hermite):
        sharper = certified_hermite(phi, int(lhs.args[0]) + 1, digits)[-1]
    else:
        functions = dict(zip(_second_moments(earlier), (phi**2, phi.diff(z) ** 2), strict=True))
        sharper = certified_expectation(functions[lhs], digits, 1 + _bias_variance(earlier))
    middle, radius = rhs.args
    return bool(abs(sp.Rational(sharper.value) - middle) <= radius - sp.Rational(sharper.radius))


def _nonnegative_coefficients(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """sup over 0 < |rho| <= 1 of |f - P_J| / |rho|^(J+1) is attained at rho = 1."""
    coefficients = {
        int(step.lhs.args[0]): step.rhs
        for step in earlier
        if isinstance(step.lhs, Coefficient) and step.lhs.args[0].is_Integer
    }
    complete = sorted(coefficients) == list(range(int(lhs.args[0]) + 1))
    # With biases they are transcendental in the biases' variance: there a sample guards the theorem's use.
    sample = dict.fromkeys((sigma_b, scale_bias), sp.S.One)
    positive = all(_is_nonnegative(value.subs(sample)) for value in coefficients.values())
    at_one = _at_one(earlier)
    return (
        isinstance(lhs, AppliedUndef)
        and lhs.func == REMAINDER
        and complete
        and positive
        and vanishes(at_one - sp.Add(*coefficients.values()) - rhs)
    )


def _is_nonnegative(value: sp.Expr) -> bool:
    """Whether all its monomials in symbols, which are positive, have numbers >= 0 as coefficients."""
    value = value.xreplace({e: sp.Dummy(positive=True) for e in value.atoms(DualCoefficient)})
    parts = sp.together(value).as_numer_denom()
    symbols = sorted(value.free_symbols, key=str)
    if not all(symbol.is_positive for symbol in symbols):
        return False
    polynomials = (sp.Poly(part, *symbols).coeffs() if symbols else [part] for part in parts)
    return all(_decided(sp.expand(number)) for numbers in polynomials for number in numbers)


def _decided(number: sp.Expr) -> bool:
    """Whether a number is at least 0; SymPy cannot tell for every sum of transcendental ones."""
    known = number.is_nonnegative
    return bool(sp.N(number, 30) > 0) if known is None else known


def _reading_off(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """beta and alpha are c_g and c_(g+1) over d^(g+1); gamma is what they and lower degrees leave of the diagonal."""
    if lhs not in (alpha, beta, gamma):
        return False
    gates = len(known(UNIT, earlier).atoms(sp.IndexedBase) - {x, y, w})
    scaled = rhs * d ** (gates + 1)
    if lhs == gamma:
        off_diagonal = (known(alpha, earlier) + known(beta, earlier)) * d ** (gates + 1)
        off_diagonal += sp.Add(*(known(Coefficient(degree), earlier) for degree in range(gates)))
        return vanishes(scaled + off_diagonal - _at_one(earlier))
    return vanishes(scaled - known(Coefficient(gates + (lhs == alpha)), earlier))


RULES: dict[str, Rule] = {
    "substitution": Rule("earlier steps are put in", "substitution of equals", _substitution),
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
    "Mehler": Rule(
        "for (u_1, u_2) of unit variances and correlation rho, E[phi phi] = sum a_k^2 rho^k for phi in L2 of the "
        "Gaussian, and term by term E[phi' phi'] = sum k a_k^2 rho^(k-1)",
        "Mehler 1866; Price 1958",
        _mehler,
    ),
    "shift law": Rule(
        "the coefficient of rho^j with g gates is that of degree j - g in the activation's series, each block with its "
        "weight: comparison of coefficients",
        "derived here",
        _shift_law,
    ),
    "equal inputs": Rule("for x = y the pair is one variable", "definition", _equal_inputs),
    "certified quadrature": Rule(
        "the trapezoid rule in ball arithmetic, its discretisation and its tail bounded on a strip of analyticity",
        "Trefethen, Weideman 2014 (theorem 5.1); derivations.certified",
        _certified_quadrature,
        "certified",
    ),
    "certified series": Rule(
        "with biases of variance v the coefficient of rho^j in E[phi phi] is sum_k binomial(k, j) v^(k-j) a_k^2 / (1+v)^k, "
        "summed in exact arithmetic, the rest below what is left of E phi^2",
        "Mehler 1866; derivations.certified",
        _certified_series,
        "certified",
    ),
    "product of series": Rule(
        "coefficients of products of power series", "Cauchy product; Price 1958", _product_of_series
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
