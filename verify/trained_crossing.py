r"""The step from which on one kind of trained network stays ahead of another, with an interval.

Both kinds are trained with the same streams of random numbers, so that network s of the one and network s of the other share
weights and their difference varies less than either. The mean \(D(k)\) of the differences changes its sign for the last time
at the crossing; the networks are drawn again, with replacement, for its percentile interval.

Source: B. Efron 1979, "Bootstrap methods: another look at the jackknife"; what is resampled is derived here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from derivations.errors import InputError
from verify.activations import Array
from verify.statistics import check_rate
from verify.streams import Seed, seed_sequence
from verify.training import TrainedLosses

RESAMPLES = 2000
"""Of a 95 % interval, 50 are beyond each end: known to a seventh of that."""
BLOCK = 50
"""Resamples at a time: a resample has a number for every network."""
ROUNDED = 64 * np.finfo(float).eps
"""Relative to both losses, and squared to those at first: a smaller difference says nothing."""


@dataclass(frozen=True)
class TrainedCrossing:
    """Where the order of two mean losses changes for the last time.

    Attributes
    ----------
    step : int
        The first step, of those at which losses were taken, from which on the order is that of the last one.
    low, high : float, optional
        The interval's ends: 0 from the start on, infinite not within the steps trained. None of single networks.
    ahead : int
        From then on: -1 if the first loss is the smaller one, 1 if the second one is.
    """

    step: int
    low: float | None
    high: float | None
    ahead: int


def trained_crossing(
    first: TrainedLosses, second: TrainedLosses, rng: Seed = 0, level: float = 0.95
) -> TrainedCrossing | None:
    """The last crossing of the mean losses of two kinds of networks, None if their order never changes.

    Parameters
    ----------
    first, second : TrainedLosses
        Of the same steps, and of networks with the same streams (`verify.training.train` with the same `rng`).
    rng : int or numpy.random.SeedSequence
        Of the resampling.
    level : float
        Of the interval.

    Raises
    ------
    InputError
        If the losses are of other steps or another number of networks, or the level is none.

    Examples
    --------
    >>> steps, none = (0, 1, 2, 3), np.zeros((2, 0))
    >>> slow = TrainedLosses(steps, np.array([[8.0, 6, 5, 4], [9.0, 7, 6, 5]]), none)
    >>> fast = TrainedLosses(steps, np.array([[9.0, 7, 3, 1], [9.5, 7.5, 6.5, 1]]), none)
    >>> trained_crossing(slow, fast)
    TrainedCrossing(step=2, low=2.0, high=3.0, ahead=1)
    """
    check_rate(level, "level")
    differences, rounding = _paired(first, second)
    told = np.flatnonzero(np.abs(differences.mean(axis=0)) > rounding)
    if not len(told):
        return None
    # After that both have arrived, and rounding decides.
    differences = differences[:, : told[-1] + 1]
    mean = differences.mean(axis=0)
    ahead = int(np.sign(mean[-1]))
    step = _last_change(mean, first.steps, ahead)
    if step == first.steps[0]:
        return None
    seeds = len(differences)
    if seeds == 1:
        return TrainedCrossing(int(step), None, None, ahead)
    stream = np.random.default_rng(seed_sequence(rng))
    drawn = [
        stream.multinomial(seeds, np.full(seeds, 1 / seeds), min(BLOCK, RESAMPLES - start)) @ differences
        for start in range(0, RESAMPLES, BLOCK)
    ]
    found = np.sort(_last_change(np.concatenate(drawn), first.steps, ahead))
    beyond = int((1 - level) / 2 * RESAMPLES)
    return TrainedCrossing(int(step), float(found[beyond]), float(found[-1 - beyond]), ahead)


def surely_ahead(
    first: TrainedLosses, second: TrainedLosses, steps: Sequence[int], level: float = 0.95
) -> tuple[int, ...]:
    r"""Who has the smaller mean loss at each of the steps, as far as the paired differences are sure of it.

    Of S networks each, with differences of mean D and standard error s, that one is ahead where

    \[ |D| > t_{S-1}\Big(1 - \frac{1-p}{2q}\Big)\,s, \]

    at all q steps together with probability p (Student's intervals, with Bonferroni's bound).

    Parameters
    ----------
    first, second : TrainedLosses
        As of `trained_crossing`.
    steps : sequence of int
        Of those at which losses were taken.
    level : float
        p.

    Returns
    -------
    (q,) int
        -1 where the first mean is surely smaller, 1 where the second one is, 0 where that is not sure: of single networks
        nothing is, and of equal losses.

    Raises
    ------
    InputError
        As `trained_crossing`.

    Examples
    --------
    >>> none = np.zeros((3, 0))
    >>> slow = TrainedLosses((0, 1), np.array([[8.0, 6.0], [9.0, 7.0], [9.0, 7.1]]), none)
    >>> fast = TrainedLosses((0, 1), np.array([[8.5, 4.0], [8.0, 5.1], [9.0, 5.0]]), none)
    >>> surely_ahead(slow, fast, (0, 1))
    (0, 1)
    """
    check_rate(level, "level")
    differences, rounding = _paired(first, second)
    seeds = len(differences)
    if seeds == 1:
        return (0,) * len(steps)
    at = [first.steps.index(step) for step in steps]
    mean = differences[:, at].mean(axis=0)
    error = differences[:, at].std(axis=0, ddof=1) / np.sqrt(seeds)
    least = stdtrit(seeds - 1, 1 - (1 - level) / (2 * len(steps))) * error + rounding[at]
    return tuple(int(sign) for sign in np.where(np.abs(mean) > least, np.sign(mean), 0))


def _paired(first: TrainedLosses, second: TrainedLosses) -> tuple[Array, Array]:
    """Differences (S, s) of networks with the same streams, and what of their means (s,) is rounding."""
    if first.steps != second.steps or len(first.losses) != len(second.losses):
        raise InputError("first and second must have losses of as many networks after the same steps")
    both = first.mean + second.mean
    return first.losses - second.losses, ROUNDED * both + ROUNDED**2 * both[0]


def _last_change(differences: Array, steps: tuple[int, ...], ahead: int) -> Array:
    """The first of the steps (t,) from which on the differences (..., t) have this sign, infinite if the last has not."""
    behind = np.sign(differences) != ahead
    since_last = np.argmax(behind[..., ::-1], axis=-1)
    first = np.where(behind.any(axis=-1), behind.shape[-1] - since_last, 0)
    return np.where(first < behind.shape[-1], np.asarray(steps)[np.minimum(first, len(steps) - 1)], np.inf)
