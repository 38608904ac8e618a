r"""How much the smallest eigenvalue varies from draw to draw, beyond what Tracy and Widom's law says of an edge.

On unequal rows the smallest eigenvector v lies on a few short ones. Leaving out the others (Schur complement) row i has
\(t_i b_i\) in place of \(t_i b\), with

\[ b_i \approx h(1) - \sum_{j\ne i} v_j\, h(\rho_{ij})^2,\qquad
   h = \sum_{k\ge 1} \frac{g_k}{1 + \tau_k a} Q_k,\qquad v_j = \frac{t_j}{t_j b - z}. \]

To the law the \(Q_k(\rho_{ij})\) are Gaussian. Polynomials of a cosine have heavier tails, so that the sum varies by

\[ \mathrm{Var}\, b_i - \text{the law's} = \sum_j v_j^2\,\big(E h^4 - 3 (E h^2)^2\big) \]

more, and the eigenvalue by \(\sum_i \pi_i\,t_i b_i\), \(\pi_i\propto t_i/(t_i b - z)^2\) the shares of the eigenvector.
Moments are taken of cosines below that of a row's nearest neighbour: rarer ones are `nearest_pair`'s affair.
Where lengths are random too, the shortest ones vary like order statistics:
\(\mathrm{Cov}(\log U_{(j)}, \log U_{(k)}) = \psi'(\max(j, k)) - \psi'(n + 1)\) for uniform numbers.

Source: derived here, heuristically; measured by ``python -m benchmarks.spectrum_law``.
"""

from __future__ import annotations

import numpy as np
from scipy.special import polygamma

from derivations.spectrum.edge import Edge
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import Array, zonal
from derivations.spectrum.reliability import median_largest_cosine
from derivations.spectrum.rows import RowWeights

SMALLEST_POWER = 1e-6
"""Degrees whose power of the largest cosine is below this are the same for all pairs."""
FEWEST_POINTS, POINTS_PER_DEGREE = 64, 8


def cosine_deviation(expansion: GegenbauerExpansion, edge: Edge, rows: RowWeights, n: int) -> float:
    """Standard deviation of the smallest eigenvalue over its edge, that of heavy tails of h alone.

    Examples
    --------
    >>> from derivations.spectrum.problem import problem
    >>> from derivations.spectrum.extremes import homogeneous_extremes
    >>> asked = problem("reglu", n=800, d=200, width=5000, data="gaussian")
    >>> found = homogeneous_extremes(asked.expansion, asked.n, asked.rows)
    >>> print(f"{found.fluctuation:.4f} {cosine_deviation(asked.expansion, found.lower, asked.rows, asked.n):.4f}")
    0.0089 0.0141
    """
    t, count = rows.values, n * rows.shares
    a = float(t @ (rows.shares / (edge.levels - edge.z)))
    second, fourth = _moments(expansion, a, n)
    excess = max(fourth - 3 * second**2, 0.0) * (count @ (t / (edge.levels - edge.z)) ** 2)
    return float(np.sqrt(excess * (count @ (_shares(edge, count) * t) ** 2)) / edge.z)


def length_deviation(edge: Edge, shares: Array, n: int, slopes: Array) -> float:
    """Standard deviation of the smallest eigenvalue over its edge, that of random lengths alone.

    Parameters
    ----------
    edge : Edge
    shares : (b,) float
        Of blocks of rows from the shortest on.
    n : int
    slopes : (b,) float
        d log(level) / d log u at each block, u the share of shorter rows.
    """
    count = n * shares
    rank = np.cumsum(count) - count / 2 + 0.5
    covariance = polygamma(1, np.maximum.outer(rank, rank)) - polygamma(1, n + 1)
    effect = count * _shares(edge, count) * edge.levels * slopes
    return float(np.sqrt(effect @ covariance @ effect) / edge.z)


def _shares(edge: Edge, count: Array) -> Array:
    """Of the smallest eigenvector, on one row of each block."""
    return np.asarray(edge.eigenvector / (count @ edge.eigenvector))


def _moments(expansion: GegenbauerExpansion, a: float, n: int) -> tuple[float, float]:
    """E h^2 and E h^4 of cosines that n rows have with one."""
    d = expansion.d
    largest = median_largest_cosine(n, d)
    most = np.log(SMALLEST_POWER) / np.log(max(largest, 0.5))
    degrees = min(expansion.degrees, int(np.ceil(most)))
    masses = expansion.masses[: degrees + 1] / (1 + expansion.eigenvalues(n)[: degrees + 1] * a)
    masses[0] = 0.0
    count = FEWEST_POINTS + POINTS_PER_DEGREE * degrees
    angle = np.arcsin(largest) * (2 * np.arange(count) + 1 - count) / count
    weight = np.cos(angle) ** (d - 2)
    h = masses @ zonal(d, degrees, np.sin(angle))
    return float(weight @ h**2 / np.sum(weight)), float(weight @ h**4 / np.sum(weight))
