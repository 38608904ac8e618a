"""From gradient descent to its test error on random rows, and from a kernel back to an activation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.learning_symbols import (
    BULK,
    DESCENT,
    DIAGONAL,
    ERROR,
    EXPLAINED,
    FITTED,
    LEFT,
    MISFIT,
    RESOLVED,
    TARGET,
    VARIANCE,
    Contour,
    T,
    beta,
    eta,
    g,
    omega,
    over_degrees,
    sigma,
    step,
    tau,
    theta,
    trace,
    trace_prime,
    u,
    zeta,
    zeta_prime,
)
from derivations.rules.rule import Rule, known
from derivations.symbols import Coefficient, Hermite, j, k

if TYPE_CHECKING:
    from derivations.derivation import Step

FILTER = sp.Sum(eta * (1 - eta * u) ** step, (step, 0, T - 1))
_SEVERAL = (1, 2, 3, 5)
"""Numbers of steps at which identities in powers are multiplied out."""


def _geometric_sum(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Both sides for one, two, ... steps; and one step more adds its term, for every T."""
    if lhs != FILTER or rhs.free_symbols - {eta, u, T}:
        return False
    terms = sp.Integer(0)
    for count in range(1, max(_SEVERAL) + 1):
        terms += eta * (1 - eta * u) ** (count - 1)
        if not vanishes(sp.together(rhs.subs(T, count) - terms)):
            return False
    power = sp.Dummy()
    more = sp.expand_power_exp(rhs.subs(T, T + 1)) - rhs - eta * (1 - eta * u) ** T
    return vanishes(sp.together(more.subs((1 - eta * u) ** T, power)))


