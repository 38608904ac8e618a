r"""Which of two networks is ahead early: the exact region of n, d and m, in expectation over Gaussian rows.

To first order in \(\eta k\) the expected losses of two networks that fit the same Y differ by

\[ E[L_k - \tilde L_k] = \tfrac12\operatorname{Tr}(C_0 - \tilde C_0) - \eta k\,\big(\operatorname{Tr}[K C_0] -
   \operatorname{Tr}[\tilde K\tilde C_0] + Y^T(K - \tilde K)Y\big). \]

Over Gaussian rows \(E\operatorname{Tr}[K C_0] - E\operatorname{Tr}[\tilde K\tilde C_0] = n\,(A + (n-1)Q)\), A from the
diagonal and Q from pairs of rows. The first network is ahead at the start if \(E\operatorname{Tr}C_0\) is smaller; that
also its loss falls faster, whatever Y with \(Y^T(K-\tilde K)Y \ge 0\), takes \(A + (n-1)Q \ge 0\): for A < 0 that is
\(n \ge 1 - A/Q\) where Q > 0, and no n elsewhere.

Source: derived here; the statement that d >= 5 and n >= 300 are enough, Wen et al. 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sympy as sp
from mpmath import mp, mpf

from derivations.arguments import check_choice, check_positive_integer
from derivations.dynamics.initial import INITIAL, INITIAL_OR_ZERO, Initial, InitialOrZero
from derivations.dynamics.moments import expected_trace, expected_trace_with_outputs
from derivations.dynamics.region import DIGITS, EarlyRegion
from derivations.early_symbols import ratio
from derivations.errors import InputError
from derivations.learning_symbols import eta
from derivations.symbols import d, k, m, n


@dataclass(frozen=True)
class EarlyStage:
    r"""How the early losses of two networks compare, with the simplified kernels.

    Attributes
    ----------
    start : Expr
        \(E\operatorname{Tr}C_0 - E\operatorname{Tr}\tilde C_0\), twice the difference of the losses at the start.
    diagonal, pairs : Expr
        A and Q, in ``d`` and ``m``.
    """

    start: sp.Expr
    diagonal: sp.Expr
    pairs: sp.Expr

    @property
    def threshold(self) -> sp.Expr:
        """1 - A / Q: where Q > 0, the number of rows from which the first network's loss falls faster."""
        return 1 - self.diagonal / self.pairs

    @property
    def critical_width(self) -> sp.Expr:
        """The largest root of Q in the width, in ``d``: above it, where it is real, some n is enough."""
        top = sp.Poly(sp.fraction(sp.together(self.pairs))[0], m)
        square, slope, constant = (sp.factor(top.nth(i)) for i in (2, 1, 0))
        if square == 0:
            return -constant / slope
        return (-slope + sp.sqrt(sp.factor(slope**2 - 4 * square * constant))) / (2 * square)

    @property
    def wide(self) -> sp.Expr:
        """The threshold in the limit of large widths, in ``d``."""
        return sp.cancel(sp.limit(self.threshold, m, sp.oo))

    @property
    def proportional(self) -> sp.Expr:
        """Its limit as d and m = t d grow, in `ratio`, t."""
        return sp.expand(sp.limit(self.threshold.subs(m, ratio * d), d, sp.oo))

    def smallest_ratio(self, rows: int) -> sp.Expr:
        """The m / d from which so many rows are enough, as both grow.

        Parameters
        ----------
        rows : int
            At least 2: one row is not enough at any ratio.

        Raises
        ------
        InputError
            For fewer rows.
        """
        if check_positive_integer(rows, "rows") < 2:
            raise InputError(f"rows must be at least 2, got {rows}")
        # The limit falls in t, so that there is one root.
        (found,) = sp.solve(self.proportional - rows, ratio)
        return sp.sympify(found)

    @property
    def narrow(self) -> sp.Expr:
        """The limit of the threshold over d as d grows at a width, in ``m``."""
        return sp.cancel(sp.limit(self.threshold / d, d, sp.oo))

    def at(self, dimension: int) -> EarlyRegion:
        """A and Q at one d.

        Raises
        ------
        InputError
            If d is not a positive integer.
        """
        size = check_positive_integer(dimension, "d")
        a, b = (_at(part, size) for part in (self.diagonal, self.pairs))
        return EarlyRegion(a, b)

    def smallest_rows(self, dimension: int, width: int | None) -> int | None:
        """The smallest n at which it does, from there on at every n; None if there is none.

        Parameters
        ----------
        dimension : int
        width : int or None
            None in the limit of large widths.
        """
        return self.at(dimension).smallest_rows(width)


@cache
def _coefficients(part: sp.Expr) -> tuple[sp.Expr, ...]:
    """Of m^2, m and 1, in ``d``."""
    expanded = sp.expand(part)
    return tuple(sp.factor(expanded.coeff(m, power)) for power in (2, 1, 0))


def _at(part: sp.Expr, dimension: int) -> tuple[mpf, mpf, mpf]:
    with mp.workdps(DIGITS):
        square, slope, constant = (mpf(sp.N(c.subs(d, dimension), DIGITS)) for c in _coefficients(part))
    return square, slope, constant


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
    >>> stage.proportional, stage.narrow
    (1 + 2*pi**2/t + 3*pi**2/t**2, 12*pi**2/(-4 + pi**2))
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


def early_loss(name: str, initial: InitialOrZero = "kernel", variance: float | sp.Expr = 1) -> sp.Expr:
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
    check_choice(initial, "initial", INITIAL_OR_ZERO)
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
