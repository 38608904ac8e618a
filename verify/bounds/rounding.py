r"""A priori errors of what bounds are computed from: cosines, kernel entries, sums.

With unit roundoff u and rows of d columns, in any order of summation,

\[ |\tilde\rho_{ij} - \rho_{ij}| \le (2d+8)\,2u,\qquad |\tilde\theta_{ij} - \theta_{ij}| \le (6d+26)\,2u,\qquad
   |\tilde r_i - r_i| \le (d/2+4)\,u\, r_i, \]

and an entry of a kernel moves by at most its derivatives times these. A norm has the error of half a sum of d squares and
a root, a unit row another division; a product of two unit rows a sum of d terms. The angle of a pair whose sine is above
0.17 is the arc cosine, whose slope is at most 6; of a nearer pair it comes from the difference of the rows.

Source: derived here; Higham 2002, section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from derivations.duals import NAMED
from derivations.numeric import KernelFunction, SeriesKernel, extended_rows
from derivations.pairwise import fill
from verify.activations import Array

Kernel = KernelFunction | SeriesKernel

UNIT = float(np.finfo(float).eps) / 2
"""Unit roundoff."""
CLOSED, INTEGRAL, SERIES = 4e-14, 4e-12, 1e-12
"""Accuracy of formulas at exact angles and norms, of sqrt(K_ii K_jj): four times what they state, or where it converges."""
SAFETY = 2.0
"""For derivatives that are taken on a grid."""
ANGLES, LENGTHS = 721, 3
STEP = 1e-4


def gamma(terms: float) -> float:
    """terms u / (1 - terms u): the relative error of so many roundings.

    Examples
    --------
    >>> print(f"{gamma(100):.3g}")
    1.11e-14
    """
    return terms * UNIT / (1 - terms * UNIT)


def cosine_error(d: int) -> float:
    """Of the computed cosine of two rows.

    Examples
    --------
    >>> print(f"{cosine_error(50):.2g}")
    2.4e-14
    """
    return (2 * d + 8) * 2 * UNIT


def angle_error(d: int) -> float:
    """Of the computed angle of two rows."""
    return (6 * d + 26) * 2 * UNIT


def length_error(d: int) -> float:
    """Of a computed norm, relative."""
    return (d / 2 + 4) * UNIT


def cosines(X: Array) -> Array:
    """The matrix R of cosines, ones on its diagonal, within `cosine_error` : (n, n) float.

    Examples
    --------
    >>> cosines(np.array([[1.0, 0.0], [3.0, 3.0], [0.0, 0.0]])).round(3)
    array([[1.   , 0.707, 0.   ],
           [0.707, 1.   , 0.   ],
           [0.   , 0.   , 1.   ]])
    """
    R = fill(lambda theta, cosine, sine, r_i, r_j: cosine, X)
    np.fill_diagonal(R, 1.0)
    return R


def cosines_between(X: Array, Y: Array) -> Array:
    """Cosines of the rows of X with those of Y : (n, n') float."""
    return fill(lambda theta, cosine, sine, r_i, r_j: cosine, X, Y)


@dataclass(frozen=True)
class Sensitivity:
    r"""Largest derivatives of \(K_{ij}/\sqrt{K_{ii}K_{jj}}\) by the angle, and of \(\log K_{ii}\) by \(\log r_i\)."""

    angle: float
    length: float


def sensitivity(kernel: Kernel, X: Array) -> Sensitivity:
    """How fast the kernel's entries move with angles and norms, at the norms of the data.

    Differences on a grid of angles, at the smallest, the median and the largest norm.

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> found = sensitivity(kernel_function(network("identity"), width=8), np.eye(3))
    >>> print(f"{found.angle:.3f} {found.length:.3f}")  # of cos(theta) r_i r_j
    1.000 2.000
    """
    norms = np.linalg.norm(X, axis=1)
    if not norms.any():
        return Sensitivity(0.0, 0.0)
    lengths = np.unique(np.quantile(norms[norms > 0], np.linspace(0, 1, LENGTHS), method="nearest"))
    d = X.shape[1]
    theta = np.linspace(0, np.pi, ANGLES) if d > 1 else np.array([0.0, np.pi])
    circle = np.zeros((len(theta), d))
    circle[:, 0] = np.cos(theta)
    circle[:, 1:2] = np.sin(theta)[:, None]
    with np.errstate(all="ignore"):
        shorter = lengths * (1 - STEP)  # longer ones might leave the range that a kernel takes
        both = np.concatenate([lengths, shorter])
        roots, shrunk = np.split(np.sqrt(np.diagonal(kernel(np.multiply.outer(both, circle[0])))), 2)
        K = kernel(
            np.multiply.outer(lengths, circle[0]), np.multiply.outer(lengths, circle).reshape(-1, d)
        ).reshape(len(lengths), len(lengths), -1)
        slopes = np.diff(K / roots[:, None, None] / roots[:, None], axis=2) / np.diff(theta)
        changes = 2 * np.log(shrunk / roots) / np.log1p(-STEP)
    by_angle, by_length = (
        float(np.max(np.abs(found[np.isfinite(found)]), initial=0.0)) for found in (slopes, changes)
    )
    return Sensitivity(by_angle, by_length)


def entry_error(kernel: Kernel, X: Array) -> float:
    r"""The kappa with \(|\tilde K_{ij} - K_{ij}| \le \kappa\sqrt{K_{ii}K_{jj}}\).

    Examples
    --------
    >>> from derivations import kernel_function, network
    >>> X = np.random.default_rng(0).standard_normal((10, 50))
    >>> print(f"{entry_error(kernel_function(network('relu'), width=8), X):.1e}")
    1.6e-13
    """
    rows = extended_rows(kernel.network, X)
    d = rows.shape[1]
    found = sensitivity(kernel, X)
    return _formula_error(kernel) + SAFETY * (found.angle * angle_error(d) + found.length * length_error(d))


def _formula_error(kernel: Kernel) -> float:
    if isinstance(kernel, KernelFunction):
        return INTEGRAL if any(term.has(sp.Integral) for _, term in kernel.terms) else CLOSED
    # As `SeriesKernel` says of a user's activation.
    return SERIES if kernel.network.activation.name in NAMED else 10 * SERIES
