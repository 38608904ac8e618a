r"""Bounds from the eigenproblem of the kernel itself, with the radius that rounding and the entries' errors have.

Entries within \(\kappa s_is_j\) of the true ones, \(s_i = \sqrt{K_{ii}}\), move eigenvalues by at most
\(\kappa\operatorname{tr}K\). Where norms spread widely the smallest eigenvalue is taken from the
correlations as well, \(\lambda_n(K) \ge \min_i K_{ii}\,\lambda_n(K_{ij}/s_is_j)\) (Ostrowski 1959), which roundings of the
longest rows do not reach.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.activations import Array
from verify.bounds.ends import End, largest_end, rayleigh, smallest_end
from verify.bounds.rounding import UNIT, gamma

SPREAD = 10.0
"""Ratio of diagonal entries above which correlations are looked at."""


@dataclass(frozen=True)
class DenseEnds:
    """Both ends of a symmetric positive semidefinite matrix with errors, and vectors that belong to them."""

    smallest: tuple[float, float]
    largest: tuple[float, float]
    vectors: tuple[Array, ...]


def dense_ends(matrix: Array, roots: Array, error: float, values: Array | None = None) -> DenseEnds:
    r"""Intervals of the smallest and the largest eigenvalue of every K with \(|A_{ij} - K_{ij}| \le \kappa s_is_j\).

    Parameters
    ----------
    matrix : (n, n) float
        A, of the order of 1 at most.
    roots : (n,) float
        s.
    error : float
        kappa.
    values : (n,) float, optional
        A's eigenvalues, ascending, to LAPACK's error.

    Examples
    --------
    >>> ends = dense_ends(np.array([[2.0, 1.0], [1.0, 2.0]]), np.sqrt([2.0, 2.0]), 1e-10)
    >>> print("{:.8f} {:.8f}".format(*ends.smallest), "{:.8f} {:.8f}".format(*ends.largest))
    1.00000000 1.00000000 3.00000000 3.00000000
    """
    n = len(matrix)
    moved = 1.01 * error * float(roots @ roots) * (1 + gamma(n + 4))
    values = np.asarray(np.linalg.eigvalsh(matrix) if values is None else values, float)
    low, high = smallest_end(matrix, float(values[0])), largest_end(matrix, float(values[-1]))
    at_least = low.low - moved
    vectors = [low.vector]
    if np.max(roots) > np.sqrt(SPREAD) * np.min(roots):
        scaled = _correlations(matrix, roots, error)
        at_least = max(at_least, scaled.low * float(np.min(roots)) ** 2 * (1 - 8 * UNIT - 1.01 * error))
        vectors.append(scaled.vector / roots)
    at_most = min(rayleigh(v, matrix @ v, roots, error)[1] for v in vectors)
    top = rayleigh(high.vector, matrix @ high.vector, roots, error)[0]
    return DenseEnds((at_least, at_most), (top, high.low + moved), (*vectors, high.vector))


def _correlations(matrix: Array, roots: Array, error: float) -> End:
    C = matrix / roots[:, None] / roots
    C = (C + C.T) / 2
    end = smallest_end(C)
    # Entries within kappa, and three roundings each.
    return End(end.low - (1.01 * error + 4 * UNIT) * len(C) * (1 + gamma(len(C))), end.vector)
