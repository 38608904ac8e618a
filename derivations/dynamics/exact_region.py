r"""The early region of the exact kernels: all degrees, where the simplified ones have the two lowest and the diagonal.

With the masses \(g_k\) of a kernel in spherical harmonics, of \(\Phi\) and \(\Psi\) in \(K = m\Phi + \Psi\), pairs of
independent directions have \(E[fh] = \sum_k f_k h_k/N_k\), and the lengths factor out. The diagonal is the simplified one.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp
from mpmath import mpf

from derivations.arguments import check_choice
from derivations.dynamics.early import EarlyStage, early_stage
from derivations.dynamics.initial import INITIAL, Initial
from derivations.dynamics.region import EarlyRegion
from derivations.expansion import taylor_coefficients
from derivations.networks import network
from derivations.spectrum.gegenbauer import both_masses, both_moments, times_cosine
from derivations.spectrum.harmonics import Array, log_multiplicities
from derivations.symbols import d, m

DEGREES = 400
"""Even on the circle g_k falls like k^-2, and what is beyond of the sum of squares below 1e-7."""


def exact_region(
    dimension: int, initial: Initial = "kernel", first: str = "relu", second: str = "reglu"
) -> EarlyRegion:
    """A and Q of the exact kernels at one d, as `EarlyStage.at` has those of the simplified ones.

    Parameters
    ----------
    dimension : int
        At least 2.
    initial, first, second : str
        As for `early_stage`.

    Raises
    ------
    InputError
        As `early_stage`.

    Source: derived here.

    Examples
    --------
    >>> [exact_region(5).smallest_rows(width) for width in (1, 100, None)]
    [None, 84, 59]
    """
    check_choice(initial, "initial", INITIAL)
    diagonal, pairs = (
        one - other
        for one, other in zip(*(exact_squares(name, dimension) for name in (first, second)), strict=True)
    )
    if initial == "nngp":  # d/dm over 2 for the covariance of the outputs
        diagonal, pairs = (np.array([0.0, part[0], part[1] / 2]) for part in (diagonal, pairs))
    a, b = ((mpf(part[0]), mpf(part[1]), mpf(part[2])) for part in (diagonal, pairs))
    return EarlyRegion(a, b)


def exact_smallest_rows(
    dimension: int, width: int | None, initial: Initial = "kernel", first: str = "relu", second: str = "reglu"
) -> int | None:
    """As `EarlyStage.smallest_rows`, of the exact kernels.

    Examples
    --------
    >>> exact_smallest_rows(4, None), exact_smallest_rows(4, None, "nngp")
    (194, 194)
    """
    return exact_region(dimension, initial, first, second).smallest_rows(width)


@cache
def truncated_stage(
    initial: Initial = "kernel", degree: int = 2, first: str = "relu", second: str = "reglu"
) -> EarlyStage:
    r"""The comparison with the exact kernels cut after a degree off their diagonals: symbolic, and exact as d grows.

    With \(K_{ij} = (|x_i||x_j|/d)^{g+1} f(\rho)\), \(f = \sum_j c_j\rho^j\) and coefficients affine in m and d, a product
    of degree 2p in \(\rho\) adds \(O(d^{2-p})\) to \(E K_{ij}^2\), \(O(d^{1-p})\) to \(E[K_{ij}C_{0,ij}]\), where Q is of
    order d and 1, or more. Products that degree 2 leaves out have p = 2 at least: the limits in d are those of all degrees.

    Parameters
    ----------
    initial, first, second : str
        As for `early_stage`.
    degree : int
        At least 2.

    Raises
    ------
    InputError
        As `early_stage`.

    Source: derived here.

    Examples
    --------
    >>> truncated_stage("nngp").narrow, early_stage("nngp").narrow
    (4*pi**2/(4*m + pi**2), 4*pi**2/(4*m - 4 + pi**2))
    """
    stage = early_stage(initial, first, second)
    plain, gated = (_pair_square(name, initial, degree) for name in (first, second))
    return EarlyStage(stage.start, stage.diagonal, sp.factor(plain - gated))


def _pair_square(name: str, initial: Initial, degree: int) -> sp.Expr:
    """E K_ij^2, or E[K_ij C_ij], of independent rows."""
    described = network(name)
    own = taylor_coefficients(described, degree)
    other = own if initial == "kernel" else tuple(sp.expand(c).coeff(m, 1) for c in own)
    lengths = sp.Mul(*(1 + sp.Rational(2 * i) / d for i in range(described.gates + 1))) ** 2
    return lengths * sp.Add(
        *(
            c * o * sp.factorial2(i + j - 1) / sp.Mul(*(d + 2 * s for s in range((i + j) // 2)))
            for i, c in enumerate(own)
            for j, o in enumerate(other)
            if (i + j) % 2 == 0
        )
    )


@cache
def exact_squares(name: str, dimension: int) -> tuple[Array, Array]:
    r"""\(E K_{ii}^2\) and \(E K_{ij}^2\) over Gaussian rows, as coefficients of m^2, m and 1 : (3,) float each.

    Examples
    --------
    >>> on, off = exact_squares("relu", 3)
    >>> on  # (m + d)^2/4 (1 + 2/d)
    array([0.41666667, 2.5       , 3.75      ])
    """
    described = network(name)
    gates, activation = described.gates, described.activation
    value, slope = both_masses(activation, dimension, DEGREES + 1 + gates)
    value_total, slope_total = both_moments(activation, dimension)
    readout = np.append(value, 0.0)
    gradient = dimension * (gates * readout + times_cosine(slope, dimension))
    for _ in range(gates):
        readout, gradient = times_cosine(readout, dimension), times_cosine(gradient, dimension)
    size = min(len(readout), len(gradient), DEGREES + 1)
    shares = np.exp(-log_multiplicities(dimension, size - 1))
    totals = value_total, dimension * (gates * value_total + slope_total)
    lengths = [
        float(np.prod([1 + 2 * i / dimension for i in range(power)]))
        for power in (gates + 1, 2 * (gates + 1))
    ]
    f, h = readout[:size], gradient[:size]
    off = np.array([np.sum(f * f * shares), 2 * np.sum(f * h * shares), np.sum(h * h * shares)])
    on = np.array([totals[0] ** 2, 2 * totals[0] * totals[1], totals[1] ** 2])
    return on * lengths[1], off * lengths[0] ** 2
