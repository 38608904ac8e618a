r"""The expected training loss on random rows without the rows, by the sharp law of their spectrum.

As an average over resolvents (`derivations.learning.contour`), with \(\operatorname{Tr}(K-z)^{-1} = \sum_i 1/(t_i b - z)\) in
the notation of `derivations.spectrum.fixed_point`, and for a matrix \(C\) of the same harmonics, of masses \(h_k\) and the
rest r,

\[ \operatorname{Tr}[C (K-z)^{-1}] = n a \Big(\sum_k \frac{h_k}{1+\tau_k a} + r\Big), \]

the derivative of \(\log\det(K + \varepsilon C - z)\): a and b are stationary. Targets are independent of the rows.

Source: derived here, heuristically as the law itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from derivations.arguments import check_choice
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.dynamics.loss import MOST_STEPS, check_rate
from derivations.errors import InputError
from derivations.learning.contour import descent_contour
from derivations.learning.residuals import resolvent_trace
from derivations.networks import TwoLayer
from derivations.spectrum.fixed_point import FixedPoint
from derivations.spectrum.gegenbauer import both_masses, both_moments
from derivations.spectrum.harmonics import Array, times_cosine
from derivations.spectrum.law import spectrum_law
from derivations.spectrum.problem import Problem, problem

RESOLVED = 1e-5
"""Of the loss at the start: the contour's error is 5e-7 of it, and a loss that is smaller is not told."""
OVERSHOOT = 1.9
"""Of eta lambda_1: up to here (1 - eta u)^2k is right to 5e-7 on the contour, which passes through 2."""
EQUAL_START, STRIDE = 1e-9, 1.3
Data = Literal["sphere", "gaussian"]


@dataclass(frozen=True)
class LossLaw:
    """The law of one network's loss.

    Attributes
    ----------
    equation : FixedPoint
    n : int
    start : (k,) float
        Masses of C_0 in the equation's degrees.
    start_rest : float
        Its mass in all others.
    variance : float
        Of the targets.
    lambda_max : float
    """

    equation: FixedPoint
    n: int
    start: Array
    start_rest: float
    variance: float
    lambda_max: float

    def at(self, steps: Sequence[int], eta: float) -> Array:
        """The expected loss after so many steps : (s,) float, nan where it is below `RESOLVED` of the start's.

        Raises
        ------
        InputError
            For a rate above 1.9 / lambda_max, near which contour and spectrum meet, or steps out of range.
        """
        check_rate(eta, self.lambda_max)
        if eta * self.lambda_max > OVERSHOOT:
            most = OVERSHOOT / self.lambda_max
            raise InputError(
                f"eta must be at most {OVERSHOOT} / lambda_1 = {most:.6g} for the law, got {eta:.6g}"
            )
        if any(k != int(k) or not 0 <= k <= MOST_STEPS for k in steps):
            raise InputError(f"steps must be whole numbers from 0 to {MOST_STEPS:.0e}, got {steps!r}")
        rows = self.equation.rows
        whole = self.n * (rows.mean * (float(self.start.sum()) + self.start_rest) + self.variance) / 2
        values = np.array([whole if k == 0 else self._after(int(k), eta) for k in steps])
        return np.where(values < RESOLVED * whole, np.nan, values)

    def _after(self, k: int, eta: float) -> float:
        contour = descent_contour(2 * k)
        z = contour.nodes / eta
        a, rows = resolvent_trace(self.equation, z), self.equation.rows
        kept = (self.start / (1 + np.multiply.outer(a, self.equation.tau))).sum(axis=-1) + self.start_rest
        trace = np.sum(
            rows.shares / (np.multiply.outer(self.equation.b(a), rows.values) - z[:, None]), axis=-1
        )
        total = self.n * (a * kept + self.variance * trace)
        return float(np.real(contour.weights @ (-z * total)))


def loss_law(
    network: TwoLayer | str,
    n: int,
    d: int,
    width: int | None = None,
    data: Data = "sphere",
    initial: str = "nngp",
    variance: float = 1.0,
) -> LossLaw:
    r"""The law of the expected training loss of n random rows and independent targets.

    Parameters
    ----------
    network, n, d, width, data
        As for `derivations.spectrum.spectrum_law`; on Gaussian rows of a homogeneous activation.
    initial : str
        Which covariance the outputs have at first: ``"nngp"``, ``"kernel"`` or ``"zero"``.
    variance : float
        Of the targets, at least 0.

    Raises
    ------
    InputError
        For arguments out of range.

    Examples
    --------
    >>> law = loss_law("relu", n=300, d=20, width=1000, data="gaussian")
    >>> law.at([0, 10, 100], eta=2.028e-5).round(0)
    array([225., 155., 109.])
    """
    asked = problem(network, n, d, width, check_choice(data, "data", ("sphere", "gaussian")))
    check_choice(initial, "initial", INITIAL_OR_ZERO)
    if asked.is_coupled:
        raise InputError(f"data must be sphere for {asked.network.name}: its activation is not homogeneous")
    if isinstance(variance, bool) or not 0 <= variance < np.inf:
        raise InputError(f"variance must be a number from 0 on, got {variance!r}")
    expansion = asked.expansion
    kept = expansion.masses > 0
    equation = FixedPoint(expansion.masses[kept], expansion.eigenvalues(n)[kept], expansion.rest, asked.rows)
    start, rest = start_masses(asked, initial)
    largest = spectrum_law(asked.network, n, d, width, data).lambda_max
    return LossLaw(equation, n, start[kept], rest, float(variance), largest)


def start_masses(asked: Problem, initial: str) -> tuple[Array, float]:
    """Masses of C_0 by degree, and the mass of all higher ones."""
    expansion = asked.expansion
    if initial == "kernel":
        return expansion.masses, expansion.rest
    if initial == "zero":
        return np.zeros(len(expansion.masses)), 0.0
    value, _ = both_masses(asked.network.activation, asked.d, expansion.degrees)
    for _ in range(asked.network.gates):
        value = times_cosine(value, asked.d)
    masses = value[: expansion.degrees + 1]
    # Of degrees that the kernel has not there is nothing either: its readout block is a multiple of C_0.
    total = both_moments(asked.network.activation, asked.d)[0]
    return masses, max(0.0, total - float(masses[expansion.masses > 0].sum()))


def predicted_crossing(first: LossLaw, second: LossLaw, eta: float, last: int = 10**6) -> int | None:
    """The first step up to `last` at which the order of two losses is another than at the start; None if there is none.

    Examples
    --------
    >>> plain, gated = (loss_law(name, 300, 20, 1000, "gaussian") for name in ("relu", "reglu"))
    >>> predicted_crossing(plain, gated, eta=2.028e-5)
    18
    """

    def difference(k: int) -> float:
        return float(first.at([k], eta)[0] - second.at([k], eta)[0])

    # On the sphere both start alike, to rounding.
    start = first.at([0], eta)[0] + second.at([0], eta)[0]
    reference = np.sign(difference(0) if abs(difference(0)) > EQUAL_START * start else difference(1))
    low, high = 0, 1
    while np.sign(difference(high)) == reference:
        if high >= last:
            return None
        low, high = high, min(last, max(high + 1, int(high * STRIDE)))
    if np.isnan(difference(high)):
        return None  # what is left is less than the law resolves
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if np.sign(difference(middle)) == reference else (low, middle)
    return high
