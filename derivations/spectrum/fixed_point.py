r"""The deterministic equivalent of a kernel matrix: one scalar equation, and the edges of the spectrum it implies.

On n points of a sphere the harmonics of high multiplicity act like independent features, so the kernel
\(\sum_k g_k Q_k\) has the spectrum of \(T^{1/2}(Z\Lambda Z^T + \text{rest}\,I)T^{1/2}\), Z with independent entries,
\(\Lambda\) with \(\lambda_k = g_k/N_k\) repeated \(N_k\) times, T the rows' weights. Leaving out one row (Schur complement)
its resolvent's diagonal is \(1/(t_i b - z)\); leaving out one feature closes the equations:

\[ b(a) = \sum_k \frac{g_k}{1 + \tau_k a} + \text{rest},\qquad
   a = \frac1n \sum_i \frac{t_i}{t_i\,b(a) - z},\qquad \tau_k = n\lambda_k. \]

For equal rows \(z = b(a) - 1/a\): Marchenko and Pastur's equation in Silverstein's form. A point z(a) of the real line
with z'(a) > 0 is outside of the spectrum, so edges are where z'(a) = 0, that is with \(v_i = t_i/(t_i b - z)\)

\[ \Big(\sum_k \frac{g_k\tau_k}{(1 + \tau_k a)^2}\Big)\,\Big(\frac1n\sum_i v_i^2\Big) = 1. \]

Source: Silverstein and Choi 1995 for the real line, Lu and Yau 2022 (arXiv:2205.06308) for inner-product kernels on the
sphere at n of the order of d^k; the form with all degrees at once and unequal rows is derived here, heuristically.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from derivations.spectrum.edge import Edge
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import Array, Numbers
from derivations.spectrum.rows import RowWeights

# An edge is bracketed by a grid, and again within a cell of it.
STRIDE, GRID, ROUNDS = 2.0, 33, 8
NEWTON, ENOUGH = 100, 1e-8
"""Steps at most, and the relative one whose square is a rounding."""


@dataclass(frozen=True)
class FixedPoint:
    """The equation of a kernel's bulk: some degrees' masses and tau, a rest, and rows' weights."""

    masses: Array
    tau: Array
    rest: float
    rows: RowWeights

    def b(self, a: Numbers) -> Numbers:
        """b(a), for real or complex a of any shape."""
        return np.asarray(np.sum(self.masses / (1 + np.multiply.outer(a, self.tau)), axis=-1) + self.rest)

    def slope(self, a: Numbers) -> Numbers:
        """-b'(a)."""
        return np.asarray(np.sum(self.masses * self.tau / (1 + np.multiply.outer(a, self.tau)) ** 2, axis=-1))

    def curvature(self, a: Numbers) -> Numbers:
        """b''(a)."""
        return np.asarray(
            np.sum(2 * self.masses * self.tau**2 / (1 + np.multiply.outer(a, self.tau)) ** 3, axis=-1)
        )

    def gaps(self, a: Array) -> Array:
        """|t_i b - z| at real a of one sign, where z is outside of the spectrum on that side: (a, rows)."""
        t, w = self.rows.values, self.rows.shares
        nearest = t[np.where(a > 0, 0, len(t) - 1)][:, None]
        return outside(w * t, np.abs(t - nearest) * self.b(a)[:, None], np.abs(a))

    def z(self, a: float) -> float:
        """z(a) below (a > 0) or above (a < 0) the spectrum."""
        at = np.array([a])
        t = self.rows.values
        nearest = t[0] if a > 0 else t[-1]
        return float(nearest * self.b(at)[0] - np.sign(a) * np.min(self.gaps(at)))

    def inside(self, a: Array) -> Array:
        """Positive inside of the spectrum's image, negative outside, 0 at an edge: minus z'(a) up to a factor."""
        v = self.rows.values / self.gaps(a)
        return np.asarray(self.slope(a) * np.sum(self.rows.shares * v**2, axis=1) - 1)

    def left_edge(self) -> Edge:
        """The lower end: the largest z(a) with a > 0. More features than rows are needed for it to be above 0."""
        scale = np.sum(self.masses) + self.rest
        return self._edge(lambda x: np.exp(x) / scale)

    def right_edge(self) -> Edge:
        """The upper end: the smallest z(a) with -1/max(tau) < a < 0."""
        top = np.max(self.tau)
        return self._edge(lambda x: -1 / (top * (1 + np.exp(-x))))

    def _edge(self, a_of: Callable[[Any], Any]) -> Edge:
        """The edge with the smallest |a|, a curve through all of them from 0 on."""

        def equal(x: float) -> float:
            a = a_of(np.array([x]))
            return float((self.slope(a) * a**2)[0])

        # For equal rows the condition is equal(x) = 1, which increases with x; unequal ones multiply it by
        # 1 + (relative variance of v), at most by 1 / (smallest share).
        low = high = 0.0
        while equal(low) > np.min(self.rows.shares):
            low -= STRIDE
        while equal(high) < 1:
            high += STRIDE
        for _ in range(ROUNDS):
            x = np.linspace(low, high, GRID)
            first = int(np.argmax(self.inside(a_of(x)) >= 0))
            low, high = x[max(first - 1, 0)], x[first]
        return self._at(float(a_of(high)))

    def _at(self, a: float) -> Edge:
        at = np.array([a])
        t, w = self.rows.values, self.rows.shares
        v = 1 / (np.sign(a) * self.gaps(at)[0])  # 1 / (t b - z)
        slope, curvature = self.slope(at)[0], self.curvature(at)[0]
        by_z, by_b, by_b_twice = w * t @ v**2, -w * t**2 @ v**2, 2 * w * t**3 @ v**3
        # Where z' = 0: z'' from the second derivative of a = F(z, b(a)), s' of the Stieltjes transform.
        bend = -(by_b_twice * slope**2 + by_b * curvature) / by_z
        scale = float(np.cbrt(abs(bend) / (2 * (slope * by_z) ** 2)))
        return Edge(a, self.z(a), scale, t * self.b(at)[0], t * v**2)


