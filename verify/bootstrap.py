"""Intervals of statistics of samples by resampling the samples themselves."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap

from derivations.errors import InputError
from verify.activations import Array
from verify.streams import Seed, seed_sequence

RESAMPLES = 2000
"""An end of a 95 % interval then varies by a sixtieth of its length: sqrt(0.025 0.975 / 2000) over the normal density."""
FEWEST = 5
"""Samples: of 4 there are 35 different resamples, too few for ends that 2.5 % of them lie beyond."""


class Interval(NamedTuple):
    """An estimate and its interval; nan ends where a sample is not finite, or all resamples are worth the same."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the sign is certain, as far as the interval is."""
        return self.low > 0 or self.high < 0


def resampled(
    statistic: Callable[..., Array], samples: Sequence[Array], level: float = 0.95, rng: Seed = 0
) -> Interval:
    """Bias-corrected and accelerated interval of a statistic of paired samples.

    Parameters
    ----------
    statistic : callable
        Of as many arrays as there are samples, and `axis`.
    samples : sequence of (S,) float
        Drawn together: the same S are taken from each.
    level : float
    rng : int or numpy.random.SeedSequence

    Raises
    ------
    InputError
        If there are fewer than `FEWEST` samples.

    Source
    ------
    B. Efron, Better bootstrap confidence intervals, Journal of the American Statistical Association 82 (1987).

    Examples
    --------
    >>> found = resampled(np.mean, [np.arange(10.0)])
    >>> found.estimate, round(found.low), round(found.high)
    (4.5, 3, 6)
    """
    if len(samples[0]) < FEWEST:
        raise InputError(f"samples must be at least {FEWEST} for an interval, got {len(samples[0])}")
    estimate = float(statistic(*samples, axis=0))
    if not all(np.isfinite(sample).all() for sample in samples):
        return Interval(estimate, np.nan, np.nan)
    if all(np.ptp(sample) == 0 for sample in samples):
        return Interval(estimate, estimate, estimate)
    with warnings.catch_warnings():
        # A statistic that is the same for all resamples has nan ends: they are told by themselves.
        warnings.simplefilter("ignore")
        found = bootstrap(
            tuple(samples),
            statistic,
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            confidence_level=level,
            random_state=np.random.default_rng(seed_sequence(rng)),
        ).confidence_interval
    return Interval(estimate, float(found.low), float(found.high))
