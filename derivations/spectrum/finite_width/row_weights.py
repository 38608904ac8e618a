r"""How a row's diagonal entry differs from network to network, and from row to row of one network.

Given the network, the rows are independent, and what the others leave of row i in the resolvent is
\(q_i = \sum_k Y_{ik}\) over the neurons, with independent terms of mean b / m. At u = w.x and s_l = v_l.x

\[ Y = \omega_a\,\phi(u)^2 \textstyle\prod s_l^2 + \sum_l \omega_v\,\phi(u)^2 \prod_{l'\ne l} s_{l'}^2
     + \omega_w\,\phi'(u)^2 \prod s_l^2, \]

\(\omega\) what the blocks of a neuron with its readout count, and of every degree only the share that the other rows
leave: Hermite coefficients times \((1 + \tau_k a)^{-1/2}\). So rows have weights \(\xi_i = q_i/b\) as if their lengths
differed. Their law comes from the generating function \(m\,E_a \log E_{u,s}\,e^{\theta Y}\) (readouts are common to
all rows) by the saddle point below the median. Above it, where Y of a gate has no generating function, a shifted
logarithmic normal law with the same first three moments continues it.

Source: derived here, heuristically; the saddle point's normal score is Barndorff-Nielsen's, 1986.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import ndtr, ndtri

from derivations.activations import Activation
from derivations.spectrum.finite_width.equation import FiniteEquation, State
from derivations.spectrum.finite_width.neurons import chi_square_rule, readout_rule
from derivations.spectrum.gegenbauer import composite, smooth_pair
from derivations.spectrum.harmonics import Array
from derivations.spectrum.rows import RowWeights, blocks

HERMITE, REACH, SIDE_PANELS = 8, 8.5, 2
"""Degrees that are damped, reach of u, and panels of each side of 0, where activations may have kinks."""
GATE_NODES = 5
SADDLES = np.geomspace(0.05, 400.0, 40)
"""In inverse standard deviations, below the mean."""
LEAST_SKEWED = 1e-4
NORMAL = 1e-4
"""A standard deviation so small that the law is normal for all purposes."""
SCORES = np.linspace(-6.5, 6.5, 53)


@dataclass(frozen=True)
class RowLaw:
    """The law of a row's weight: its value at normal scores.

    Attributes
    ----------
    scores, values : (s,) float
        Both ascending; the value at score z is the quantile of the normal's share up to z.
    variance : float
    """

    scores: Array
    values: Array
    variance: float

    def at(self, scores: Array) -> Array:
        """The weights at normal scores."""
        return np.asarray(np.interp(scores, self.scores, self.values))


def row_law(equation: FiniteEquation, state: State, activation: Activation, damping: Array) -> RowLaw:
    """The law of the weights around a solution.

    Parameters
    ----------
    equation, state
    activation : Activation
    damping : (k,) float
        What is left of degree k's amplitude; 1 of all higher degrees.

    Examples
    --------
    >>> from derivations import network
    >>> from derivations.spectrum.finite_width.blocks import kernel_blocks
    >>> from derivations.spectrum.finite_width.equation import Scales, finite_equation
    >>> from derivations.spectrum.rows import EQUAL
    >>> found = finite_equation(kernel_blocks(network("reglu"), 100, 9), 2, Scales(9, 100, 9, 100, 1), EQUAL, False)
    >>> law = row_law(found, found.solve(1e-9), network("reglu").activation, np.ones(9))
    >>> print(f"{law.variance:.4f}")  # 9/m of the gradient's, and the readout's
    0.9650
    """
    Y, shares, readouts = _terms(equation, state, activation, damping)
    m = equation.scales.width
    mean = float(readouts @ (Y @ shares))
    Y = Y / mean
    first = Y @ shares
    variance = float(readouts @ (Y**2 @ shares - first**2)) / m
    if variance < NORMAL**2:
        return RowLaw(SCORES, 1 + np.sqrt(variance) * SCORES, variance)
    theta = -SADDLES / np.sqrt(variance)
    centred = Y - first[:, None]
    generating = np.empty((3, len(theta)))
    for index, point in enumerate(theta):
        exponent = point / m * centred
        largest = np.max(exponent, axis=1)
        tilted = np.exp(exponent - largest[:, None]) * shares
        total = np.sum(tilted, axis=1)
        one = np.sum(tilted * centred, axis=1) / total
        two = np.sum(tilted * centred**2, axis=1) / total - one**2
        generating[:, index] = (
            m * (readouts @ (largest + np.log(total))),
            readouts @ one,
            readouts @ two / m,
        )
    K, x, curvature = generating
    gained = theta * x - K
    sound = (gained > 0) & (curvature > 0) & (1 + x > 0)
    if not np.any(sound):  # one neuron, and rows with hardly anything in it
        spread = np.sqrt(np.log1p(variance))
        return RowLaw(SCORES, np.exp(spread * SCORES - spread**2 / 2), variance)
    theta, x, curvature, w = theta[sound], x[sound], curvature[sound], -np.sqrt(2 * gained[sound])
    scores = w + np.log(theta * np.sqrt(curvature) / w) / w
    # Of few neurons the far tail is rounded.
    known = np.concatenate([[True], np.diff(scores) < 0])
    below, values = scores[known][::-1], 1 + x[known][::-1]
    third = float(readouts @ (centred**3 @ shares)) / m**2
    upper = _log_normal(SCORES[SCORES > 0], np.sqrt(variance), third / variance**1.5)
    median = float(np.interp(0.0, below, values) if below[-1] > 0 else values[-1])
    upper = upper - _log_normal(np.zeros(1), np.sqrt(variance), third / variance**1.5) + median
    lower = below < 0
    return RowLaw(
        np.concatenate([below[lower], [0.0], SCORES[SCORES > 0]]),
        np.concatenate([np.minimum(values[lower], median), [median], upper]),
        variance,
    )


def _log_normal(scores: Array, deviation: float, skewness: float) -> Array:
    """Values at normal scores of exp(normal) plus a constant, of mean 1.

    Examples
    --------
    >>> print(_log_normal(np.array([-1.0, 0.0, 1.0]), 0.1, 1e-9).round(6))
    [0.9      0.999998 1.1     ]
    """
    skewness = max(skewness, LEAST_SKEWED)
    # Skewness (w + 2) sqrt(w - 1) with w = exp(s^2): t = sqrt(w - 1) solves t^3 + 3 t = skewness.
    t = 2 * np.sinh(np.arcsinh(skewness / 2) / 3)
    s = np.sqrt(np.log1p(t * t))
    return np.asarray(1 + deviation * np.expm1(s * scores - s * s / 2) / t)


def weighted_rows(rows: RowWeights, law: RowLaw, n: int) -> RowWeights:
    """Lengths' weights t times the independent weights of `law`: quantiles at the middle of blocks of n ranks.

    Examples
    --------
    >>> from derivations.spectrum.rows import EQUAL
    >>> normal = RowLaw(np.array([-8.0, 8.0]), np.array([0.2, 1.8]), 0.01)
    >>> found = weighted_rows(EQUAL, normal, 3)
    >>> found.values.round(3), found.shares
    (array([0.917, 1.   , 1.083]), array([0.33333333, 0.33333333, 0.33333333]))
    """
    edges = blocks(n)
    middle = (edges[:-1] + edges[1:]) / 2
    lower = np.minimum(middle, n - middle)
    scores = ndtri((lower + 0.19) / (n + 0.38)) * np.where(middle <= n / 2, 1, -1)
    if len(rows.values) == 1:
        values = rows.values[0] * law.at(scores)
    else:
        steps = (SCORES[1:] + SCORES[:-1]) / 2
        shares = np.diff(np.concatenate([[0.0], ndtr(steps), [1.0]]))
        atoms = np.multiply.outer(rows.values, law.at(SCORES)).ravel()
        order = np.argsort(atoms)
        weights = np.multiply.outer(rows.shares, shares).ravel()[order]
        # Shares of the upper half counted from above, where 1 - share would round.
        below, above = np.cumsum(weights), np.cumsum(weights[::-1])[::-1]
        at = np.where(below - weights / 2 < 0.5, ndtri(below - weights / 2), -ndtri(above - weights / 2))
        values = np.exp(np.interp(scores, at, np.log(atoms[order])))
    shares = np.diff(edges) / n
    return RowWeights(np.asarray(values * (rows.mean / (values @ shares))), shares)


def _terms(
    equation: FiniteEquation, state: State, activation: Activation, damping: Array
) -> tuple[Array, Array, Array]:
    """m Y at nodes of the readout (a) and of u and s (y), the shares of the latter, and of the former."""
    scales, gates = equation.scales, equation.scales.gates
    u, weight = normal_rule()
    value, slope = (
        _damped(function(u), u, weight, damping[shift:]) ** 2
        for function, shift in zip(smooth_pair(activation), (gates, gates + 1), strict=True)
    )
    half = len(equation.shares) // 2
    of_value, of_slope = (
        float(part @ equation.shares[:half]) for part in (state.traces[:half], state.traces[half:])
    )
    squares, readouts = readout_rule()
    readouts = readouts / np.sum(readouts)
    readout = scales.readout * float(equation.block_loads[0].weight(np.array(scales.of_readout * of_value)))
    gate = scales.gradient * squares / (1 + scales.of_gradient * of_value * squares)
    inner = scales.gradient * squares / (1 + scales.of_gradient * of_slope * squares)
    s, shares = chi_square_rule(1.0, GATE_NODES)
    parts, probabilities = [], []
    for chosen in product(range(GATE_NODES), repeat=gates):
        full = np.prod(s[list(chosen)])
        others = sum(np.prod(np.delete(s[list(chosen)], index)) for index in range(gates))
        parts.append(readout * full * value + np.outer(gate * others, value) + np.outer(inner * full, slope))
        probabilities.append(np.prod(shares[list(chosen)]) * weight)
    return np.hstack(parts), np.concatenate(probabilities), readouts


def _damped(values: Array, u: Array, weight: Array, damping: Array) -> Array:
    """The function of u with its first Hermite coefficients damped."""
    before, now = np.zeros_like(u), np.ones_like(u)
    result = values.copy()
    for k, left in enumerate(damping[: HERMITE + 1]):
        result -= (1 - left) * (weight @ (values * now)) * now
        before, now = now, (u * now - np.sqrt(k) * before) / np.sqrt(k + 1)
    return result


def dead_share(activation: Activation) -> float:
    """The share of rows that a neuron does not see at all: phi and phi' are 0 there.

    Examples
    --------
    >>> from derivations import activation
    >>> print(f"{dead_share(activation('relu')):.6f} {dead_share(activation('silu')):.6f}")
    0.500000 0.000000
    """
    u, weight = normal_rule()
    value, slope = (function(u) for function in smooth_pair(activation))
    return float(weight @ ((value == 0) & (slope == 0)))


def normal_rule() -> tuple[Array, Array]:
    """Nodes and weights of a normal variable, apart on either side of 0, where activations may have kinks."""
    u, weight = composite(0.0, REACH, SIDE_PANELS)
    u, weight = np.append(-u, u), np.tile(weight * np.exp(-(u**2) / 2), 2)
    return u, weight / np.sum(weight)
