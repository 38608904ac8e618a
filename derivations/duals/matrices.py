"""Matrices of dual activations, and the kernels that they make up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import ThreadpoolController

from derivations.arguments import check_memory, check_positive_integer
from derivations.duals.activations import Array, Elementwise, Smooth, smooth
from derivations.duals.features import Features, interpolated, radial_order
from derivations.errors import InputError
from derivations.matrix import check_matrix
from derivations.pairwise import fill

Activation = str | Smooth | tuple[Elementwise, Elementwise]
Index = NDArray[np.intp]
# Standard deviations are 0 or in this range: below, squares of energies leave the range of float64; above, the
# expansion needs more than thousands of terms.
LOWEST, HIGHEST = 1e-100, 1e2
# Terms left out are below this, relative to sqrt(T_ii T_jj).
CUT = 1e-15
# Four arrays of two such tiles stay in a core's cache.
TILE = 112


@dataclass(frozen=True)
class _Cell:
    """Rows with standard deviations within an octave, and the features of a few nodes for all of them."""

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
        Error at most about 2e-14 sqrt(T_ii T_jj) for named activations (measured for q up to 100); at most
        about 1e-11 for your own, which is checked at correlations 1, 0 and -1 each time.

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
    return _evaluate(chosen, sigma_i, sigma_j, cosine, symmetric, threads)


def _evaluate(
    activation: Smooth, sigma_i: Array, sigma_j: Array, cosine: Array, symmetric: bool, threads: int
) -> tuple[Array, Array]:
    """`dual_matrices` of standard deviations, checked arguments only."""
    out = np.empty((2, *cosine.shape))
    with _threadpools().limit(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
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


@dataclass(frozen=True)
class Duals:
    """Duals of the rows of data, with what else a kernel is made of.

    Attributes
    ----------
    T, slope : (n, n') float
        E[phi phi] and E[phi' phi'].
    covariance : (n, n') float
        Of the preactivations: scale x.y.
    """

    T: Array
    slope: Array
    covariance: Array


def duals_of_rows(
    activation: Activation,
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    scale: float | None = None,
    threads: int = 1,
) -> Duals:
    """Duals of a smooth activation at preactivations of variance scale |x|^2.

    Parameters
    ----------
    activation : str, Smooth or pair of callables
        As for `dual_matrices`.
    X : (n, d) array_like
        Real and finite.
    Y : (n', d) array_like, optional
        Without it Y = X, and the matrices are exactly symmetric.
    scale : float, optional
        The variance of a weight, 1 / d by default.
    threads : int
        Threads over tiles; the result does not depend on it.

    Raises
    ------
    InputError
        For arrays that are not real, finite and of rank 2, or do not match, and as `dual_matrices`.

    Notes
    -----
    Source: derived here.

    Examples
    --------
    >>> duals_of_rows("tanh", [[3.0, 4.0], [-4.0, 3.0], [0.0, 0.0]]).T.round(9)
    array([[0.78128262, 0.        , 0.        ],
           [0.        , 0.78128262, 0.        ],
           [0.        , 0.        , 0.        ]])
    """
    chosen = smooth(activation)
    X = check_matrix(X, "X")
    if Y is not None:
        Y = check_matrix(Y, "Y")
        if Y.shape[1] != X.shape[1]:
            raise InputError(f"Y must have {X.shape[1]} columns as X has, got {Y.shape[1]}")
    check_positive_integer(threads, "threads")
    scale = 1 / X.shape[1] if scale is None else scale
    if not 0 < scale < np.inf:
        raise InputError(f"scale must be a positive number, got {scale}")
    sigma_i = _deviations(X, scale, "X")
    sigma_j = sigma_i if Y is None else _deviations(Y, scale, "Y")
    check_memory(len(sigma_i), len(sigma_j), 4, "a kernel")
    with _threadpools().limit(limits=1, user_api="blas"):
        cosine = fill(lambda theta, cosine, sine, r_i, r_j: cosine, X, Y, threads)
    T, slope = _evaluate(chosen, sigma_i, sigma_j, cosine, Y is None, threads)
    cosine *= np.multiply.outer(sigma_i, sigma_j)  # one factor after the other is not symmetric in its bits
    return Duals(T, slope, cosine)


def ntk_from_duals(
    T: ArrayLike, T_slope: ArrayLike, c: ArrayLike, gates: int, width: int, dimension: int
) -> Array:
    r"""The NTK of a two-layer network with linear gates, standard parametrization.

    .. math:: K = c^g\,[(m + g d)\,T + d\,c\,T'], \qquad c = x \cdot y / d

    Parameters
    ----------
    T, T_slope, c : (n, n') array_like
        Duals of the activation and its slope at variances |x|^2 / d, and c.
    gates, width, dimension : int
        g, m and d.

    Notes
    -----
    Source: derived here; Price's theorem dT / dc = T' and the gates' moments c^g.

    Examples
    --------
    >>> ntk_from_duals(0.25, 0.5, 1.0, gates=1, width=8, dimension=2)
    array(3.5)
    """
    T, T_slope, c = np.asarray(T, float), np.asarray(T_slope, float), np.asarray(c, float)
    return np.asarray(c**gates * ((width + gates * dimension) * T + dimension * c * T_slope))


def smooth_ntk(
    activation: Activation,
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    gates: int,
    width: int,
    threads: int = 1,
) -> Array:
    """The NTK of a smooth activation with linear gates on the rows of data, standard parametrization.

    Parameters
    ----------
    activation : str, Smooth or pair of callables
        As for `dual_matrices`; SwiGLU is ``silu`` with one gate.
    X, Y : (n, d), (n', d) array_like
        As for `duals_of_rows`.
    gates, width : int
        Number of linear gates, and of hidden units.
    threads : int
        Threads over tiles; the result does not depend on it.

    Returns
    -------
    K : (n, n') float64
        Error at most 1e-12 sqrt(K_ii K_jj) for named activations.

    Raises
    ------
    InputError
        As `duals_of_rows`, and for a number of gates or a width that is none.

    Examples
    --------
    >>> smooth_ntk("silu", [[3.0, 4.0], [-4.0, 3.0]], gates=1, width=8).round(6)
    array([[907.668159,   0.      ],
           [  0.      , 907.668159]])
    """
    check_positive_integer(width, "width")
    if gates != 0:
        check_positive_integer(gates, "gates")
    duals = duals_of_rows(activation, X, Y, threads=threads)
    return ntk_from_duals(duals.T, duals.slope, duals.covariance, gates, width, np.shape(X)[1])


def _root(q: ArrayLike, name: str) -> Array:
    """Standard deviations of variances."""
    q = np.asarray(q, float)
    if q.ndim != 1:
        raise InputError(f"{name} must have one dimension, got {q.ndim}")
    with np.errstate(invalid="ignore"):
        return _check_range(np.sqrt(q), f"variances {name}", q)


def _deviations(X: Array, scale: float, name: str) -> Array:
    """Standard deviations sqrt(scale) |x|."""
    largest = np.max(np.abs(X), axis=1, initial=0.0)
    unit = X / np.where(largest > 0, largest, 1.0)[:, None]  # whose squares neither over- nor underflow
    with np.errstate(over="ignore", under="ignore"):
        sigma = np.sqrt(scale) * largest * np.sqrt(np.sum(unit * unit, axis=1))
        # What has underflowed is not a row of zeros.
        sigma = np.where((sigma == 0) & (largest > 0), np.nextafter(0, 1), sigma)
        return _check_range(sigma, f"variances (scale |x|^2) of the rows of {name}", sigma**2)


def _check_range(sigma: Array, what: str, variance: Array) -> Array:
    outside = ~((sigma == 0) | ((sigma >= LOWEST) & (sigma <= HIGHEST * (1 + 1e-9))))
    if np.any(outside):
        raise InputError(
            f"{what} must be 0 or between {LOWEST**2:g} and {HIGHEST**2:g}, got {variance[outside][0]:.3g}"
        )
    return sigma


@cache
def _threadpools() -> ThreadpoolController:
    """The BLAS libraries that are loaded; finding them takes milliseconds."""
    return ThreadpoolController()


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
