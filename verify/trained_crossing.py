r"""The step from which on one kind of trained network stays ahead of another, with an interval.

Both kinds are trained with the same streams of random numbers, so that network s of the one and network s of the other share
weights and their difference varies less than either. The mean \(D(k)\) of the differences changes its sign for the last time
at the crossing; the networks are drawn again, with replacement, for its percentile interval.

Source: B. Efron 1979, "Bootstrap methods: another look at the jackknife"; what is resampled is derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    if first.steps != second.steps or len(first.losses) != len(second.losses):
        raise InputError("first and second must have losses of as many networks after the same steps")
    differences = first.losses - second.losses
    both = first.mean + second.mean
    told = np.flatnonzero(np.abs(differences.mean(axis=0)) > ROUNDED * both + ROUNDED**2 * both[0])
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


def _last_change(differences: Array, steps: tuple[int, ...], ahead: int) -> Array:
    """The first of the steps (t,) from which on the differences (..., t) have this sign, infinite if the last has not."""
    behind = np.sign(differences) != ahead
    since_last = np.argmax(behind[..., ::-1], axis=-1)
    first = np.where(behind.any(axis=-1), behind.shape[-1] - since_last, 0)
    return np.where(first < behind.shape[-1], np.asarray(steps)[np.minimum(first, len(steps) - 1)], np.inf)
