r"""How rows of unequal length enter a law of the spectrum: as weights, a few hundred of them for any number of rows.

A kernel that is homogeneous of degree h in each of its arguments has entries \(t_i^{1/2} t_j^{1/2} f(\rho_{ij})\) with
\(t_i = (|x_i|^2/d)^h\). Laws depend on the distribution of the \(t_i\) alone; the extreme ones stay single, those in
between share blocks that grow with the distance from either end.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, gammainc, gammaincinv, gammaln

from derivations.spectrum.harmonics import Array

SINGLE = 20
GROWTH = 1.25


@dataclass(frozen=True)
class RowWeights:
    """Weights t of rows, and the share of the rows that has each.

    Attributes
    ----------
    values : (b,) float
        Positive, ascending.
    shares : (b,) float
        They sum to 1.
    """

    values: Array
    shares: Array

    @property
    def mean(self) -> float:
        """(1/n) sum t_i."""
        return float(self.values @ self.shares)


EQUAL = RowWeights(np.ones(1), np.ones(1))
"""Of rows of length sqrt(d)."""


def blocks(n: int) -> Array:
    """Edges of blocks of the ranks 0..n-1: single ones at either end, ever larger ones inwards.

    Examples
    --------
    >>> blocks(3), len(blocks(10**9))
    (array([0., 1., 2., 3.]), 194)
    """
    half = (n + 1) // 2
    single = np.arange(min(half, SINGLE) + 1)
    steps = int(np.ceil(np.log(max(half / SINGLE, 1.0)) / np.log(GROWTH)))
    grown = np.floor(SINGLE * GROWTH ** np.arange(1, steps + 1))
    low = np.unique(np.concatenate([single, grown[grown < half]]).astype(float))
    return np.unique(np.concatenate([low, n - low]))


def weights_of(squared_lengths: Array, homogeneity: int) -> RowWeights:
    """The weights p^h of rows with the given p = |x|^2 / d; a block has the mean of its rows.

    Examples
    --------
    >>> weights_of(np.array([2.0, 1.0]), 2)
    RowWeights(values=array([1., 4.]), shares=array([0.5, 0.5]))
    """
    t = np.sort(squared_lengths) ** homogeneity
    edges = blocks(len(t)).astype(int)
    return RowWeights(np.add.reduceat(t, edges[:-1]) / np.diff(edges), np.diff(edges) / len(t))


def gaussian_weights(n: int, d: int, homogeneity: int) -> RowWeights:
    """The weights of n Gaussian rows without their data: quantiles of chi-square / d, at a block's middle.

    Examples
    --------
    >>> t = gaussian_weights(1000, 100, 1)
    >>> print(f"{t.mean:.3f} {t.values[0]:.2f} {t.values[-1]:.2f}")
    1.000 0.61 1.51
    """
    edges = blocks(n)
    return RowWeights((_quantiles(n, d) / d) ** homogeneity, np.diff(edges) / n)


def gaussian_slopes(n: int, d: int) -> Array:
    """d log p / d log u at the same blocks, u the share of shorter rows : (b,) float.

    Examples
    --------
    >>> gaussian_slopes(1000, 2)[:3].round(3)  # p of two coordinates is exponential: near 0 it is proportional to u
    array([1.   , 1.001, 1.001])
    """
    x = _quantiles(n, d)
    half = d / 2
    share = gammainc(half, x / 2)
    # Over x times the density of chi-square.
    return np.asarray(share * np.exp(gammaln(half) + x / 2 - half * np.log(x / 2)))


def _quantiles(n: int, d: int) -> Array:
    """Of chi-square, at the middle of each block of n."""
    edges = blocks(n)
    middle = (edges[:-1] + edges[1:]) / 2
    # The rank i has its median near (i + 0.69) / (n + 0.38), counted from 0, from either end.
    lower = np.minimum(middle, n - middle)
    share = (lower + 0.19) / (n + 0.38)
    return np.where(
        middle <= n / 2,
        2 * gammaincinv(d / 2, share),
        chdtri(d, share),  # of an upper tail, which 1 - share would round away
    )
