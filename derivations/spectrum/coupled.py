r"""The deterministic equivalent where lengths of rows enter each degree in another way.

Where phi is not homogeneous, the kernel of rows with \(p_i = |x_i|^2/d\) is \(\sum_k g_k(p_i, p_j) Q_k(\rho_{ij})\), and
\(g_k(p, q) = u_k(p)\cdot u_k(q)\) with a few features, since it is a smooth function. The argument of
`derivations.spectrum.fixed_point` gives the resolvent's diagonal \(G_j = 1/(b_j - z)\) with

\[ b_j = \sum_k u_k(p_j)^T \Big(I + \frac{n}{N_k} M_k\Big)^{-1} u_k(p_j) + \text{rest}_j,\qquad
   M_k = \frac1n \sum_j G_j\, u_k(p_j) u_k(p_j)^T. \]

Solutions are followed along \(\beta = \frac1n\sum_j c_j G_j\), \(c_j\) the diagonal, in place of z: z(beta) is smooth, and
edges are its extrema. At given beta the equations are iterated, z chosen each time to keep beta; for a homogeneous
phi the first iterate is exact.

Source: derived here, heuristically.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from derivations.activations import Activation
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum import gegenbauer
from derivations.spectrum.edge import Edge
from derivations.spectrum.fixed_point import outside
from derivations.spectrum.harmonics import Array, log_multiplicities, multiplicities, times_cosine
from derivations.spectrum.rows import RowWeights

# Features are smooth in log p.
FEWEST_NODES, NODES_PER_UNIT, WIDEST = 16, 8, 8.0
FEATURES = 6
NEGLIGIBLE = 1e-14
"""Share of the diagonal below which a feature is left out."""
ITERATIONS = 100
CONVERGED = 1e-9
OCTAVE = 0.25
LEFT = 1e-11
"""Share of the diagonal below which a rest is what the negligible features left."""
REACH = 1.5
"""How far, in log beta, edges lie from those of a homogeneous activation with the same diagonal."""
STEP = 0.02
"""Of log beta, for second differences at an edge."""
SMALLEST_STEP = 1e-5
UNEQUAL = (
    "data must have rows of more equal lengths for an activation that is not homogeneous: an edge of the spectrum was "
    "not found"
)
UNRESOLVED = 1e-7
"""Degrees with n / N_k below this are a multiple of the identity."""


@lru_cache(maxsize=16)
def pair_masses(activation: Activation, d: int, degrees: int, p: tuple[float, ...]) -> tuple[Array, Array]:
    """Masses of E[phi phi] and E[phi' phi'], (2, k, a, b), at variances p_a and p_b, and their diagonals, (2, a)."""
    radii, weights = gegenbauer.radial_rule(d)
    scaled = np.multiply.outer(np.sqrt(p), radii)
    count = 2 * gegenbauer.panels(activation, d) + degrees // gegenbauer.DEGREES_PER_PANEL
    masses, diagonal = [], []
    for function in gegenbauer.smooth_pair(activation):
        found = gegenbauer.amplitudes(function, d, degrees, scaled.ravel(), count)
        found = found.reshape(len(found), *scaled.shape) * np.sqrt(weights)
        masses.append(found @ found.swapaxes(1, 2))
        diagonal.append([gegenbauer.second_moment(function, d, radii * np.sqrt(q), count) for q in p])
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
class Coupled:
    """The coupled equations of some degrees.

    Attributes
    ----------
    features : (k, b, r) float
        u_k(p_j), of block j of the rows.
    ratios : (k,) float
        n / N_k.
    rest, diagonal : (b,) float
        Mass of all other degrees, and of all.
    shares : (b,) float
        Of the rows.
    """

    features: Array
    ratios: Array
    rest: Array
    diagonal: Array
    shares: Array

    def moments(self, G: Array) -> Array:
        """n / N_k M_k: (k, r, r)."""
        weighted = self.features * (self.shares * G)[:, None]
        return np.asarray(self.ratios[:, None, None] * (weighted.swapaxes(1, 2) @ self.features))

    def solve(self, beta: float, start: Array | None = None) -> tuple[float, Array] | None:
        """z and the resolvent's diagonal at this beta, or None beyond the range where there is a solution."""
        c, w = self.diagonal, self.shares
        G = np.full(len(c), beta / (w @ c)) if start is None else start * (beta / (w * c @ start))
        eye = np.eye(self.features.shape[2])
        with np.errstate(all="ignore"):
            for _ in range(ITERATIONS):
                system = eye + self.moments(G)
                try:
                    if beta < 0 and np.min(np.linalg.eigvalsh(system)) <= 0:
                        return None
                    inverse = np.linalg.inv(system)
                except np.linalg.LinAlgError:
                    return None
                b = self.rest + np.sum((self.features @ inverse) * self.features, axis=(0, 2))
                nearest = np.min(b) if beta > 0 else np.max(b)
                gaps = outside(w * c, np.abs(b - nearest)[None], np.array([abs(beta)]))[0]
                before, G = G, np.sign(beta) / gaps
                if np.max(np.abs(G / before - 1)) < CONVERGED:
                    return float(nearest - np.sign(beta) * np.min(gaps)), G
        return None

    def edge(self, guess: float) -> Edge:
        """The end of the spectrum near the beta of a guess; below the spectrum if that is positive."""
        sign, middle = np.sign(guess), np.log(abs(guess))
        start: Array | None = None

        def excess(x: float) -> float:
            nonlocal start
            found = self.solve(sign * np.exp(x), start)
            if found is None:
                return np.inf
            start = found[1]
            return -sign * found[0]

        with np.errstate(invalid="ignore"):
            best = minimize_scalar(
                excess, bounds=(middle - REACH, middle + REACH), method="bounded", options={"xatol": 1e-4}
            )
        beta, step = sign * np.exp(best.x), STEP
        # Above the spectrum the curve may end a little way behind its minimum.
        while step > SMALLEST_STEP:
            around = [self.solve(beta * np.exp(shift), start) for shift in (-step, 0.0, step)]
            known = [(found[0], self.shares @ found[1]) for found in around if found]
            if len(known) == 3:
                z, s = np.array(known).T
                bend, slope = (z[0] - 2 * z[1] + z[2]) / step**2, (s[2] - s[0]) / (2 * step)
                return Edge(float(beta), float(z[1]), float(np.cbrt(abs(bend) / (2 * slope**2))))
            step /= 4
        raise InputError(UNEQUAL)

    def outlier(self, constant: Array, n: int, edge: Edge) -> float | None:
        """The eigenvalue that degree 0, with features (b, r), adds above the upper edge, if it does."""

        def smallest(x: float) -> float:
            weighted = constant * (self.shares * self._known(-np.exp(x))[1])[:, None]
            return float(1 + n * np.min(np.linalg.eigvalsh(weighted.T @ constant)))

        high = np.log(-edge.a)
        if smallest(high) >= 0:
            return None
        low = high - 1.0
        while smallest(low) < 0:
            low -= 2.0
        return self._known(-np.exp(brentq(smallest, low, high, xtol=1e-6)))[0]

    def _known(self, beta: float) -> tuple[float, Array]:
        """`solve` where there is a solution."""
        found = self.solve(beta)
        if found is None:
            raise InputError(UNEQUAL)
        return found


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
        return Coupled(self.features[felt], ratios[felt], rest, self.diagonal, self.shares)


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
    order = np.arange(count)
    angles = np.pi * (order + 0.5) / count
    nodes = np.exp((low + high) / 2 + (high - low) / 2 * np.cos(angles))
    position = np.arccos(np.clip((2 * np.log(p) - low - high) / (high - low), -1, 1))
    weights = np.where(order > 0, 2.0, 1.0) / count
    return nodes, np.cos(np.multiply.outer(position, order)) * weights @ np.cos(
        np.multiply.outer(order, angles)
    )
