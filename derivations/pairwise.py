r"""Matrices of kernels that see two rows only through their norms and the angle between them.

The angle is what naive code gets wrong: ``arccos`` of a rounded dot product has half the digits near
0 and pi, and E[phi' phi'] is linear in the angle.  Imports NumPy and the standard library only, because
its text is pasted into emitted modules.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Profile = Callable[[Array, Array, Array, Array, Array], Array]

# Four tiles (550 KB each) stay in a core's cache while one is computed and mirrored, and an operation on one
# takes long enough for threads to pass the interpreter's lock on: at 250 KB two threads are hardly faster than
# one. Not powers of two: read by columns, as mirroring does, such a tile would fall on few sets of the cache.
TILE_ROWS, TILE_COLUMNS = 184, 376
# Columns summed in one product. Over thousands a BLAS sums one by one, and on rows of equal entries
# all roundings go one way: 6e-15 at d = 1000, against 8e-16 in pieces of 128.
SUMMED = 128
# sin^2 below which the angle is taken from differences: at sin = 0.17 a cosine wrong by 3e-16 moves
# the angle by 2e-15.
NEAR = 0.03
# Entries gathered at once for the near pairs, so that memory is bounded when all pairs are near.
GATHERED = 1 << 15
_NONE = np.empty(0, np.intp)


def fill(
    profile: Profile, X: ArrayLike, Y: ArrayLike | None = None, threads: int = 1, *, extended: bool = False
) -> Array:
    r"""Evaluate a kernel of norms and angle on all pairs of rows.

    .. math:: K_{ij} = k(\theta_{ij}, \cos\theta_{ij}, \sin\theta_{ij}, |x_i|, |y_j|),
        \qquad x_i \cdot y_j = |x_i|\,|y_j| \cos\theta_{ij}

    The angle is right to a few 1e-15 *absolutely* on [0, pi].  Equal rows have angle 0 and sine 0,
    opposite rows pi and 0, exactly.  A row of zeros has norm 0 and counts as orthogonal to every row,
    itself included: theta = pi/2, cosine 0, sine 1.

    Parameters
    ----------
    profile : callable
        ``profile(theta, cosine, sine, r_i, r_j)`` with three (p, q) arrays, which it may overwrite,
        and norms of shape (p, 1) and (1, q); returns (p, q).  With s = r_i r_j a factor
        s^2 has to be applied as ``(f * s) * s``: where s * s overflows and f is 0, as for ReLU at
        opposite rows, ``f * (s * s)`` is NaN.
    X : (n, d) array_like
        Real and finite, |x_i| <= 1e150; any memory layout and real dtype, computed in float64.
    Y : (n', d) array_like, optional
        Like X.  Without it Y = X, only the lower triangle is computed, and K is exactly symmetric.
    threads : int
        Blocks of rows are shared among this many threads; the bits of K do not depend on it.  They call
        the BLAS, which should then be limited to one thread of its own.
    extended : bool
        The profile gets ``numpy.longdouble``, with norms right to its last digits: for exponentials, whose relative
        error is the absolute one of their exponent.  Where that type is float64, nothing changes.

    Returns
    -------
    K : (n, n') float64
        Entries above 1.8e308 are inf, those below 4.9e-324 are 0; neither spoils another entry.
        The peak memory is K, one float64 copy of X and of Y, and a few tiles per thread.

    Raises
    ------
    ValueError
        If ``threads`` is below 1, or X and Y have different numbers of columns.

    Notes
    -----
    Source: derived here; the angle of near pairs is W. Kahan's, from |u - v| of the unit rows.

    Examples
    --------
    E[relu(w.x) relu(w.y)] for standard normal w, at angles 0, pi/2 and pi:

    >>> def relu(theta, cosine, sine, r_i, r_j):
    ...     return (sine + (np.pi - theta) * cosine) / (2 * np.pi) * (r_i * r_j)
    >>> fill(relu, [[3.0, 4.0]], [[3.0, 4.0], [-4.0, 3.0], [-3.0, -4.0]]).round(6)
    array([[12.5     ,  3.978874,  0.      ]])
    """
    if threads < 1:
        raise ValueError(f"threads must be a positive integer, got {threads}")
    symmetric = Y is None
    U, r = _unit_rows(X, extended)
    V, q = (U, r) if Y is None else _unit_rows(Y, extended)
    if U.shape[1] != V.shape[1]:
        raise ValueError(f"Y must have as many columns as X, {U.shape[1]}, got {V.shape[1]}")
    # glibc hands freed memory above a threshold back to the system, and every temporary of a tile would pay
    # page faults again; freeing 16 MB once raises that threshold above a tile.
    np.empty(1 << 21)
    K = np.empty((len(U), len(V)))

    upper = np.triu(np.ones((TILE_ROWS, TILE_ROWS), bool), 1)

    def block(start: int) -> tuple[slice, int]:
        rows = slice(start, min(start + TILE_ROWS, len(U)))
        return rows, rows.stop if symmetric else len(V)

    def fill_rows(start: int) -> None:
        rows, width = block(start)
        scratch = np.empty((3, (rows.stop - start) * min(width, TILE_COLUMNS)))
        # errstate does not reach threads started inside it, hence here and not around the pool.
        with np.errstate(over="ignore", under="ignore"):
            for left in range(0, width, TILE_COLUMNS):
                columns = slice(left, min(left + TILE_COLUMNS, width))
                tile = K[rows, columns]
                theta, cosine, sine = (part[: tile.size].reshape(tile.shape) for part in scratch)
                _cosines(U[rows], V[columns], cosine)
                _angles(U[rows], V[columns], theta, cosine, sine)
                if extended:
                    theta, cosine, sine = (part.astype(np.longdouble) for part in (theta, cosine, sine))
                tile[...] = values = profile(theta, cosine, sine, r[rows, None], q[None, columns])
                if symmetric:  # mirrored now, while the tile is in cache
                    below = slice(left, max(left, min(columns.stop, start)))
                    K[below, rows] = values[:, : below.stop - left].T
        if symmetric:
            # The two halves of a product of rows with themselves may be rounded differently.
            corner = K[rows, rows]
            size = len(corner)
            np.copyto(corner, corner.T, where=upper[:size, :size])

    starts = range(0, len(U), TILE_ROWS)[::-1]  # the longest rows of the triangle first
    if threads == 1:
        for start in starts:
            fill_rows(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill_rows, starts))
    return K


def _unit_rows(X: ArrayLike, extended: bool) -> tuple[Array, Array]:
    """Rows over their norms, and the norms; rows of zeros stay."""
    X = np.asarray(X)
    n, d = X.shape
    precise: type = np.longdouble if extended else np.float64
    U: Array = np.empty((n, d))
    r: Array = np.empty(n, precise)
    step = max(1, GATHERED // max(1, d))
    for start in range(0, n, step):
        rows = slice(start, start + step)
        u = U[rows]
        u[...] = X[rows]
        # An exact power of two keeps the squares in range; at most 2^1000, so that it is finite itself.
        exponent = np.frexp(np.max(np.abs(u), axis=1, initial=0.0))[1].clip(-1000, 1000)
        u *= np.ldexp(1.0, -exponent)[:, None]
        squares = np.square(u, dtype=precise)
        norm = np.sqrt(np.sum(squares, axis=1))  # summed pairwise: K inherits this relative error
        u /= np.where(norm == 0.0, 1.0, norm)[:, None].astype(np.float64)
        r[rows] = np.ldexp(norm, exponent)
    return U, r


def _cosines(U: Array, V: Array, out: Array) -> None:
    """Write U V^T, summed in pieces."""
    np.matmul(U[:, :SUMMED], V[:, :SUMMED].T, out=out)
    if U.shape[1] > SUMMED:
        piece = np.empty(out.shape)
        for left in range(SUMMED, U.shape[1], SUMMED):
            columns = slice(left, left + SUMMED)
            out += np.matmul(U[:, columns], V[:, columns].T, out=piece)


def _angles(U: Array, V: Array, theta: Array, cosine: Array, sine: Array) -> None:
    """Write the angles of unit rows U (p, d) with V (q, d) and their sines, given U V^T as the cosines."""
    np.multiply(cosine, cosine, out=sine)
    np.subtract(1.0, sine, out=sine)
    i, j = np.nonzero(sine < NEAR) if np.min(sine, initial=1.0) < NEAR else (_NONE, _NONE)
    near = i, j
    sign = np.copysign(1.0, cosine[near])
    cosine[near] = 0.0  # rounding may have left |cos| > 1
    sine[near] = 1.0
    np.sqrt(sine, out=sine)
    np.arccos(cosine, out=theta)
    half = _chords(U, V, i, j, sign) / 2
    angle = 2 * np.arcsin(half)
    theta[near] = np.where(sign > 0, angle, np.pi - angle)
    cosine[near] = sign * (1 - 2 * half * half)
    sine[near] = 2 * half * np.sqrt(1 - half * half)


def _chords(U: Array, V: Array, i: NDArray[np.intp], j: NDArray[np.intp], sign: Array) -> Array:
    """|u_i - sign v_j| from the differences: exactly 0 for equal rows (sign 1) or opposite ones (-1)."""
    chord = np.empty(len(i))
    step = max(1, GATHERED // max(1, U.shape[1]))
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        difference = V[j[part]]
        difference *= sign[part, None]
        np.subtract(U[i[part]], difference, out=difference)
        difference *= difference
        chord[part] = np.sqrt(np.sum(difference, axis=1))
    return chord
