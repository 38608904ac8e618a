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

import numpy as np
from scipy.optimize import brentq

from derivations.errors import InputError
from derivations.spectrum.edge import Edge
from derivations.spectrum.fixed_point import outside
from derivations.spectrum.harmonics import Array

ITERATIONS = 100
CONVERGED = 1e-9
REACH = 1.5
"""How far, in log beta, edges lie from those of a homogeneous activation with the same diagonal."""
GRID, ROUNDS = 9, 16
STEP = 0.03
"""Of log beta, for second differences at an edge."""
UNEQUAL = (
    "data must have rows of more equal lengths for an activation that is not homogeneous: an edge of the spectrum was "
    "not found"
)


@dataclass(frozen=True)
class Solutions:
    """Solutions at several beta: z (s,), levels b_j (s, b) and the resolvent's diagonal G (s, b); nan for none."""

    z: Array
    levels: Array
    G: Array

    @classmethod
    def unknown(cls, count: int, rows: int) -> Solutions:
        """None of them yet."""
        return cls(np.full(count, np.nan), np.full((count, rows), np.nan), np.full((count, rows), np.nan))


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

    def solve(self, beta: Array, start: Array | None = None) -> Solutions:
        """The solutions at each beta, all of one sign, from resolvents (s, b) of others to start with."""
        sign, c, w = np.sign(beta[0]), self.diagonal, self.shares
        degrees, rows, r = self.features.shape
        pairs = (
            (self.features[..., None] * self.features[..., None, :]).transpose(1, 0, 2, 3).reshape(rows, -1)
        )
        into_moments = pairs * np.repeat(self.ratios, r * r)
        start = np.ones((len(beta), rows)) if start is None else start
        result = Solutions.unknown(len(beta), rows)
        live, G = np.arange(len(beta)), start * (beta / (start @ (w * c)))[:, None]
        with np.errstate(all="ignore"):
            for _ in range(ITERATIONS):
                system = np.eye(r) + ((w * G) @ into_moments).reshape(-1, degrees, r, r)
                if sign < 0:
                    # Beyond the upper edge's pole there is nothing.
                    exists = np.min(np.linalg.eigvalsh(system), axis=(1, 2)) > 0
                    live, G, system = live[exists], G[exists], system[exists]
                if not len(live):
                    break
                try:
                    inverse = np.linalg.inv(system)
                except np.linalg.LinAlgError:
                    break
                levels = self.rest + inverse.reshape(len(live), -1) @ pairs.T
                nearest = np.min(levels, axis=1) if sign > 0 else np.max(levels, axis=1)
                gaps = outside(w * c, np.abs(levels - nearest[:, None]), np.abs(beta[live]))
                before, G = G, sign / gaps
                done = np.max(np.abs(G / before - 1), axis=1) < CONVERGED
                z = nearest - sign * np.min(gaps, axis=1)
                result.z[live[done]], result.levels[live[done]], result.G[live[done]] = (
                    z[done],
                    levels[done],
                    G[done],
                )
                going = ~done & np.all(np.isfinite(G), axis=1)
                live, G = live[going], G[going]
        return result

    def edge(self, guess: float) -> Edge | None:
        """The end of the spectrum near the beta of a guess, below the spectrum if that is positive, if one is found."""
        sign = np.sign(guess)
        x, start = np.log(abs(guess)) + np.linspace(-REACH, REACH, GRID), None
        for _ in range(ROUNDS):
            found = self.solve(sign * np.exp(x), start)
            excess = np.where(np.isnan(found.z), np.inf, -sign * found.z)
            best = int(np.argmin(excess))
            if excess[best] == np.inf:
                break
            step = x[1] - x[0]
            start = np.repeat(found.G[best : best + 1], GRID, axis=0)
            if best in (0, GRID - 1):
                # Not in between: go on from there.
                x = x + (x[best] - x[GRID // 2])
                continue
            if step <= STEP and excess[best + 1] < np.inf:
                return _summit(sign, x, found, best, self.shares)
            # Above the spectrum the curve may end a little way behind its minimum.
            x = np.linspace(x[best - 1], x[best + 1], GRID)
        return None

    def outlier(self, constant: Array, n: int, edge: Edge) -> float | None:
        """The eigenvalue that degree 0, with features (b, r), adds above the upper edge, if it does."""

        def smallest(x: float) -> float:
            weighted = constant * (self.shares * self._known(-np.exp(x)).G[0])[:, None]
            return float(1 + n * np.min(np.linalg.eigvalsh(weighted.T @ constant)))

        high = np.log(-edge.a)
        if smallest(high) >= 0:
            return None
        low = high - 1.0
        while smallest(low) < 0:
            low -= 2.0
        return float(self._known(-np.exp(brentq(smallest, low, high, xtol=1e-6))).z[0])

    def _known(self, beta: float) -> Solutions:
        """`solve` where there is a solution."""
        found = self.solve(np.array([beta]))
        if np.isnan(found.z[0]):
            raise InputError(UNEQUAL)
        return found


def _summit(sign: float, x: Array, found: Solutions, best: int, shares: Array) -> Edge:
    """The extremum of z between three points x = log |beta|, by the parabola through them."""
    step = x[1] - x[0]
    before, z, after = found.z[best - 1 : best + 2]
    bend, tilt = (before - 2 * z + after) / step**2, (after - before) / (2 * step)
    change = (found.G[best + 1] - found.G[best - 1]) / (2 * step)
    beta = sign * np.exp(x[best] - tilt / bend)
    scale = np.cbrt(abs(bend) / (2 * (shares @ change) ** 2))
    return Edge(
        float(beta), float(z - tilt**2 / (2 * bend)), float(scale), found.levels[best], np.abs(change)
    )
