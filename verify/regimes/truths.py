r"""What formulas are compared with on a map, and how well it is known.

Measured means have confidence intervals. The sharp law has none: beyond the rows of the largest dense kernels it was
compared with 6 draws of n = 500 and 1000 rows (both rungs and kinds of data, d from 2 to 300, m of 2, 50 and 1000), 100
Gaussian ones of 500, d from 20 to 50, and one of 3000, d of 20 and 30.
\(\lambda_1\) was off by at most 3 % beyond the draws' own scatter; \(\lambda_n\) by at most 5 % from d = 30 on, 13 % at
d = 20 and 27 % at d = 10, of simplified matrices on the sphere by 1 % at every d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from verify.claims.spectrum.cells import Spectra
from verify.claims.spectrum.laws import law
from verify.claims.spectrum.matrices import NETWORKS
from verify.claims.spectrum.orderings import condition_ahead
from verify.claims.spectrum.quantities import Quantity, Size, mean_of
from verify.regimes.interval import deviations, ratio_interval, share_interval

LARGEST_ERROR = 0.03
"""Of the law, relative."""
SMALLEST_ERRORS = ((30, 0.05), (20, 0.13))
"""From which d on the law's error of lambda_n is at most that; it is not used below."""

FLUCTUATION_ERROR = 1.5
"""By which factor the law may understate how much lambda_n varies from draw to draw."""
FAR = 3.0
"""Standard deviations, from which on the law's sign is that of nine of ten data sets."""


class Known(NamedTuple):
    """A true value.

    Attributes
    ----------
    value : float
        NaN where it is not known.
    error : float
        Its standard error; 0 by the law.
    low, high : float
        What it lies between: a confidence interval, or the law's error bounds.
    """

    value: float
    error: float
    low: float
    high: float


UNKNOWN = Known(np.nan, np.nan, np.nan, np.nan)


class Truth(Protocol):
    """What a formula speaks of; `rung` and `data` as in `verify.regimes.maps.regime_map`."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Whose kernels it needs."""
        ...

    def measured(self, rung: str, spectra: Spectra, alpha: float) -> Known:
        """Its mean over draws, in an interval that misses it with probability alpha."""
        ...

    def by_law(self, rung: str, size: Size, data: str) -> Known:
        """Its value by the sharp law, `UNKNOWN` where that is not reliable."""
        ...


@dataclass(frozen=True)
class Eigenvalue:
    """An eigenvalue or a difference of two, on average over the data."""

    quantity: Quantity

    @property
    def networks(self) -> tuple[str, ...]:
        return self.quantity.networks

    def measured(self, rung: str, spectra: Spectra, alpha: float) -> Known:
        values = self.quantity.measured(rung, spectra)
        mean, (below, above) = mean_of(values), deviations(values, alpha)
        return Known(mean.mean, mean.error, mean.mean - below, mean.mean + above)

    def by_law(self, rung: str, size: Size, data: str) -> Known:
        value = self.quantity.by_law(rung, size, data)
        # A sum of absolute errors: those of two networks on the same rows need not cancel.
        bound = sum(
            law_error(rung, name, self.quantity.end, size, data) * getattr(ends, self.quantity.end)
            for name in self.quantity.networks
            for ends in [law(rung, name, *size, data)]
        )
        return Known(value, 0.0, value - bound, value + bound) if np.isfinite(bound) else UNKNOWN


@dataclass(frozen=True)
class SmallestAdvantage:
    r"""\(E\lambda_n(\tilde K)/E\lambda_n(K)\), above 1 where the gated kernel is ahead."""

    networks = NETWORKS

    def measured(self, rung: str, spectra: Spectra, alpha: float) -> Known:
        plain, gated = (spectra.smallest(rung, name) for name in NETWORKS)
        if not plain.any() or not gated.any():
            # Kernels of networks with fewer weights than rows are singular.
            value = np.inf if gated.any() else 0.0 if plain.any() else np.nan
            return Known(value, 0.0, value, value)
        value = float(gated.mean() / plain.mean())
        # The delta method, for draws are paired.
        error = value * mean_of(gated / gated.mean() - plain / plain.mean()).error
        return Known(value, error, *ratio_interval(gated, plain, alpha))

    def by_law(self, rung: str, size: Size, data: str) -> Known:
        plain, gated = (law(rung, name, *size, data).smallest for name in NETWORKS)
        bound = sum(law_error(rung, name, "smallest", size, data) for name in NETWORKS)
        known = np.isfinite(bound) and min(plain, gated) > 0
        return _exponential(float(np.log(gated / plain)), 0.0, (bound, bound)) if known else UNKNOWN


