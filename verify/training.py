r"""Networks of finite width that are really trained, many at once, and what they would do if their kernel stood still.

Full-batch gradient descent on every weight \(\theta\), with the gradients of `verify.network_batch`:

\[ L_t = \tfrac12 |z_{\theta_t}(X) - Y|^2,\qquad \theta_{t+1} = \theta_t - \eta\, \nabla_\theta L_t. \]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from derivations.threads import one_blas_thread
from verify.activations import Array
from verify.finite import FiniteNetwork, finite_network
from verify.inputs import check_matrix, check_memory, check_positive_integer, shown
from verify.labels import check_labels
from verify.network_batch import draw_batch, forward, loss_gradient
from verify.streams import Seed

BLOCK = 2**17
"""Numbers in an array of all neurons' values, 1 MB: beyond that a step waits for memory, far below for the interpreter."""


class DivergedError(InputError):
    """The step size is too large for a network that is trained."""


@dataclass(frozen=True)
class TrainedLosses:
    """Losses of networks that were trained on the same rows and labels.

    Attributes
    ----------
    steps : tuple of int
    losses : (S, s) float
        Of every network after each number of steps.
    initial : (S, n) float
        Every network's outputs before the first step.
    test_losses : (S, s) float, optional
        Half the summed squared error on further rows, after the same steps.
    """

    steps: tuple[int, ...]
    losses: Array
    initial: Array
    test_losses: Array | None = None

    @property
    def mean(self) -> Array:
        """Mean loss over the networks : (s,) float."""
        return np.asarray(self.losses.mean(axis=0))

    @property
    def standard_error(self) -> Array:
        """Of the mean : (s,) float; nan of a single network."""
        return mean_error(self.losses)


