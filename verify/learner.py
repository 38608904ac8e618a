r"""Training and test error of one kernel under gradient descent, at any number of steps.

A network that follows its kernel K from outputs f_0, of mean 0 and covariance C, is after t steps on the rows X

\[ f_t(x) = f_0(x) + A_x\,G_t\,V^T(y - f_0(X)),\qquad K = V\Lambda V^T,\quad A_x = k(x)^T V,\quad
   G_t = \frac{1 - (1-\eta\Lambda)^t}{\Lambda}. \]

Its mean square errors are, over f_0,

\[ \frac1n\sum_i\big[(v_i^T y)^2 + v_i^T C v_i\big](1-\eta\lambda_i)^{2t}
   \quad\text{and at a row } x\quad
   \big[A_x G_t V^T y - y(x)\big]^2 + C(x,x) - 2 A_x G_t V^T C(X,x) + A_x G_t V^T C V G_t A_x^T, \]

all t from one eigendecomposition. Modes that are 0 to rounding are never learned, so that t to infinity is the
pseudo-inverse.
This file knows kernels as matrices only, and shares no formula with `derivations`.

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from verify.activations import Array
from verify.gradient_descent import Modes


@dataclass(frozen=True)
class Learner:
    """One kernel's descent on one sample: n rows to train on, p to test.

    Attributes
    ----------
    modes : Modes
        Of the kernel of the rows to train on.
    targets : (n,) float
        V^T y.
    spread : (n, n) float
        V^T C V.
    across, across_spread : (p, n) float
        k(x)^T V and C(x, X) V.
    fresh, fresh_variance : (p,) float
        y(x) and C(x, x).
    """

    modes: Modes
    targets: Array
    spread: Array
    across: Array
    across_spread: Array
    fresh: Array
    fresh_variance: Array

    @classmethod
    def of(cls, K: Array, C: Array, Y: Array, train: int) -> Learner:
        """Of kernel and covariance of all rows (n + p, n + p), at the rate 1 / lambda_1."""
        modes = Modes.of(K[:train, :train])
        V = modes.vectors
        return cls(
            modes,
            V.T @ Y[:train],
            V.T @ C[:train, :train] @ V,
            K[train:, :train] @ V,
            C[train:, :train] @ V,
            Y[train:],
            np.diagonal(C)[train:],
        )

    def at(self, rate: float) -> Learner:
        """At a rate below 2 / lambda_1."""
        return replace(self, modes=self.modes.at(rate))

    def train(self, steps: Sequence[float]) -> Array:
        """Expected mean squared error at the rows to train on : (s,) float.

        Examples
        --------
        >>> one = Learner.of(np.eye(2), np.zeros((2, 2)), np.array([3.0, 1.0]), 1).at(0.5)
        >>> one.train([0, 1, np.inf]), one.test([0, 1])
        (array([9.  , 2.25, 0.  ]), array([1., 1.]))
        """
        weights = self.targets**2 + np.diagonal(self.spread)
        return np.asarray(weights @ np.exp(2 * self.modes.exponents(steps)) / len(weights))

    def test(self, steps: Sequence[float]) -> Array:
        """Expected mean squared error at the rows to test : (s,) float."""
        G = self.modes.gains(steps)
        missed = self.across @ (G * self.targets[:, None]) - self.fresh[:, None]
        # Means over rows before steps come in: no (p, n) product per step.
        both = self.across.T @ self.across / len(self.fresh) * self.spread
        once = np.mean(self.across * self.across_spread, axis=0)
        spread = np.mean(self.fresh_variance) - 2 * once @ G + np.sum(G * (both @ G), axis=0)
        # A variance: what is below 0 is rounding.
        return np.asarray(np.mean(missed**2, axis=0) + np.maximum(spread, 0.0))

    def wrong(self, steps: Sequence[float], classes: tuple[float, float]) -> Array:
        """Expected share of rows to test whose output lies nearer to the other class's target : (s,) float.

        Outputs are Gaussian over f_0.

        Examples
        --------
        >>> one = Learner.of(np.eye(2), np.eye(2), np.array([1.0, 1.0]), 1)
        >>> one.wrong([5], (-1.0, 1.0))  # N(0, 1) is below 0
        array([0.5])
        """
        middle = sum(classes) / 2
        sides = np.sign(self.fresh - middle)
        found = []
        for gain in self.modes.gains(steps).T:
            learned = self.across * gain
            distance = sides * (learned @ self.targets - middle)
            variance = self.fresh_variance + np.sum(
                learned * (learned @ self.spread - 2 * self.across_spread), axis=1
            )
            # Where f_0 = 0 outputs are certain, and so they are, but for rounding, at rows that are interpolated.
            certain = variance <= 1e-12 * self.fresh_variance
            deviation = np.sqrt(np.where(certain, 1.0, variance))
            found.append(np.mean(np.where(certain, (1 - np.sign(distance)) / 2, ndtr(-distance / deviation))))
        return np.array(found)

    def reach(self, error: float) -> tuple[float, float, float]:
        """Steps to this training error, the training and the test error there, linear between two whole steps.

        0 steps if it begins below, infinitely many if it is never reached.

        Examples
        --------
        >>> one = Learner.of(np.eye(2), np.zeros((2, 2)), np.array([3.0, 1.0]), 1).at(0.5)
        >>> one.reach(2.25), one.reach(10.0)
        ((1.0, 2.25, 1.0), (0.0, 9.0, 1.0))
        """
        for end in (0.0, np.inf):
            there = float(self.train([end])[0])
            if (there <= error) == (end == 0):
                return end, there, float(self.test([end])[0])
        high = 1
        while self.train([high])[0] > error:
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.train([middle])[0] > error else (low, middle)
        above, below = self.train([low, high])
        share = float((above - error) / (above - below))
        before, after = self.test([low, high])
        return low + share, error, float(before + share * (after - before))
