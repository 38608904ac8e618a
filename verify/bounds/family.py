r"""All widths from two eigenproblems.

In the standard parametrization the kernel is affine in the width, \(K_m = K_1 + (m-1) B\) with the covariance B of the
outputs, positive semidefinite. By Weyl's inequalities, and for every vector v,

\[ \lambda_n(K_1) + (m-1)\lambda_n(B) \le \lambda_n(K_m) \le \frac{v^TK_1v + (m-1)\,v^TBv}{v^Tv} \le \lambda_1(K_m)
   \le \lambda_1(K_1) + (m-1)\lambda_1(B). \]

Source: derived here, from Weyl 1912.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from derivations.arguments import check_positive_integer
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.numeric import kernel_function
from derivations.threads import one_blas_thread
from verify.activations import Array
from verify.bounds.answer import SpectrumBounds, finished, negligible, worth_computing
from verify.bounds.dense import DenseEnds, dense_ends
from verify.bounds.ends import rayleigh
from verify.bounds.entries import KEPT, Entries, entries, kernel_diagonal
from verify.bounds.rounding import UNIT, Kernel
from verify.bounds.singular import why_singular


@dataclass(frozen=True)
class WidthFamily:
    """The kernels of one network on the same data at every width.

    Attributes
    ----------
    network : TwoLayer
    X : (n, d) float
    given : (K_1, B), optional
        The kernel functions at width 1, NTK and NNGP, where they are at hand.

    Examples
    --------
    >>> from derivations import network
    >>> X = np.random.default_rng(0).standard_normal((30, 20))
    >>> family = WidthFamily(network("relu"), X)
    >>> for width in (1, 100):
    ...     print("{:.3f} {:.3f}".format(*family.bounds(width).lambda_min))
    2.959 2.959
    8.235 8.362
    """

    network: TwoLayer
    X: Array
    given: tuple[Kernel, Kernel] | None = None

    @cached_property
    def functions(self) -> tuple[Kernel, Kernel]:
        """K_1 and B as functions."""
        if self.given is not None:
            return self.given
        width = 1 if self.has_widths else None
        return kernel_function(self.network, width=width), kernel_function(self.network, "nngp", width)

    @property
    def has_widths(self) -> bool:
        """Whether the kernel depends on the width at all; if not, one eigenproblem is enough."""
        return self.network.parametrization.name == "standard"

    @cached_property
    def diagonals(self) -> tuple[Array, Array]:
        """Of K_1 and of B."""
        first, slope = (kernel_diagonal(function, self.X) for function in self.functions)
        if not np.isfinite(first).all():
            raise InputError(
                "X must have rows for which float64 holds the kernel, got rows too long: scale the data"
            )
        return first, slope

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """Rows whose kernels are not next to 0 : (n,)."""
        return worth_computing(self.diagonals[0])

    @cached_property
    def parts(self) -> tuple[Entries, Entries]:
        """K_1 and B, over one power of four."""
        X = self.X[self.kept]
        first, slope = (
            entries(function, X, diagonal[self.kept])
            for function, diagonal in zip(self.functions, self.diagonals, strict=True)
        )
        slope.__dict__["scale"] = first.scale  # the cached property's value
        return first, slope

    @cached_property
    def ends(self) -> tuple[DenseEnds, DenseEnds]:
        """Of K_1 and of B, which has an entry's error relative to that of K_1, never smaller."""
        first, slope = self.parts
        return (
            dense_ends(first.matrix, first.roots, first.error),
            dense_ends(slope.matrix, first.roots, slope.error),
        )

    @cached_property
    def singular(self) -> str | None:
        """Why the kernel is singular at every width, if it is known."""
        return why_singular(self.network, self.X, self.diagonals[0])

    def bounds(self, width: int | None) -> SpectrumBounds:
        """At this width.

        Raises
        ------
        InputError
            For a width that is missing, or a kernel that leaves float64.
        """
        width = check_positive_integer(width, "width") if self.has_widths else 1
        if len(self.X) > KEPT:
            raise InputError(f"mode must be none for more than {KEPT} rows, got family for {len(self.X)}")
        with one_blas_thread(), np.errstate(over="ignore", under="ignore"):
            diagonal = self.diagonals[0] + (width - 1) * self.diagonals[1]
            if not np.isfinite(diagonal).all():
                raise InputError(
                    "X must have rows for which float64 holds the kernel, got rows too long: scale the data"
                )
            if not np.any(self.kept):
                return negligible(diagonal, self.singular, "family")
            (first, slope), more = self.ends, width - 1
            (K, B), roots = self.parts, self.parts[0].roots
            quotients = [
                tuple(
                    x + more * y
                    for x, y in zip(
                        rayleigh(v, K.matrix @ v, roots, K.error),
                        rayleigh(v, B.matrix @ v, roots, B.error),
                        strict=True,
                    )
                )
                for v in (*first.vectors, *slope.vectors)
            ]
            low = max(first.smallest[0], 0.0) + more * max(slope.smallest[0], 0.0)
            high = first.largest[1] + more * slope.largest[1]
            # Three roundings of each of the sums.
            inner = (
                min(q[1] for q in quotients) * (1 + 4 * UNIT),
                max(q[0] for q in quotients) * (1 - 4 * UNIT),
            )
        return finished(
            (low * (1 - 4 * UNIT), inner[0]),
            (inner[1], high * (1 + 4 * UNIT)),
            K.scale,
            diagonal,
            self.kept,
            self.singular,
            "family",
        )
