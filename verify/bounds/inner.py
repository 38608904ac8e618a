r"""Bounds from inside: a Rayleigh quotient is at least the smallest eigenvalue, and at most the largest.

Vectors come from neighbourhoods of rows that are much alike, whose submatrices have the smallest eigenvalue by Cauchy's
interlacing at least, and from the Krylov spaces that such a vector and the diagonal start.

Source: derived here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from verify.activations import Array
from verify.bounds.ends import rayleigh
from verify.bounds.entries import KEPT, Entries
from verify.neighbourhoods import SIZE, nearest_rows

CENTERS_KEPT, CENTERS = 4, 32
"""Neighbourhoods that are looked at: few where a Krylov space goes on from the best."""
STEPS = 24


def inner_bounds(entries: Entries) -> tuple[float, float]:
    """(an upper bound of the smallest eigenvalue, a lower bound of the largest), scaled as the entries are."""
    smallest, start = _from_neighbourhoods(entries)
    top = entries.roots.copy()
    if len(top) <= KEPT:
        bottom = krylov(entries.matrix, start)[0]
        smallest = min(smallest, _quotient(entries, bottom)[1])
        top = krylov(entries.matrix, top)[1]
    return smallest, max(
        _quotient(entries, top)[0], float(np.max(entries.roots) ** 2) * (1 - 2 * entries.error)
    )


def krylov(A: Array, start: Array, steps: int = STEPS) -> tuple[Array, Array]:
    """Ritz vectors of the smallest and of the largest eigenvalue : (n,) float each.

    Examples
    --------
    >>> low, high = krylov(np.diag([3.0, 1.0, 2.0]), np.ones(3))
    >>> np.abs(low).round(9), np.abs(high).round(9)
    (array([0., 1., 0.]), array([1., 0., 0.]))
    """
    basis = [start / np.linalg.norm(start)]
    images = []
    for _ in range(min(steps, len(start))):
        images.append(A @ basis[-1])
        after = images[-1].copy()
        for _ in range(2):  # once is not orthogonal to rounding
            Q = np.array(basis)
            after -= Q.T @ (Q @ after)
        size = float(np.linalg.norm(after))
        if size <= 1e-12 * float(np.linalg.norm(images[-1])):
            break
        basis.append(after / size)
    Q = np.array(basis[: len(images)])
    projected = Q @ np.array(images).T
    vectors = np.linalg.eigh((projected + projected.T) / 2)[1]
    return vectors[:, 0] @ Q, vectors[:, -1] @ Q


def _quotient(entries: Entries, vector: Array) -> tuple[float, float]:
    image = np.concatenate([K @ vector for _, K in entries.blocks()])
    return rayleigh(vector, image, entries.roots, entries.error)


def _from_neighbourhoods(entries: Entries) -> tuple[float, Array]:
    """The best bound of the smallest eigenvalue, and the vector it belongs to, (n,)."""
    n = len(entries.X)
    size = min(SIZE, n)
    diagonal = entries.roots**2
    neighbours, pairs = np.empty((n, size), int), np.empty(n)
    for rows, K in entries.blocks():
        neighbours[rows], pairs[rows] = nearest_rows(K, diagonal, rows.start, size)
    best, vector = np.inf, np.zeros(n)
    count = 1 if size == n else CENTERS_KEPT if n <= KEPT else CENTERS
    for center in _apart(neighbours, np.argsort(pairs), count):
        some = neighbours[center]
        part, weights = entries.part(some), entries.roots[some]
        # Eigenvectors of the correlations for rows of very different norms, and of the kernel itself.
        for scale in (np.ones(size), weights):
            own = np.linalg.eigh(part / scale[:, None] / scale)[1][:, 0] / scale
            high = rayleigh(own, part @ own, weights, entries.error)[1]
            if high < best:
                best, vector = high, np.zeros(n)
                vector[some] = own
    return best, vector


def _apart(neighbours: NDArray[np.intp], order: NDArray[np.intp], count: int) -> list[int]:
    """The first centers none of which is among the few nearest rows of one before."""
    chosen: list[int] = []
    taken: set[int] = set()
    for center in order:
        if len(chosen) == count:
            break
        if int(center) not in taken:
            chosen.append(int(center))
            taken.update(int(row) for row in neighbours[center][:8])
    return chosen
