"""Training and test errors of networks of finite width that are really trained, read off as those of kernels are.

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from verify.activations import Array
from verify.finite import FiniteNetwork
from verify.samples import Sample
from verify.streams import Seed, seed_sequence
from verify.training import train


@dataclass(frozen=True)
class TrainedDescents:
    """Mean squared errors of k networks on S samples, each a mean over several seeds.

    Attributes
    ----------
    steps : tuple of int
    train, test : (S, k, s) float
    levels : tuple of float
        Training errors over the mean square of the fitted targets.
    reached, gap_there : (S, k, l) float
        Steps to each of them, and test less training error there; inf and nan where the last step is still above.
    """

    steps: tuple[int, ...]
    train: Array
    test: Array
    levels: tuple[float, ...]
    reached: Array
    gap_there: Array


def follow_trained(
    networks: Sequence[str | FiniteNetwork],
    samples: Iterable[Sample],
    width: int,
    rates: Sequence[float],
    steps: Sequence[int],
    levels: Sequence[float],
    seeds: int,
    rng: Seed = 0,
    progress: Callable[[int], None] | None = None,
) -> TrainedDescents:
    """Gradient descent on all weights of several networks, on the same samples.

    Parameters
    ----------
    networks : sequence of str or FiniteNetwork
    samples : iterable of Sample
    width : int
    rates : sequence of float
        A step size for each sample.
    steps : sequence of int
        When errors are taken; between two of them the logarithm of the training error is taken as linear.
    levels : sequence of float
    seeds : int
        Networks of each kind on each sample, other ones on each.
    rng : int or numpy.random.SeedSequence
    progress : callable, optional
        Called with the number of samples done.

    Raises
    ------
    InputError
        As `verify.training.train`.

    Examples
    --------
    >>> from verify.samples import fresh_samples
    >>> samples = fresh_samples("sphere", 5, "linear", 10, 50, 2)
    >>> found = follow_trained(["relu"], samples, 50, [0.01, 0.01], (0, 10, 50), (0.1,), seeds=4)
    >>> bool(np.all(found.train[..., 2] < found.test[..., 2])), bool(np.all(found.reached < 50))
    (True, True)
    """
    train_errors, test_errors, readings = [], [], []
    for done, (sample, rate) in enumerate(zip(samples, rates, strict=True), start=1):
        n = sample.train
        size = float(np.mean(sample.Y[:n] ** 2))
        for network in networks:
            found = train(
                network,
                sample.X[:n],
                sample.Y[:n],
                width,
                steps,
                rate,
                seeds,
                seed_sequence(rng, done),
                test=(sample.X[n:], sample.Y[n:]),
            )
            assert found.test_losses is not None
            # Losses are half sums over rows.
            train_errors.append(2 * found.losses.mean(axis=0) / n)
            test_errors.append(2 * found.test_losses.mean(axis=0) / (len(sample.Y) - n))
            readings.append(
                [read_off(steps, train_errors[-1], test_errors[-1], level * size) for level in levels]
            )
        if progress is not None:
            progress(done)
    shape = (-1, len(networks))
    train_found, test_found = (
        np.reshape(errors, (*shape, len(steps))) for errors in (train_errors, test_errors)
    )
    read = np.reshape(readings, (*shape, len(levels), 2))
    return TrainedDescents(tuple(steps), train_found, test_found, tuple(levels), read[..., 0], read[..., 1])


def read_off(
    steps: Sequence[int], train_error: Array, test_error: Array, error: float
) -> tuple[float, float]:
    """Steps at which a curve first has this training error, and test less training error there.

    Examples
    --------
    >>> read_off((0, 10), np.array([1.0, 0.01]), np.array([1.0, 0.5]), 0.1)
    (5.0, 0.65)
    >>> read_off((0, 10), np.array([1.0, 0.01]), np.array([1.0, 0.5]), 0.001)
    (inf, nan)
    """
    below = np.flatnonzero(train_error <= error)
    if not len(below):
        return np.inf, np.nan
    last = int(below[0])
    if last == 0:
        return float(steps[0]), float(test_error[0] - train_error[0])
    high, low = np.log(train_error[last - 1]), np.log(train_error[last])
    share = float((high - np.log(error)) / (high - low))
    there = [(1 - share) * curve[last - 1] + share * curve[last] for curve in (np.asarray(steps), test_error)]
    return float(there[0]), float(there[1] - error)
