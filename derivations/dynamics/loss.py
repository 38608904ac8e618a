r"""The expected loss under gradient descent at any number of steps, from one eigendecomposition.

\[ E L_k = \tfrac12\sum_i w_i (1-\eta\lambda_i)^{2k},\qquad w_i = v_i^T C_0 v_i + (v_i^T Y)^2. \]

What is kept of a mode is its logarithm \(2\log|1-\eta\lambda_i|\), so that \(10^8\) steps neither underflow nor round, and
what has been lost, \(1-(1-\eta\lambda_i)^{2k}\), has digits of its own where that is small.

Source: derived here (`derivations.dynamics.argument`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from derivations.errors import InputError
from derivations.matrix import check_matrix
from derivations.spectrum.harmonics import Array

MOST_STEPS = 10**15
"""Whole numbers up to here are exact in float64."""
BLOCK = 2**16
"""Numbers computed at once, half a megabyte."""
ROWS = 128
"""Of a symmetric matrix, multiplied at once."""
NEGLIGIBLE = 1e-22
"""Of a sum: a million terms of this size are below rounding."""
UNDERFLOW = -746.0
"""exp of less is 0."""


@dataclass(frozen=True)
class ExpectedLoss:
    """The expected loss of one kernel as a sum over modes.

    Attributes
    ----------
    logarithms : (n,) float
        2 log |1 - eta lambda_i| <= 0, ascending: the slowest mode last; -inf of a mode that is gone after one step.
    weights : (n,) float
        w_i >= 0.
    start : float
        The loss before the first step, (Tr C_0 + |Y|^2) / 2, not summed over modes: equal for equal C_0 and Y.
    """

    logarithms: Array
    weights: Array
    start: float

    @property
    def rate(self) -> float:
        """The factor per step of the mode that decides at last, |1 - eta lambda_i| of the slowest with weight."""
        return float(np.exp(self.logarithms[self.weights > 0].max() / 2)) if np.any(self.weights > 0) else 0.0

    def at(self, steps: ArrayLike) -> Array:
        """E L_k : (s,) float.

        Examples
        --------
        >>> loss = expected_loss(np.diag([1.0, 0.5]), eta=1.0, targets=[1.0, 1.0])
        >>> loss.at([0, 1, 2])
        array([1.     , 0.125  , 0.03125])
        """
        # Exactly the start's, which two networks may share.
        return np.where(_steps(steps) == 0, self.start, np.exp(self.log_at(steps)))

    def log_at(self, steps: ArrayLike) -> Array:
        """log E L_k : (s,) float, also where the loss itself underflows.

        Examples
        --------
        >>> loss = expected_loss(np.diag([1.0, 0.5]), eta=1.0, targets=[1.0, 1.0])
        >>> print(f"{loss.log_at([10**8])[0]:.3f}")
        -138629436.805
        """
        at = _steps(steps)
        with np.errstate(divide="ignore"):
            result = np.full(len(at), np.log(self.start))  # at the start the modes need not be summed
            result[at > 0] = self._log_after(at[at > 0])
        return result

    def lost(self, steps: ArrayLike) -> Array:
        """E L_0 - E L_k : (s,) float, to full relative accuracy.

        Examples
        --------
        >>> loss = expected_loss(np.diag([1.0, 0.5]), eta=1e-20, targets=[1.0, 1.0])
        >>> loss.lost([1])
        array([1.5e-20])
        """
        at = _steps(steps)
        result = np.zeros(len(at))
        for chosen in _blocks(at, len(self.weights)):
            result[chosen] = -np.expm1(np.multiply.outer(at[chosen], self.logarithms)) @ self.weights / 2
        return result

    def _log_after(self, at: Array) -> Array:
        """log E L_k after k >= 1 steps : (s,) float."""
        kept = self.weights > 0
        logarithms, weights = self.logarithms[kept], self.weights[kept]
        if not len(weights) or np.isneginf(slowest := logarithms[-1]):
            return np.full(len(at), -np.inf)
        # Over the slowest mode no term overflows, and one of them is its whole weight.
        relative = logarithms - slowest
        # All terms below are together less than a rounding of that one.
        least = max(UNDERFLOW, float(np.log(NEGLIGIBLE) + np.log(weights[-1]) - np.log(weights.sum())))
        sums = np.empty(len(at))
        for chosen in _blocks(at, len(weights)):
            alive = np.searchsorted(relative, least / at[chosen].min())
            sums[chosen] = np.exp(np.multiply.outer(at[chosen], relative[alive:])) @ weights[alive:]
        return np.log(sums / 2) + at * slowest


def expected_loss(
    K: ArrayLike, eta: float, targets: ArrayLike, covariance: ArrayLike | None = None
) -> ExpectedLoss:
    r"""The expected loss of full-batch gradient descent on \(\frac12|f - Y|^2\) with a fixed kernel.

    Parameters
    ----------
    K : (n, n) array_like
        Symmetric and positive semidefinite.
    eta : float
        The step size: positive, and below 2 / lambda_1.
    targets : (n,) array_like
        Y.
    covariance : (n, n) array_like, optional
        :math:`C_0` of the outputs at initialisation, whose mean is 0; without it they are 0.

    Raises
    ------
    InputError
        For arrays that do not match, and a step size that is not positive or at which a mode would not decay.

    Examples
    --------
    >>> expected_loss(np.eye(2), eta=0.5, targets=[1.0, 0.0], covariance=np.eye(2)).at([0, 1])
    array([1.5  , 0.375])
    >>> expected_loss(np.eye(2), eta=2.0, targets=[1.0, 0.0])
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: eta must be below 2 / lambda_1 = 2, at which gradient descent no longer converges, got 2
    """
    return expected_losses(K, eta, targets, (covariance,))[0]


def expected_losses(
    K: ArrayLike, eta: float, targets: ArrayLike, covariances: Sequence[ArrayLike | None]
) -> tuple[ExpectedLoss, ...]:
    """As `expected_loss`, for several covariances of the outputs at initialisation, from one eigendecomposition.

    Examples
    --------
    >>> [loss.start for loss in expected_losses(np.eye(2), 0.5, [1.0, 0.0], (None, np.eye(2)))]
    [0.5, 1.5]
    """
    matrix = check_matrix(K, "K")
    n = len(matrix)
    if matrix.shape != (n, n):
        raise InputError(f"K must be square, got shape {matrix.shape}")
    Y = check_matrix([targets], "targets")[0]
    if Y.shape != (n,):
        raise InputError(f"targets must be {n} numbers, got {len(Y)}")
    values, vectors = np.linalg.eigh(matrix)
    # Eigenvalues have an error of about n eps lambda_1; what is below is a mode that is not learned.
    values = np.where(values <= n * np.finfo(float).eps * values[-1], 0.0, values)
    check_rate(eta, float(values[-1]))
    order = np.argsort(logarithms := decay(eta * values))
    found = []
    for covariance in covariances:
        weights, start = (vectors.T @ Y) ** 2, float(Y @ Y)
        if covariance is not None:
            C = check_matrix(covariance, "covariance")
            if C.shape != (n, n):
                raise InputError(f"covariance must have shape ({n}, {n}), got {C.shape}")
            weights = weights + np.maximum(_forms(C, vectors), 0.0)
            start += float(np.trace(C))
        found.append(ExpectedLoss(logarithms[order], weights[order], start / 2))
    return tuple(found)


def _forms(C: Array, vectors: Array) -> Array:
    """v^T C v of every column v : (n,) float; blocks of the symmetric C above its diagonal count twice."""
    n = len(C)
    if n <= ROWS:
        return np.asarray(np.einsum("ij,ij->j", vectors, C @ vectors))
    half = n // 2
    above = np.einsum("ij,ij->j", vectors[:half], C[:half, half:] @ vectors[half:])
    return _forms(C[:half, :half], vectors[:half]) + _forms(C[half:, half:], vectors[half:]) + 2 * above


def check_rate(eta: float, largest: float) -> None:
    """Refuse a step size at which gradient descent does not converge for this largest eigenvalue.

    Raises
    ------
    InputError
        If eta is not positive and finite, or 2 / lambda_1 or larger.
    """
    if isinstance(eta, bool) or not 0 < eta < np.inf:
        raise InputError(f"eta must be positive and finite, got {eta!r}")
    if eta * largest >= 2:
        raise InputError(
            f"eta must be below 2 / lambda_1 = {2 / largest:.6g}, at which gradient descent no longer converges, got "
            f"{eta:.6g}"
        )


def decay(shares: Array) -> Array:
    """2 log |1 - s|, s = eta lambda in [0, 2) : (n,) float.

    Examples
    --------
    >>> decay(np.array([0.5, 1e-20, 1.0, 1.5]))
    array([-1.38629436e+00, -2.00000000e-20,            -inf, -1.38629436e+00])
    """
    with np.errstate(divide="ignore"):
        # Beyond 1 the mode overshoots: s - 1 and 2 - s are exact.
        return 2 * np.where(
            shares <= 1, np.log1p(-np.minimum(shares, 1.0)), np.log1p(-(2.0 - np.maximum(shares, 1.0)))
        )


def _blocks(steps: Array, modes: int) -> Iterator[NDArray[np.intp]]:
    """Indices of k >= 1, ascending in k, so many that what is computed of them with all modes stays in a cache."""
    order = np.argsort(steps, kind="stable")
    order = order[np.searchsorted(steps[order], 1.0) :]
    size = max(1, BLOCK // max(modes, 1))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _steps(steps: ArrayLike) -> Array:
    found = np.atleast_1d(np.asarray(steps))
    if found.ndim != 1 or found.dtype.kind not in "iuf" or not np.all((found >= 0) & (found <= MOST_STEPS)):
        raise InputError(f"steps must be whole numbers from 0 to {MOST_STEPS:.0e}, got {steps!r}")
    if np.any(found != np.floor(found)):
        raise InputError(f"steps must be whole numbers, got {steps!r}")
    return found.astype(float)


def logarithmic_steps(last: int, per_decade: int = 20) -> Sequence[int]:
    """0, 1, 2, ... at first, then equally spaced in the logarithm up to `last`.

    Examples
    --------
    >>> logarithmic_steps(10, 3)
    [0, 1, 2, 5, 10]
    """
    count = max(2, int(per_decade * np.log10(max(last, 1))) + 1)
    return sorted({0, 1, last, *(round(k) for k in np.geomspace(1, max(last, 1), count))})
