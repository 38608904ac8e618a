r"""What the coupled equations are made of: each degree's features at the lengths of the rows.

A degree's mass \(g_k(p, q)\) is a smooth positive semidefinite function of the lengths of two rows. It is computed at
Chebyshev points of log p, split into the few features \(u_k(p)\) that its eigenvalues call for, and interpolated.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from derivations.activations import Activation
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum import gegenbauer
from derivations.spectrum.coupled import Coupled
from derivations.spectrum.harmonics import Array, log_multiplicities, multiplicities, times_cosine
from derivations.spectrum.rows import RowWeights

FEWEST_NODES, NODES_PER_UNIT, WIDEST = 16, 8, 16.0
"""Of log p."""
RADII, RADII_PER_UNIT = 32, 40
"""Of the logarithm of a radius, at which amplitudes are computed."""
FEATURES = 6
NEGLIGIBLE = 1e-14
"""Share of the diagonal below which a feature is left out."""
OCTAVE = 0.25
LEFT = 1e-11
"""Share of the diagonal below which a rest is what the negligible features left."""
UNRESOLVED = 1e-7
"""Degrees with n / N_k below this are a multiple of the identity."""


@lru_cache(maxsize=16)
def pair_masses(activation: Activation, d: int, degrees: int, p: tuple[float, ...]) -> tuple[Array, Array]:
    """Masses of E[phi phi] and E[phi' phi'], (2, k, a, b), at variances p_a and p_b, and their diagonals, (2, a)."""
    radii, weights = gegenbauer.radial_rule(d)
    scaled = np.log(np.multiply.outer(np.sqrt(p), radii))
    count = 2 * gegenbauer.panels(activation, d) + degrees // gegenbauer.DEGREES_PER_PANEL
    # At a few radii: all else is smooth between them.
    reach = np.max(scaled) - np.min(scaled)
    nodes, matrix = chebyshev(
        np.min(scaled), np.max(scaled), RADII + int(RADII_PER_UNIT * reach), scaled.ravel()
    )
    masses, diagonal = [], []
    for function in gegenbauer.smooth_pair(activation):
        amplitudes, moments = gegenbauer.amplitudes(function, d, degrees, np.exp(nodes), count)
        # Those may grow by hundreds of orders of magnitude; a moment of 0 has amplitudes 0.
        moments = np.maximum(moments, np.finfo(float).tiny)
        size = np.exp(matrix @ np.log(moments))
        found = (amplitudes / np.sqrt(moments)) @ matrix.T * np.sqrt(size)
        found = found.reshape(len(found), *scaled.shape) * np.sqrt(weights)
        masses.append(found @ found.swapaxes(1, 2))
        diagonal.append(size.reshape(scaled.shape) @ weights)
    return np.stack(masses), np.array(diagonal)


def kernel_masses(
    network: TwoLayer, d: int, width: int | None, degrees: int, p: Array
) -> tuple[Array, Array]:
    """Masses g_k(p_a, p_b) of the kernel, (k, a, b), and its diagonal f(p_a, p_a, 1), (a,)."""
    gates, s = network.gates, np.sqrt(np.multiply.outer(p, p))
    (value, slope), moments = pair_masses(network.activation, d, degrees + 1 + gates, tuple(p))
    readout, gradient = gegenbauer.block_weights(network, d, width)
    f = readout + gates * gradient
    masses = f * np.pad(value, ((0, 1), (0, 0), (0, 0))) + gradient * s * times_cosine(slope, d)
    for _ in range(gates):
        masses = times_cosine(masses, d) * s
    return masses[: degrees + 1], p**gates * (f * moments[0] + gradient * p * moments[1])


@dataclass(frozen=True)
class Parts:
    """What a coupled law is made of: features of all degrees, n / N_k, and what they leave."""

    features: Array
    log_multiplicities: Array
    rest: Array
    diagonal: Array
    shares: Array

    @property
    def dimensions(self) -> float:
        """How many dimensions the features span; inf where something is left."""
        if np.any(self.rest):
            return np.inf
        ranks = np.sum(np.any(self.features != 0, axis=1), axis=1)
        return float(ranks @ multiplicities(self.log_multiplicities))

    def equations(self, n: int, without_constant: bool) -> Coupled:
        """The equations for n rows."""
        ratios = np.exp(np.log(n) - self.log_multiplicities)
        present = np.any(self.features != 0, axis=(1, 2))
        felt = present & (ratios > UNRESOLVED)
        # In millions of dimensions none is: without any the equations would have no edge.
        felt[1 + np.argmax(present[1:])] = True
        rest = self.rest + np.sum(self.features[~felt] ** 2, axis=(0, 2))
        if without_constant:
            felt[0], rest = False, rest - (0.0 if felt[0] else np.sum(self.features[0] ** 2, axis=1))
        return Coupled(_trimmed(self.features[felt]), ratios[felt], rest, self.diagonal, self.shares)


def coupled_parts(network: TwoLayer, d: int, width: int | None, degrees: int, rows: RowWeights) -> Parts:
    """Features of every degree at the rows' p = |x|^2 / d, here the values of `rows`."""
    nodes, matrix = _interpolation(rows.values)
    masses, diagonal = kernel_masses(network, d, width, degrees, nodes)
    values, vectors = np.linalg.eigh(masses)
    values, vectors = values[:, ::-1][:, :FEATURES], vectors[:, :, ::-1][:, :, :FEATURES]
    values = np.where(values > NEGLIGIBLE * np.max(diagonal), values, 0.0)
    features = matrix @ (vectors * np.sqrt(values)[:, None, :])
    # Ratios to a power of p are smooth and nearly constant: the diagonal is interpolated by its logarithm.
    full = np.exp(matrix @ np.log(diagonal))
    rest = full - np.sum(features**2, axis=(0, 2))
    return Parts(
        features, log_multiplicities(d, degrees), np.where(rest > LEFT * full, rest, 0.0), full, rows.shares
    )


