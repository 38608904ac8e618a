r"""A closed-form kernel split into what depends on norms and what on the angle, in forms that keep their digits.

The kernel of an activation that is a polynomial on either side of 0 is a polynomial in the norms,
\(K = \sum_{ab} r_i^a r_j^b\, f_{ab}(\theta, \cos\theta, \sin\theta)\); others have one term, a function of norms and
angle.
"""

from __future__ import annotations

from collections import defaultdict

import sympy as sp
from sympy.codegen.cfunctions import expm1

from derivations.symbols import d, r_i, r_j, rho

THETA, COSINE, SINE = sp.symbols("theta cosine sine", real=True)


def profiles(kernel: sp.Expr) -> dict[tuple[int, int], sp.Expr]:
    r"""The \(f_{ab}\) of a closed-form kernel, in ``theta``, ``cosine``, ``sine``, ``m`` and ``d``.

    Of a kernel that is no polynomial in the norms there is \(f_{00}\) alone, which depends on ``r_i`` and ``r_j`` too.

    Examples
    --------
    >>> from derivations import derive, network
    >>> profiles(derive(network("relu", parametrization="ntk")).kernel.off_diagonal)
    {(1, 1): cosine*(pi - theta)/(pi*d) + sine/(2*pi*d)}
    """
    transcendental = kernel.atoms(sp.exp, sp.atan) | {e for e in kernel.atoms(sp.Pow) if not e.exp.is_Integer}
    if any(e.has(r_i, r_j) for e in transcendental) or not kernel.is_polynomial(r_i, r_j):
        return {(0, 0): _stable(kernel)}
    # pi - theta stays one symbol: multiplied out it would cancel only up to rounding at theta = pi.
    supplement = sp.Dummy("supplement")
    angular = kernel.subs({sp.acos(rho): sp.pi - supplement, sp.sqrt(1 - rho**2): SINE}).subs(rho, COSINE)
    return {
        (int(i), int(j)): sp.Add(
            *(
                sp.factor(part) * monomial.subs(supplement, sp.pi - THETA)
                for monomial, part in sp.collect(
                    sp.expand(factor), [supplement, SINE], evaluate=False
                ).items()
            )
        )
        for (i, j), factor in sp.Poly(angular, r_i, r_j).terms()
    }


def grows(term: sp.Expr) -> bool:
    """Whether it has an exponential that grows with the norms: its exponent then wants more digits than float64's."""
    at = {THETA: 0, COSINE: 1, SINE: 0, r_i: 1, r_j: 1, d: 1}
    return any(e.args[0].subs(at) > 0 for e in term.atoms(sp.exp, expm1))


def _stable(kernel: sp.Expr) -> sp.Expr:
    """Formulas that keep their digits: 1 - cos^2 as sin^2, exponents and differences of exponentials near 0."""
    kernel = kernel.xreplace({1 - rho**2: SINE**2, sp.acos(rho): THETA})
    if kernel.has(sp.exp):
        kernel = _exponentials(sp.powsimp(sp.expand(kernel), combine="exp"))
    return kernel.subs(rho, COSINE)


def _exponentials(kernel: sp.Expr) -> sp.Expr:
    """A sum of multiples of exponentials, each once; a difference of two, e^E = 1 + expm1(E), of small numbers."""
    factors: dict[sp.Expr, list[sp.Expr]] = defaultdict(list)
    for term in sp.Add.make_args(kernel):
        factor, exponential = term.as_independent(sp.exp, as_Add=False)
        if not isinstance(exponential, sp.exp):
            return kernel
        factors[exponential.args[0]].append(factor)
    everywhere = [factor for group in factors.values() for factor in group]
    total = sp.S.Zero
    for exponent, group in factors.items():
        stable = _stable_exponent(exponent)
        differences = [factor for factor in group if -factor in everywhere]
        sums = [factor for factor in group if -factor not in everywhere]
        total += sp.Add(*differences) * expm1(stable) + sp.factor(sp.Add(*sums)) * sp.exp(stable)
    return total


def _stable_exponent(exponent: sp.Expr) -> sp.Expr:
    """-a (r_i^2 + r_j^2)/2 + a rho r_i r_j, a square of differences, by half angles."""
    polynomial = sp.Poly(sp.expand(exponent), r_i, r_j)
    squares = {polynomial.coeff_monomial(r**2) for r in (r_i, r_j)}
    mixed = polynomial.coeff_monomial(r_i * r_j) / rho
    if len(squares) > 1 or mixed.has(rho) or len(polynomial.terms()) != 3:
        return exponent
    rate = -2 * squares.pop()
    if mixed == rate:
        return -rate * ((r_i - r_j) ** 2 / 2 + 2 * r_i * r_j * sp.sin(THETA / 2) ** 2)
    if mixed == -rate:
        return -rate * ((r_i - r_j) ** 2 / 2 + 2 * r_i * r_j * sp.cos(THETA / 2) ** 2)
    return exponent
