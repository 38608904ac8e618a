r"""The test error on random rows: a scalar equation for each pair of resolvents.

Rows have weights \(t_i\), the kernel is \(T^{1/2}(Z\Lambda Z^T + \text{rest}\,I)T^{1/2}\) as in
`derivations.spectrum.fixed_point`, with the same a and b, and the target is \(\sum_k s_k(t)\,\theta_k\psi_k + \varepsilon\).
With the resolvent at z the network's coefficients \(\omega\) are those of kernel ridge regression with ridge -z. Leaving out
one row, with \(v = 1/(t\,b - z)\) and means over rows,

\[ E\,\omega_k = \tau_k\frac{E[t^{1/2} s_k v]}{1 + \tau_k a}\,\theta_k = P_k\theta_k,\qquad
   D(t) = \sum_k \beta_k^2\,(s_k - t^{1/2}P_k)(s_k - t^{1/2}P'_k) + t\,V, \]
\[ V = \chi\;E\big[t\,v\,v'\,(D(t) + \sigma^2)\big],\qquad
   \chi = \sum_k \frac{g_k\tau_k}{(1 + \tau_k a)(1 + \tau_k a')}, \]

of which V follows, and the test error E D(t). For equal rows v = a, \(1 - P_k = 1/(1+\tau_k a)\) and

\[ E + \sigma^2 = \frac{\sum_k \beta_k^2/((1+\tau_k a)(1+\tau_k a')) + \sigma^2}{1 - \chi\,a\,a'}. \]

Source: derived here (`derivations.learning.argument`), heuristically; for one ridge and equal rows it is the formula of
Canatar, Bordelon and Pehlevan 2021, Nature Communications 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.errors import InputError
from derivations.learning.contour import STEP, descent_contour, filtered
from derivations.learning.teacher import Teacher
from derivations.spectrum.fixed_point import FixedPoint
from derivations.spectrum.gegenbauer import GegenbauerExpansion
from derivations.spectrum.harmonics import Array, Numbers
from derivations.spectrum.rows import RowWeights

ITERATIONS, NEWTON, ATTEMPTS = 12, 8, 30
SOLVED = 1e-10


@dataclass(frozen=True)
class Learner:
    """A kernel on random rows that learns from a teacher.

    Attributes
    ----------
    equation : FixedPoint
        Of all degrees of the kernel and of the teacher.
    energies : (k,) float
        The teacher's, of the equation's degrees.
    scales : (k, b) float
        s_k of every row weight.
    noise : float
    """

    equation: FixedPoint
    energies: Array
    scales: Array
    noise: float

    def error_of_ridge(self, ridge: float) -> float:
        """The test error of kernel ridge regression."""
        z = np.array([-ridge], complex)
        at = self._at(z)
        return float(np.real(self._errors(at, at)[0, 0]))

    def error_of_descent(self, steps: int, largest: float, step: float = STEP) -> float:
        """The test error after so many steps of gradient descent at the rate 1 / largest; `step` is the contour's."""
        contour = descent_contour(steps, step)
        at = self._at(contour.nodes * largest)
        mirrored = _Resolvent(np.conj(at.v), np.conj(at.shrink), np.conj(at.learned))
        return filtered(contour, self._errors(at, at), self._errors(at, mirrored))

    def _at(self, z: Numbers) -> _Resolvent:
        equation = self.equation
        a = resolvent_trace(equation, z)
        t, w = equation.rows.values, equation.rows.shares
        v = 1 / (np.multiply.outer(equation.b(a), t) - z[:, None])
        shrink = 1 / (1 + np.multiply.outer(a, equation.tau))
        learned = equation.tau * ((v * np.sqrt(t) * w) @ self.scales.T) * shrink
        return _Resolvent(v, shrink, learned)

    def _errors(self, one: _Resolvent, other: _Resolvent) -> Numbers:
        """For every pair of nodes : (p, q) complex."""
        rows = self.equation.rows
        t, w = rows.values, rows.shares
        root = np.sqrt(t)
        chi = (one.shrink * self.equation.masses * self.equation.tau) @ other.shrink.T

        def bias(left: Numbers, right: Numbers) -> Numbers:
            """Sum over rows of left right sum_k beta_k^2 (s_k - t^(1/2) P_k)(s_k - t^(1/2) P'_k)."""
            square = self.energies @ self.scales**2
            total = (left * w * square) @ right.T
            slope = self.scales * self.energies[:, None] * root * w
            for k, line in enumerate(slope):
                if self.energies[k]:
                    total = total - (left * line) @ right.T * (one.learned[:, k, None] + other.learned[:, k])
            both = (one.learned * self.energies) @ other.learned.T
            return np.asarray(total + (left * w * t) @ right.T * both)

        fit = bias(t * one.v, other.v) + self.noise * ((one.v * w * t) @ other.v.T)
        variance = chi * fit / (1 - chi * ((one.v * w * t**2) @ other.v.T))
        ones, others = np.ones_like(one.v), np.ones_like(other.v)
        return bias(ones, others) + rows.mean * variance


