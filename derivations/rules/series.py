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
    alpha,
    beta,
    d,
    gamma,
    m,
    r_i,
    r_j,
    rho,
    w,
    x,
    y,
)

if TYPE_CHECKING:
    from derivations.derivation import Step


def _substitution(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    return vanishes(rewrite(lhs, earlier) - rewrite(rhs, earlier))


def _law_of_large_numbers(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A mean of m iid terms converges to its expectation; the expectation must not depend on m."""
    return lhs == sp.Limit(rhs, m, sp.oo) and rhs == KERNEL and not rewrite(rhs, earlier).has(m)


def _on_the_sphere(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """f(rho) is the kernel K at |x|^2 = |y|^2 = d."""
    kernel = known(KERNEL, earlier)
    return lhs == SPHERE and vanishes(kernel.subs({r_i: sp.sqrt(d), r_j: sp.sqrt(d)}) - rhs)


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


def _nonnegative_coefficients(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """sup over 0 < |rho| <= 1 of |f - P_J| / |rho|^(J+1) is attained at rho = 1."""
    coefficients = {int(step.lhs.args[0]): step.rhs for step in earlier if isinstance(step.lhs, Coefficient)}
    complete = sorted(coefficients) == list(range(int(lhs.args[0]) + 1))
    positive = all(_is_nonnegative(value) for value in coefficients.values())
    at_one = known(SPHERE, earlier).subs(rho, 1)
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
    gates = len(known(UNIT, earlier).atoms(sp.IndexedBase) - {x, y, w})
    scaled = rhs * d ** (gates + 1)
    if lhs == gamma:
        off_diagonal = (known(alpha, earlier) + known(beta, earlier)) * d ** (gates + 1)
        return vanishes(scaled + off_diagonal - known(SPHERE, earlier).subs(rho, 1))
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
