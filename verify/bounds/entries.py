"""The kernel's entries and the cosines, block of rows by block of rows: kept where they fit, else computed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from verify.activations import Array
from verify.bounds.rounding import Kernel, cosine_error, cosines, cosines_between, entry_error

KEPT = 4000
"""Rows of the largest matrix that is kept."""
BLOCK = 64
"""Rows of a block: its few arrays stay in a core's cache up to some thousand columns."""


COMPUTED = 512
"""Rows that are computed at once where they are not kept: a multiple of the former."""


@dataclass(frozen=True)
class Cosines:
    """The cosines of rows, shared by all kernels of them.

    Attributes
    ----------
    X : (n, d) float
    """

    X: Array

    @cached_property
    def matrix(self) -> Array:
        """R, (n, n)."""
        return cosines(self.X)

    @property
    def error(self) -> float:
        """Of an entry."""
        return cosine_error(self.X.shape[1])

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Rows of R, with ones on the diagonal."""
        for rows, block in _row_blocks(self.X, cosines_between, self.matrix if len(self.X) <= KEPT else None):
            block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = 1.0
            yield rows, block


@dataclass(frozen=True)
class Entries:
    r"""A kernel of rows, none of which has kernel 0, over a power of four that brings its diagonal to 1 at most.

    Attributes
    ----------
    kernel : KernelFunction or SeriesKernel
    X : (n, d) float
    diagonal : (n,) float
        As computed, unscaled.
    error : float
        kappa of `verify.bounds.rounding.entry_error`.
    """

    kernel: Kernel
    X: Array
    diagonal: Array
    error: float

    @cached_property
    def scale(self) -> float:
        """The power of four."""
        return float(np.ldexp(1.0, 2 * (int(np.frexp(np.max(self.diagonal))[1]) // 2)))

    @cached_property
    def roots(self) -> Array:
        r"""\(s_i = \sqrt{K_{ii}}\), scaled : (n,)."""
        return np.sqrt(self.diagonal / self.scale)

    @cached_property
    def matrix(self) -> Array:
        """K, scaled : (n, n)."""
        return np.asarray(self.kernel(self.X) / self.scale)

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Rows of the scaled K."""
        kept = self.matrix if len(self.X) <= KEPT else None
        return _row_blocks(self.X, lambda some, X: self.kernel(some, X) / self.scale, kept)

    def part(self, rows: Array) -> Array:
        """The scaled kernel of some rows with each other."""
        if len(self.X) <= KEPT:
            return self.matrix[np.ix_(rows, rows)]
        return np.asarray(self.kernel(self.X[rows]) / self.scale)


def _row_blocks(
    X: Array, function: Callable[[Array, Array], Array], kept: Array | None
) -> Iterator[tuple[slice, Array]]:
    """Rows of a matrix that is kept, or computed more of them at a time."""
    n = len(X)
    for first in range(0, n, COMPUTED):
        several = slice(first, min(first + COMPUTED, n))
        part = function(X[several], X) if kept is None else kept[several]
        for start in range(0, len(part), BLOCK):
            some = part[start : start + BLOCK]
            yield slice(first + start, first + start + len(some)), some


def kernel_diagonal(kernel: Kernel, X: Array) -> Array:
    """The K_ii : (n,) float."""
    blocks = (np.diagonal(kernel(X[start : start + BLOCK])) for start in range(0, len(X), BLOCK))
    return np.concatenate(list(blocks))


def entries(kernel: Kernel, X: Array, diagonal: Array) -> Entries:
    """The entries of a kernel whose diagonal is positive, with their error."""
    return Entries(kernel, X, diagonal, entry_error(kernel, X))
