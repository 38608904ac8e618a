r"""The density of eigenvalues where lengths of rows enter each degree in another way.

Features of a degree (`derivations.spectrum.features`) are turned so that, rows weighted by their diagonals, they are
orthogonal, and then taken as degrees of their own: what couples them is small. With their squares \(g_k(p)\) the
equations of `derivations.spectrum.coupled` are

\[ \varrho(x) = \frac1\pi\,\mathrm{Im}\,\frac1n\sum_j G_j,\qquad
   \frac1{G_j} = \sum_k \frac{g_k(p_j)}{1 + M_k} + \text{rest}_j - x,\qquad
   M_k = \frac{n}{N_k}\,\frac1n\sum_j G_j\, g_k(p_j). \]

Newton's method for the M follows their solution from far above the axis down to it.

Source: derived here, heuristically.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.networks import TwoLayer
from derivations.spectrum.coupled import Coupled
from derivations.spectrum.density import Density, hints_between, refined
from derivations.spectrum.extremes import coupled_extremes, nearest_weights
from derivations.spectrum.features import coupled_parts
from derivations.spectrum.fixed_point import fixed_point
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import Array, Numbers
from derivations.spectrum.rows import RowWeights

# Heights above the axis, relative to x: the last one blurs by as much.
HIGHEST, LOWEST, FACTOR = 10.0, 1e-6, 0.25
NEWTON, CONVERGED, HALVINGS = 12, 1e-9, 3
NEGLIGIBLE = 1e-4
"""Share of the diagonal below which a feature counts as part of the rest."""


@dataclass(frozen=True)
class SeparateFeatures:
    """The equations without what couples features of a degree.

    Attributes
    ----------
    masses : (k, b) float
        Of each feature, g_k at the lengths of each block of rows.
    ratios : (k,) float
        n / N_k of its degree.
    rest, shares : (b,) float
    """

    masses: Array
    ratios: Array
    rest: Array
    shares: Array

    @classmethod
    def of(cls, equations: Coupled) -> SeparateFeatures:
        """Each feature as if it were a degree of its own."""
        u = equations.features
        weight = equations.shares / (equations.rest + np.sum(u**2, axis=(0, 2)))
        _, rotation = np.linalg.eigh((u * weight[:, None]).swapaxes(1, 2) @ u)
        squares = ((u @ rotation) ** 2).swapaxes(1, 2).reshape(-1, u.shape[1])
        kept = np.max(squares / equations.diagonal, axis=1) > NEGLIGIBLE
        rest = equations.rest + np.sum(squares[~kept], axis=0)
        return cls(squares[kept], np.repeat(equations.ratios, u.shape[2])[kept], rest, equations.shares)

    def resolvent(self, M: Numbers, z: Numbers) -> Numbers:
        """G, one row per z : (z, b)."""
        return np.asarray(1 / ((1 / (1 + M)) @ self.masses + self.rest - z[:, None]))

    def densities(self, x: Array) -> Array:
        """The density at points x > 0."""
        into = self.ratios[:, None] * self.masses * self.shares
        height = HIGHEST
        M: Numbers = np.multiply.outer(-1 / (x * (1 + 1j * height)), np.sum(into, axis=1))
        while height > LOWEST:
            height *= FACTOR
            M = self._newton(M, x * (1 + 1j * height), into)
        return np.asarray((self.resolvent(M, x * (1 + 1j * height)) @ self.shares).imag / np.pi)

    def _newton(self, M: Numbers, z: Numbers, into: Array) -> Numbers:
        """The solution near M."""
        for _ in range(NEWTON):
            G = self.resolvent(M, z)
            slope = ((G**2)[:, None, :] * into) @ self.masses.T / (1 + M[:, None, :]) ** 2
            step = np.linalg.solve(np.eye(len(into)) - slope, (G @ into.T - M)[..., None])[..., 0]
            # All resolvents lie above the axis: a step that takes one across it is halved.
            for _ in range(HALVINGS):
                step[np.any(self.resolvent(M + step, z).imag <= 0, axis=1)] /= 2
            M = M + step
            if np.all(np.abs(step) <= CONVERGED * np.max(np.abs(M), axis=1, keepdims=True)):
                break
        return M


def coupled_density(
    network: TwoLayer, expansion: GegenbauerExpansion, n: int, width: int | None, rows: RowWeights
) -> Density:
    """The density of all eigenvalues but that of the constant function; the rows' values are p = |x|^2 / d."""
    ends = coupled_extremes(network, expansion, n, width, rows)
    parts = coupled_parts(network, expansion.d, width, expansion.degrees, rows)
    equations = SeparateFeatures.of(parts.equations(n, without_constant=True))
    near = fixed_point(expansion, n, nearest_weights(parts, expansion), without_constant=True)
    x = hints_between(near, ends.lower.z if ends.lower else 0.0, ends.upper.z)
    trace = float(equations.shares @ (np.sum(equations.masses, axis=0) + equations.rest))
    return refined(equations.densities, x, max(0.0, 1 - (parts.dimensions - 1) / n), trace)
