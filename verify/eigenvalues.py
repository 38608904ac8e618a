"""Extreme eigenvalues of a kernel matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import eigsh

from verify.activations import Array

# Up to this size all eigenvectors cost less than Lanczos' start.
_SMALL = 256


@dataclass(frozen=True)
class Extremes:
    """Largest and smallest eigenvalue of a symmetric (n, n) matrix.

    Examples
    --------
    >>> extremes(np.diag([3.0, 1.0, 2.0])).condition_number
    3.0
    """

    largest: float
    smallest: float
    n: int

    @property
    def condition_number(self) -> float:
        """largest / smallest; infinite where the smallest is zero to rounding (below n eps times the largest)."""
        if self.smallest <= self.n * np.finfo(float).eps * self.largest:
            return float("inf")
        return self.largest / self.smallest


def extremes(K: Array) -> Extremes:
    """Extreme eigenvalues of the symmetric matrix K, with LAPACK's error of about n eps times the largest.

    Examples
    --------
    >>> extremes(np.ones((2, 2))).condition_number
    inf
    """
    scaled, scale = _scaled(K)
    values = np.linalg.eigvalsh(scaled) * scale
    return Extremes(float(values[-1]), float(values[0]), len(K))


def top_vector(K: Array) -> Array:
    """Unit eigenvector of the largest eigenvalue : (n,) float.

    Examples
    --------
    >>> abs(top_vector(np.diag([1.0, 2.0]))).round(12)
    array([0., 1.])
    """
    scaled, _ = _scaled(K)
    if len(K) <= _SMALL:
        return np.linalg.eigh(scaled)[1][:, -1]
    # A fixed start makes the result a function of K alone; a kernel's top vector is not orthogonal to it.
    return eigsh(scaled, k=1, which="LA", v0=np.ones(len(K)))[1][:, 0]


def _scaled(K: Array) -> tuple[Array, float]:
    """K over a power of two, which keeps the squares of entries up to 1e300 in range and every bit of them."""
    scale = float(np.ldexp(1.0, int(np.frexp(np.abs(K).max())[1]) - 1))
    return (K / scale, scale) if scale > 0 and K.any() else (K, 1.0)
