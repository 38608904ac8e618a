"""Extreme eigenvalues of a kernel matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, eigvalsh

from verify.activations import Array


@dataclass(frozen=True)
class Extremes:
    """Largest and smallest eigenvalue of a symmetric matrix.

    Attributes
    ----------
    largest, smallest : float
    top_vector : (n,) float
        Unit eigenvector of the largest.
    n : int
    """

    largest: float
    smallest: float
    top_vector: Array
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
    >>> found = extremes(np.diag([3.0, 1.0, 2.0]))
    >>> found.largest, found.smallest, found.condition_number
    (3.0, 1.0, 3.0)
    >>> extremes(np.ones((2, 2))).condition_number
    inf
    """
    n = len(K)
    # Entries up to 1e300 are legal; scaled by a power of two, LAPACK's squares stay in range and bits stay.
    scale = float(np.ldexp(1.0, int(np.frexp(np.abs(K).max())[1])))
    if scale == 0.0 or not K.any():
        return Extremes(0.0, 0.0, np.eye(1, n)[0], n)
    scaled = K / scale
    values, vectors = eigh(scaled, subset_by_index=[n - 1, n - 1])
    smallest = float(eigvalsh(scaled, subset_by_index=[0, 0])[0])
    return Extremes(float(values[0]) * scale, smallest * scale, vectors[:, 0], n)
