r"""Kernels from their power coefficients, and activations from kernels.

\(f = \sum_j c_j \rho^j\) with \(c_j \ge 0\) supported on degrees from g on is the NTK of a network with g linear gates: by
the shift law \(c_j = (m + jd)\,a_{j-g}^2\), so \(a_k = \sqrt{c_{k+g}/(m + (k+g)d)}\), whatever the width. Any sign of an a_k
gives the same kernel.

Source: derived here (`derivations.learning.argument.free_design`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy as sp

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import Array, log_multiplicities, times_cosine
from derivations.symbols import z

DIGITS = 12
NEGLIGIBLE = 1e-12
"""A share of the kernel's diagonal that is left out of an expression."""


def power_masses(degree: int, d: int) -> Array:
    """The Gegenbauer masses of rho^degree : (degree + 1,) float, which sum up to 1.

    Examples
    --------
    >>> power_masses(2, 3)
    array([0.33333333, 0.        , 0.66666667])
    """
    masses = np.ones(1)
    for _ in range(degree):
        masses = times_cosine(masses, d)
    return masses


def profile_expansion(
    coefficients: Sequence[float], d: int, degrees: int | None = None
) -> GegenbauerExpansion:
    """The expansion of sum_j c_j rho^j, with zeros up to so many degrees.

    Examples
    --------
    >>> profile_expansion((0.0, 0.5, 0.5), d=4).masses
    array([0.125, 0.5  , 0.375])
    """
    top = max(len(coefficients) - 1, degrees or 0)
    masses = np.zeros(top + 1)
    for j, c in enumerate(coefficients):
        masses[: j + 1] += c * power_masses(j, d)
    return GegenbauerExpansion(d, masses, log_multiplicities(d, top), 0.0)


def hermite_coefficients(coefficients: Sequence[float], gates: int, d: int, width: int) -> Array:
    """a_k >= 0 of an activation whose network with these gates, standard parametrization, has this kernel.

    Raises
    ------
    InputError
        If the kernel has degrees below the number of gates: no such network has them.

    Examples
    --------
    >>> hermite_coefficients((0.0, 1.0), gates=1, d=50, width=14)
    array([0.125])
    """
    check_positive_integer(width, "width")
    c = np.asarray(coefficients, float)
    if np.any(c[:gates] > 0):
        raise InputError(
            f"profile must start at degree {gates} with {gates} gates, got {c[:gates].tolist()} below"
        )
    j = np.arange(len(c))
    return np.asarray(np.sqrt(c / (width + j * d))[gates:])


def activation_expression(coefficients: Sequence[float], gates: int, d: int, width: int) -> str:
    """Such an activation as a polynomial in z that `derivations.activations.parse` reads.

    Examples
    --------
    >>> activation_expression((0.0, 0.0, 1.0), gates=1, d=48, width=4)
    '0.1*z'
    >>> activation_expression((0.0, 0.5, 0.5), gates=0, d=1, width=1)
    '0.288675134595*z**2 + 0.5*z - 0.288675134595'
    """
    total = sum(coefficients)
    a = hermite_coefficients([c if c > NEGLIGIBLE * total else 0.0 for c in coefficients], gates, d, width)
    phi = sp.S.Zero
    for k, value in enumerate(a):
        # Exact rationals: sums of rounded multiples would leave terms of 1e-17.
        he = sp.Poly(sp.hermite_prob(k, z), z)
        phi += sp.Rational(float(value) / float(sp.sqrt(sp.factorial(k)))) * he.as_expr()
    terms = sp.Poly(sp.expand(phi), z).terms()
    text = " + ".join(_term(float(value), power) for (power,), value in terms if value != 0)
    return text.replace("+ -", "- ")


def _term(value: float, power: int) -> str:
    number = np.format_float_positional(value, precision=DIGITS, unique=False, fractional=False, trim="-")
    if power == 0:
        return number
    return f"{number}*z" + (f"**{power}" if power > 1 else "")
