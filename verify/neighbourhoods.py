r"""An upper bound of a kernel's smallest eigenvalue from the nearest neighbours of rows, without the whole matrix.

By Cauchy's interlacing theorem, for every set S of rows

\[ \lambda_n(K) \le \lambda_{\min}(K_{SS}). \]

On real data a few rows that are much alike decide the smallest eigenvalue: its eigenvector is spread over one to five
of them. Neighbourhoods of 64 rows hold such groups: on digits, diabetes and breast_cancer, however prepared, the bound is
1.01 to 1.7 times the eigenvalue, where the law of uniform directions is 1.8 to 6400 times too high
(``python -m benchmarks.spectrum_real``).

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from derivations.matrix import check_matrix
from verify.activations import Array
from verify.eigenvalues import eigenvalues

SIZE, CENTERS = 64, 128
ROWS = 256


def neighbourhood_bound(
    kernel: Callable[..., Array],
    X: ArrayLike,
    size: int = SIZE,
    centers: int = CENTERS,
    progress: Callable[[str, int, int], None] | None = None,
) -> float:
    r"""The smallest eigenvalue among kernel matrices of neighbourhoods : at least that of the whole.

    Neighbours of a row are those with the largest \(|K_{ij}|/\sqrt{K_{ii}K_{jj}}\). Time grows with n^2 for these,
    memory with n.

    Parameters
    ----------
    kernel : callable
        kernel(X) -> (n, n) and kernel(X, Y) -> (n, n'), symmetric and positive semidefinite, as
        `derivations.kernel_function` gives it.
    X : (n, d) float
    size : int
        Rows of a neighbourhood.
    centers : int
        How many neighbourhoods: of the rows that form the most nearly singular pairs with another one.
    progress : callable, optional
        Told (what, rows done, rows).

    Raises
    ------
    InputError
        For arguments out of range, or a kernel that is not finite or 0 throughout.

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> X = np.random.default_rng(0).standard_normal((300, 5))
    >>> K = kernel_function(network("relu"), width=8)
    >>> print(f"{neighbourhood_bound(K, X):.3f} {np.linalg.eigvalsh(K(X))[0]:.3f}")
    0.023 0.018
    """
    X = check_matrix(X)
    size, centers = (
        min(check_positive_integer(size, "size"), len(X)),
        check_positive_integer(centers, "centers"),
    )
    diagonal = np.concatenate([np.diagonal(kernel(block)) for block in _blocks(X)])
    if not np.all(np.isfinite(diagonal)) or not np.any(diagonal):
        size_of_rows = "short" if np.all(np.isfinite(diagonal)) else "long"
        raise InputError(f"X must have rows for which float64 holds the kernel, got rows too {size_of_rows}")
    if np.min(diagonal) <= 0:
        return 0.0
    neighbours, pairs = np.empty((len(X), size), int), np.empty(len(X))
    for start in range(0, len(X), ROWS):
        found, least = nearest_rows(kernel(X[start : start + ROWS], X), diagonal, start, size)
        neighbours[start : start + ROWS], pairs[start : start + ROWS] = found, least
        if progress is not None:
            progress("neighbours", start, len(X))
    chosen = np.argsort(pairs)[:centers]
    return float(min(eigenvalues(kernel(X[neighbours[center]]))[0] for center in chosen))


def _blocks(X: Array) -> list[Array]:
    return [X[start : start + ROWS] for start in range(0, len(X), ROWS)]


def nearest_rows(block: Array, diagonal: Array, start: int, size: int) -> tuple[NDArray[np.intp], Array]:
    """For the rows of a block of K: indices of the nearest rows, (b, size), and the worst pair's eigenvalue, (b,).

    Parameters
    ----------
    block : (b, n) float
        Rows `start` and on of K.
    diagonal : (n,) float
        Of K, positive.
    start, size : int

    Examples
    --------
    >>> K = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.9], [0.0, 0.9, 1.0]])
    >>> rows, pairs = nearest_rows(K, np.ones(3), 0, 2)
    >>> np.sort(rows), pairs.round(9)
    (array([[0, 1],
           [1, 2],
           [1, 2]]), array([0.5, 0.1, 0.1]))
    """
    here = np.arange(len(block))
    own = diagonal[start : start + len(block)]
    likeness = np.abs(block) / np.sqrt(own)[:, None] / np.sqrt(diagonal)
    # A row is its own neighbour, whatever the rounding.
    likeness[here, start + here] = np.inf
    found = np.argpartition(-likeness, size - 1, axis=1)[:, :size]
    likeness[here, start + here] = 0.0
    middle, half = (own[:, None] + diagonal) / 2, (own[:, None] - diagonal) / 2
    pairs = middle - np.hypot(half, likeness * np.sqrt(own)[:, None] * np.sqrt(diagonal))
    pairs[here, start + here] = own
    return found, np.min(pairs, axis=1)
