r"""A lower bound of the smallest eigenvalue for independent uniform rows of the sphere, without the rows.

The degrees up to L of \(f = \sum_k g_kQ_k\) are positive semidefinite and left out. What remains is \(f_{>L}(1)I + H\) with
\(h = f_{>L}\) off the diagonal, and by Markov's inequality for \(\operatorname{tr}H^4 \ge \|H\|^4\)

\[ \lambda_n \ge \max_L\Big\{ f_{>L}(1) - (T_L/p)^{1/4} \Big\} \quad\text{with probability } 1 - p, \]
\[ T_L = \frac{n!}{(n-4)!}\sum_{k>L}\frac{g_k^4}{N_k^3} + 2\frac{n!}{(n-3)!}(\mathbb E h^2)^2
   + \frac{n!}{(n-2)!}\mathbb E h^4,\qquad \mathbb E h^2 = \sum_{k>L}\frac{g_k^2}{N_k}, \]

for every L, and for the best, which is chosen without looking at the rows.

Source: derived here (`derivations.spectrum.bounds.data_free_theorem`).
"""

from __future__ import annotations

import numpy as np

from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum.gegenbauer import DEGREES_PER_PANEL, GegenbauerExpansion, angular_rule
from derivations.spectrum.harmonics import Array, zonal
from derivations.spectrum.problem import problem

MOST_DEGREES = 300
MARGIN = 1e-9
"""Relative, for quadrature and sums that are right to about 1e-12."""


def data_free_bound(
    network: TwoLayer | str, n: int, d: int, width: int | None = None, probability: float = 0.99
) -> float:
    r"""What the smallest eigenvalue is at least, with this probability, of n uniform rows of the sphere \(|x|^2 = d\).

    Parameters
    ----------
    network : TwoLayer or str
    n, d, width
        As for `derivations.spectrum.spectrum_law`.
    probability : float
        Above 0 and below 1.

    Returns
    -------
    float
        0 where the bound says nothing.

    Raises
    ------
    InputError
        As `derivations.spectrum.spectrum_law`, and for a probability out of range.

    Examples
    --------
    >>> print(f"{data_free_bound('relu', n=100, d=100, width=1000):.1f}")
    19.1
    """
    if isinstance(probability, bool) or not 0 < probability < 1:
        raise InputError(f"probability must be above 0 and below 1, got {probability!r}")
    expansion = problem(network, n, d, width).expansion
    tails, traces = fourth_moments(expansion, n)
    with np.errstate(over="ignore"):
        bounds = tails * (1 - MARGIN) - (traces * (1 + MARGIN) / (1 - probability)) ** 0.25
    return max(0.0, float(np.max(bounds)))


def fourth_moments(expansion: GegenbauerExpansion, n: int) -> tuple[Array, Array]:
    r"""The \(f_{>L}(1)\) and upper bounds of \(\mathbb E\operatorname{tr}H^4\), L = -1, 0, ... : (K + 1,) float each.

    Examples
    --------
    >>> circle = GegenbauerExpansion(2, np.array([0.0, 1.0]), np.log([1.0, 2.0]), 0.0)
    >>> tails, traces = fourth_moments(circle, 5)  # h = cos: 120 / 8 + 2 60 / 4 + 20 3 / 8
    >>> tails, traces.round(9)
    (array([1., 1.]), array([52.5, 52.5]))
    """
    degrees = min(expansion.degrees, MOST_DEGREES)
    d, logarithms = expansion.d, expansion.log_multiplicities[: degrees + 1]
    masses = expansion.masses[: degrees + 1]
    rest = expansion.rest + float(np.sum(expansion.masses[degrees + 1 :]))
    # What is beyond the degrees that are followed counts as one of the last.
    last = float(logarithms[-1])
    tails = _from_the_end(masses) + rest
    second = _from_the_end(masses**2 * np.exp(-logarithms)) + rest**2 * np.exp(-last)
    cycles = _from_the_end(masses**4 * np.exp(-3 * logarithms)) + rest**4 * np.exp(-3 * last)
    t, root = angular_rule(d, 4 + 4 * degrees // DEGREES_PER_PANEL)
    fourth = np.zeros(degrees + 1)
    for side in (t, -t):
        h = _from_the_end(masses[:, None] * zonal(d, degrees, side))
        fourth += h**4 @ root**2 / 2
    # Minkowski's inequality in L^4; the rest is at most its mass.
    fourth = (fourth**0.25 + rest * np.exp(-last / 4)) ** 4
    pairs = float(n) * (n - 1)
    return tails, pairs * (n - 2) * (n - 3) * cycles + 2 * pairs * (n - 2) * second**2 + pairs * fourth


def _from_the_end(values: Array) -> Array:
    """Sums of the terms from each on."""
    return np.cumsum(values[::-1], axis=0)[::-1]