@dataclass(frozen=True)
class _Resolvent:
    """At p nodes: v (p, b), 1 / (1 + tau_k a) and P_k (p, k)."""

    v: Numbers
    shrink: Numbers
    learned: Numbers


def learner(
    expansion: GegenbauerExpansion, n: int, rows: RowWeights, homogeneity: int, teacher: Teacher
) -> Learner:
    """The equations of n rows; of unequal ones, f_k of the teacher grows like |x|^k and the kernel like |x|^homogeneity.

    Examples
    --------
    >>> from derivations.learning.profile import profile_expansion
    >>> from derivations.spectrum.rows import EQUAL
    >>> only_linear = profile_expansion((0.0, 1.0), d=50)
    >>> found = learner(only_linear, 25, EQUAL, 1, Teacher((1.0,)))
    >>> print(f"{found.error_of_ridge(1e-9):.6f}")  # half of the directions were seen
    0.500000
    """
    energies = teacher.by_degree(len(expansion.masses))
    missing = len(energies) - len(expansion.masses)
    if missing > 0:
        raise InputError(
            f"teacher must have at most {expansion.degrees} degrees here, got {len(energies) - 1}"
        )
    kept = (expansion.masses > 0) | (energies > 0)
    equation = FixedPoint(expansion.masses[kept], expansion.eigenvalues(n)[kept], expansion.rest, rows)
    p = rows.values ** (1 / homogeneity)
    squares = p ** np.flatnonzero(kept)[:, None]
    scales = np.sqrt(squares / (squares @ rows.shares)[:, None])
    return Learner(equation, energies[kept], scales, teacher.noise)


def resolvent_trace(equation: FixedPoint, z: Numbers) -> Numbers:
    """a(z), the mean of t_i times the resolvent's diagonal, outside of the spectrum: on its side of the real axis.

    Examples
    --------
    >>> from derivations.spectrum.rows import EQUAL
    >>> marchenko_pastur = FixedPoint(np.array([1.0]), np.array([2.0]), 0.0, EQUAL)
    >>> a = resolvent_trace(marchenko_pastur, np.array([-1.0 + 0j]))
    >>> print(f"{a[0].real:.6f}")  # z = 1 / (1 + 2 a) - 1 / a is -1 where 2 a^2 = 1
    0.707107
    """
    t, w = equation.rows.values, equation.rows.shares
    tau, masses = equation.tau, equation.masses
    a = -np.sum(w * t) / z
    for _ in range(ATTEMPTS):
        # A map of the half plane into itself, so that it comes nearer to its one fixed point wherever it is.
        for _ in range(ITERATIONS):
            a = np.sum(w * t / (np.multiply.outer(equation.b(a), t) - z[:, None]), axis=-1)
        near = a
        for _ in range(NEWTON):
            v = 1 / (np.multiply.outer(equation.b(a), t) - z[:, None])
            misfit = a - np.sum(w * t * v, axis=-1)
            slope = -np.sum(masses * tau / (1 + np.multiply.outer(a, tau)) ** 2, axis=-1)
            a = a - misfit / (1 + np.sum(w * t**2 * v**2, axis=-1) * slope)
        v = 1 / (np.multiply.outer(equation.b(a), t) - z[:, None])
        good = np.abs(a - np.sum(w * t * v, axis=-1)) <= SOLVED * np.abs(a)
        good &= np.where(z.imag == 0, a.real * -z.real > 0, a.imag * z.imag > 0)
        if np.all(good):
            return np.asarray(a)
        a = np.where(good, a, near)
    raise InputError("steps must be fewer: the equation of the resolvent did not converge")
