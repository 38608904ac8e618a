r"""Expectations under centred Gaussians: Isserlis' theorem, Stein's lemma, densities at the origin."""

from __future__ import annotations

import sympy as sp

from derivations.piecewise import Piecewise
from derivations.symbols import c, s_1, s_2


def isserlis(i: int, j: int, variance_1: sp.Expr, variance_2: sp.Expr, covariance: sp.Expr) -> sp.Expr:
    r"""The moment \(E[X^i Y^j]\) of a centred Gaussian pair.

    \[ E[X^iY^j] = \sum_t \frac{i!\,j!}{t!\,(\frac{i-t}2)!\,(\frac{j-t}2)!\,2^{(i+j)/2-t}}
       \kappa^t v_1^{(i-t)/2} v_2^{(j-t)/2}, \]

    the sum over all numbers t of pairs that join an X to a Y (t of the parity of i and j).

    Source: L. Isserlis, Biometrika 12 (1918) 134.

    Examples
    --------
    >>> from sympy import symbols
    >>> isserlis(2, 2, *symbols("p q c"))
    2*c**2 + p*q
    """
    if (i + j) % 2:
        return sp.S.Zero
    return sp.Add(
        *(
            sp.Rational(
                sp.factorial(i) * sp.factorial(j),
                sp.factorial(t)
                * sp.factorial((i - t) // 2)
                * sp.factorial((j - t) // 2)
                * 2 ** ((i + j) // 2 - t),
            )
            * covariance**t
            * variance_1 ** ((i - t) // 2)
            * variance_2 ** ((j - t) // 2)
            for t in range(i % 2, min(i, j) + 1, 2)
        )
    )


def expectation(f: Piecewise, deviation: sp.Expr) -> sp.Expr:
    r"""\(E[f(u)]\) for \(u \sim N(0, s^2)\), by Stein's lemma \(E[u\,g(u)] = s^2 E[g'(u)]\).

    Powers and half-line powers come down two degrees at a time to \(E[1] = 1\), \(E[\theta] = 1/2\) (symmetry)
    and \(E[u\theta(u)] = s^2 E[\delta(u)]\); a Dirac term is a derivative of the density at 0.

    Examples
    --------
    >>> from derivations.activations import activation
    >>> from derivations.symbols import s_1
    >>> expectation(activation("relu").normal_form, s_1)
    sqrt(2)*s_1/(2*sqrt(pi))
    """
    return sp.Add(*(coefficient * _atom(kind, n, deviation) for kind, n, coefficient in f))


def _atom(kind: str, n: int, s: sp.Expr) -> sp.Expr:
    match kind, n:
        case "power", 0:
            return sp.S.One
        case "step", 0:
            return sp.Rational(1, 2)
        case "power", 1:
            return sp.S.Zero
        case "step", 1:
            return s**2 * _atom("dirac", 0, s)
        case "dirac", _:
            # (-1)^n p^(n)(0) of the density p, zero for odd n.
            density = 1 / (sp.sqrt(2 * sp.pi) * s)
            return density * sp.Integer(-1) ** (n // 2) * isserlis(n, 0, s**-2, 0, 0)
        case _:
            return s**2 * (n - 1) * _atom(kind, n - 2, s)


def origin_density(i: int, j: int) -> sp.Expr:
    r"""\(E[\delta^{(i)}(u_1)\,\delta^{(j)}(u_2)]\) for the pair with deviations \(s_1, s_2\) and covariance c.

    It is \((-1)^{i+j}\partial_1^i\partial_2^j p\) at the origin, and \(p = p(0)\,e^{-\frac12 u^T M u}\) with
    \(M = \Sigma^{-1}\), so the derivative is \(p(0)(-1)^{(i+j)/2}\) times the Isserlis sum of M.

    Examples
    --------
    >>> origin_density(0, 0)
    1/(2*pi*sqrt(-c**2 + s_1**2*s_2**2))
    """
    determinant = s_1**2 * s_2**2 - c**2
    # The sum is homogeneous in M, so its determinants come out as one power.
    moment = sp.Integer(-1) ** ((i + j) // 2) * isserlis(i, j, s_2**2, s_1**2, -c)
    return moment * determinant ** sp.Rational(-(i + j + 1), 2) / (2 * sp.pi)
