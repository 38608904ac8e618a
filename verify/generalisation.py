"""Training and test errors of several kernels under gradient descent, on the same rows and at the same step size.

How soon each comes to a training error, and how far its test error is from that: after equal numbers of steps, at equal
training error, and at convergence, beside interpolation by solving for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from derivations.errors import InputError
from verify.activations import Array
from verify.kernel_regression import interpolation_error, left_out_error
from verify.learner import Learner
from verify.samples import Sample

LEVELS = (0.5, 0.1, 0.01)
"""Training errors at which networks are compared, over the mean square of the targets they fit."""

RowKernel = Callable[[Array], Array]
"""Of rows (n, d) : (n, n)."""


@dataclass(frozen=True)
class Descents:
    """Mean squared errors of k kernels on S samples.

    Attributes
    ----------
    steps : tuple of float
        The last may be infinite.
    train, test : (S, k, s) float
    wrong : (S, k, s) float or None
        Shares of test rows in the wrong class, where targets are two classes.
    levels : tuple of float
        Training errors over the mean square of the fitted targets.
    reached, train_there, test_there : (S, k, l) float
        Steps to each of them, and the errors there.
    interpolated, left_out : (S, k) float
        Test error of interpolation, by solving for it, and training rows' own, each left out; nan of singular kernels.
    largest : (S, k) float
        lambda_1.
    """

    steps: tuple[float, ...]
    train: Array
    test: Array
    wrong: Array | None
    levels: tuple[float, ...]
    reached: Array
    train_there: Array
    test_there: Array
    interpolated: Array
    left_out: Array
    largest: Array

    @property
    def gap(self) -> Array:
        """Test less training error, after equal numbers of steps : (S, k, s) float."""
        return self.test - self.train

    @property
    def gap_there(self) -> Array:
        """At equal training error : (S, k, l) float."""
        return self.test_there - self.train_there


def follow(
    kernels: Sequence[RowKernel],
    covariances: Sequence[RowKernel | None],
    samples: Iterable[Sample],
    steps: Sequence[float],
    levels: Sequence[float] = LEVELS,
    classes: tuple[float, float] | None = None,
    progress: Callable[[int], None] | None = None,
    rate: float | None = None,
) -> Descents:
    """Descent of several kernels on the same samples, on each at the rate 1 / lambda_1, the largest of all kernels.

    Parameters
    ----------
    kernels : sequence of callable
    covariances : sequence of callable or None
        Of first outputs, NNGP covariances for instance; None for outputs that begin at 0.
    samples : iterable of Sample
        `resplit` or `fresh_samples`.
    steps : sequence of float
        0 or larger; may be infinite.
    levels : sequence of float
    classes : two floats, optional
        The targets' values, where they are two classes.
    progress : callable, optional
        Called with the number of samples done.
    rate : float, optional
        Another one, the same on all samples: below 2 / lambda_1 of all, and steps are whole then.

    Raises
    ------
    InputError
        If all kernels are 0, or all targets of the rows to train on.

    Examples
    --------
    >>> from verify.samples import fresh_samples
    >>> samples = fresh_samples("gaussian", 20, "linear", 10, 200, 100)
    >>> from verify.samples import fresh_samples
    >>> found = follow([lambda X: X @ X.T / 20], [None], samples, (0, np.inf))
    >>> found.test.mean(axis=0).round(1), found.train.mean(axis=0).round(1)  # half of the directions was seen
    (array([[1. , 0.5]]), array([[1., 0.]]))
    """
    rows: list[list[tuple[Array, ...]]] = []
    for done, sample in enumerate(samples, start=1):
        learners = _learners(kernels, covariances, sample, rate)
        rows.append([_measured(*learner, sample, steps, levels, classes) for learner in learners])
        if progress is not None:
            progress(done)
    train, test, wrong, reached, train_there, test_there, ends = (
        np.array([[of_kernel[part] for of_kernel in of_sample] for of_sample in rows]) for part in range(7)
    )
    return Descents(
        tuple(steps),
        train,
        test,
        None if classes is None else wrong,
        tuple(levels),
        reached,
        train_there,
        test_there,
        *np.moveaxis(ends, -1, 0),
    )


def _learners(
    kernels: Sequence[RowKernel],
    covariances: Sequence[RowKernel | None],
    sample: Sample,
    rate: float | None,
) -> list[tuple[Learner, Array, Array]]:
    """At their common rate, each with its kernel and covariance of all rows."""
    matrices = [kernel(sample.X) for kernel in kernels]
    starts = [np.zeros_like(matrices[0]) if C is None else C(sample.X) for C in covariances]
    learners = [Learner.of(K, C, sample.Y, sample.train) for K, C in zip(matrices, starts, strict=True)]
    largest = max(learner.modes.values[-1] for learner in learners)
    if not largest > 0:
        raise InputError("X must not give kernels that are 0")
    eta = 1 / largest if rate is None else rate
    return [(learner.at(eta), K, C) for learner, K, C in zip(learners, matrices, starts, strict=True)]


def _measured(
    learner: Learner,
    K: Array,
    C: Array,
    sample: Sample,
    steps: Sequence[float],
    levels: Sequence[float],
    classes: tuple[float, float] | None,
) -> tuple[Array, ...]:
    n = sample.train
    size = float(np.mean(sample.Y[:n] ** 2))
    if not size > 0:
        raise InputError(
            "Y must not be 0 at all rows to train on: training errors are told by its mean square"
        )
    reached = np.array([learner.reach(level * size) for level in levels]).reshape(-1, 3)
    singular = learner.modes.values[0] == 0
    return (
        learner.train(steps),
        learner.test(steps),
        np.array([]) if classes is None else learner.wrong(steps, classes),
        *reached.T,
        np.array(
            [
                np.nan if singular else interpolation_error(K, C, sample.Y, n),
                np.nan if singular else left_out_error(K[:n, :n], C[:n, :n], sample.Y[:n]),
                learner.modes.values[-1],
            ]
        ),
    )
