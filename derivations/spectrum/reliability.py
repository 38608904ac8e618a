r"""When the law can be trusted: the nearest pair of points must not decide the smallest eigenvalue.

The law treats all degrees K + 1, K + 2, ... that n points cannot resolve, \(\sum_{k\le K} N_k \le n\), as nearly a
multiple of the identity. A pair at cosine rho has there the share

\[ \kappa = \max_{i<j} \frac{f_{>K}(\rho_{ij})}{f_{>K}(1)},\qquad f_{>K} = \sum_{k>K} g_k Q_k, \]

of its diagonal beside it; the smallest eigenvalue of such a pair alone is 1 - kappa times the diagonal. In low
dimensions it is that pair, not the law, that decides, and the law is too high. Median and 90th percentile of the errors
of lambda_n on spheres with d from 5 to 30 (``python -m benchmarks.spectrum_law``): 2 and 3 % up to kappa = 0.3, 7 and
13 % up to 0.5, 41 and 200 % beyond.

Source: derived here, a heuristic that was measured.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv

from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import Array, multiplicities, zonal

ROWS = 512


def expected_largest_cosine(n: float, d: int) -> float:
    """The cosine of the nearest of n(n - 1)/2 independent pairs of uniform directions, its median.

    Examples
    --------
    >>> print(f"{expected_largest_cosine(1000, 50):.4f}")
    0.6034
    """
    return median_largest_cosine(max(n * (n - 1) / 2, 1), d)


def median_largest_cosine(pairs: float, d: int) -> float:
    """The median of the largest of so many independent cosines of uniform directions."""
    # It lies below x with probability (1 - tail)^pairs = 1/2.
    tail = -np.expm1(np.log(0.5) / pairs)
    return float(1 - 2 * betaincinv((d - 1) / 2, (d - 1) / 2, tail))


def extreme_cosines(X: Array) -> Array:
    """The largest and the smallest cosine of two different rows, (2,); 0 for a single row."""
    if len(X) == 1:
        return np.zeros(2)
    directions = X / np.linalg.norm(X, axis=1)[:, None]
    largest, smallest = -1.0, 1.0
    for start in range(0, len(X), ROWS):
        block = directions[start : start + ROWS] @ directions.T
        own = np.arange(len(block))
        block[own, start + own] = np.nan
        largest, smallest = max(largest, np.nanmax(block)), min(smallest, np.nanmin(block))
    return np.clip([largest, smallest], -1.0, 1.0)


def nearest_pair(expansion: GegenbauerExpansion, n: int, cosines: Array) -> float:
    """kappa, at the cosines given (those nearest to 1 and -1); 0 where n points resolve all degrees.

    Examples
    --------
    >>> from derivations import network
    >>> from derivations.spectrum.gegenbauer import gegenbauer_expansion
    >>> f = gegenbauer_expansion(network("relu"), 50, 64, 20)
    >>> print(f"{nearest_pair(f, 1000, np.array([0.0])):.3f} {nearest_pair(f, 1000, np.array([1.0])):.3f}")
    -0.015 1.000
    """
    resolved = np.cumsum(multiplicities(expansion.log_multiplicities)) <= n
    above = np.where(resolved, 0.0, expansion.masses)
    diagonal = np.sum(above) + expansion.rest
    if not diagonal:
        return 0.0
    degrees = len(above) - 1
    # What is beyond the degrees at hand is at most its value at 1 times that of the first power it contains.
    beyond = expansion.rest * np.abs(cosines) ** (degrees + 1)
    values = above @ zonal(expansion.d, degrees, cosines) + beyond
    return float(np.max(values) / diagonal)
