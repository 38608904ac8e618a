r"""The early region of the exact kernels: all degrees, where the simplified ones have the two lowest and the diagonal.

With the masses \(g_k\) of a kernel in spherical harmonics, of \(\Phi\) and \(\Psi\) in \(K = m\Phi + \Psi\), pairs of
independent directions have \(E[fh] = \sum_k f_k h_k/N_k\), and the lengths factor out. The diagonal is the simplified one.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from mpmath import mpf

from derivations.arguments import check_choice
from derivations.dynamics.early import INITIAL, Initial
from derivations.dynamics.region import EarlyRegion
from derivations.networks import network
from derivations.spectrum.gegenbauer import both_masses, both_moments, times_cosine
from derivations.spectrum.harmonics import Array, log_multiplicities

DEGREES = 400
"""Even on the circle g_k falls like k^-2, and what is beyond of the sum of squares below 1e-7."""


def exact_region(
    dimension: int, initial: Initial = "kernel", first: str = "relu", second: str = "reglu"
) -> EarlyRegion:
    """A and B of the exact kernels at one d, as `EarlyStage.at` has those of the simplified ones.

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
