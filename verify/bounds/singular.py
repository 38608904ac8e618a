r"""Why a kernel matrix is exactly singular, where that can be told from the data's bits.

- Two rows are equal; or one is a positive multiple of another and the activation homogeneous; or the negative of
  another and the activation even or odd: two rows of K are proportional.
- A row is 0, and its kernel.
- The kernel has finitely many degrees: its features are homogeneous polynomials, of which on rows of rank r those of
  degree j span \(\binom{r+j-1}{j}\) dimensions; for a homogeneous activation there is one degree.

Multiples are told from quotients \(x_k/x_l\), which are rounded alike for exact multiples, and confirmed in rational
arithmetic.

Source: derived here.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb

import numpy as np
import sympy as sp
from flint import fmpz_mat
from numpy.typing import NDArray

from derivations.activations import Activation
from derivations.networks import TwoLayer
from derivations.symbols import z
from verify.activations import Array

EXACT_RANK = 200_000
"""Entries of the largest data whose exact rank is computed."""


def why_singular(network: TwoLayer, X: Array, diagonal: Array) -> str | None:
    """What makes the kernel matrix singular, or None if nothing was found.

    Parameters
    ----------
    network : TwoLayer
    X : (n, d) float
        The data.
    diagonal : (n,) float
        The kernel's, as computed.

    Examples
    --------
    >>> from derivations import network
    >>> why_singular(network("relu"), np.array([[1.0, 2.0], [0.5, 1.0]]), np.ones(2))
    'row 1 is a multiple of row 0'
    >>> why_singular(network("silu"), np.array([[1.0, 2.0], [0.5, 1.0]]), np.ones(2))
    >>> why_singular(network("identity"), np.eye(3)[:, :2] + 1, np.ones(3))
    'its degrees span at most 2 dimensions, and there are 3 rows'
    """
    X = X + 0.0  # -0 is 0
    zero = ~X.any(axis=1)
    if np.any(zero & (diagonal == 0)):
        return f"row {int(np.argmax(zero & (diagonal == 0)))} is zero, and so is its kernel"
    biased = network.parametrization.has_biases
    homogeneity, parity = _symmetries(network.activation)
    pair = _repeated(X, X)
    if pair is not None:
        return f"row {pair[1]} repeats row {pair[0]}"
    if not biased:
        if homogeneity is not None:
            pair = _multiples(X, signed=parity is None)
            if pair is not None:
                return f"row {pair[1]} is a multiple of row {pair[0]}"
        elif parity is not None:
            pair = _opposites(X)
            if pair is not None:
                return f"row {pair[1]} is opposite to row {pair[0]}, and the activation {parity}"
        most = dimensions(network, min(X.shape))
        if most is not None and len(X) <= most and X.size <= EXACT_RANK:
            most = dimensions(network, exact_rank(X))
        if most is not None and most < len(X):
            return f"its degrees span at most {most} dimensions, and there are {len(X)} rows"
    return None


@lru_cache(maxsize=64)
def _symmetries(activation: Activation) -> tuple[int | None, str | None]:
    return activation.homogeneity, activation.parity


@lru_cache(maxsize=256)
def dimensions(network: TwoLayer, d: int) -> int | None:
    """How many dimensions the features of a polynomial network span at most; None if infinitely many.

    Examples
    --------
    >>> from derivations import network
    >>> dimensions(network("bilinear"), 4), dimensions(network("hermite2"), 4), dimensions(network("relu"), 4)
    (10, 11, None)
    """
    activation = network.activation
    if not activation.phi.is_polynomial(z):
        return None
    top = int(sp.Poly(activation.phi, z).degree())
    parity = activation.parity
    degrees = range(top, -1, -2 if parity else -1)
    sizes = [comb(d + j + network.gates - 1, j + network.gates) for j in degrees]
    if activation.homogeneity is not None:
        # A power of z: one degree alone.
        return sizes[0]
    return sum(sizes)


def exact_rank(X: Array) -> int:
    """The rank of these very numbers, in whole-number arithmetic.

    Examples
    --------
    >>> exact_rank(np.array([[1.0, 2.0], [0.1, 0.2], [0.1, 0.3]])), exact_rank(np.array([[1.0, 3.0], [0.1, 0.3]]))
    (2, 2)
    """
    # Each row times a power of two that leaves whole numbers: its rank is the same.
    rows = []
    for row in X.tolist():
        pairs = [value.as_integer_ratio() for value in row]
        most = max(bottom for _, bottom in pairs)
        rows.append([top * (most // bottom) for top, bottom in pairs])
    return int(fmpz_mat(rows).rank())


def _repeated(keys: Array, X: Array) -> tuple[int, int] | None:
    """The first pair of rows with the same keys."""
    _, inverse, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    if len(counts) == len(X):
        return None
    group: NDArray[np.intp] = np.nonzero(inverse.ravel() == int(np.argmax(counts > 1)))[0]
    return int(group[0]), int(group[1])


def _multiples(X: Array, signed: bool) -> tuple[int, int] | None:
    """Two rows one of which is a multiple of the other, a positive one if signed."""
    where = np.argmax(np.abs(X), axis=1)
    pivot = X[np.arange(len(X)), where]
    kept = np.nonzero(pivot != 0)[0]
    pivot = pivot[kept]
    quotients = X[kept] / (np.abs(pivot) if signed else pivot)[:, None] + 0.0
    _, inverse, counts = np.unique(quotients, axis=0, return_inverse=True, return_counts=True)
    for shared in np.nonzero(counts > 1)[0]:
        members = kept[np.nonzero(inverse.ravel() == shared)[0]]
        for other in members[1:]:
            if _is_multiple(X[members[0]], X[other], int(where[members[0]])):
                return int(members[0]), int(other)
    return None


def _is_multiple(x: Array, y: Array, pivot: int) -> bool:
    a, b = Fraction(float(x[pivot])), Fraction(float(y[pivot]))
    return all(
        Fraction(float(s)) * b == Fraction(float(t)) * a
        for s, t in zip(x, y, strict=True)
        if s != 0 or t != 0
    )


def _opposites(X: Array) -> tuple[int, int] | None:
    """A row and its negative."""
    kept = np.nonzero(X.any(axis=1))[0]
    rows = X[kept]
    first = np.argmax(rows != 0, axis=1)
    sign = np.sign(rows[np.arange(len(rows)), first])
    found = _repeated(rows * sign[:, None] + 0.0, rows)
    return None if found is None else (int(kept[found[0]]), int(kept[found[1]]))
