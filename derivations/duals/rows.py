"""Duals of the rows of data, and the neural tangent kernels that they make up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from derivations.arguments import check_memory, check_positive_integer
from derivations.duals.activations import Array, smooth
from derivations.duals.matrices import Activation, check_range, evaluate
from derivations.errors import InputError
from derivations.matrix import check_matrices
from derivations.pairwise import fill
from derivations.threads import one_blas_thread


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
    X, Y = check_matrices(X, Y)
    check_positive_integer(threads, "threads")
    scale = 1 / X.shape[1] if scale is None else scale
    if not 0 < scale < np.inf:
        raise InputError(f"scale must be a positive number, got {scale}")
    sigma_i = _deviations(X, scale, "X")
    sigma_j = sigma_i if Y is None else _deviations(Y, scale, "Y")
    check_memory(len(sigma_i), len(sigma_j), 6, "a kernel")
    with one_blas_thread():
        cosine = fill(lambda theta, cosine, sine, r_i, r_j: cosine, X, Y, threads)
    T, slope = evaluate(chosen, sigma_i, sigma_j, cosine, Y is None, threads)
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
        Error at most 2e-14 + 1e-16 q of sqrt(K_ii K_jj) for named activations, q the largest |x|^2 / d: the
        second part is the rounding of the correlations.

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


def _deviations(X: Array, scale: float, name: str) -> Array:
    """Standard deviations sqrt(scale) |x|."""
    largest = np.max(np.abs(X), axis=1, initial=0.0)
    unit = X / np.where(largest > 0, largest, 1.0)[:, None]  # whose squares neither over- nor underflow
    with np.errstate(over="ignore", under="ignore"):
        sigma = np.sqrt(scale) * largest * np.sqrt(np.sum(unit * unit, axis=1))
        # What has underflowed is not a row of zeros.
        sigma = np.where((sigma == 0) & (largest > 0), np.nextafter(0, 1), sigma)
        return check_range(sigma, f"variances (scale |x|^2) of the rows of {name}", sigma**2)
