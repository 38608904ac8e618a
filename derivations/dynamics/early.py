r"""Which of two networks is ahead early: the exact region of n, d and m, in expectation over Gaussian rows.

To first order in \(\eta k\) the expected losses of two networks that fit the same Y differ by

\[ E[L_k - \tilde L_k] = \tfrac12\operatorname{Tr}(C_0 - \tilde C_0) - \eta k\,\big(\operatorname{Tr}[K C_0] -
   \operatorname{Tr}[\tilde K\tilde C_0] + Y^T(K - \tilde K)Y\big). \]

Over Gaussian rows \(E\operatorname{Tr}[K C_0] - E\operatorname{Tr}[\tilde K\tilde C_0] = n\,(A + (n-1)B)\), A from the
diagonal and B from pairs of rows. The first network is ahead at the start if \(E\operatorname{Tr}C_0\) is smaller; that
also its loss falls faster, whatever Y with \(Y^T(K-\tilde K)Y \ge 0\), takes \(A + (n-1)B \ge 0\): for A < 0 that is
\(n \ge 1 - A/B\) where B > 0, and no n elsewhere.

Source: derived here; the statement that d >= 5 and n >= 300 are enough, Wen et al. 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import sympy as sp

from derivations.arguments import check_choice, check_positive_integer
from derivations.dynamics.moments import expected_trace, expected_trace_with_outputs
from derivations.learning_symbols import eta
from derivations.networks import network
from derivations.spectrum.gegenbauer import both_masses, both_moments, times_cosine
from derivations.spectrum.harmonics import Array, log_multiplicities
from derivations.symbols import d, k, m, n

Initial = Literal["kernel", "nngp"]
INITIAL = ("kernel", "nngp")
DEGREES = 400
"""Of the exact kernels: even on the circle g_k falls like k^-2, and what is beyond of the sum of squares below 1e-7."""


@dataclass(frozen=True)
class EarlyStage:
    r"""How the early losses of two networks compare, with the simplified kernels.

    Attributes
    ----------
    start : Expr
        \(E\operatorname{Tr}C_0 - E\operatorname{Tr}\tilde C_0\), twice the difference of the losses at the start.
    diagonal, pairs : Expr
        A and B, in ``d`` and ``m``.
    """

    start: sp.Expr
    diagonal: sp.Expr
    pairs: sp.Expr

    @property
    def threshold(self) -> sp.Expr:
        """1 - A / B: where B > 0, the number of rows from which the first network's loss falls faster."""
        return 1 - self.diagonal / self.pairs

    def smallest_rows(self, dimension: int, width: int | None) -> int | None:
        """The smallest n at which it does, from there on at every n; None if there is none.

        Parameters
        ----------
        dimension : int
        width : int or None
            None in the limit of large widths.
        """
        diagonal, pairs = (self._at(part, dimension, width) for part in (self.diagonal, self.pairs))
        if not pairs > 0:
            return None
        return max(1, int(sp.ceiling(1 - diagonal / pairs)))

    def _at(self, part: sp.Expr, dimension: int, width: int | None) -> sp.Expr:
        check_positive_integer(dimension, "d")
        if width is None:
            leading = max(sp.degree(e, m) for e in (self.diagonal, self.pairs))
            return sp.expand(part).coeff(m, leading).subs(d, dimension)
        return part.subs({d: dimension, m: check_positive_integer(width, "width")})


@cache
def early_stage(initial: Initial = "kernel", first: str = "relu", second: str = "reglu") -> EarlyStage:
    r"""The comparison of two networks with the simplified kernels.

    Parameters
    ----------
    initial : str
        What the covariance of the outputs at the start is: ``"kernel"``, K itself (the model linear in parameters of
        unit variance), or ``"nngp"``, that of a real network.
    first, second : str
        Networks of `expected_trace`.

    Raises
    ------
    InputError
        As `expected_trace`, and for another `initial`.

    Source: derived here.

    Examples
    --------
    >>> stage = early_stage("kernel")
    >>> sp.factor(stage.start)
    -n*(d**2 + 4*d + 2*m)/(2*d)
    >>> [stage.smallest_rows(5, width) for width in (1, 10, 100, None)]
    [None, None, 85, 61]
    """
    check_choice(initial, "initial", INITIAL)
    order = INITIAL.index(initial)
    start = _difference(first, second, order, 0)
    slope = sp.Poly(sp.expand(_difference(first, second, order, 1) / n), n)
    pairs = slope.coeff_monomial(n)
    return EarlyStage(start, sp.expand(slope.coeff_monomial(1) + pairs), pairs)


def _difference(first: str, second: str, order: int, power: int) -> sp.Expr:
    """Of the expectations of Tr K^p C_0."""
    if order:
        return sp.expand(
            expected_trace_with_outputs(first, power) - expected_trace_with_outputs(second, power)
        )
    return sp.expand(expected_trace(first, power + 1) - expected_trace(second, power + 1))


