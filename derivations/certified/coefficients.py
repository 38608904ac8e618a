"""Hermite coefficients and Gaussian expectations of analytic activations, with every digit proved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral

import sympy as sp
from flint import arb, ctx, fmpq, fmpz

from derivations.arguments import shown
from derivations.certified.program import compiled
from derivations.certified.trapezoid import hermite_balls
from derivations.errors import InputError
from derivations.symbols import z

_MOST_DIGITS = 1000
_MOST_COEFFICIENTS = 2000
_EXTREME_VARIANCE = 10**100


@dataclass(frozen=True)
class Ball:
    """A real number known to lie within `radius` of `value`, both decimal numbers.

    Examples
    --------
    >>> ball = Ball("0.333", "1e-3")
    >>> ball.contains(Fraction(1, 3)), ball.contains(Fraction(1, 2))
    (True, False)
    >>> float(ball)
    0.333
    """

    value: str
    radius: str

    @property
    def arb(self) -> arb:
        """The same ball for computing on with python-flint."""
        # The value's own digits, and as many bits again for the numbers before the point.
        with ctx.workprec(64 + 7 * len(self.value)):
            return arb(self.value, arb(self.radius))

    def contains(self, number: Fraction | int) -> bool:
        """Whether an exact number lies in the ball."""
        return abs(Fraction(number) - Fraction(self.value)) <= Fraction(self.radius)

    def __float__(self) -> float:
        return float(self.value)


@dataclass(frozen=True)
class Moments:
    r"""\(E[\phi(sz)^2]\) and \(E[\phi'(sz)^2]\): with them the kernel's diagonal is closed."""

    square: Ball
    slope_square: Ball


def certified_hermite(
    phi: sp.Expr, count: int, digits: int = 30, variance: sp.Rational | Fraction | int = 1
) -> tuple[Ball, ...]:
    r"""The first orthonormal Hermite coefficients of an analytic activation, as proved balls.

    \[ a_k(s) = E[\phi(s z)\,He_k(z)]/\sqrt{k!}, \qquad z \sim N(0, 1),\; s^2 = \text{variance}. \]

    Parameters
    ----------
    phi : sympy expression in ``derivations.symbols.z``
        Built from z, exact numbers, ``+ - * /``, whole powers, sqrt, exp, log, tanh, erf, erfc, sin, cos,
        sinh, cosh, sech, asinh and atan; analytic on a strip around the real line, growing at most like
        exp(b |z|).
    count : int
        How many coefficients, from 1 to 2000.
    digits : int
        Decimals, from 1 to 1000.
    variance : Rational, Fraction or int
        Positive, of the activation's argument.

    Returns
    -------
    tuple of Ball, (count,)
        a_0, ..., a_{count-1}, each within 10^-digits of its value.

    Raises
    ------
    InputError
        If phi is not of this kind, or the digits would need too long a sum; the line says what was found.

    Notes
    -----
    `derivations.certified.trapezoid` has the bounds. Source: derived here.

    Examples
    --------
    >>> a = certified_hermite(1 / (1 + sp.exp(-z)), 4)
    >>> for ball in a:
    ...     print(ball.value, ball.radius)
    0.500000000000000000000000000000 1e-30
    0.206620964141907037262350828718 1e-30
    0.000000000000000000000000000000 1e-30
    -0.025473257907323416670343679764 1e-30
    >>> certified_hermite(1 / z, 4)
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: activation must be analytic in a strip around the real line and grow
    at most like exp(b |z|): 1/z may have a pole
    """
    count = _whole_number(count, "count", _MOST_COEFFICIENTS)
    digits = _whole_number(digits, "digits", _MOST_DIGITS)
    variance = _positive_rational(variance)
    # Half of the radius is left to the rounding to decimals.
    aim = -digits * math.log(10) - math.log(2) - 1e-6
    balls = hermite_balls(compiled(phi), count - 1, variance, aim)
    return tuple(_rounded(ball, digits) for ball in balls)


def certified_expectation(f: sp.Expr, digits: int = 30, variance: sp.Rational | Fraction | int = 1) -> Ball:
    r"""\(E[f(s z)]\), z standard normal, \(s^2\) the variance: the a_0 of `certified_hermite`.

    Raises
    ------
    InputError
        As `certified_hermite`.

    Examples
    --------
    >>> certified_expectation(sp.tanh(z) ** 2, digits=20)
    Ball(value='0.39429449039784117442', radius='1e-20')
    """
    return certified_hermite(f, 1, digits, variance)[0]


def certified_moments(phi: sp.Expr, digits: int = 30, variance: sp.Rational | Fraction | int = 1) -> Moments:
    r"""\(E[\phi(sz)^2]\) and \(E[\phi'(sz)^2]\), z standard normal, \(s^2\) the variance.

    By Parseval they are \(\sum_k a_k^2\) and \(\sum_k k\,a_k^2/s^2\) of the coefficients a_k(s).

    Raises
    ------
    InputError
        As `certified_hermite`.

    Examples
    --------
    >>> certified_moments(z**2, digits=3, variance=2)
    Moments(square=Ball(value='12.000', radius='1e-3'), slope_square=Ball(value='8.000', radius='1e-3'))
    """
    compiled(phi)  # refuses what it refuses before anything is differentiated
    return Moments(
        certified_expectation(phi**2, digits, variance),
        certified_expectation(phi.diff(z) ** 2, digits, variance),
    )


def _whole_number(value: object, name: str, largest: int) -> int:
    if (
        isinstance(value, Integral | sp.Integer)
        and not isinstance(value, bool)
        and 1 <= int(value) <= largest
    ):
        return int(value)
    raise InputError(f"{name} must be a whole number from 1 to {largest}, got {shown(value)}")


def _positive_rational(value: object) -> fmpq:
    if isinstance(value, Integral | Fraction | sp.Rational) and not isinstance(value, bool):
        number = Fraction(int(value.numerator), int(value.denominator))
        if Fraction(1, _EXTREME_VARIANCE) <= number <= _EXTREME_VARIANCE:
            return fmpq(number.numerator, number.denominator)
    raise InputError(
        f"variance must be a positive rational number within 1e-100 and 1e100, got {shown(value)}: "
        "write 1/10 as Rational(1, 10)"
    )


def _rounded(ball: arb, digits: int) -> Ball:
    """Round the centre to decimals, and prove that the ball stays within one unit of the last of them."""
    mantissa, exponent = (int(part) for part in ball.mid().man_exp())
    scaled = mantissa * 10**digits
    whole = scaled << exponent if exponent >= 0 else (scaled + (1 << (-exponent - 1))) >> -exponent
    with ctx.workprec(max(64, abs(mantissa).bit_length()) + 4 * digits + 64):
        if not abs(ball * arb(10) ** digits - whole) <= 1:
            raise AssertionError("a ball is wider than was asked for")
    text = str(fmpz(abs(whole))).zfill(digits + 1)
    return Ball(f"{'-' * (whole < 0)}{text[:-digits]}.{text[-digits:]}", f"1e-{digits}")
