r"""Extreme eigenvalues from the edges of the bulk, its outlier and Tracy and Widom's law.

\[ \lambda_n \approx E_- + 1.2065\,\gamma_- n^{-2/3},\qquad
   \lambda_1 \approx z_{-0}(-1/\tau_0)\ \text{if}\ -1/\tau_0 > a^*,\ \text{else}\ E_+ - 1.2065\,\gamma_+ n^{-2/3}, \]

where \(E_- = \max_{a>0} z(a)\) is the lower edge, \(z_{-0}\) leaves out degree 0, \(E_+ = z_{-0}(a^*)\) is the upper edge
of that bulk, and \(\gamma\) the scale of an edge. Where the degrees in the kernel span at most n dimensions, the
smallest eigenvalue is taken to be 0.

Source: derived here; outliers as in Baik, Ben Arous and Péché 2005, The Annals of Probability 33.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum.coupled import UNEQUAL
from derivations.spectrum.edge import Edge
from derivations.spectrum.features import Parts, coupled_parts
from derivations.spectrum.fixed_point import fixed_point
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.rows import EQUAL, RowWeights

TRACY_WIDOM_MEAN, TRACY_WIDOM_DEVIATION = 1.2065335745820, 1.2679830
"""Minus the mean, and the standard deviation, of Tracy and Widom's law of real matrices."""
RESOLUTION = 1e-12
"""Share of the diagonal that features of coupled degrees resolve."""
CROWDED = 1e-9
"""Where rows of equal diagonal would be as singular as that, unequal ones have an edge that is not resolved."""


@dataclass(frozen=True)
class Extremes:
    """Edges of the bulk of n eigenvalues, no lower one where the kernel is singular, and the outlier above.

    `rows` has the diagonal at each block of rows over that on the sphere.
    """

    n: int
    lower: Edge | None
    upper: Edge
    outlier: float | None
    rows: RowWeights = EQUAL

    @property
    def lambda_min(self) -> float:
        """The mean of the smallest eigenvalue."""
        return self.lower.z + self._shift(self.lower, TRACY_WIDOM_MEAN) if self.lower else 0.0

    @property
    def lambda_max(self) -> float:
        """The mean of the largest eigenvalue."""
        return (
            self.upper.z - self._shift(self.upper, TRACY_WIDOM_MEAN) if self.outlier is None else self.outlier
        )

    @property
    def fluctuation(self) -> float:
        """The standard deviation of the smallest eigenvalue over its mean, of features that are Gaussian."""
        return self._shift(self.lower, TRACY_WIDOM_DEVIATION) / self.lambda_min if self.lower else 0.0

    def _shift(self, edge: Edge, number: float) -> float:
        return float(number * edge.scale * self.n ** (-2 / 3))


def homogeneous_extremes(expansion: GegenbauerExpansion, n: int, rows: RowWeights) -> Extremes:
    """Of a kernel t_i^(1/2) t_j^(1/2) f(rho_ij) with these weights t."""
    bulk = fixed_point(expansion, n, rows, without_constant=True)
    upper, outlier = bulk.right_edge(), None
    constant = float(expansion.eigenvalues(n)[0])
    if constant * -upper.a > 1:
        outlier = bulk.z(-1 / constant)
    if expansion.dimensions <= n:
        return Extremes(n, None, upper, outlier, rows)
    lower = fixed_point(expansion, n, rows, without_constant=False).left_edge()
    return Extremes(n, lower, upper, outlier, rows)


def coupled_extremes(
    network: TwoLayer, expansion: GegenbauerExpansion, n: int, width: int | None, rows: RowWeights
) -> Extremes:
    """Of a kernel whose activation is not homogeneous; the rows' values are p = |x|^2 / d."""
    parts = coupled_parts(network, expansion.d, width, expansion.degrees, rows)
    near = nearest_weights(parts, expansion)
    guess = fixed_point(expansion, n, near, without_constant=True).right_edge().a * expansion.total
    bulk = parts.equations(n, without_constant=True)
    upper = bulk.edge(guess)
    if upper is None:
        raise InputError(UNEQUAL)
    outlier = bulk.outlier(parts.features[0], n, upper)
    lower = None
    if expansion.dimensions > n:
        nearest = fixed_point(expansion, n, near, without_constant=False).left_edge()
        lower = parts.equations(n, without_constant=False).edge(nearest.a * expansion.total)
        if lower is None and nearest.z > CROWDED * expansion.total:
            raise InputError(UNEQUAL)
    elif network.activation.phi.is_polynomial() and n < parts.dimensions < np.inf:
        raise InputError(
            f"n must be at most {expansion.dimensions - 1:.0f} or at least {parts.dimensions:.0f} for {network.name} and "
            f"d = {expansion.d}, got {n}: in between, unequal lengths alone keep the kernel from being singular"
        )
    if lower and lower.z <= RESOLUTION * np.max(parts.diagonal):
        lower = None
    return Extremes(n, lower, upper, outlier, RowWeights(parts.diagonal / expansion.total, rows.shares))


def nearest_weights(parts: Parts, expansion: GegenbauerExpansion) -> RowWeights:
    """Weights of the homogeneous activation with the same diagonal: its edges are near."""
    order = np.argsort(parts.diagonal)
    return RowWeights(parts.diagonal[order] / expansion.total, parts.shares[order])


def single_entry(
    network: TwoLayer, expansion: GegenbauerExpansion, width: int | None, rows: RowWeights, is_coupled: bool
) -> float:
    """The kernel of a single row."""
    if is_coupled:
        return float(coupled_parts(network, expansion.d, width, expansion.degrees, rows).diagonal[0])
    return expansion.total * rows.mean
