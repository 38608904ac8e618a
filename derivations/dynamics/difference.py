"""The difference of two expected losses, an exponential sum in the number of steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derivations.dynamics.loss import BLOCK, UNDERFLOW, ExpectedLoss
from derivations.spectrum.harmonics import Array

ROUNDED = 64 * np.finfo(float).eps
"""Relative to the sum of all sizes: a partial sum below is 0 to rounding."""


@dataclass(frozen=True)
class Difference:
    """The difference as an exponential sum, the slowest mode first, equal exponents as one.

    `sizes` are sums of absolute weights: where modes of both losses cancel, rounding is theirs.

    Attributes
    ----------
    exponents, coefficients, sizes : (j,) float
    start, start_size : float
        The difference before the first step, and the sum of both losses.
    """

    exponents: Array
    coefficients: Array
    sizes: Array
    start: float
    start_size: float

    @classmethod
    def of(cls, first: ExpectedLoss, second: ExpectedLoss) -> Difference:
        """Of the first loss less the second one."""
        exponents = np.concatenate([first.logarithms, second.logarithms])
        weights = np.concatenate([first.weights, -second.weights]) / 2
        values, inverse = np.unique(-exponents, return_inverse=True)
        total, sizes = np.zeros(len(values)), np.zeros(len(values))
        np.add.at(total, inverse.ravel(), weights)
        np.add.at(sizes, inverse.ravel(), np.abs(weights))
        return cls(-values, total, sizes, first.start - second.start, first.start + second.start)

    def leading(self) -> tuple[int, float]:
        r"""The sign that the slowest mode gives it at last, and a k from which on it is that.

        With a the coefficient and x the exponent of the slowest mode, -b the sum of all coefficients of the other sign and y
        the slowest exponent among them, it has the sign of a where \(|a| e^{kx} > b\,e^{ky}\), for all
        \(k > \log(b/|a|) / (x - y)\). What cancels to rounding counts as 0; (0, inf) if everything does.

        Examples
        --------
        >>> Difference(np.array([-1.0, -3.0]), np.array([1.0, -2.0]), np.array([1.0, 2.0]), -1.0, 3.0).leading()
        (1, 0.3465...)
        """
        kept = np.abs(self.coefficients) > ROUNDED * self.sizes
        if not kept.any():
            return 0, float("inf")
        exponents, coefficients = self.exponents[kept], self.coefficients[kept]
        sign = int(np.sign(coefficients[0]))
        if np.isneginf(exponents[0]):
            return 0, float("inf")  # nothing is left of either after a step
        against = sign * coefficients < 0
        if not against.any():
            return sign, 0.0
        following = exponents[against][0]
        # What is gone after one step was there before it.
        first = 1.0 if np.isneginf(following) else 0.0
        ratio = np.log(-sign * coefficients[against].sum() / abs(coefficients[0]))
        return sign, max(first, float(ratio / (exponents[0] - following)))

    def signs(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of the difference after k >= 1 steps, in ascending order : (s,) int; 0 where rounding could turn it."""
        size = max(1, BLOCK // len(self.exponents))
        return np.concatenate([self._signs(steps[i : i + size]) for i in range(0, len(steps), size)])

    def _signs(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        if np.isneginf(slowest := self.exponents[0]):
            return np.zeros(len(steps), int)  # nothing is left of either
        late = steps * slowest < -1
        result = np.empty(len(steps), int)
        # Early: what was lost, in digits of its own.
        size = 0.0 if self.start == 0 else self.start_size
        factors = np.expm1(np.multiply.outer(steps[~late], self.exponents))
        result[~late] = self._rounded(self.start, size, self.coefficients, self.sizes, factors)
        if late.any():
            # Late: all terms over the largest, so that none underflows, and without those that do all the same.
            alive = np.searchsorted(-self.exponents, UNDERFLOW / -steps[late].min() - slowest)
            factors = np.exp(np.multiply.outer(steps[late], self.exponents[:alive] - slowest))
            result[late] = self._rounded(0.0, 0.0, self.coefficients[:alive], self.sizes[:alive], factors)
        return result

    @staticmethod
    def _rounded(start: float, size: float, coefficients: Array, sizes: Array, factors: Array) -> Array:
        total = start + factors @ coefficients
        return np.where(np.abs(total) <= ROUNDED * (size + np.abs(factors) @ sizes), 0, np.sign(total))