def _trimmed(features: Array) -> Array:
    """Without those that are 0 at every degree; they come last."""
    return features[:, :, : max(1, int(np.sum(np.any(features != 0, axis=(0, 1)))))]


def _interpolation(p: Array) -> tuple[Array, Array]:
    """Chebyshev points of log p, and the matrix (p, points) of interpolation from them."""
    # Data of similar lengths share the points, and what is known at them.
    low, high = np.floor(np.log(p[0]) / OCTAVE) * OCTAVE, np.ceil(np.log(p[-1]) / OCTAVE + 1e-9) * OCTAVE
    if high - low > WIDEST:
        raise InputError(
            f"data must have lengths within a factor of {np.exp(WIDEST / 2):.0f} for an activation that is not homogeneous, "
            f"got {np.sqrt(p[-1] / p[0]):.3g}"
        )
    count = max(FEWEST_NODES, int(NODES_PER_UNIT * (high - low)))
    nodes, matrix = chebyshev(low, high, count, np.log(p))
    return np.exp(nodes), matrix


def chebyshev(low: float, high: float, count: int, x: Array) -> tuple[Array, Array]:
    """Chebyshev points of an interval, and the matrix (x, points) of interpolation from them.

    Examples
    --------
    >>> nodes, matrix = chebyshev(0.0, 1.0, 12, np.array([0.3]))
    >>> print(f"{(matrix @ np.exp(nodes))[0]:.12f} {np.exp(0.3):.12f}")
    1.349858807576 1.349858807576
    """
    order = np.arange(count)
    angles = np.pi * (order + 0.5) / count
    nodes = (low + high) / 2 + (high - low) / 2 * np.cos(angles)
    position = np.arccos(np.clip((2 * x - low - high) / (high - low), -1, 1))
    weights = np.where(order > 0, 2.0, 1.0) / count
    return nodes, np.cos(np.multiply.outer(position, order)) * weights @ np.cos(
        np.multiply.outer(order, angles)
    )
