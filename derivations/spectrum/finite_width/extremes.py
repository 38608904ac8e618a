"""The ends of one network's spectrum: the edges of its equation, and again with its rows' own weights.

Source: derived here, heuristically.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from derivations.spectrum.extremes import Extremes
from derivations.spectrum.finite_width.blocks import Blocks, kernel_blocks
from derivations.spectrum.finite_width.equation import FiniteEquation, Scales, finite_equation
from derivations.spectrum.finite_width.row_weights import dead_share, row_law, weighted_rows
from derivations.spectrum.gegenbauer import block_weights
from derivations.spectrum.harmonics import Array
from derivations.spectrum.problem import Problem
from derivations.spectrum.rows import RowWeights

LIKELY = 0.5
"""Beyond this probability that some row is dead in every neuron the smallest eigenvalue is 0."""


def rank_bound(asked: Problem, width: int) -> float:
    r"""What the rank of a network's kernel is at most, whatever the rows: \(m (1 + (1+g) d - g - e)\).

    A neuron's gradient has 1 + (1 + g) d columns. That of the readout is a combination of each gate's, and, where phi
    is homogeneous (e = 1), of those of w by Euler's theorem.

    Examples
    --------
    >>> from derivations.spectrum.problem import problem
    >>> [rank_bound(problem(name, 9, 50, 4), 4) for name in ("relu", "reglu", "silu", "swiglu", "gqu")]
    [200.0, 396.0, 204.0, 400.0, 592.0]
    """
    gates = asked.network.gates
    euler = asked.network.activation.homogeneity is not None
    return float(width * (1 + (1 + gates) * asked.d - gates - euler))


def scales_of(asked: Problem, width: int) -> Scales:
    """Of the problem's network at this width."""
    return Scales(
        *block_weights(asked.network, asked.d, width), width=width, d=asked.d, gates=asked.network.gates
    )


def lower_equation(asked: Problem, blocks: Blocks, width: int, rows: RowWeights) -> FiniteEquation:
    """The equation below the spectrum, with the weights that rows have there."""
    equation = finite_equation(blocks, asked.n, scales_of(asked, width), rows, without_constant=False)
    return _weighted(asked, equation, blocks, equation.left_edge().a)


def upper_equation(asked: Problem, blocks: Blocks, width: int, rows: RowWeights) -> FiniteEquation:
    """The equation above the spectrum, without degree 0."""
    equation = finite_equation(blocks, asked.n, scales_of(asked, width), rows, without_constant=True)
    return _weighted(asked, equation, blocks, equation.right_edge().a)


def finite_extremes(asked: Problem, width: int, rows: RowWeights) -> Extremes:
    """Edges and outlier; rows with the weights t of a kernel that is homogeneous, or as if it were."""
    blocks = kernel_blocks(asked.network, asked.d, asked.expansion.degrees)
    bulk = upper_equation(asked, blocks, width, rows)
    upper = bulk.right_edge()
    outlier = bulk.outlier(blocks.masses[0], upper) if np.any(blocks.masses[0] > 0) else None
    lower = None
    dead = 1 - (1 - dead_share(asked.network.activation) ** width) ** asked.n
    if min(asked.expansion.dimensions, rank_bound(asked, width)) > asked.n and dead < LIKELY:
        lower = lower_equation(asked, blocks, width, rows).left_edge()
    return Extremes(asked.n, lower, upper, outlier)


def _weighted(asked: Problem, equation: FiniteEquation, blocks: Blocks, a: float) -> FiniteEquation:
    """With rows weighted as around this a."""
    state = equation.solve(a)
    assert state is not None  # an edge is where there is one
    law = row_law(equation, state, asked.network.activation, _damping(equation, blocks, a, state.masses))
    return replace(equation, rows=weighted_rows(equation.rows, law, asked.n))


def _damping(equation: FiniteEquation, blocks: Blocks, a: float, masses: Array) -> Array:
    """The amplitude that other rows leave of each degree; above the spectrum degree 0 is left out."""
    result = np.ones(len(blocks.masses))
    if a < 0:
        result[0] = 0.0
    else:
        result[np.any(blocks.masses > 0, axis=1)] = 1 / np.sqrt(1 + a * masses * equation.ratios)
    return result
