r"""A kernel's power coefficients row by row, for rows of any lengths.

With \(\phi(\sqrt{p}\,z) = \sum_k a_k(p) h_k(z)\) in orthonormal Hermite polynomials, \(p_i = |x_i|^2/d\) and g gates

\[ K = \sum_j B_j R^{\circ j} B_j,\qquad B_j = \operatorname{diag}_i\sqrt{w_j}\; p_i^{g/2} a_{j-g}(p_i),
   \qquad w_j = m + j d \]

in the standard parametrization, 1 + j in the other: every term is positive semidefinite. Bounds do not rely on these
numbers: they work with the residual of whatever is put in here, taken from the kernel's entries themselves.

Source: derived here (Mehler's formula at two variances).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from derivations.activations import Activation
from derivations.elementwise import activation_functions
from derivations.spectrum.gegenbauer import composite
from verify.activations import Array
from verify.bounds.rounding import Kernel

REACH, PANELS = 14.0, 28
"""Gauss-Legendre panels on the line; a kink at 0 is an edge."""
CHUNK = 1 << 21
"""Values of the activation at once."""
MARGIN = 1e-9


def row_coefficients(kernel: Kernel, X: Array, diagonal: Array, degrees: int) -> Array:
    """The b_ji, j = 0..degrees, scaled down where their squares would sum up to more than the diagonal.

    Parameters
    ----------
    kernel : KernelFunction or SeriesKernel
        Of a network without biases.
    X : (n, d) float
    diagonal : (n,) float
        The kernel's.
    degrees : int

    Returns
    -------
    (degrees + 1, n) float

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> K = kernel_function(network("bilinear"), width=8)  # (m + 2 d) rho^2 on the sphere
    >>> abs(row_coefficients(K, np.ones((1, 3)), np.array([14.0]), 3)[:, 0].round(6))
    array([0.      , 0.      , 3.741657, 0.      ])
    """
    d, gates = X.shape[1], kernel.network.gates
    with np.errstate(all="ignore"):
        p = np.sum(X * X, axis=1) / d
        homogeneity = homogeneity_of(kernel.network.activation)
        count = degrees + 1 - gates
        if homogeneity is None:
            found = hermite_coefficients(kernel, p, count)
        else:
            found = hermite_coefficients(kernel, np.ones(1), count) * p ** (homogeneity / 2)
        b = np.zeros((degrees + 1, len(X)))
        b[gates:] = found * p ** (gates / 2) * np.sqrt(weights(kernel, d, degrees)[gates:, None])
        total = np.sum(b * b, axis=0)
        scale = np.minimum(1.0, np.sqrt(diagonal / (total * (1 + MARGIN))))
        b = b * np.where(total > 0, scale, 1.0)
    return np.where(np.isfinite(b), b, 0.0)


def weights(kernel: Kernel, d: int, degrees: int) -> Array:
    """What a degree of the activation's dual is multiplied with : (degrees + 1,) float."""
    j = np.arange(degrees + 1)
    if kernel.kind == "nngp":
        return np.ones(degrees + 1)
    if kernel.network.parametrization.name == "ntk":
        return np.asarray(1.0 + j)
    assert kernel.width is not None
    return np.asarray(kernel.width + j * float(d))


@lru_cache(maxsize=64)
def _function(activation: Activation) -> Callable[[Array], Array]:
    return activation_functions(activation)[0]


@lru_cache(maxsize=64)
def homogeneity_of(activation: Activation) -> int | None:
    """Of an activation, found once."""
    return activation.homogeneity


def hermite_coefficients(kernel: Kernel, p: Array, count: int) -> Array:
    """a_k(p), k < count : (count, len(p)) float.

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> relu = kernel_function(network("relu"), width=1)
    >>> hermite_coefficients(relu, np.ones(1), 3)[:, 0].round(9)
    array([0.39894228, 0.5       , 0.28209479])
    """
    phi = _function(kernel.network.activation)
    z, weight = composite(-REACH, REACH, PANELS)
    basis = np.empty((max(count, 2), len(z)))
    basis[0] = weight * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    basis[1] = z * basis[0]
    for k in range(1, count - 1):
        basis[k + 1] = (z * basis[k] - np.sqrt(k) * basis[k - 1]) / np.sqrt(k + 1)
    basis = basis[: max(count, 0)]
    result = np.empty((len(basis), len(p)))
    step = max(1, CHUNK // len(z))
    for start in range(0, len(p), step):
        some = slice(start, start + step)
        with np.errstate(all="ignore"):
            result[:, some] = basis @ phi(np.multiply.outer(z, np.sqrt(p[some])))
    return result
