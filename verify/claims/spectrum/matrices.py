r"""The three kernels of one data set: as published in simplified form, at infinite width, and of one network.

\[ \alpha G + \beta rr^T + \gamma D\ \text{(plain)},\qquad
   \alpha G\circ G + \beta (rr^T)\circ G + \gamma D^2\ \text{(gated)},\qquad D = \mathrm{diag}(r_i^2). \]
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import sympy as sp

from derivations import KernelFunction, SeriesKernel, derive, kernel_function, network
from derivations.sources import STATEMENTS
from derivations.symbols import d, m
from verify.activations import Array
from verify.finite import finite_network
from verify.streams import Seed, draw_neurons

NETWORKS = ("relu", "reglu")
"""The plain and the gated network."""
SIMPLIFIED = {"relu": "A5", "reglu": "A6"}
"""The statement of each network's simplified matrix."""


@lru_cache(maxsize=1024)
def coefficients(name: str, dimension: int, width: int) -> tuple[float, float, float]:
    """The published alpha, beta and gamma as numbers.

    Examples
    --------
    >>> coefficients("reglu", 10, 20)
    (0.1, 0.0477..., 0.0522...)
    """
    alpha, beta, gamma = _compiled(name)
    return alpha(width, dimension), beta(width, dimension), gamma(width, dimension)


@lru_cache(maxsize=2)
def _compiled(name: str):  # type: ignore[no-untyped-def]
    statement = STATEMENTS[SIMPLIFIED[name]]
    return tuple(sp.lambdify((m, d), statement.formula(part), "math") for part in ("alpha", "beta", "gamma"))


def simplified(name: str, X: Array, width: int) -> Array:
    """The simplified matrix of the rows X : (n, d).

    Examples
    --------
    >>> X = np.array([[3.0, 4.0], [-4.0, 3.0]])
    >>> simplified("relu", X, 2).round(3)  # (m/2d + 1/2) |x|^2, and m |x| |y| / (2 pi d)
    array([[25.   ,  3.979],
           [ 3.979, 25.   ]])
    """
    alpha, beta, gamma = coefficients(name, X.shape[1], width)
    G = X @ X.T
    squares = np.diagonal(G).copy()
    norms = np.sqrt(squares)
    if name == "relu":
        K = alpha * G + beta * np.outer(norms, norms)
        K[np.diag_indices_from(K)] += gamma * squares
    else:
        K = alpha * G**2 + beta * np.outer(norms, norms) * G
        K[np.diag_indices_from(K)] += gamma * squares**2
    return K


@lru_cache(maxsize=256)
def exact_kernel(name: str, width: int) -> KernelFunction | SeriesKernel:
    """The kernel at infinite width, as a function of the rows."""
    return kernel_function(_derivation(name), width=width)


# One derivation for all widths.
_derivation = lru_cache(maxsize=2)(lambda name: derive(network(name)))


def of_network(name: str, X: Array, width: int, rng: Seed) -> Array:
    """The kernel of one random network; equal `rng` give the plain and the gated network the same w and a.

    Examples
    --------
    >>> of_network("relu", np.array([[1.0, 0.0], [2.0, 0.0]]), 4, rng=0).shape
    (2, 2)
    """
    n, dimension = X.shape
    readout, gradient = np.zeros((n, n)), np.zeros((n, n))
    finite = finite_network(name)
    for weights in draw_neurons(finite, n, dimension, width, width, 1, rng):
        factors = finite.factors(weights, X, width)
        readout += factors.readout @ factors.readout.T
        for block in range(factors.gradient.shape[1]):
            gradient += factors.gradient[:, block] @ factors.gradient[:, block].T
    return np.asarray(readout + (X @ X.T) * gradient)
