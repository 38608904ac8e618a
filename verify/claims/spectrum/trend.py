r"""Whether a ratio tends to 1 along sizes that grow at fixed ratios: its logarithm has to fall like a power of d.

\[ |L| \approx C\, d^{\,b},\qquad L = \log(\text{stated} / \text{true}); \]

of a bound, L counts where the bound is violated. Along a ladder of sizes the statement holds if |L| at the largest size
is within `MARGIN`, or fell at least with the exponent `RATE`; it fails if |L| is beyond the margin and its error bar, and
did not fall so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verify.claim import Verdict
from verify.claims.spectrum.quantities import RATIO, UPPER, Size

MARGIN = 0.1
RATE = -0.25
"""Lengths of rows, whose spread is like sqrt(log n / d), leave local exponents of about -0.45: half of those."""
_LIKELY, _SURE = 2.0, 3.0
"""Standard errors that a fall, and the lack of one, have to exceed."""


@dataclass(frozen=True)
class Point:
    """A ratio at one size.

    Attributes
    ----------
    size : (int, int, int)
    stated, true : float
    relation : str
        `RATIO`, `LOWER` or `UPPER`.
    error, half_width : float
        Standard error of log(true), and its confidence interval's half-width; 0 where computed.
    """

    size: Size
    stated: float
    true: float
    relation: str = RATIO
    error: float = 0.0
    half_width: float = 0.0

    @property
    def log_ratio(self) -> float:
        """log(stated / true), infinite where one of them is not positive."""
        if min(self.stated, self.true) <= 0:
            return -np.inf if self.stated <= 0 else np.inf
        return float(np.log(self.stated / self.true))

    def range(self, half_width: float = 0.0) -> tuple[float, float]:
        """How far off it is, at least and at most, if log(true) is known to +- half_width.

        Examples
        --------
        >>> Point((2, 1, 1), 1.0, np.exp(0.5), UPPER).range(0.125)
        (0.375, 0.625)
        """
        off = self.log_ratio
        if self.relation == RATIO:
            return max(0.0, abs(off) - half_width), abs(off) + half_width
        violation = -off if self.relation == UPPER else off
        return max(0.0, violation - half_width), max(0.0, violation + half_width)

    @property
    def off(self) -> float:
        """|L|."""
        return self.range()[0]

    @property
    def is_off(self) -> bool:
        """Whether it lies beyond the margin and its error bar."""
        return self.range(self.half_width)[0] > MARGIN

    def __str__(self) -> str:
        n, d, m = self.size
        bar = f" +- {abs(self.true) * self.error:.2g}" if self.error else ""
        word = "stated" if self.relation == RATIO else f"stated {self.relation} bound"
        return f"n = {n}, d = {d}, m = {m}: {word} {self.stated:.4g}, true {self.true:.4g}{bar}"


@dataclass(frozen=True)
class Trend:
    """The verdict on one ladder, and the exponent b (NaN where nothing is off)."""

    verdict: Verdict
    points: tuple[Point, ...]
    slope: float


def trend(points: Sequence[Point]) -> Trend:
    """Judge points of one ladder, smallest size first: the last against the first, or the last two if computed.

    Examples
    --------
    >>> points = [Point((2 * d, d, d), 1 + d**-0.5, 1.0) for d in (10, 100)]
    >>> found = trend(points)
    >>> found.verdict, round(found.slope, 2)
    (<Verdict.CONFIRMED: 'CONFIRMED'>, -0.46)
    >>> trend([Point((2 * d, d, d), 1.5, 1.0) for d in (10, 100)]).verdict
    <Verdict.REFUTED: 'REFUTED'>
    """
    points = tuple(points)
    last = points[-1]
    # What is computed has no noise, and exponents at small sizes are not yet those at large ones.
    first = points[0] if any(point.error for point in points) else points[-2]
    growth = last.size[1] / first.size[1]
    slope = np.log(last.off / first.off) / np.log(growth) if min(last.off, first.off) > 0 else np.nan
    kept = growth**RATE
    # Negative where it fell enough.
    lag = last.off - kept * first.off
    noise = float(np.hypot(last.error, kept * first.error))
    if last.range(_LIKELY * last.error)[1] <= MARGIN or lag + _LIKELY * noise < 0:
        verdict = Verdict.CONFIRMED
    elif last.is_off and lag - _SURE * noise > 0:
        verdict = Verdict.REFUTED
    else:
        verdict = Verdict.INCONCLUSIVE
    return Trend(verdict, points, float(slope))


def together(*verdicts: Verdict) -> Verdict:
    """The verdict on a statement of several parts.

    Examples
    --------
    >>> str(together(Verdict.CONFIRMED, Verdict.INCONCLUSIVE))
    'INCONCLUSIVE'
    """
    return min(verdicts, key=(Verdict.REFUTED, Verdict.INCONCLUSIVE, Verdict.CONFIRMED).index)
