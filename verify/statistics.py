"""How a measurement judges a claim: intervals, slopes and the run's error rate.

A check is only as good as two numbers, and every function here serves one of them: how often a true claim
would be refuted, and how small a discrepancy a false one may hide. SciPy is imported inside the functions:
the command line answers ``--help`` without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array
from verify.inputs import check_positive_integer, shown


class SlopeFit(NamedTuple):
    """Outcome of `fit_slope`: y = intercept + slope x, the slope known to +- half_width."""

    slope: float
    half_width: float
    intercept: float


@dataclass(frozen=True)
class ErrorBudget:
    """A run-wide false-alarm rate, split evenly over the run's checks (Bonferroni).

    Attributes
    ----------
    alpha : float
        Probability, at most, that a run refutes anything true; 0 < alpha < 1.
    parts : int
        Number of checks that share it.

    Examples
    --------
    >>> budget = ErrorBudget(alpha=0.01, parts=50)
    >>> budget.share, round(budget.deviations, 3), budget.split(10).share
    (0.0002, 3.719, 2e-05)
    """

    alpha: float
    parts: int = 1

    def __post_init__(self) -> None:
        check_rate(self.alpha, "alpha")
        check_positive_integer(self.parts, "parts")

    @property
    def share(self) -> float:
        """The false-alarm rate of one check."""
        return self.alpha / self.parts

    @property
    def deviations(self) -> float:
        """Standard deviations beyond which a normal variate falls, two-sided, at the rate of one check."""
        return _normal_quantile(self.share)

    def split(self, parts: int) -> ErrorBudget:
        """The budget of one check that consists of several."""
        return ErrorBudget(self.share, parts)


def fit_slope(x: ArrayLike, y: ArrayLike, sigma: ArrayLike | None = None, level: float = 0.95) -> SlopeFit:
    r"""Fit a line by weighted least squares, with a confidence interval of its slope.

    .. math:: \hat b = \frac{\sum_i w_i (x_i - \bar x) y_i}{S}, \qquad S = \sum_i w_i (x_i - \bar x)^2,
              \qquad w_i = \sigma_i^{-2}

    Known standard deviations give the half-width :math:`q / \sqrt S` with a normal quantile q. Unknown but
    equal ones are estimated from the residuals, with a Student quantile of p - 2 degrees of freedom.

    Parameters
    ----------
    x, y : (p,) float
        At least two different x; without `sigma` at least three points.
    sigma : float or (p,) float, optional
        Standard deviations of y, positive.
    level : float
        Confidence level of the interval.

    Returns
    -------
    SlopeFit

    Raises
    ------
    InputError
        If there are too few points, or a standard deviation is not positive.

    Source
    ------
    Gauss and Markov; any textbook on linear regression.

    Examples
    --------
    >>> fit_slope([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], sigma=0.5)
    SlopeFit(slope=2.0, half_width=0.692..., intercept=1.0)
    """
    from scipy.special import stdtrit

    check_rate(level, "level")
    abscissae = check_vector(x, "x")
    values = check_vector(y, "y", abscissae.size)
    if abscissae.size < (2 if sigma is not None else 3) or np.ptp(abscissae) == 0.0:
        raise InputError(
            f"x must hold at least two different points, and three without sigma, got {shown(abscissae)}"
        )
    deviations = np.broadcast_to(np.asarray(1.0 if sigma is None else sigma, np.float64), abscissae.shape)
    if not (deviations > 0.0).all():
        raise InputError(f"sigma must be positive, got {shown(deviations)}")
    weights = deviations**-2.0
    center = np.average(abscissae, weights=weights)
    spread = float(weights @ np.square(abscissae - center))
    slope = float((weights * (abscissae - center)) @ values) / spread
    intercept = float(np.average(values, weights=weights) - slope * center)
    if sigma is not None:
        return SlopeFit(slope, _normal_quantile(1.0 - level) / sqrt(spread), intercept)
    residuals = values - intercept - slope * abscissae
    degrees = abscissae.size - 2
    scale = sqrt(float(residuals @ residuals) / degrees)
    return SlopeFit(slope, float(stdtrit(degrees, (1.0 + level) / 2.0)) * scale / sqrt(spread), intercept)


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    r"""Interval for a probability from k successes in n trials that covers it at least at the given level.

    .. math:: \big[B^{-1}_{\alpha/2}(k, n - k + 1),\ B^{-1}_{1 - \alpha/2}(k + 1, n - k)\big], \qquad
              \alpha = 1 - \text{level}

    with B the regularised incomplete beta function.

    Raises
    ------
    InputError
        Unless 0 <= k <= n, n >= 1 and 0 < level < 1.

    Source
    ------
    C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits illustrated in the case of the
    binomial, Biometrika 26 (1934).

    Examples
    --------
    >>> low, high = clopper_pearson(0, 100)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    from scipy.special import betaincinv

    check_rate(level, "level")
    check_positive_integer(n, "n")
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k <= n:
        raise InputError(f"k must be an integer from 0 to n = {n}, got {shown(k)}")
    tail = (1.0 - level) / 2.0
    low = float(betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, n - k, 1.0 - tail)) if k < n else 1.0
    return low, high


def check_vector(values: ArrayLike, name: str, size: int | None = None) -> Array:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or (size is not None and vector.size != size) or not np.isfinite(vector).all():
        expected = "a finite vector" if size is None else f"a finite vector of length {size}"
        raise InputError(f"{name} must be {expected}, got shape {vector.shape}")
    return vector


def check_rate(value: float, name: str) -> None:
    if not 0.0 < value < 1.0:
        raise InputError(f"{name} must lie strictly between 0 and 1, got {shown(value)}")


def _normal_quantile(two_sided: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri(two_sided / 2.0))
