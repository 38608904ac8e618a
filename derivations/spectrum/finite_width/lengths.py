r"""Lengths where phi is not homogeneous: the weights of a homogeneous network's rows that come nearest.

At the lower edge a row matters by what the others leave of its diagonal, \(b(p) = \sum_k g_k(p, p)/(1 + \tau_k a) +
\text{rest}(p)\), so the weights are b(p)/b(1), a and tau those of infinite width on the sphere.

Source: derived here, heuristically.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Polynomial

from derivations.spectrum import gegenbauer
from derivations.spectrum.finite_width.neurons import chi_square_rule
from derivations.spectrum.fixed_point import fixed_point
from derivations.spectrum.harmonics import Array, times_cosine
from derivations.spectrum.problem import Problem
from derivations.spectrum.rows import EQUAL, RowWeights

LENGTHS, DEGREE, RADII = 8, 5, 4
"""Where b(p) is computed, the degree of its logarithm in log p, and radii of neurons."""
LEAST = 0.05
"""Of log p beyond the rows, so that equal lengths are an interval."""


def alike(asked: Problem, width: int) -> RowWeights:
    """The weights; the problem's own where they are weights already.

    Examples
    --------
    >>> from derivations.spectrum.problem import problem
    >>> t = alike(problem("silu", 200, 50, 100, "gaussian"), 100)
    >>> p = problem("silu", 200, 50, 100, "gaussian").rows
    >>> bool(np.log(t.values[-1] / t.values[0]) > np.log(p.values[-1] / p.values[0]))  # more than in proportion
    True
    """
    if not asked.is_coupled:
        return asked.rows
    logs = np.log(asked.rows.values)
    ends = float(logs[0]) - LEAST, float(logs[-1]) + LEAST
    nodes = np.linspace(ends[0], ends[1], LENGTHS)
    smooth = Polynomial.fit(nodes, np.log(_left(asked, width, np.exp(nodes))), DEGREE, domain=ends)
    t = np.exp(smooth(logs) - smooth(0.0))
    order = np.argsort(t)
    return RowWeights(t[order], asked.rows.shares[order])


def _left(asked: Problem, width: int, p: Array) -> Array:
    """b(p)."""
    network, d, expansion = asked.network, asked.d, asked.expansion
    damping = np.ones(expansion.degrees + 1)
    if expansion.dimensions > asked.n:
        a = fixed_point(expansion, asked.n, EQUAL, without_constant=False).left_edge().a
        damping = 1 / (1 + a * expansion.eigenvalues(asked.n))
    squares, shares = chi_square_rule(d, RADII)
    gates, top = network.gates, expansion.degrees + 1 + network.gates
    count = 2 * gegenbauer.panels(network.activation, d) + top // gegenbauer.DEGREES_PER_PANEL
    radii = np.sqrt(np.multiply.outer(squares, d * p))
    nodes, _ = gegenbauer.radial_rule(d)
    masses, moments = [], []
    for function in gegenbauer.smooth_pair(network.activation):
        found = gegenbauer.amplitudes(function, d, top, radii.ravel(), count)[0] ** 2
        masses.append(np.einsum("krp,r->kp", found.reshape(-1, *radii.shape), shares))
        moments.append(
            np.array([gegenbauer.second_moment(function, d, nodes * np.sqrt(q), count) for q in p])
        )
    readout, gradient = gegenbauer.block_weights(network, d, width)
    f = readout + gates * gradient
    degrees = np.append(f * masses[0], np.zeros((1, len(p))), axis=0) + gradient * p * times_cosine(
        masses[1], d
    )
    for _ in range(gates):
        degrees = times_cosine(degrees, d)
    total = f * moments[0] + gradient * p * moments[1]
    degrees = degrees[: expansion.degrees + 1]
    rest = np.maximum(total - np.sum(degrees, axis=0), 0.0)
    return np.asarray(p**gates * (damping @ degrees + rest))
