"""Taylor coefficients of dual activations at a positive covariance, as biases make it: proved balls."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log10

import sympy as sp

from derivations.arguments import shown
from derivations.certified.coefficients import Ball, certified_expectation, certified_hermite
from derivations.errors import InputError

_MOST_TERMS = 1024


def certified_dual_series(phi: sp.Expr, count: int, digits: int, variance: sp.Rational) -> tuple[Ball, ...]:
    r"""The first coefficients of \(T(\rho) = E[\phi(u_1)\phi(u_2)]\), u_1, u_2 of variance 1 + v and covariance rho + v.

    \[ [\rho^j]\,T = (1+v)^{-j}\sum_{k\ge j}\binom kj \kappa^{k-j} a_k^2,\qquad \kappa = \frac v{1+v}, \]

    a_k the Hermite coefficients of \(\phi(\sqrt{1+v}\,z)\). What is left after K terms is at most
    \(E\phi^2 - \sum_{k\le K}a_k^2\) times the largest factor beyond K.

    Parameters
    ----------
    phi : Expr
        As for `certified_hermite`.
    count, digits : int
        Number of coefficients, and decimals.
    variance : Rational
        v, that of the biases; positive.

    Raises
    ------
    InputError
        As `certified_hermite`, and if more than 1024 terms would be needed.

    Source: derived here, from Mehler's formula.

    Examples
    --------
    >>> from derivations.symbols import z
    >>> for ball in certified_dual_series(sp.tanh(z), 2, 20, sp.Rational(1, 10)):
    ...     print(ball.value)
    0.03463258329161632876
    0.34669422493162075144
    """
    v = Fraction(int(variance.p), int(variance.q))
    kappa, aim = v / (1 + v), Fraction(1, 2 * 10**digits)
    # Factors are at most (1 - kappa)^-(j + 1): so many digits of the a_k are lost.
    working = digits + 8 + ceil(count * log10(float(1 + v)))
    square = certified_expectation(phi**2, working, 1 + variance)
    terms = 64
    while terms <= _MOST_TERMS:
        squares = [_square(ball) for ball in certified_hermite(phi, terms, working, 1 + variance)]
        rest = Fraction(square.value) + Fraction(square.radius) - sum(low for low, _ in squares)
        found = [_coefficient(j, squares, rest, kappa, 1 + v) for j in range(count)]
        if all(high - low <= aim for low, high in found):
            return tuple(_rounded(low, high, digits) for low, high in found)
        terms *= 2
    raise InputError(
        f"bias_variance must be smaller for {digits} digits: {_MOST_TERMS} terms of a series do not give them, got "
        f"{shown(variance)}"
    )


def _square(ball: Ball) -> tuple[Fraction, Fraction]:
    value, radius = abs(Fraction(ball.value)), Fraction(ball.radius)
    return max(value - radius, Fraction(0)) ** 2, (value + radius) ** 2


def _coefficient(
    j: int, squares: list[tuple[Fraction, Fraction]], rest: Fraction, kappa: Fraction, q: Fraction
) -> tuple[Fraction, Fraction]:
    """Bounds of one coefficient; infinitely wide while the factors still grow at the last term."""
    last = len(squares)
    low = high = Fraction(0)
    factor = Fraction(1)
    for k in range(j, last):
        low, high = low + factor * squares[k][0], high + factor * squares[k][1]
        factor = factor * kappa * (k + 1) / (k + 1 - j)
    if kappa * (last + 1) >= last + 1 - j:
        high += 10 ** (2 * last)
    return low / q**j, (high + factor * max(rest, Fraction(0))) / q**j


def _rounded(low: Fraction, high: Fraction, digits: int) -> Ball:
    middle = (low + high) / 2
    whole = round(middle * 10**digits)
    text = str(abs(whole)).zfill(digits + 1)
    return Ball(f"{'-' * (whole < 0)}{text[:-digits]}.{text[-digits:]}", f"1e-{digits}")
