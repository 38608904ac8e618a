r"""The equations of one random network: those of infinite width, with every block damped by its neurons' leverage.

Leaving out a neuron with the columns U in \(K = \sum_k U_k U_k^T\) gives, R the resolvent without it,

\[ K R \approx \sum_k U_k (1 + U_k^T R U_k)^{-1} U_k^T R, \]

and \(U_k^T R U_k\) is near a multiple of the identity in every block: \(c\,T\), c the neuron's load and T the trace of R
with the block per load. So K has the resolvent of a kernel whose blocks count \(E[c/(1+cT)]\) in the place of 1,

\[ g_k(T) = \sum_r \pi_r\,\omega_r(T_r)\,g_{k,r},\qquad
   T_r = s\,n a\Big[\sum_k \frac{g_{k,r}}{1 + a n g_k(T)/N_k} + \text{rest}_r\Big], \]

\(s\) the block's scale per neuron (A/m of the readout, B/(m d) of a gradient, which has d columns), and z(a) as in
`derivations.spectrum.fixed_point`. At fixed T = 0 (infinite width) it is that equation.

Source: derived here, heuristically; for independent columns as in Silverstein and Choi 1995.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from derivations.spectrum.edge import Edge
from derivations.spectrum.finite_width.blocks import Blocks
from derivations.spectrum.finite_width.neurons import Loads, loads
from derivations.spectrum.fixed_point import outside
from derivations.spectrum.harmonics import Array, Numbers
from derivations.spectrum.rows import RowWeights

ITERATIONS, CONVERGED = 100, 1e-11
GRID, LOWEST, HIGHEST = 25, -4.0, 12.0
"""Of log(a f(1)), where a lower edge is looked for."""
BELOW, ABOVE = 9.0, 0.5
"""Of log |a|, where an upper edge is looked for: around the first pole without neurons."""
STEP, SMALLEST_STEP = 0.01, 1e-5
"""Of log a, for second differences at an edge."""


@dataclass(frozen=True)
class Scales:
    """Of the blocks: A and B of the kernel, and the leverage of one neuron per trace.

    Attributes
    ----------
    readout, gradient : float
        A and B.
    width, d, gates : int
    """

    readout: float
    gradient: float
    width: int
    d: int
    gates: int

    @property
    def of_readout(self) -> float:
        """A / m."""
        return self.readout / self.width

    @property
    def of_gradient(self) -> float:
        """B / (m d)."""
        return self.gradient / (self.width * self.d)


@dataclass(frozen=True)
class State:
    """A solution at one a.

    Attributes
    ----------
    a, b : float
    traces : (2 r,) float
        n a [...]: of V_r, then S_r.
    masses : (k,) float
        g_k(T).
    """

    a: float
    b: float
    traces: Array
    masses: Array


@dataclass(frozen=True)
class FiniteEquation:
    """The equation of one network's bulk: blocks of some degrees, scales, n / N_k of each degree, and rows' weights.

    Attributes
    ----------
    masses : (k, 2 r) float
    rests, shares : (2 r,) float
    ratios : (k,) float
    n : int
    scales : Scales
    rows : RowWeights
    """

    masses: Array
    rests: Array
    shares: Array
    ratios: Array
    n: int
    scales: Scales
    rows: RowWeights

    @property
    def block_loads(self) -> tuple[Loads, Loads, Loads]:
        """Of the readout, of one gate's gradient and of the activation's."""
        d, gates, m = self.scales.d, self.scales.gates, self.scales.width
        return loads(d, gates, False, m), loads(d, max(gates - 1, 0), True, m), loads(d, gates, True, m)

    def weights(self, traces: Numbers) -> tuple[Numbers, Numbers]:
        """What the blocks V_r and S_r count at these traces (..., 2 r), and the derivatives."""
        s = self.scales
        half = traces.shape[-1] // 2
        readout, gate, slope = self.block_loads
        value, rest = traces[..., :half], traces[..., half:]
        low, high = s.of_readout, s.of_gradient
        weight = s.readout * readout.weight(low * value)
        bend = s.readout * low * readout.slope(low * value)
        if s.gates:
            weight = weight + s.gates * s.gradient * gate.weight(high * value)
            bend = bend + s.gates * s.gradient * high * gate.slope(high * value)
        of_slope = s.gradient * slope.weight(high * rest), s.gradient * high * slope.slope(high * rest)
        return (
            np.concatenate([weight, of_slope[0]], axis=-1) * self.shares,
            np.concatenate([bend, of_slope[1]], axis=-1) * self.shares,
        )

    def pole(self, traces: Array) -> float:
        """How far the nearest neuron is from standing apart: positive before it does."""
        s, half = self.scales, len(traces) // 2
        readout, gate, slope = self.block_loads
        margins = [1 + s.of_readout * readout.largest * np.min(traces[:half])]
        if s.gates:
            margins.append(1 + s.of_gradient * gate.largest * np.min(traces[:half]))
        margins.append(1 + s.of_gradient * slope.largest * np.min(traces[half:]))
        return float(min(margins))

    def solve(self, a: float) -> State | None:
        """The solution on the branch from a = 0; None beyond its end.

        Both sides of T = N(T) increase with T, N is concave as far as every case has shown, and the iteration begins above
        the solution: there Newton's method does not step across it.
        """
        traces = self.n * max(a, 0.0) * (np.sum(self.masses, axis=0) + self.rests)
        for _ in range(ITERATIONS):
            weights, bends = self.weights(traces)
            masses = self.masses @ weights
            tau = 1 + a * masses * self.ratios
            if a < 0 and (np.any(tau <= 0) or self.pole(traces) <= 0):
                return None
            damped = self.masses / tau[:, None]
            found = self.n * a * (np.sum(damped, axis=0) + self.rests)
            residual = found - traces
            if np.max(np.abs(residual)) <= CONVERGED * np.max(np.abs(found)):
                return State(a, float(np.sum(masses / tau) + self.rests @ weights), found, masses)
            slopes = -self.n * a * a * (damped * self.ratios[:, None]).T @ damped * bends
            newton = np.linalg.solve(np.eye(len(traces)) - slopes, residual)
            if a > 0 and np.any(traces + newton <= 0):
                newton = residual
            elif a < 0 and np.any(newton > CONVERGED * np.max(np.abs(traces))):
                return None
            traces = traces + newton
        return None

    def z(self, state: State) -> tuple[float, float]:
        """z outside of the spectrum, and the mean of 1 / |t_i b - z| over the rows."""
        t, w, a, b = self.rows.values, self.rows.shares, state.a, state.b
        nearest = t[0] if a > 0 else t[-1]
        gaps = outside(w * t, (np.abs(t - nearest) * b)[None], np.array([abs(a)]))[0]
        return float(nearest * b - np.sign(a) * np.min(gaps)), float(w @ (1 / gaps))

    def left_edge(self) -> Edge:
        """The lower end: the largest z(a), a > 0."""
        scale = float(np.sum(self.masses @ self.weights(np.zeros(len(self.shares)))[0]) + self._rest)
        return self._edge(1.0, LOWEST - np.log(scale), HIGHEST - np.log(scale))

    def right_edge(self) -> Edge:
        """The upper end: the smallest z(a) with a < 0 on the branch that begins at 0."""
        masses = self.masses @ self.weights(np.zeros(len(self.shares)))[0]
        top = -np.log(np.max(masses * self.ratios))
        low = min(top, -np.log(np.sum(masses) + self._rest)) - BELOW
        while self.solve(-np.exp(low)) is None:  # neurons far fewer than rows end the curve early
            low -= BELOW
        return self._edge(-1.0, low, top + ABOVE)

    def outlier(self, constant: Array, edge: Edge) -> float | None:
        """The eigenvalue that degree 0, with the masses (2 r,), adds above the upper edge, if it does."""

        def margin(x: float) -> float:
            state = self.solve(-np.exp(x))
            if state is None:  # beyond the branch
                return -1.0
            return float(1 - np.exp(x) * self.n * (constant @ self.weights(state.traces)[0]))

        high = np.log(-edge.a)
        if margin(high) >= 0:
            return None
        low = high - 1.0
        while margin(low) < 0:
            low -= 2.0
        state = self.solve(-np.exp(brentq(margin, low, high, xtol=1e-9)))
        return None if state is None else self.z(state)[0]

    @property
    def _rest(self) -> float:
        return float(self.rests @ self.weights(np.zeros(len(self.shares)))[0])

    def _edge(self, sign: float, low: float, high: float) -> Edge:
        """Where sign z is largest, of a = sign exp(x), x between low and high."""

        def value(x: float) -> float:
            state = self.solve(sign * np.exp(x))
            return np.inf if state is None else -sign * self.z(state)[0]

        grid = np.linspace(low, high, GRID)
        values = [value(grid[0])]
        for x in grid[1:]:  # from a = 0 on, to the first extremum: the curve goes on through the spectrum
            values.append(value(x))
            if values[-1] > values[-2]:
                break
        best = int(np.argmin(values))
        return self._at(
            sign, _minimum(value, grid[max(best - 1, 0)], grid[best], grid[min(best + 1, GRID - 1)])
        )

    def _at(self, sign: float, x: float) -> Edge:
        states = [self.solve(sign * np.exp(x + shift)) for shift in (-STEP, 0.0, STEP)]
        known = [self.z(state) for state in states if state is not None]
        if len(known) == 3:
            z, s = np.array(known).T
            bend, slope = (z[0] - 2 * z[1] + z[2]) / STEP**2, (s[2] - s[0]) / (2 * STEP)
            assert states[1] is not None
            return self._edge_at(states[1], float(np.cbrt(abs(bend) / (2 * slope**2))))
        # The curve ends at its edge, where one neuron stands apart: there is no square root to shift along.
        state = self.solve(sign * np.exp(x))
        assert state is not None  # x is the best of those where there is one
        return self._edge_at(state, 0.0)

    def _edge_at(self, state: State, scale: float) -> Edge:
        z, t = self.z(state)[0], self.rows.values
        return Edge(state.a, z, scale, t * state.b, t / (t * state.b - z) ** 2)


def _minimum(value: Callable[[float], float], low: float, middle: float, high: float) -> float:
    """Of a function that may be infinite beyond some point of (middle, high)."""
    while not np.isfinite(value(high)):
        if high - middle < SMALLEST_STEP:
            return middle
        high = (middle + high) / 2
    return float(minimize_scalar(value, bounds=(low, high), method="bounded", options={"xatol": 1e-4}).x)


def finite_equation(
    blocks: Blocks, n: int, scales: Scales, rows: RowWeights, without_constant: bool
) -> FiniteEquation:
    """The equation for n rows; without degree 0 it describes all eigenvalues but the constant function's.

    Examples
    --------
    >>> from derivations import network
    >>> from derivations.spectrum.finite_width.blocks import kernel_blocks
    >>> from derivations.spectrum.rows import EQUAL
    >>> blocks = kernel_blocks(network("relu"), 100, 12)
    >>> edges = [
    ...     finite_equation(blocks, 500, Scales(m, 100, m, 100, 0), EQUAL, False).left_edge().z / m
    ...     for m in (1000, 10**9)
    ... ]
    >>> print("{:.4f} {:.4f}".format(*edges))
    0.0301 0.0517
    """
    kept = np.any(blocks.masses > 0, axis=1)
    if without_constant:
        kept[0] = False
    ratios = np.exp(np.log(n) - blocks.log_multiplicities[kept])
    return FiniteEquation(
        blocks.masses[kept], blocks.rests, np.tile(blocks.shares, 2), ratios, n, scales, rows
    )
