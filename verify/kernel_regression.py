r"""Interpolation by a kernel, by solving for it: what gradient descent tends to, without its eigenvectors.

A network that starts at outputs f_0 of mean 0 and covariance C and follows its kernel K to the end has

\[ f(x) = f_0(x) + k(x)^T K^{-1}(y - f_0(X)). \]

Left out of its own training, row i is missed by \([K^{-1}(y - f_0)]_i/[K^{-1}]_{ii}\): one inverse for all rows.

Source: C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (2006), eq. 5.12; the part of f_0
derived here, (y - f_0)(y - f_0)^T being y y^T + C in the mean.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from verify.activations import Array


def interpolation_error(K: Array, C: Array, Y: Array, train: int) -> float:
    """Expected mean squared error at the rows from `train` on, after interpolation at those before; nan if K is singular.

    Parameters
    ----------
    K, C : (n + p, n + p) float
        Kernel, and covariance of the first outputs.
    Y : (n + p,) float
    train : int
        n.

    Examples
    --------
    >>> K = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> interpolation_error(K, 0 * K, np.array([2.0, 3.0]), 1)  # 0.5 * 2 is predicted
    4.0
    """
    try:
        weights = cho_solve(cho_factor(K[:train, :train]), K[:train, train:])
    except np.linalg.LinAlgError:
        return np.nan
    missed = Y[train:] - weights.T @ Y[:train]
    spread = np.diagonal(C)[train:] + np.sum(
        weights * (C[:train, :train] @ weights - 2 * C[:train, train:]), axis=0
    )
    return float(np.mean(missed**2 + spread))


def left_out_error(K: Array, C: Array, Y: Array) -> float:
    """Expected mean squared error at each row after interpolation at all others; nan if K is singular.

    Parameters
    ----------
    K, C : (n, n) float
    Y : (n,) float

    Examples
    --------
    >>> K = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> left_out_error(K, 0 * K, np.array([2.0, 3.0]))  # (2 - 0.5 * 3)^2 and (3 - 0.5 * 2)^2
    2.125
    """
    try:
        inverse = cho_solve(cho_factor(K), np.eye(len(K)))
    except np.linalg.LinAlgError:
        return np.nan
    squares = (inverse @ Y) ** 2 + np.sum(inverse * (C @ inverse), axis=0)
    return float(np.mean(squares / np.diagonal(inverse) ** 2))
