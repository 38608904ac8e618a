r"""Both ends of the spectrum of a symmetric matrix with an error radius, proved by a Cholesky factorization.

If Cholesky's algorithm runs to its end on the floating-point matrix \(M = A - \sigma I\) of n rows, then

\[ \lambda_n(M) \ge -\frac{\gamma_{n+1}}{1-\gamma_{n+1}}\operatorname{tr} M,\qquad \gamma_k = \frac{ku}{1-ku}, \]

whatever the order of its sums: a lower bound of \(\lambda_n(A)\) close to any \(\sigma\) below it. Any vector gives an upper
bound, its Rayleigh quotient. For the largest eigenvalue, -A in the place of A.

Source: Rump 2006, Verification of positive definiteness, BIT 46; Demmel 1989.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky

from verify.activations import Array
from verify.bounds.rounding import UNIT, gamma

ITERATIONS = 4
"""Of inverse iteration: the shift is next to the eigenvalue."""
ATTEMPTS = 6
LARGEST_SIZE = 10**7
"""Rows for which gamma stays small."""


@dataclass(frozen=True)
class End:
    """The smallest eigenvalue of a symmetric matrix: it is at least `low`; `vector` (n,) belongs to it, nearly."""

    low: float
    vector: Array


def smallest_end(A: Array, guess: float | None = None) -> End:
    """A proved lower bound of the smallest eigenvalue of the floating-point matrix A itself, and its vector.

    Parameters
    ----------
    A : (n, n) float
        Symmetric, its entries of the order of 1 at most: a power of two more is the caller's to take out.
    guess : float, optional
        The eigenvalue to LAPACK's error; computed if it is not given.

    Examples
    --------
    >>> end = smallest_end(np.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> print(f"{end.low:.12f}")
    1.000000000000
    """
    n = len(A)
    if n == 1:
        return End(float(A[0, 0]), np.ones(1))
    diagonal = np.diagonal(A)
    if guess is None:
        guess = float(np.linalg.eigvalsh(A)[0])
    size = float(np.max(np.abs(diagonal)))
    norm = float(np.max(np.sum(np.abs(A), axis=1)))
    share = gamma(n + 1) / (1 - gamma(n + 1))
    # tr(A - sigma I), rounded up.
    trace = float(np.sum(np.maximum(diagonal - guess, 0.0))) * (1 + gamma(n + 3)) + n * gamma(n) * norm
    radius = share * trace
    slack = 2 * radius + 8 * UNIT * norm
    for _ in range(ATTEMPTS):
        sigma = guess - slack
        shifted = A.copy()
        shifted.flat[:: n + 1] -= sigma
        try:
            factor = cholesky(shifted, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            slack *= 8
            continue
        vector = np.ones(n) + 0.5 * np.sin(np.arange(n) + 1.0)  # any: not orthogonal to what is sought
        for _ in range(ITERATIONS):
            vector = cho_solve((factor, True), vector, check_finite=False)
            vector /= np.linalg.norm(vector)
        # The diagonal of what was factorized is rounded once; so is sigma.
        proved = share * (trace + n * slack) * (1 + gamma(n)) + 2 * UNIT * (size + abs(sigma))
        return End(sigma - proved, vector)
    return End(-norm * (1 + gamma(n + 1)), np.eye(1, n)[0])


def largest_end(A: Array, guess: float | None = None) -> End:
    """The same of the largest: it is at most `-low` of -A. Returned with its sign turned: at most `low`."""
    end = smallest_end(-A, None if guess is None else -guess)
    return End(-end.low, end.vector)


def rayleigh(vector: Array, image: Array, weights: Array, error: float) -> tuple[float, float]:
    r"""An interval around the Rayleigh quotient of a positive semidefinite matrix K that A approximates.

    Parameters
    ----------
    vector : (n,) float
        Not 0.
    image : (n,) float
        A times the vector, as computed.
    weights, error : (n,) float, float
        \(|A_{ij} - K_{ij}| \le\) error \(w_iw_j\), and \(|A_{ij}| \le w_iw_j\) but for roundings.

    Examples
    --------
    >>> v = np.array([0.0, 1.0])
    >>> low, high = rayleigh(v, np.diag([1.0, 4.0]) @ v, np.array([1.0, 2.0]), 0.0)
    >>> print(f"{low:.12f} {high - low < 1e-13}")
    4.000000000000 True
    """
    largest = np.max(np.abs(vector))
    v, image = vector / largest, image / largest
    norm = float(v @ v)
    sizes = float(weights @ np.abs(v)) ** 2 / norm
    # Two products of n terms and a quotient; 1.1 since entries may exceed their weights by roundings.
    radius = 1.1 * (gamma(3 * len(v) + 8) + error) * sizes
    value = float(v @ image) / norm
    return value - radius, value + radius
