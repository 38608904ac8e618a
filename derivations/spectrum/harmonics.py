r"""Spherical harmonics of a sphere in d dimensions: how many there are, and their zonal polynomials.

With \(Q_k\) the Gegenbauer polynomial of degree k, \(Q_k(1) = 1\), one sequence of numbers says everything:

\[ \rho\,Q_k = \alpha_k Q_{k+1} + (1 - \alpha_k) Q_{k-1},\qquad \alpha_k = \frac{k + d - 2}{2k + d - 2},\quad
   \alpha_0 = 1, \]

and the harmonics of degree k number \(N_{k+1}/N_k = \alpha_k/(1 - \alpha_{k+1})\), \(N_0 = 1\), so that the
\(\sqrt{N_k} Q_k(t)\) are orthonormal for t the first coordinate of a uniform point.

Source: Atkinson and Han 2012, Spherical harmonics and approximations on the unit sphere, chapter 2; put into these
terms here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[Any]
"""Real or complex."""


def recurrence(d: int, degrees: int) -> tuple[Array, Array]:
    """alpha_k and 1 - alpha_k, each to full accuracy, k = 0..degrees, for d >= 2.

    Examples
    --------
    >>> recurrence(3, 2)
    (array([1.        , 0.66666667, 0.6       ]), array([0.        , 0.33333333, 0.4       ]))
    """
    k = np.arange(1, degrees + 1)
    return np.append(1.0, (k + d - 2) / (2 * k + d - 2)), np.append(0.0, k / (2 * k + d - 2))


def log_multiplicities(d: int, degrees: int) -> Array:
    """log N_k for k = 0..degrees: N_k itself leaves float64's range, at d = 10000 from k = 97 on.

    Examples
    --------
    >>> np.exp(log_multiplicities(3, 4)).round(9)
    array([1., 3., 5., 7., 9.])
    """
    up, down = recurrence(d, degrees)
    return np.append(0.0, np.cumsum(np.log(up[:-1] / down[1:])))


def multiplicities(logarithms: Array) -> Array:
    """N_k from log N_k: whole numbers, exact as far as those have the digits, and at most 1e300.

    Examples
    --------
    >>> multiplicities(log_multiplicities(3, 4))
    array([1., 3., 5., 7., 9.])
    """
    return np.asarray(np.rint(np.exp(np.minimum(logarithms, 690.0))))


def degrees_spanning(d: int, dimensions: float, most: int) -> int | None:
    """The smallest K with sum_{k<=K} N_k >= dimensions, or None if it is above `most`.

    Examples
    --------
    >>> degrees_spanning(3, 16, 100), degrees_spanning(3, 17, 100), degrees_spanning(2, 1e9, 100)
    (3, 4, None)
    """
    enough = np.cumsum(multiplicities(log_multiplicities(d, most))) >= dimensions
    return int(np.argmax(enough)) if enough[-1] else None


def times_cosine(masses: Array, d: int) -> Array:
    r"""The coefficients g_k of \(\rho f\), from those of \(f = \sum_k g_k Q_k\); one more than was given.

    Examples
    --------
    >>> times_cosine(np.array([0.0, 1.0]), 3)  # rho^2 = 1/3 Q_0 + 2/3 Q_2
    array([0.33333333, 0.        , 0.66666667])
    """
    up, down = recurrence(d, len(masses) - 1)
    result = np.zeros((len(masses) + 1, *masses.shape[1:]))
    # The degree is the first axis.
    result[1:] = (up * masses.T).T
    result[:-2] += (down * masses.T).T[1:]
    return result


def zonal(d: int, degrees: int, cosine: Array | float) -> Array:
    """Q_k(cosine), k = 0..degrees, on the first axis.

    Examples
    --------
    >>> zonal(3, 2, 0.5)
    array([ 1.   ,  0.5  , -0.125])
    """
    rho = np.asarray(cosine, float)
    up, down = recurrence(d, degrees)
    result = np.empty((degrees + 1, *rho.shape))
    result[0] = 1.0
    if degrees:
        result[1] = rho
    for k in range(1, degrees):
        result[k + 1] = (rho * result[k] - down[k] * result[k - 1]) / up[k]
    return result