def train(
    network: str | FiniteNetwork,
    X: ArrayLike,
    Y: ArrayLike,
    width: int,
    steps: Sequence[int],
    rate: float,
    seeds: int,
    rng: Seed = 0,
    *,
    parametrization: str | None = None,
    workers: int = 1,
    block: int | None = None,
    test: tuple[ArrayLike, ArrayLike] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> TrainedLosses:
    r"""Train `seeds` random networks of width `width` by gradient descent on half the summed squared error.

    Parameters
    ----------
    network : str or FiniteNetwork
    X : (n, d) float
    Y : (n,) float
        Labels; see `verify.labels`.
    width : int
        m.
    steps : sequence of int
        When to take the loss: increasing, from 0 on.
    rate : float
        eta. Descent along a kernel is stable below 2 / lambda_max; networks' own have larger ones than their mean.
    seeds : int
        S, the networks.
    rng : int or numpy.random.SeedSequence
        Network s draws from the stream with key s. Neither `workers` nor `block` changes a bit of the result.
    parametrization : {"standard", "ntk"}, optional
        Default: the network's own; ``standard`` for a name.
    workers : int
        Threads, each with a block of networks of its own.
    block : int, optional
        Networks trained together; default: as many as fit a core's cache.
    test : pair of (n', d) and (n',) float, optional
        Further rows with their labels: the loss is taken on them, and nothing is learned from them.
    progress : callable, optional
        Called with (what, networks trained, `seeds`).

    Returns
    -------
    TrainedLosses

    Raises
    ------
    InputError
        If an argument is out of range, the activation has no derivative, or a loss leaves float64.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> found = train("relu", np.eye(2), [1.0, -1.0], width=100, steps=(0, 10), rate=0.02, seeds=50)
    >>> found.mean.round(2), found.standard_error.round(2)
    (array([1.24, 0.  ]), array([0.07, 0.  ]))
    """
    chosen = finite_network(network, parametrization)
    points = check_matrix(X, "X")
    n, d = points.shape
    labels = check_labels(Y, n)
    m, count = check_positive_integer(width, "width"), check_positive_integer(seeds, "seeds")
    further = None if test is None else _check_test(test, d)
    moments, eta = _check_steps(steps), _check_rate(rate)
    workers = check_positive_integer(workers, "workers")
    size = min(count, max(BLOCK // (n * m), 1) if block is None else check_positive_integer(block, "block"))
    # Per gate a value and a slope of every neuron, and weights with two sets like them; d may exceed n.
    most = max(n, 0 if further is None else len(further[0]))
    check_memory(most, m * size * (1 + d // most), (5 + 3 * chosen.gates) * workers, "the neurons' values")

    def run(start: int) -> TrainedLosses:
        numbers = range(start, min(start + size, count))
        return _train_block(chosen, points, labels, m, moments, eta, numbers, rng, further)

    # The GNU allocator returns freed memory to the system beyond twice the largest array it has seen freed, and
    # then every step pays page faults, up to half the run time. This array is never touched.
    np.empty(2**21)
    blocks: list[TrainedLosses] = []
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        for block_of in pool.map(run, range(0, count, size)):
            blocks.append(block_of)
            if progress is not None:
                progress("networks", min(len(blocks) * size, count), count)
    tests = [one.test_losses for one in blocks if one.test_losses is not None]
    losses = np.concatenate([one.losses for one in blocks])
    initial = np.concatenate([one.initial for one in blocks])
    return _finite(
        TrainedLosses(moments, losses, initial, np.concatenate(tests) if tests else None), labels, eta
    )


def kernel_losses(K: ArrayLike, initial: ArrayLike, Y: ArrayLike, steps: Sequence[int], rate: float) -> Array:
    r"""Losses of networks with these initial outputs if all followed the kernel K.

    .. math:: L_t = \tfrac12 \big|(1 - \eta K)^t (f_0 - Y)\big|^2

    The difference to a trained network's loss varies far less than either: what the initial function adds is in both.

    Parameters
    ----------
    K : (n, n) float
        Symmetric.
    initial : (S, n) float
        f_0, for instance `TrainedLosses.initial`.
    Y : (n,) float
    steps : sequence of int
    rate : float
        eta.

    Returns
    -------
    (S, s) float

    Raises
    ------
    InputError
        If a shape or a value is none of these.

    Source
    ------
    Derived here.

    Examples
    --------
    >>> kernel_losses(np.diag([1.0, 0.5]), np.zeros((1, 2)), [2.0, 4.0], (0, 1, 2), rate=1.0)
    array([[10. ,  2. ,  0.5]])
    """
    outputs = check_matrix(initial, "initial")
    n = outputs.shape[1]
    kernel = check_matrix(K, "K")
    if kernel.shape != (n, n):
        raise InputError(f"K must have shape {(n, n)}, like the rows of initial, got {kernel.shape}")
    moments, eta = _check_steps(steps), _check_rate(rate)
    values, vectors = np.linalg.eigh(kernel)
    energies = np.square((outputs - check_labels(Y, n)) @ vectors)
    decay = (1.0 - eta * values)[:, None] ** (2 * np.asarray(moments))
    return np.asarray(energies @ decay / 2.0)


def mean_error(samples: Array) -> Array:
    """Standard error of the mean over the first axis; nan of a single sample.

    Examples
    --------
    >>> mean_error(np.array([[1.0, 0.0], [3.0, 0.0]]))
    array([1., 0.])
    """
    if len(samples) == 1:
        return np.full(samples.shape[1:], np.nan)
    return np.asarray(samples.std(axis=0, ddof=1) / sqrt(len(samples)))


def _train_block(
    network: FiniteNetwork,
    X: Array,
    Y: Array,
    width: int,
    steps: tuple[int, ...],
    rate: float,
    seeds: Sequence[int],
    rng: Seed,
    test: tuple[Array, Array] | None,
) -> TrainedLosses:
    """Of the networks with these numbers."""
    batch = draw_batch(network, X.shape[1], width, seeds, rng)
    losses = np.empty((len(seeds), len(steps)))
    test_losses = None if test is None else np.empty_like(losses)
    position = {step: at for at, step in enumerate(steps)}
    # A descent that diverges is told once, when all are done.
    with np.errstate(over="ignore", invalid="ignore"):
        activity = forward(network, batch, X)
        initial = activity.outputs
        for step in range(steps[-1] + 1):
            misfit = activity.outputs - Y
            if step in position:
                losses[:, position[step]] = _half_square(misfit)
                if test is not None and test_losses is not None:
                    test_losses[:, position[step]] = _half_square(
                        forward(network, batch, test[0]).outputs - test[1]
                    )
            if step < steps[-1]:
                batch = batch.moved(loss_gradient(network, batch, X, activity, misfit), -rate)
                activity = forward(network, batch, X)
    return TrainedLosses(steps, losses, initial, test_losses)


def _half_square(misfit: Array) -> Array:
    return np.asarray(np.sum(np.square(misfit), axis=1) / 2.0)


def _check_steps(steps: Sequence[int]) -> tuple[int, ...]:
    found = list(steps) if isinstance(steps, Iterable) else []
    whole = all(isinstance(step, int | np.integer) and not isinstance(step, bool) for step in found)
    if not found or not whole or found[0] < 0 or any(one >= next_ for one, next_ in pairwise(found)):
        raise InputError(f"steps must be increasing integers, 0 or more, got {shown(steps)}")
    return tuple(int(step) for step in found)


def _finite(found: TrainedLosses, Y: Array, rate: float) -> TrainedLosses:
    with np.errstate(over="ignore", invalid="ignore"):
        before = _half_square(found.initial - Y)
    if not np.isfinite(before).all():
        raise InputError("Y or X must hold smaller numbers: a loss leaves float64 before the first step")
    if not np.isfinite(found.losses).all():
        raise DivergedError(
            f"rate must be smaller, below 2 / lambda_max of each network's kernel: with {shown(rate)} a loss leaves float64"
        )
    if found.test_losses is not None and not np.isfinite(found.test_losses).all():
        raise InputError("test Y must hold smaller numbers, or test X shorter rows: a loss leaves float64")
    return found


def _check_test(test: tuple[ArrayLike, ArrayLike], d: int) -> tuple[Array, Array]:
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise InputError(f"test must be a pair of rows and labels, got {shown(test)}")
    rows = check_matrix(test[0], "test X")
    if rows.shape[1] != d:
        raise InputError(f"test X must have {d} columns, like X, got {rows.shape[1]}")
    return rows, check_labels(test[1], len(rows), "test Y")


def _check_rate(rate: float) -> float:
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0.0 < rate < float("inf"):
        raise InputError(f"rate must be a positive number, got {shown(rate)}")
    return float(rate)
