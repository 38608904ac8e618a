"""Extreme eigenvalues of a kernel matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
    values = _values(K)
    return Extremes(float(values[-1]), float(values[0]), len(K))


def eigenvalues(K: Array) -> Array:
    """All eigenvalues of the symmetric matrix K, ascending : (n,) float, 0 where they are that to rounding.

    Examples
    --------
    >>> eigenvalues(np.ones((2, 2)))
    array([0., 2.])
    """
    values = _values(K)
    return np.where(np.abs(values) <= len(K) * np.finfo(float).eps * np.abs(values[-1]), 0.0, values)


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


class Bias(NamedTuple):
    """Bias of the smallest eigenvalue of a mean kernel, and the power of the sample size with which it falls."""

    bias: float
    rate: float


def smallest_eigenvalue_bias(whole: Extremes, quarters: Sequence[Array]) -> Bias:
    r"""How far the smallest eigenvalue of a mean kernel lies below that of the expected kernel.

    By Jensen's inequality it lies below in expectation. With \(\lambda(N) = \lambda_\infty - a N^{-p}\), the mean
    over all N neurons, halves and quarters give

    \[ 2^p = \frac{\lambda(N/2)-\lambda(N/4)}{\lambda(N)-\lambda(N/2)},\qquad
       \lambda(N)-\lambda_\infty = -\frac{\lambda(N)-\lambda(N/2)}{2^p-1}. \]

    p is 1 for an eigenvalue well apart from the next and 1/2 for one in a crowd; it is kept between the two, for
    the differences are noisy.

    Parameters
    ----------
    whole : Extremes
        Of the mean kernel of all neurons.
    quarters : sequence of four (n, n) float
        Mean kernels of the quarters.

    Source: derived here.

    Examples
    --------
    >>> one, other = np.diag([0.4, 1.0]), np.diag([1.0, 0.4])
    >>> smallest_eigenvalue_bias(extremes(np.diag([0.7, 0.7])), [one, one, other, one])
    Bias(bias=-0.36..., rate=0.5)
    """
    halves = [(quarters[0] + quarters[1]) / 2, (quarters[2] + quarters[3]) / 2]
    of_halves, of_quarters = (
        float(np.mean([extremes(K).smallest for K in part])) for part in (halves, quarters)
    )
    near, far = whole.smallest - of_halves, of_halves - of_quarters
    if not (near > 0 and far > 0):
        # All sizes agree to rounding (a singular kernel, say): nothing to extrapolate.
        return Bias(min(-near, 0.0), 1.0)
    rate = float(np.clip(np.log2(far / near), 0.5, 1.0))
    return Bias(-near / (2**rate - 1), rate)


def _values(K: Array) -> Array:
    scaled, scale = _scaled(K)
    return np.asarray(np.linalg.eigvalsh(scaled) * scale)


def _scaled(K: Array) -> tuple[Array, float]:
    """K over a power of two, which keeps the squares of entries up to 1e300 in range and every bit of them."""
    scale = float(np.ldexp(1.0, int(np.frexp(np.abs(K).max())[1]) - 1))
    return (K / scale, scale) if scale > 0 and K.any() else (K, 1.0)
