r"""The sharp law's extreme eigenvalues of random rows, for the exact kernels and for the simplified matrices.

With \(t_i = (r_i^2/d)^{g+1}\) a simplified matrix has entries \(\sqrt{t_it_j}\,p(\rho_{ij})\), and

\[ p = d\,(\beta + \alpha Q_1) + d\gamma\,[i = j],\qquad
   \tilde p = \alpha d + \beta d^2 Q_1 + \alpha d (d-1) Q_2 + d^2\gamma\,[i = j], \]

since \(\rho^2 = 1/d + (1 - 1/d) Q_2\): a kernel of two or three degrees, its diagonal term the mass of one more with so
many dimensions that n rows cannot tell it from a diagonal.

Source: derived here; `derivations.spectrum`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from derivations import network
from derivations.spectrum import GegenbauerExpansion, spectrum_law
from derivations.spectrum.extremes import homogeneous_extremes
from derivations.spectrum.harmonics import log_multiplicities, multiplicities
from derivations.spectrum.rows import EQUAL, gaussian_weights
from verify.claims.spectrum.matrices import coefficients

_DIAGONAL = 1e8
"""Dimensions per row of the degree that stands for a diagonal: its eigenvalues spread by 2e-4."""

_SPREAD = 20
"""In fewer dimensions the shortest row, which decides lambda_n, varies too much for a typical value to be the mean."""

_PAIR, _TYPICAL = 0.5, 0.4
"""kappa beyond which the law is off by tens of per cent, and the relative deviation of draws beyond which their mean is
another number than the typical one, by its square."""


class Ends(NamedTuple):
    """Smallest and largest eigenvalue by the law, and whether means over draws may be expected to be these.

    `fluctuation` is the relative standard deviation of the smallest one from draw to draw, within a factor of 1.5; NaN where
    it is not known, of simplified matrices.
    """

    smallest: float
    largest: float
    reliable: bool
    fluctuation: float


@lru_cache(maxsize=4096)
def law(rung: str, name: str, n: int, dimension: int, width: int, data: str = "gaussian") -> Ends:
    """The ends of the spectrum of n rows, ``gaussian`` or on the ``sphere``, on the simplified or the exact rung.

    Examples
    --------
    >>> ends = law("exact", "relu", 2000, 100, 1000)
    >>> f"{ends.smallest:.1f} {ends.largest:.0f}"
    '32.4 320612'
    """
    if rung == "exact":
        found = spectrum_law(network(name), n, dimension, width, data)
        reliable = found.nearest_pair <= _PAIR and found.fluctuation <= _TYPICAL
        return Ends(found.lambda_min, found.lambda_max, reliable, found.fluctuation)
    degrees = expansion(name, n, dimension, width)
    weights = EQUAL if data == "sphere" else gaussian_weights(n, dimension, _power(name))
    ends = homogeneous_extremes(degrees, n, weights)
    # On the sphere, where n rows exceed the features, lambda_n is what stands for the diagonal.
    singular = data == "sphere" and n > np.sum(multiplicities(degrees.log_multiplicities[:-1]))
    return Ends(ends.lambda_min, ends.lambda_max, bool(dimension >= _SPREAD or singular), np.nan)


def expansion(name: str, n: int, dimension: int, width: int) -> GegenbauerExpansion:
    """The simplified matrix as a function of the cosine where |x|^2 = d.

    Examples
    --------
    >>> found = expansion("relu", 200, 100, 50)  # f(1) = m/2 + d/2
    >>> round(found.total, 9), found.degrees
    (75.0, 2)
    """
    alpha, beta, gamma = coefficients(name, dimension, width)
    if name == "relu":
        masses = np.array([beta, alpha, gamma]) * dimension
    else:
        square = alpha * dimension
        masses = np.array([square, beta * dimension**2, square * (dimension - 1), gamma * dimension**2])
    logarithms = log_multiplicities(dimension, len(masses) - 1)
    logarithms[-1] = np.log(_DIAGONAL * n)
    return GegenbauerExpansion(dimension, masses, logarithms, 0.0)


def _power(name: str) -> int:
    return 1 if name == "relu" else 2
