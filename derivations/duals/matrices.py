"""Matrices of dual activations: rows by the size of their variances, tiles, and sums over harmonics."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from derivations.arguments import check_positive_integer
from derivations.duals.activations import Array, Elementwise, Smooth, smooth
from derivations.duals.features import Features, interpolated, radial_order
from derivations.errors import InputError
from derivations.threads import one_blas_thread

Activation = str | Smooth | tuple[Elementwise, Elementwise]
Index = NDArray[np.intp]
# Standard deviations are 0 or in this range: below, squares of energies leave the range of float64; above, the
# expansion needs more than thousands of terms.
LOWEST, HIGHEST = 1e-100, 1e2
# Terms left out are below this, relative to sqrt(T_ii T_jj).
CUT = 1e-15
# An operation on a tile takes long enough for threads to pass the interpreter's lock on, and a core's cache holds
# the four arrays of a recurrence.
TILE = 184


@dataclass(frozen=True)
class _Cell:
    """Rows and columns with standard deviations within an octave, and how to interpolate their features.

    Attributes
    ----------
    rows, columns : (p,), (q,) int
        Where they are in the result.
    matrix : (p, nodes) float
        From features to those of the rows.
    transposed : (nodes, q) float
        The same for the columns.
    features : Features
        At the nodes.
    """

    rows: Index
    matrix: Array
    columns: Index
    transposed: Array
    features: Features


def dual_matrices(
    activation: Activation,
    q_i: ArrayLike,
    q_j: ArrayLike,
    cosine: ArrayLike,
    *,
    symmetric: bool = False,
    threads: int = 1,
) -> tuple[Array, Array]:
    r"""Duals of a smooth activation and of its slope, for all pairs of rows.

    .. math:: T_{ij} = E[\varphi(u)\varphi(v)], \quad T'_{ij} = E[\varphi'(u)\varphi'(v)], \quad
        (u, v) \sim N\left(0, \begin{pmatrix} q_i & \rho\sqrt{q_i q_j} \\ \rho\sqrt{q_i q_j} & q_j
        \end{pmatrix}\right)

    Parameters
    ----------
    activation : str, Smooth or pair of callables
        ``sigmoid``, ``silu``, ``tanh``, ``softplus``, ``mish``, or (phi, phi') of your own: elementwise functions of
        float64 arrays, analytic in a strip around the real line and of polynomial growth.
    q_i, q_j : (n,), (n',) array_like
        Variances of the preactivations: 0, or from 1e-200 to 1e4. With `symmetric`, q_j is not read.
    cosine : (n, n') array_like
        Correlations rho, within [-1, 1] up to rounding. An error of 1e-16 there is one of 1e-16 q_i or less in the
        result; nothing else is lost at 1 and -1.
    symmetric : bool
        The rows are the columns. Only one triangle of `cosine` is read, and results are exactly symmetric.
    threads : int
        Threads over tiles; the bits of the result do not depend on it.

    Returns
    -------
    T, T' : (n, n') float64
        Error at most 1e-14 sqrt(T_ii T_jj) for named activations with q up to 100, 1e-13 up to 1e4 (measured:
        3e-15, 2e-14). At most about 1e-11 for your own, whose expansion is checked at correlations 1, 0 and -1
        each time.

    Raises
    ------
    InputError
        For variances out of range, shapes that do not match, correlations that are none, or an activation that
        cannot be expanded to that accuracy.

    Notes
    -----
    Source: derived here, see `derivations.duals.features`.

    Examples
    --------
    >>> T, slope = dual_matrices("silu", [1.0], [1.0, 4.0], [[1.0, 0.5]])
    >>> T, slope
    (array([[0.35577552, 0.41271521]]), array([[0.37948235, 0.32591537]]))
    """
    chosen = smooth(activation)
    check_positive_integer(threads, "threads")
    sigma_i = _root(q_i, "q_i")
    sigma_j = sigma_i if symmetric else _root(q_j, "q_j")
    cosine = np.asarray(cosine, float)
    if cosine.shape != (len(sigma_i), len(sigma_j)):
        raise InputError(f"cosine must have shape {(len(sigma_i), len(sigma_j))}, got {cosine.shape}")
    if not np.max(np.abs(cosine), initial=0.0) <= 1 + 1e-9:
        raise InputError("cosine must lie within [-1, 1]")
    return evaluate(chosen, sigma_i, sigma_j, cosine, symmetric, threads)


def evaluate(
    activation: Smooth, sigma_i: Array, sigma_j: Array, cosine: Array, symmetric: bool, threads: int
) -> tuple[Array, Array]:
    """`dual_matrices` of standard deviations, checked arguments only."""
    out = np.empty((2, *cosine.shape))
    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        cells = _cells(activation, sigma_i, sigma_j, pool)

        def compute(tile: tuple[_Cell, slice, _Cell, slice]) -> None:
            first, i, second, j = tile
            rows, columns = first.rows[i], second.columns[j]
            values = _series(first, i, second, j, cosine[np.ix_(rows, columns)])
            if symmetric:
                if first is second and i == j:
                    # The two halves of a product of rows with themselves may be rounded differently.
                    values = np.tril(values) + np.tril(values, -1).swapaxes(1, 2)
                out[:, columns[:, None], rows] = values.swapaxes(1, 2)
            out[:, rows[:, None], columns] = values

        list(pool.map(compute, _tiles(cells, symmetric)))
    return out[0], out[1]


def _root(q: ArrayLike, name: str) -> Array:
    """Standard deviations of variances."""
    q = np.asarray(q, float)
    if q.ndim != 1:
        raise InputError(f"{name} must have one dimension, got {q.ndim}")
    with np.errstate(invalid="ignore"):
        return check_range(np.sqrt(q), f"variances {name}", q)


def check_range(sigma: Array, what: str, variance: Array) -> Array:
    """Standard deviations, if they are supported ones; NaN is not."""
    outside = ~((sigma == 0) | ((sigma >= LOWEST) & (sigma <= HIGHEST * (1 + 1e-9))))
    if np.any(outside):
        raise InputError(
            f"{what} must be 0 or between {LOWEST**2:g} and {HIGHEST**2:g}, got {variance[outside][0]:.3g}"
        )
    return sigma


def _cells(activation: Smooth, sigma_i: Array, sigma_j: Array, pool: ThreadPoolExecutor) -> list[_Cell]:
    """Rows and columns by the octave of their standard deviation, the largest first."""
    order = radial_order(activation, max(np.max(sigma_i, initial=0.0), np.max(sigma_j, initial=0.0)))
    octave_i, octave_j = (np.where(s > 0, np.frexp(s)[1], -10_000) for s in (sigma_i, sigma_j))

    def cell(octave: int) -> _Cell:
        rows, columns = np.nonzero(octave_i == octave)[0], np.nonzero(octave_j == octave)[0]
        sigma, where = np.unique(np.concatenate([sigma_i[rows], sigma_j[columns]]), return_inverse=True)
        found, matrix = interpolated(activation, sigma, order)
        left, right = matrix[where[: len(rows)]], matrix[where[len(rows) :]]
        return _Cell(rows, left, columns, np.ascontiguousarray(right.T), found)

    return list(pool.map(cell, np.union1d(octave_i, octave_j)[::-1]))


def _tiles(cells: list[_Cell], symmetric: bool) -> Iterator[tuple[_Cell, slice, _Cell, slice]]:
    """Pairs of blocks of rows and of columns; half of them if symmetric."""
    for a, first in enumerate(cells):
        for second in cells[a:] if symmetric else cells:
            for i in range(0, len(first.rows), TILE):
                for j in range(0, i + 1 if first is second and symmetric else len(second.columns), TILE):
                    yield first, slice(i, i + TILE), second, slice(j, j + TILE)


def _terms(first: Features, second: Features) -> int:
    """How many harmonics have to be summed: what they leave out is below CUT, by Cauchy-Schwarz."""
    most = min(first.tails.shape[1], second.tails.shape[1])
    left_out = np.max(first.tails[:, :most] * second.tails[:, :most], axis=0)
    return max(1, int(np.argmax(left_out <= CUT)))


def _series(first: _Cell, i: slice, second: _Cell, j: slice, cosine: Array) -> Array:
    """(2, p, q) sums of t_k cos(k theta) for phi and its slope, by Clenshaw's recurrence."""
    terms = _terms(first.features, second.features)
    left, right = first.matrix[i], second.transposed[:, j]
    np.clip(cosine, -1.0, 1.0, out=cosine)
    twice = 2 * cosine
    one, two = np.zeros((2, 2, *cosine.shape))
    term = np.empty((2 * len(left), right.shape[1]))
    for k in range(terms - 1, -1, -1):
        core = first.features.values[k] @ second.features.values[k].swapaxes(1, 2)
        np.matmul((left @ core).reshape(len(term), -1), right, out=term)
        # b_k = t_k + 2 rho b_{k+1} - b_{k+2}, and half of the middle term at last
        np.subtract(term.reshape(two.shape), two, out=two)
        two += np.multiply(twice if k else cosine, one, out=term.reshape(two.shape))
        one, two = two, one
    return one
