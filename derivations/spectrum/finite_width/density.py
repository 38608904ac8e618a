r"""The density of one network's eigenvalues: Newton's method for a and all traces T together, down to the real axis.

\[ T = N(T, a),\qquad a = \frac1n\sum_i \frac{t_i}{t_i\,b(T, a) - x},\qquad
   \varrho(x) = \frac1\pi\,\mathrm{Im}\,\frac1n\sum_i \frac{1}{t_i\,b - x}. \]

Source: derived here; as `derivations.spectrum.density`, whose equation has T = 0.
"""

from __future__ import annotations

import numpy as np

from derivations.spectrum.density import Density
from derivations.spectrum.finite_width.equation import FiniteEquation
from derivations.spectrum.harmonics import Array, Numbers

# Heights above the axis, relative to x.
HIGHEST, LOWEST, FACTOR = 10.0, 1e-6, 0.25
NEWTON, CONVERGED = 16, 1e-10
COARSE, CLUSTER, ROUNDS = 120, 30, 6
MOST_PER_INTERVAL = 1 / 200
"""Share of all eigenvalues, and of their sum, that one interval may hold."""


def equation_density(equation: FiniteEquation, lower: float, upper: float, dimensions: float) -> Density:
    """The density between these edges, with an atom at 0 where the rank is below n.

    Parameters
    ----------
    equation : FiniteEquation
        Without degree 0.
    lower, upper : float
        Edges; 0 for none.
    dimensions : float
        What the rank is at most.
    """
    zero = np.zeros(len(equation.shares))
    weights = equation.weights(zero)[0]
    per_degree = equation.masses @ weights
    trace = float((np.sum(per_degree) + equation.rests @ weights) * equation.rows.mean)
    x = [np.geomspace(max(lower, 1e-9 * upper) * 0.9, upper * 1.1, COARSE)]
    for mass, ratio in zip(per_degree, equation.ratios, strict=True):
        if ratio > 1:  # fewer harmonics than rows: a cluster of their own
            x.append(mass * ratio * np.linspace(0.5, 1.5, CLUSTER))
    x_all = np.unique(np.concatenate(x))
    x_all = x_all[x_all <= upper * 1.1]
    density = densities(equation, x_all)
    for _ in range(ROUNDS):
        low, high = np.minimum(density[1:], density[:-1]), np.maximum(density[1:], density[:-1])
        mass = np.diff(x_all) * high * np.maximum(1, x_all[1:] / trace)
        coarse = np.nonzero(
            (mass > MOST_PER_INTERVAL) | ((low < 0.7 * high) & (mass > MOST_PER_INTERVAL / 10))
        )[0]
        if not len(coarse):
            break
        middle = (x_all[coarse] + x_all[coarse + 1]) / 2
        order = np.argsort(np.append(x_all, middle))
        x_all = np.append(x_all, middle)[order]
        density = np.append(density, densities(equation, middle))[order]
    return Density(x_all, density, max(0.0, 1 - dimensions / equation.n), trace)


def densities(equation: FiniteEquation, x: Array) -> Array:
    """The density at points x > 0."""
    height = HIGHEST
    a: Numbers = -equation.rows.mean / (x * (1 + 1j * height))
    traces: Numbers = equation.n * np.multiply.outer(a, np.sum(equation.masses, axis=0) + equation.rests)
    while height > LOWEST:
        height *= FACTOR
        a, traces = _newton(equation, x * (1 + 1j * height), a, traces)
    t, w = equation.rows.values, equation.rows.shares
    b = _b(equation, a, traces)
    found = (1 / (np.multiply.outer(b, t) - (x * (1 + 1j * height))[:, None])) @ w
    return np.maximum(np.asarray(found.imag / np.pi), 0.0)


def _b(equation: FiniteEquation, a: Numbers, traces: Numbers) -> Numbers:
    weights, _ = equation.weights(traces)
    masses = weights @ equation.masses.T
    return np.asarray(
        np.sum(masses / (1 + a[:, None] * masses * equation.ratios), axis=1) + weights @ equation.rests
    )


def _newton(equation: FiniteEquation, z: Numbers, a: Numbers, traces: Numbers) -> tuple[Numbers, Numbers]:
    t, w, M, n = equation.rows.values, equation.rows.shares, equation.masses, equation.n
    size = traces.shape[1]
    for _ in range(NEWTON):
        weights, bends = equation.weights(traces)
        g = weights @ M.T
        tau = 1 + a[:, None] * g * equation.ratios
        b = np.sum(g / tau, axis=1) + weights @ equation.rests
        inner = (1 / tau) @ M + equation.rests
        G = 1 / (np.multiply.outer(b, t) - z[:, None])
        by_b = -(G**2 @ (w * t**2))
        residual = np.concatenate([n * a[:, None] * inner - traces, (G @ (w * t) - a)[:, None]], axis=1)
        # The Jacobian of (N(T, a) - T, F(b(T, a)) - a).
        J = np.empty((len(a), size + 1, size + 1), complex)
        spread = (equation.ratios / tau**2)[:, :, None] * M
        J[:, :size, :size] = (-n * a**2)[:, None, None] * (spread.swapaxes(1, 2) @ M) * bends[:, None, :]
        J[:, :size, size] = n * inner - n * a[:, None] * ((g * equation.ratios / tau**2) @ M)
        J[:, size, :size] = by_b[:, None] * bends * ((1 / tau**2) @ M + equation.rests)
        J[:, size, size] = -by_b * np.sum(g**2 * equation.ratios / tau**2, axis=1)
        step = np.linalg.solve(np.eye(size + 1) - J, residual[:, :, None])[:, :, 0]
        moved = a + step[:, size]
        # The solution lies above the axis: a step across it goes half of the way there.
        share = np.where(moved.imag > 0, 1.0, 0.5 * a.imag / np.maximum(-step[:, size].imag, 1e-300))
        a = a + share * step[:, size]
        traces = traces + share[:, None] * step[:, :size]
        if np.all(np.abs(step[:, size]) <= CONVERGED * np.abs(a)):
            break
    return a, traces
