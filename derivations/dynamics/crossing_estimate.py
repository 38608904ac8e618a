r"""A closed approximation of the step at which two losses cross: one logarithm, and one correction.

Rows feel a kernel's constant and linear part (degrees 0 and 1) through d + 1 large eigenvalues, and all higher degrees
through n - d - 1 small ones. Once the large ones are gone a loss is about \(\tfrac12 W e^{-2\eta\Lambda k}\), W the energy
beyond degree 1 and \(\Lambda\) its mean eigenvalue, so that two losses are equal at

\[ k_1 = \frac{\log(\tilde W/W)}{2\eta(\tilde\Lambda-\Lambda)}. \]

The estimate is one Newton step from there, of the difference with the large eigenvalues and the variance V of the small
ones put back, \(W e^{-2\eta\Lambda k + 2\eta^2 V k^2}\). All of it is in closed form: with the masses \(g_k\) of K and
\(h_k\) of \(C_0\) in spherical harmonics of multiplicities \(N_k\), \(F\) and \(H\) their sums beyond degree 1, and the
lengths' moments \(e_j\), of what is beyond

\[ \tfrac1n\operatorname{Tr}C_0 = e_1H,\quad \tfrac1n\operatorname{Tr}KC_0 = e_2FH + e_1^2\sum g_kh_k\tfrac n{N_k},\quad
   \tfrac1n\operatorname{Tr}K^2C_0 = e_3F^2H + e_1e_2\sum(2Fh_k + Hg_k)g_k\tfrac n{N_k}
   + e_1^3\sum g_k^2h_k\tfrac{n^2}{N_k^2}. \]

It is good where the eigenvalues beyond degree 1 are alike on the way to the crossing (n below d(d + 1)/2 if
\(C_0 = K\), several times that for a real network, which crosses earlier), and degree 1 is
gone by then (n above 2 d), at steps up to about 1/lambda_1.

Source: derived here, heuristically.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.arguments import check_choice
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.dynamics.law import Data, start_masses
from derivations.dynamics.loss import check_rate
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum.harmonics import Array, log_multiplicities, multiplicities
from derivations.spectrum.problem import Problem, problem

LOW = 2
"""Degrees 0 and 1 are resolved by all rows that are more than d + 1."""
MOST_CORRECTION = 0.4


@dataclass(frozen=True)
class CrossingEstimate:
    """The step at which two losses cross, about.

    Attributes
    ----------
    logarithm : float
        k_1.
    step : float
        After the correction, a real number: the first step with another order is the next integer.
    """

    logarithm: float
    step: float

    @property
    def reliable(self) -> bool:
        """Whether the correction is at most 40 % of k_1: where it is, few percent or one step were measured."""
        return abs(self.step / self.logarithm - 1) <= MOST_CORRECTION


def crossing_estimate(
    n: int,
    d: int,
    width: int,
    eta: float,
    data: Data = "gaussian",
    initial: str = "nngp",
    variance: float = 1.0,
    first: TwoLayer | str = "relu",
    second: TwoLayer | str = "reglu",
) -> CrossingEstimate | None:
    r"""Estimate where the expected losses of two networks on random rows and independent targets cross.

    Parameters
    ----------
    n, d, width : int
    eta : float
        The step size.
    data, initial, variance
        As for `derivations.dynamics.loss_law`.
    first, second : TwoLayer or str
        The second one has more energy beyond degree 1 and larger eigenvalues there, as with a gate more.

    Returns
    -------
    CrossingEstimate or None
        None where the argument gives no crossing: if the second network has not more energy and larger eigenvalues (as
        with ``initial="zero"``, where energies are equal), for d + 1 rows or fewer, at steps too long for its own estimate
        of lambda_1, and where eigenvalues beyond degree 1 vary so much that with the correction a loss would have grown.

    Raises
    ------
    InputError
        For arguments out of range.

    Source: derived here, heuristically.

    Examples
    --------
    >>> found = crossing_estimate(300, 20, 1000, eta=2.006e-5)
    >>> print(f"{found.logarithm:.1f} {found.step:.1f} {found.reliable}")  # on rows: k = 18
    14.1 18.2 True
    """
    check_choice(initial, "initial", INITIAL_OR_ZERO)
    if isinstance(variance, bool) or not 0 <= variance < np.inf:
        raise InputError(f"variance must be a number from 0 on, got {variance!r}")
    if n <= d + 1:
        return None
    plain, gated = (
        _Blocks.of(problem(network, n, d, width, data), initial, float(variance))
        for network in (first, second)
    )
    check_rate(eta, 0.0)
    stable = eta * max(plain.eigenvalues.max(), gated.eigenvalues.max()) < 2
    if not (stable and gated.energy > plain.energy > 0 and gated.mean > plain.mean):
        return None
    start = float(np.log(gated.energy / plain.energy) / (2 * eta * (gated.mean - plain.mean)))
    if any(eta * start * blocks.variance >= blocks.mean for blocks in (plain, gated)):
        return None
    (value, slope), (other, other_slope) = (blocks.at(start, eta) for blocks in (plain, gated))
    return CrossingEstimate(start, start - (value - other) / (slope - other_slope))


@dataclass(frozen=True)
class _Blocks:
    """A loss as its large eigenvalues, and the energy, mean and variance of all others."""

    eigenvalues: Array
    weights: Array
    energy: float
    mean: float
    variance: float

    @classmethod
    def of(cls, asked: Problem, initial: str, targets: float) -> _Blocks:
        if asked.is_coupled:
            raise InputError(
                f"data must be sphere for {asked.network.name}: its activation is not homogeneous"
            )
        expansion, n = asked.expansion, asked.n
        g, (h, rest) = expansion.masses, start_masses(asked, initial)
        counts = multiplicities(log_multiplicities(asked.d, len(g) - 1))
        ratios = n / counts
        e_1, e_2, e_3 = (_moment(asked, power) for power in (1, 2, 3))
        F, H = float(g[LOW:].sum()) + expansion.rest, float(h[LOW:].sum()) + rest
        g_h, g_g, g_g_h = (
            float(terms[LOW:].sum()) for terms in (g * h * ratios, g * g * ratios, g * g * h * ratios**2)
        )
        energy = targets + e_1 * H
        if energy == 0:  # a polynomial of degree 1, without targets
            return cls(e_1 * ratios[:LOW] * g[:LOW], n * e_1 * h[:LOW], 0.0, 0.0, 0.0)
        mean = (targets * e_1 * F + e_2 * F * H + e_1**2 * g_h) / energy
        square = targets * (e_2 * F**2 + e_1**2 * g_g)
        square += e_3 * F**2 * H + e_1 * e_2 * (2 * F * g_h + H * g_g) + e_1**3 * g_g_h
        # The large modes have their share of the higher degrees, too.
        weights = n * e_1 * h[:LOW] + counts[:LOW] * energy
        eigenvalues = e_1 * (ratios[:LOW] * g[:LOW] + F)
        left = n - float(counts[:LOW].sum())
        return cls(eigenvalues, weights, left * energy, mean, square / energy - mean**2)

    def at(self, k: float, eta: float) -> tuple[float, float]:
        """Twice the loss after k steps, and its derivative in k."""
        factors = np.abs(1 - eta * self.eigenvalues)
        kept = factors > 0
        logs = 2 * np.log(factors[kept])
        large = self.weights[kept] * np.exp(k * logs)
        x = 2 * eta
        small = self.energy * np.exp(-x * k * self.mean + (x * k) ** 2 * self.variance / 2)
        return float(large.sum() + small), float(
            large @ logs + small * (x**2 * k * self.variance - x * self.mean)
        )


def _moment(asked: Problem, power: int) -> float:
    r"""\(E[(|x|^2/d)^{hp}]\), the kernel homogeneous of degree h in each row."""
    if asked.data == "sphere":
        return 1.0
    return float(np.prod([1 + 2 * i / asked.d for i in range(asked.power * power)]))