@dataclass(frozen=True)
class ShareAhead:
    r"""The share of data sets with \(\lambda_n(\tilde K) > \lambda_n(K)\).

    Means say little of it: few data sets with a large \(\lambda_n(\tilde K)\) make the ratio of means large. By the law it is
    known where the logarithms differ by `FAR` of their difference's standard deviations beyond the law's errors: by
    Cantelli's inequality at most 1/(1 + k^2) of any law is k of them on one side of its mean.
    """

    networks = NETWORKS

    def measured(self, rung: str, spectra: Spectra, alpha: float) -> Known:
        plain, gated = (spectra.smallest(rung, name) for name in NETWORKS)
        if not plain.any() and not gated.any():
            return UNKNOWN
        draws, ahead = len(plain), int(np.sum(gated > plain))
        share = ahead / draws
        return Known(share, float(np.sqrt(share * (1 - share) / draws)), *share_interval(ahead, draws, alpha))

    def by_law(self, rung: str, size: Size, data: str) -> Known:
        plain, gated = (law(rung, name, *size, data) for name in NETWORKS)
        bound = sum(law_error(rung, name, "smallest", size, data) for name in NETWORKS)
        # Short rows lower both eigenvalues, whose correlation is 0.7 to 0.9 at n = 300 and d = 20 to 100: independent ones
        # would differ by more.
        spread = FLUCTUATION_ERROR * np.hypot(plain.fluctuation, gated.fluctuation)
        if not np.isfinite(bound + spread) or min(plain.smallest, gated.smallest) <= 0:
            return UNKNOWN
        logarithm = float(np.log(gated.smallest / plain.smallest))
        beyond = abs(logarithm) - bound
        if beyond < FAR * spread:
            return UNKNOWN
        rest = float(spread**2 / (spread**2 + beyond**2))
        return Known(1.0, 0.0, 1 - rest, 1.0) if logarithm > 0 else Known(0.0, 0.0, 0.0, rest)


@dataclass(frozen=True)
class ConditionAdvantage:
    r"""cond(K)/cond(K~), the geometric mean over the data, above 1 where the gated kernel is ahead.

    Not known where a condition number is infinite to rounding in some draw.
    """

    networks = NETWORKS

    def measured(self, rung: str, spectra: Spectra, alpha: float) -> Known:
        ahead = condition_ahead(rung, spectra)
        if not np.isfinite(ahead).all():
            return UNKNOWN
        mean = mean_of(ahead)
        return _exponential(mean.mean, mean.error, deviations(ahead, alpha))

    def by_law(self, rung: str, size: Size, data: str) -> Known:
        plain, gated = (law(rung, name, *size, data) for name in NETWORKS)
        bound = sum(
            law_error(rung, name, end, size, data) for name in NETWORKS for end in ("smallest", "largest")
        )
        if not np.isfinite(bound) or min(plain.smallest, gated.smallest) <= 0:
            return UNKNOWN
        value = float(np.log(plain.largest / plain.smallest) - np.log(gated.largest / gated.smallest))
        return _exponential(value, 0.0, (bound, bound))


def law_error(rung: str, name: str, end: str, size: Size, data: str) -> float:
    """What the law's relative error is at most; infinite where it is not to be used.

    Examples
    --------
    >>> [law_error("exact", "relu", "smallest", (1000, d, 100), "sphere") for d in (10, 20, 50)]
    [inf, 0.13, 0.05]
    """
    if end == "largest":
        return LARGEST_ERROR
    if not law(rung, name, *size, data).reliable:
        return np.inf
    if (rung, data) == ("simplified", "sphere"):
        return SMALLEST_ERRORS[0][1]
    return next((error for dimension, error in SMALLEST_ERRORS if size[1] >= dimension), np.inf)


def _exponential(logarithm: float, error: float, bars: tuple[float, float]) -> Known:
    """A positive value from its logarithm, and how far that may lie below and above."""
    value, low, high = (float(x) for x in np.exp([logarithm, logarithm - bars[0], logarithm + bars[1]]))
    return Known(value, value * error, low, high)