def exact_smallest_rows(
    dimension: int, width: int | None, initial: Initial = "kernel", first: str = "relu", second: str = "reglu"
) -> int | None:
    r"""As `EarlyStage.smallest_rows`, of the exact kernels: A is the same, B that of all degrees.

    With the masses \(g_k\) of the kernel in spherical harmonics, of \(\Phi\) and \(\Psi\) in \(K = m\Phi + \Psi\), pairs
    of independent directions have \(E[fh] = \sum_k f_k h_k/N_k\), and the lengths factor out.

    Parameters
    ----------
    dimension : int
        At least 2.
    width : int or None
        None in the limit of large widths.
    initial, first, second : str
        As for `early_stage`.

    Raises
    ------
    InputError
        As `early_stage`.

    Source: derived here.

    Examples
    --------
    >>> [exact_smallest_rows(5, width) for width in (1, 100, None)]
    [None, 84, 59]
    """
    diagonal, pairs = (
        np.array(one) - np.array(other)
        for one, other in zip(*(exact_squares(name, dimension) for name in (first, second)), strict=True)
    )
    # Of m^2, m, 1; d/dm over 2 for the covariance of the outputs.
    check_choice(initial, "initial", INITIAL)
    if width is None:
        powers = np.array([1.0, 0.0, 0.0])
    elif initial == "kernel":
        powers = np.array([float(width) ** 2, width, 1.0])
    else:
        powers = np.array([width, 0.5, 0.0])
    if not powers @ pairs > 0:
        return None
    return max(1, int(np.ceil(1 - (powers @ diagonal) / (powers @ pairs))))


def exact_squares(name: str, dimension: int) -> tuple[Array, Array]:
    r"""\(E K_{ii}^2\) and \(E K_{ij}^2\) over Gaussian rows, as coefficients of m^2, m and 1 : (3,) float each.

    Examples
    --------
    >>> on, off = exact_squares("relu", 3)
    >>> on  # (m + d)^2/4 (1 + 2/d)
    array([0.41666667, 2.5       , 3.75      ])
    """
    described = network(name)
    gates, activation = described.gates, described.activation
    value, slope = both_masses(activation, dimension, DEGREES + 1 + gates)
    value_total, slope_total = both_moments(activation, dimension)
    readout = np.append(value, 0.0)
    gradient = dimension * (gates * readout + times_cosine(slope, dimension))
    for _ in range(gates):
        readout, gradient = times_cosine(readout, dimension), times_cosine(gradient, dimension)
    size = min(len(readout), len(gradient), DEGREES + 1)
    shares = np.exp(-log_multiplicities(dimension, size - 1))
    totals = value_total, dimension * (gates * value_total + slope_total)
    lengths = [
        float(np.prod([1 + 2 * i / dimension for i in range(power)]))
        for power in (gates + 1, 2 * (gates + 1))
    ]
    f, h = readout[:size], gradient[:size]
    off = np.array([np.sum(f * f * shares), 2 * np.sum(f * h * shares), np.sum(h * h * shares)])
    on = np.array([totals[0] ** 2, 2 * totals[0] * totals[1], totals[1] ** 2])
    return on * lengths[1], off * lengths[0] ** 2


def early_loss(
    name: str, initial: Initial | Literal["zero"] = "kernel", variance: float | sp.Expr = 1
) -> sp.Expr:
    r"""The expected loss to second order in \(\eta k\), over Gaussian rows and independent targets of this variance.

    \[ E L_k \approx \tfrac12 \sum_{p\le 2} {2k \choose p} (-\eta)^p \left(E\operatorname{Tr}[K^p C_0] +
       \sigma^2 E\operatorname{Tr}K^p\right) \]

    Parameters
    ----------
    name : str
        A network of `expected_trace`.
    initial : str
        As for `early_stage`, or ``"zero"`` for \(f_0 = 0\).
    variance : number or Expr
        \(\sigma^2\).

    Returns
    -------
    Expr
        In ``eta``, ``k``, ``n``, ``d`` and ``m``.

    Source: derived here.

    Examples
    --------
    >>> early_loss("relu", "zero").subs(eta, 0)
    n/2
    >>> sp.factor(early_loss("relu", "zero").coeff(eta, 1))
    -k*n*(d + m)/2
    """
    check_choice(initial, "initial", (*INITIAL, "zero"))
    total = sp.S.Zero
    for power in range(3):
        labels = expected_trace(name, power) if power else n
        term = sp.sympify(variance) * labels
        if initial == "kernel":
            term += expected_trace(name, power + 1)
        elif initial == "nngp":
            term += expected_trace_with_outputs(name, power)
        choices = (sp.S.One, 2 * k, k * (2 * k - 1))[power]
        total += choices * (-eta) ** power * sp.expand(term) / 2
    return sp.expand(total)
