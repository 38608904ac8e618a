"""The matrix products of the finite-width side, all in one BLAS library.

NumPy and SciPy each bring their own, with its own pool of threads, and the idle threads of a pool keep a core
busy for a while. Alternating between the two made an empirical kernel 3 to 5 times slower on two cores.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dgemm, dsyrk

from verify.activations import Array


def row_products(X: Array, Y: Array, scale: float = 1.0) -> Array:
    """Products of all pairs of rows, scale X Y^T.

    Parameters
    ----------
    X : (n, d) float
    Y : (b, d) float

    Returns
    -------
    (n, b) float

    Examples
    --------
    >>> import numpy as np
    >>> row_products(np.eye(2), np.array([[1.0, 2.0]]), 0.5)
    array([[0.5],
           [1. ]])
    """
    # BLAS counts in columns: a transpose of what is in C order is in Fortran order, and nothing is copied.
    return dgemm(scale, Y.T, X.T, trans_a=1).T


def empty_triangle(n: int) -> Array:
    """Zeros (n, n), to be passed to `add_row_products`."""
    # Fortran order: dsyrk then updates this very array instead of a copy.
    return np.zeros((n, n), order="F")


def add_row_products(triangle: Array, X: Array, weight: float = 1.0) -> None:
    """Add weight X X^T to the upper triangle of a matrix, in place.

    Parameters
    ----------
    triangle : (n, n) float
        From `empty_triangle`.
    X : (n, ...) float
        All further axes count as one.

    Examples
    --------
    >>> import numpy as np
    >>> triangle = empty_triangle(2)
    >>> add_row_products(triangle, np.array([[1.0], [2.0]]), weight=2.0)
    >>> symmetric(triangle)
    array([[2., 4.],
           [4., 8.]])
    """
    rows = X.reshape(X.shape[0], -1)
    if rows.shape[1]:  # the covariance of the outputs has no gradient factors
        dsyrk(weight, rows.T, beta=1.0, c=triangle, trans=1, overwrite_c=1)


def pair_sums(X: Array, group: int = 1) -> Array:
    r"""Products of all pairs of rows, entry by entry, summed over groups of columns.

    .. math:: S_{(i, j), c} = \sum_{h < g} X_{i, c + h b / g}\, X_{j, c + h b / g}, \qquad i \le j

    Parameters
    ----------
    X : (n, b) float
    group : int
        g, a divisor of b.

    Returns
    -------
    (n (n + 1) / 2, b / g) float
        The pairs in the order of `numpy.triu_indices`.

    Examples
    --------
    >>> import numpy as np
    >>> pair_sums(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[1.0, 4.0], [3.0, 8.0], [9.0, 16.0]]
    >>> pair_sums(np.array([[1.0, 2.0], [3.0, 4.0]]), group=2).T
    array([[ 5., 11., 25.]])
    """
    n, count = X.shape
    grouped = X.reshape(n, group, count // group)
    sums = np.empty((n * (n + 1) // 2, count // group))
    stop = 0
    for row in range(n):
        start, stop = stop, stop + n - row
        # Products and their sums in one pass: the products alone would leave the cache.
        np.einsum("gc,jgc->jc", grouped[row], grouped[row:], out=sums[start:stop])
    return sums


def symmetric(triangle: Array) -> Array:
    """The symmetric matrix with this upper triangle; the lower one must hold zeros."""
    full = triangle + triangle.T
    np.fill_diagonal(full, triangle.diagonal())
    return full
