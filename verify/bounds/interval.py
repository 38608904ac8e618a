"""Intervals of the extreme eigenvalues and the condition number of a kernel of data: the entry point.

Source: derived here.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from derivations.arguments import check_choice
from derivations.errors import InputError
from derivations.matrix import check_matrix
from derivations.networks import TwoLayer, as_network
from derivations.numeric import kernel_function
from derivations.threads import one_blas_thread
from verify.activations import Array
from verify.bounds.answer import Interval, SpectrumBounds, finished, negligible, worth_computing
from verify.bounds.coefficients import homogeneity_of, row_coefficients
from verify.bounds.dense import dense_ends
from verify.bounds.entries import KEPT, Cosines, Entries, entries, kernel_diagonal
from verify.bounds.family import WidthFamily
from verify.bounds.inner import inner_bounds
from verify.bounds.powers import SharedPower
from verify.bounds.rounding import UNIT, Kernel
from verify.bounds.singular import why_singular
from verify.bounds.split import dominated, outer_bounds, split

Mode = Literal["none", "shared", "family", "dense"]
MODES: tuple[str, ...] = get_args(Mode)
"""Eigenproblems of n rows that are solved: none; one of the data, shared by all kernels; two for all widths; the kernel's."""

DEGREES, DEGREES_BEYOND = 16, 8
"""Of the power series; the latter beyond `KEPT` rows."""


def spectrum_bounds(
    network: TwoLayer | str,
    X: ArrayLike,
    width: int | None = None,
    mode: str = "dense",
    *,
    shared: SharedPower | None = None,
) -> SpectrumBounds:
    r"""Bounds of the extreme eigenvalues and the condition number of a network's NTK on given data.

    Parameters
    ----------
    network : TwoLayer or str
    X : (n, d) array_like
        Any real data: rows of any norms, equal, opposite, zero or dependent.
    width : int, optional
        m; needed in the standard parametrization.
    mode : str
        ``"none"``: no eigenproblem of n rows, O(n^2) time; ``"shared"``: one, of a Hadamard power of the cosines, which
        serves all networks and widths; ``"family"``: two of the network, which serve all widths (keep a `WidthFamily` for
        that); ``"dense"``: one of this kernel, the tightest.
    shared : SharedPower, optional
        Of the same data, to be used again.

    Raises
    ------
    InputError
        For an unknown mode, a kernel that leaves float64, or more rows than a mode's matrix may have.

    Source: derived here; `derivations.spectrum.bounds` has the theorems as checked steps.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((30, 20))
    >>> for mode in MODES:
    ...     found = spectrum_bounds("reglu", X, width=64, mode=mode)
    ...     print(mode, "{:.2f} {:.2f}".format(*found.lambda_min), "{:.1f} {:.1f}".format(*found.lambda_max))
    none 2.32 10.61 239.2 243.7
    shared 7.62 10.61 239.2 243.7
    family 10.54 10.66 239.0 239.5
    dense 10.61 10.61 239.2 239.2
    >>> spectrum_bounds("relu", [[1, 2], [3, 6]], width=4).singular
    'row 1 is a multiple of row 0'
    """
    check_choice(mode, "mode", MODES)
    described = as_network(network)
    X = check_matrix(X)
    if mode == "family":
        return WidthFamily(described, X).bounds(width)
    return kernel_bounds(kernel_function(described, width=width), X, mode, shared=shared)


def kernel_bounds(
    kernel: Kernel,
    X: Array,
    mode: str = "dense",
    *,
    shared: SharedPower | None = None,
    matrix: Array | None = None,
    values: Array | None = None,
) -> SpectrumBounds:
    """The same for a kernel that is at hand, in the modes none, shared and dense.

    Parameters
    ----------
    kernel : KernelFunction or SeriesKernel
    X : (n, d) float
    mode : str
    shared : SharedPower, optional
    matrix, values : (n, n) float, (k,) float, optional
        The kernel of X and eigenvalues to LAPACK's error, the smallest first and the largest last, where they are known:
        they are not computed again.

    Raises
    ------
    InputError
        As `spectrum_bounds`.
    """
    if mode != "none" and matrix is None and len(X) > KEPT:
        raise InputError(f"mode must be none for more than {KEPT} rows, got {mode} for {len(X)}")
    with one_blas_thread(), np.errstate(over="ignore", under="ignore"):
        if matrix is None and len(X) <= KEPT:
            matrix = kernel(X)
        diagonal = kernel_diagonal(kernel, X) if matrix is None else np.diagonal(matrix).copy()
        if not np.isfinite(diagonal).all():
            raise InputError(
                "X must have rows for which float64 holds the kernel, got rows too long: scale the data"
            )
        singular = why_singular(kernel.network, X, diagonal)
        kept = worth_computing(diagonal)
        if not np.any(kept):
            return negligible(diagonal, singular, mode)
        everything = bool(np.all(kept))
        found = entries(kernel, X if everything else X[kept], diagonal[kept])
        if matrix is not None and everything:
            found.__dict__["matrix"] = matrix / found.scale  # the cached property's value
        if len(found.X) == 1:
            (low, high), (top, above) = _single(found)
        elif mode == "dense":
            known = None if values is None or not everything else values / found.scale
            ends = dense_ends(found.matrix, found.roots, found.error, known)
            (low, high), (top, above) = ends.smallest, ends.largest
        else:
            (low, high), (top, above) = _split_bounds(found, mode, shared if everything else None)
    return finished((low, high), (top, above), found.scale, diagonal, kept, singular, mode)


def _single(found: Entries) -> tuple[Interval, Interval]:
    value = float(found.roots[0]) ** 2
    radius = (2 * found.error + 8 * UNIT) * value
    return (value - radius, value + radius), (value - radius, value + radius)


def _split_bounds(found: Entries, mode: str, shared: SharedPower | None) -> tuple[Interval, Interval]:
    network = found.kernel.network
    cosines = Cosines(found.X) if shared is None else shared.cosines
    degrees = DEGREES if len(found.X) <= KEPT else DEGREES_BEYOND
    if network.parametrization.has_biases:
        b = np.zeros((1, len(found.X)))  # no series in these cosines: the entries alone
    else:
        shared = SharedPower(cosines) if shared is None else shared
        degrees = max(degrees, 2 * shared.degree) if mode == "shared" else degrees
        b = row_coefficients(found.kernel, found.X, found.diagonal, degrees)
    sums = split(found, cosines, b)
    ends = None
    if mode == "shared" and shared is not None and len(b) > 1:
        homogeneity = homogeneity_of(network.activation)
        ends = shared.ends((1 if homogeneity is None else homogeneity) + network.gates)
    high, top = inner_bounds(found)
    low, above = outer_bounds(sums, cosines, ends)
    return (low, high), (top, min(above, dominated(found)))
