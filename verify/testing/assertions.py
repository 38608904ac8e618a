"""Assertions that hold or fail exactly, up to roundings that are counted and not guessed.

An allowance is always a number of roundings times eps = 2^-52 times the size of what was rounded, so that
whoever grants one has to say where it comes from. There is no relative or absolute tolerance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array
from verify.inputs import check_matrix, shown

EPS = float(np.finfo(np.float64).eps)
# `derivations.kernel_function` promises its entries to 1e-14 sqrt(K_ii K_jj): so many eps.
KERNEL_ROUNDING = 45.0
# Half of float64's digits. Whoever needs more has an unstable formula, or wants a tolerance.
_MOST_ROUNDINGS = 2.0**26


def assert_bound_holds(
    lower: ArrayLike, upper: ArrayLike, *, rounding: float = 0.0, scale: ArrayLike | None = None
) -> None:
    r"""Assert lower <= upper, elementwise, up to a number of roundings.

    .. math:: \text{lower}_k \le \text{upper}_k + \text{rounding} \cdot 2^{-52} \cdot \text{scale}_k

    A true bound never fails if `rounding` and `scale` are right; a violation beyond that term never passes.

    Parameters
    ----------
    lower, upper : array_like
        Of one shape, or broadcast against each other. Infinite bounds are bounds; NaN never is.
    rounding : float
        Roundings of the two sides together, 0 or from 1 on: count them. An eigenvalue of a symmetric (n, n)
        matrix: n, at the scale of its largest eigenvalue. A sum or inner product of n terms: n, at the scale
        of the sum of their magnitudes. 0 compares the numbers as they are.
    scale : array_like, optional
        Magnitude of what was rounded. Default: the larger of |lower| and |upper|, which is right unless one
        of them is a small difference, or a small eigenvalue, of large numbers.

    Raises
    ------
    AssertionError
        Naming the element that is furthest beyond its allowance.
    InputError
        If there is nothing to compare, or `rounding` is a tolerance and not a count.

    Source
    ------
    Eigenvalues: LAPACK Users' Guide, 3rd ed. (1999), section 4.7: an error of p(n) eps |K|, p(n) growing
    modestly; n is granted here.

    Examples
    --------
    >>> K = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> smallest, largest = np.linalg.eigvalsh(K)
    >>> assert_bound_holds(2.0 - 1.0, smallest, rounding=2, scale=largest)  # Gershgorin, with equality
    >>> assert_bound_holds([0.5, 1.25], smallest, rounding=2, scale=largest)
    Traceback (most recent call last):
    ...
    AssertionError: the bound is violated at [1]: lower = 1.25 > upper = 1.0..., by 0.25; rounding explains
    1.33e-15 (2 roundings at scale 3); 1 of 2 elements violated
    """
    __tracebackhide__ = True
    count = _roundings(rounding)
    low, high = np.broadcast_arrays(np.asarray(lower, np.float64), np.asarray(upper, np.float64))
    if not low.size:
        raise InputError(f"lower and upper must hold at least one number, got shape {low.shape}")
    size = np.maximum(np.abs(low), np.abs(high)) if scale is None else np.asarray(scale, np.float64)
    if scale is not None and not (size >= 0.0).all():
        raise InputError(f"scale must not be negative or NaN, got {shown(scale)}")
    # An infinite side has no rounding, and inf - inf no meaning.
    size = np.broadcast_to(np.where(np.isfinite(size), size, 0.0), low.shape)
    allowance = count * EPS * size
    holds = low <= high + allowance
    if holds.all():
        return
    with np.errstate(invalid="ignore"):
        excess = np.where(holds, -np.inf, np.nan_to_num(low - high - allowance, nan=np.inf))
    worst = np.unravel_index(int(np.argmax(excess)), low.shape)
    where = f" at [{', '.join(map(str, worst))}]" if worst else ""
    a, b = float(low[worst]), float(high[worst])
    if np.isnan(a) or np.isnan(b):
        raise AssertionError(f"the bound is not a number{where}: lower = {a!r}, upper = {b!r}")
    raise AssertionError(
        f"the bound is violated{where}: lower = {a!r} > upper = {b!r}, by {a - b:.3g}; rounding explains "
        f"{allowance[worst]:.3g} ({count:g} roundings at scale {size[worst]:.6g}); "
        f"{np.count_nonzero(~holds)} of {low.size} elements violated"
    )


def assert_positive_semidefinite(K: ArrayLike, *, rounding: float = 0.0) -> None:
    r"""Assert that a kernel matrix is symmetric and positive semidefinite, whatever the norms of its rows.

    .. math:: C_{ij} = \frac{K_{ij}}{\sqrt{K_{ii} K_{jj}}}, \qquad
              \lambda_{\min}(C) \ge -(n + \text{rounding})\, n\, 2^{-52}

    K and C are semidefinite together, but a negative eigenvalue of rows of norm 1e-3 is visible in C only: in
    K it drowns in the rounding n eps lambda_max(K) of rows of norm 1e3. Why this allowance: errors of at most
    delta in every C_ij move an eigenvalue by at most delta n, with delta = rounding eps; and LAPACK's
    eigenvalue is right to n eps lambda_max(C) <= n^2 eps, which covers the three roundings of C_ij as well.

    So a true kernel never fails if its entries are right to rounding eps sqrt(K_ii K_jj), and a matrix passes
    only if C has no eigenvalue below -2 (n + rounding) n eps: -7.1e-15 for n = 4 and correct rounding.

    Parameters
    ----------
    K : (n, n) array_like
    rounding : float
        Errors of the entries, in eps sqrt(K_ii K_jj): 0 for entries that are correctly rounded, 45 for those
        of `derivations.kernel_function` (1e-14).

    Raises
    ------
    AssertionError
        If K is not finite or not symmetric, a diagonal entry is negative, a row with K_ii = 0 is not 0, or C
        has a negative eigenvalue: the message gives the vector v with v^T K v < 0.
    InputError
        If K is not a square matrix, or has a diagonal entry so small (1e-290) that it has lost digits.

    Source
    ------
    Derived here (Weyl's inequality, and |E| <= trace for |E_ij| <= 1).

    Examples
    --------
    >>> assert_positive_semidefinite([[1.0, 1.0], [1.0, 1.0]])
    >>> assert_positive_semidefinite([[1e6, 0.0, 0.0], [0.0, 1e-6, 1.1e-6], [0.0, 1.1e-6, 1e-6]])
    Traceback (most recent call last):
    ...
    AssertionError: K is not positive semidefinite: with unit diagonal its smallest eigenvalue is -0.1, rounding
    explains -2e-15; v^T K v = -2e-07 for v = [0, 1, -1]
    """
    __tracebackhide__ = True
    count = _roundings(rounding)
    matrix = np.asarray(K, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise InputError(f"K must be a square matrix, got shape {matrix.shape}")
    n, diagonal = len(matrix), matrix.diagonal()
    assert_finite(matrix, "K")
    if (diagonal < 0.0).any():
        i = int(diagonal.argmin())
        raise AssertionError(f"K is not positive semidefinite: K[{i}, {i}] = {diagonal[i]!s} is negative")
    positive = diagonal > 0.0
    if (diagonal[positive] < 1e-290).any():
        raise InputError(f"K must have diagonal entries of 0 or above 1e-290, got {diagonal[positive].min()}")
    lengths = np.sqrt(diagonal)
    _assert_close(
        matrix, matrix.T, max(count, 1.0), lengths, "K is not symmetric", "K[{0}, {1}]", "K[{1}, {0}]"
    )
    if matrix[~positive].any():
        i, j = np.argwhere(~positive[:, None] & (matrix != 0.0))[0]
        raise AssertionError(
            f"K is not positive semidefinite: K[{i}, {i}] = 0, but K[{i}, {j}] = {matrix[i, j]!s}"
        )
    inverse = 1.0 / np.where(positive, lengths, 1.0)
    values, vectors = np.linalg.eigh(matrix * inverse[:, None] * inverse)
    allowance = (n + count) * n * EPS
    if values[0] < -allowance:
        v = vectors[:, 0] * inverse
        v /= v[np.argmax(np.abs(v))]
        raise AssertionError(
            f"K is not positive semidefinite: with unit diagonal its smallest eigenvalue is {values[0]:.3g}, "
            f"rounding explains {-allowance:.2g}; v^T K v = {v @ matrix @ v:.3g} "
            f"for v = [{', '.join(f'{entry + 0.0:.6g}' for entry in v)}]"
        )


def assert_symmetric_in_rows(
    kernel: Callable[[Array], ArrayLike], X: ArrayLike, *, rounding: float = 2 * KERNEL_ROUNDING
) -> None:
    r"""Assert that a kernel treats the rows of X alike: reordered rows give the reordered matrix.

    .. math:: |K(PX) - P K(X) P^T|_{ij} \le \text{rounding} \cdot 2^{-52} \sqrt{K_{ii} K_{jj}}

    for two reorderings P: all rows moved by one, and the first two swapped. They generate all permutations,
    so a kernel that passes on all X passes every reordering. One matrix X may miss an error, of course:
    no row of a kernel's formula depends on its index, hence use it under ``@given(X=data_matrices())``.

    Parameters
    ----------
    kernel : callable
        ``kernel(X)`` gives the (n, n) matrix. For a width: ``lambda X: my_kernel(X, m)``.
    X : (n, d) array_like
        A single row has one order only: the kernel is then called and nothing else asserted.
    rounding : float
        By how many eps sqrt(K_ii K_jj) an entry may depend on its place: a matrix product sums in another
        order there. Default 90, twice what `derivations.kernel_function` promises; arccos of a rounded
        cosine needs 1e8 near duplicates, which is refused.

    Raises
    ------
    AssertionError
        Naming the entry that differs most.
    InputError
        If X is not a matrix.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> assert_symmetric_in_rows(lambda X: X @ X.T, X)
    >>> assert_symmetric_in_rows(lambda X: (X - X[0]) @ X.T + X @ X.T, X)
    Traceback (most recent call last):
    ...
    AssertionError: kernel is not symmetric in the rows of X: with rows [1, 2, 0] in this order entry [2, 1] is -5,
    it was 17; rounding explains 4.6e-13
    """
    __tracebackhide__ = True
    count = _roundings(rounding)
    points = check_matrix(X, "X")
    n = len(points)
    reference = np.asarray(kernel(points.copy()), dtype=np.float64)
    assert_shape(reference, n)
    assert_finite(reference, "kernel(X)")
    lengths = np.sqrt(np.abs(reference.diagonal()))
    for order in (np.roll(np.arange(n), -1), np.r_[1, 0, 2:n]) if n > 1 else ():
        moved = np.asarray(kernel(points[order]), dtype=np.float64)
        assert_shape(moved, n)
        what = f"kernel is not symmetric in the rows of X: with rows {order.tolist()} in this order"
        expected = reference[np.ix_(order, order)]
        _assert_close(moved, expected, count, lengths[order], what, "entry [{0}, {1}]", "it")


def assert_shape(K: Array, n: int) -> None:
    if K.shape != (n, n):
        raise AssertionError(f"kernel must return a matrix of shape ({n}, {n}) for {n} rows, got {K.shape}")


def assert_finite(K: Array, name: str) -> None:
    if not np.isfinite(K).all():
        i, j = np.argwhere(~np.isfinite(K))[0]
        raise AssertionError(f"{name} must be finite, got {K[i, j]!s} at [{i}, {j}]")


def _assert_close(
    K: Array, other: Array, count: float, lengths: Array, what: str, entry: str, reference: str
) -> None:
    """K = other up to count eps |i| |j|; `entry` and `reference` are formats of the indices."""
    __tracebackhide__ = True
    allowance = count * EPS * np.outer(lengths, lengths)
    excess = np.where(np.isfinite(K), np.abs(K - other), np.inf) - allowance
    if (excess <= 0.0).all():
        return
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(excess)), K.shape))
    name = entry.format(i, j)
    verb = "was" if reference == "it" else "is"
    raise AssertionError(
        f"{what} {name} is {K[i, j]:.17g}, {reference.format(i, j)} {verb} {other[i, j]:.17g}; "
        f"rounding explains {allowance[i, j]:.2g}"
    )


def _roundings(rounding: float) -> float:
    count = float(rounding)
    if count == 0.0 or 1.0 <= count <= _MOST_ROUNDINGS:
        return count
    raise InputError(
        f"rounding must be a number of roundings, 0 or from 1 to {_MOST_ROUNDINGS:.0f}, got {shown(rounding)}: it counts "
        "errors of 2^-52 and is no tolerance"
    )