def _remaining_share(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """f_T = u h(u) y in an eigendirection."""
    return lhs == LEFT and vanishes(sp.expand(1 - u * known(FILTER, earlier)) - rhs)


def _cauchy(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The residues at 0 and at u, summed, for several T."""
    if lhs != known(LEFT, earlier) or not isinstance(rhs, Contour) or rhs.args[1] != zeta:
        return False
    return all(
        vanishes(
            sum(sp.residue(rhs.args[0].subs(T, count), zeta, pole) for pole in (0, u)) - lhs.subs(T, count)
        )
        for count in _SEVERAL
    )


@cache
def _bordered(seed: int) -> dict[sp.Expr, sp.Expr]:
    """A symmetric matrix of rational numbers: what stands for each name at its last row, zeta a number."""
    size, at = 4, sp.Rational(-3, 7)
    entry = lambda i, j: sp.Rational((seed + 3 * i * j + i + j) % 11 - 5, 3)  # noqa: E731
    K = sp.Matrix(size, size, entry) + 10 * sp.eye(size)
    y = sp.Matrix([sp.Rational((seed * (i + 2)) % 7 - 3, 2) for i in range(size)])
    others = (K[:-1, :-1] - at * sp.eye(size - 1)).inv()
    across = K[-1, :-1]
    return {
        RESOLVED: ((K - at * sp.eye(size)).inv() * y)[-1],
        TARGET: y[-1],
        FITTED: (across * others * y[:-1, :])[0],
        DIAGONAL: K[-1, -1],
        EXPLAINED: (across * others * across.T)[0],
        zeta: at,
    }


def _row_left_out(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """In exact arithmetic, on matrices."""
    names = {TARGET, FITTED, DIAGONAL, EXPLAINED, zeta}
    return (
        lhs == RESOLVED
        and rhs.free_symbols <= names
        and all((lhs - rhs).subs(_bordered(seed)) == 0 for seed in range(1, 5))
    )


def _self_averaging(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return bool(lhs == DIAGONAL - EXPLAINED and rhs == BULK)


def _trace(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The diagonal of the resolvent is the factor of a row's misfit."""
    if lhs != zeta:
        return False
    per_row = known(RESOLVED, earlier)
    diagonal = per_row.subs(DIAGONAL, EXPLAINED + known(DIAGONAL - EXPLAINED, earlier)) / (TARGET - FITTED)
    return vanishes(sp.together(diagonal.subs(zeta, rhs) - trace))


def _feature_left_out(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return lhs == omega and vanishes(rhs - tau[k] * trace * (theta - omega))


def _linear_equation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The left side from equations before it that contain their unknown on both sides."""
    if lhs == theta - omega:
        (solution,) = sp.solve(omega - known(omega, earlier), omega)
        return vanishes(sp.together(theta - solution - rhs))
    if lhs != ERROR + sigma**2:
        return False
    equation = known(ERROR, earlier).subs(VARIANCE, known(VARIANCE, earlier))
    equation = equation.subs(MISFIT, known(MISFIT, earlier))
    sums = {total: sp.Dummy() for total in equation.atoms(sp.Sum)}
    unknown = sp.Dummy()
    (solution,) = sp.solve(equation.subs(sums).subs(ERROR, unknown) - unknown, unknown)
    return vanishes(sp.together(solution + sigma**2 - rhs.subs(sums)))


def _fresh_row(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    return bool(lhs == MISFIT and rhs == ERROR + sigma**2)


def _fluctuation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """omega_k sums lambda_k psi_k(x_i) a (y_i - f_i)/(1 + tau_k a) over n rows; N_k of them, n lambda_k^2 N_k = g_k tau_k."""
    one = tau[k] * trace / (1 + tau[k] * trace)
    n, multiplicity = sp.symbols("n N", positive=True)
    shares = one * one.subs(trace, trace_prime) / n * multiplicity
    total = shares.subs(multiplicity, n * g[k] / tau[k])
    (factor,) = rhs.atoms(sp.Sum)
    return (
        lhs == VARIANCE
        and factor.limits == over_degrees(g[k]).limits
        and vanishes(sp.together(factor.function - total))
        and rhs == factor * MISFIT
        and any(step.lhs == MISFIT for step in earlier)
    )


def _orthogonal(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """A square of means by degree, energy beta_k^2 for theta_k^2, and the variance."""
    left = known(theta - omega, earlier) / theta
    both = beta[k] ** 2 * left * left.subs(trace, trace_prime)
    (total,) = rhs.atoms(sp.Sum)
    return (
        lhs == ERROR
        and total.limits == over_degrees(g[k]).limits
        and vanishes(sp.together(total.function - both))
        and rhs == total + VARIANCE
    )


def _difference(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """(zeta - zeta') a a' / (a - a'), a sum over degrees of rational functions and a rational function."""
    if lhs != (zeta - zeta_prime) * trace * trace_prime / (trace - trace_prime):
        return False
    at = known(zeta, earlier)
    (total,) = at.atoms(sp.Sum)
    (stated,) = rhs.atoms(sp.Sum)
    if total.limits != stated.limits:
        return False
    factor = lhs / (zeta - zeta_prime)
    term, other = total.function, at.subs(total, 0)
    by_degree = (term - term.subs(trace, trace_prime)) * factor
    outside = (other - other.subs(trace, trace_prime)) * factor
    weight = rhs.coeff(stated)
    return vanishes(sp.together(by_degree - weight * stated.function)) and vanishes(
        sp.together(outside - rhs.subs(stated, 0))
    )


def _bilinear(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The error of descent is the contour integral of ridge regression's, so its square is a double one."""
    (integral,) = (step.rhs for step in earlier if isinstance(step.rhs, Contour))
    weight = integral.args[0] / (-zeta / (u - zeta))
    inner = Contour(sp.cancel(weight) * sp.cancel(weight).subs(zeta, zeta_prime) * ERROR, zeta)
    return bool(lhs == DESCENT and rhs == Contour(inner, zeta_prime))


def _chosen_activation(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The shift law with the square of the coefficient that was chosen; nothing else may have chosen it."""
    if lhs != Coefficient(j) or not rhs.is_nonnegative:
        return False
    chosen = [step for step in earlier if step.rule == "choice" and isinstance(step.lhs, Hermite)]
    law = next(step.rhs for step in earlier if step.rule == "shift law" and step.lhs == lhs)
    return len(chosen) == 1 and vanishes(law.subs(chosen[0].lhs, chosen[0].rhs) - rhs)


def _choice(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """Any square-summable real numbers are the Hermite coefficients of an activation."""
    named = any(step.lhs == lhs and step.rule == "choice" for step in earlier)
    law = [step.rhs for step in earlier if step.rule == "shift law" and step.lhs == Coefficient(j)]
    return (
        bool(law) and isinstance(lhs, Hermite) and law[0].has(lhs) and not named and bool(rhs.is_nonnegative)
    )


RULES: dict[str, Rule] = {
    "geometric sum": Rule("a sum of powers, by induction over their number", "induction", _geometric_sum),
    "remaining share": Rule(
        "T steps f <- f + eta K (y - f) from 0 fit K h(K) y",
        "definition of gradient descent",
        _remaining_share,
    ),
    "Cauchy's formula": Rule("the sum of the residues inside", "Cauchy 1831", _cauchy),
    "row of a regression left out": Rule(
        "the inverse of a matrix with one row and column more", "Schur 1917", _row_left_out
    ),
    "self-averaging": Rule(
        "what the other rows do not explain of a row is the same for all rows",
        "concentration of quadratic forms; Silverstein, Choi 1995, for independent features",
        _self_averaging,
        "heuristic",
    ),
    "trace of the resolvent": Rule("a is the mean of the resolvent's diagonal", "definition", _trace),
    "feature left out": Rule(
        "to a harmonic the others' misfits are independent of it: omega_k = n lambda_k a (theta_k - omega_k)",
        "derived here; Bach 2024, SIAM Journal on Mathematics of Data Science 6, for independent features",
        _feature_left_out,
        "heuristic",
    ),
    "linear equation": Rule("solved for its unknown", "algebra", _linear_equation),
    "fresh row": Rule(
        "to the network fitted to the others, a row is a fresh one with noise",
        "derived here",
        _fresh_row,
        "heuristic",
    ),
    "fluctuation of a feature": Rule(
        "misfits of different rows are uncorrelated, so variances add up over rows and harmonics",
        "derived here",
        _fluctuation,
        "heuristic",
    ),
    "orthogonal harmonics": Rule(
        "squares add up over orthonormal harmonics: mean squared, and variance", "Parseval", _orthogonal
    ),
    "difference of resolvents": Rule("rational functions by degree", "algebra", _difference),
    "bilinear": Rule("a double integral of the product", "linearity of the integral", _bilinear),
    "choice": Rule("an activation with these Hermite coefficients", "Riesz, Fischer 1907", _choice),
    "chosen activation": Rule("the shift law at the chosen coefficients", "substitution", _chosen_activation),
}