def fixed_point(
    expansion: GegenbauerExpansion, n: int, rows: RowWeights, without_constant: bool
) -> FixedPoint:
    """The equation for n rows; without degree 0 it describes all eigenvalues but the constant function's."""
    kept = expansion.masses > 0
    if without_constant:
        kept[0] = False
    return FixedPoint(expansion.masses[kept], expansion.eigenvalues(n)[kept], expansion.rest, rows)


def outside(numerators: Array, delta: Array, size: Array) -> Array:
    r"""Distances delta + u from a point outside, u > 0 the smallest, with \(\sum_i c_i/(\delta_i + u)\) given.

    The reciprocal of the sum is increasing and concave in u: Newton's method for it, begun on the left, stays there.

    Parameters
    ----------
    numerators : (b,) float
        The c_i > 0.
    delta : (a, b) float
        Nonnegative, each row with a 0.
    size : (a,) float
        The sums.

    Examples
    --------
    >>> outside(np.array([1.0, 1.0]), np.array([[0.0, 1.5]]), np.array([2.5]))
    array([[0.5, 2. ]])
    """
    size = size[:, None]
    # The terms up to the k-th nearest alone are at least their numerators' sum over delta_k + u.
    order = np.argsort(delta, axis=1)
    nearest = np.cumsum(numerators[order], axis=1) / size - np.take_along_axis(delta, order, axis=1)
    u = np.max(nearest, axis=1, keepdims=True)
    for _ in range(NEWTON):
        terms = numerators / (delta + u)
        total = np.sum(terms, axis=1, keepdims=True)
        step = (total / size - 1) * total / np.sum(terms / (delta + u), axis=1, keepdims=True)
        u = u + step
        if np.all(np.abs(step) <= ENOUGH * u):
            break
    return np.asarray(delta + u)
