"""Rows and targets that are split into a part to train on and a part to test: given ones, or drawn anew each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from derivations.errors import InputError
from verify.activations import Array
from verify.finite import FiniteNetwork
from verify.inputs import check_positive_integer, generate
from verify.labels import TEACHER_WIDTH, check_labels, draw_labels
from verify.streams import Seed, seed_sequence


@dataclass(frozen=True)
class Sample:
    """Rows and targets; the first `train` ones are fitted, errors are measured on the others.

    Attributes
    ----------
    X : (n + p, d) float
    Y : (n + p,) float
    train : int
        n.
    """

    X: Array
    Y: Array
    train: int


def resplit(X: Array, Y: Array, train: int, test: int, splits: int, rng: Seed = 0) -> Iterator[Sample]:
    """Given rows, split at random again and again, without repetition within a split.

    Raises
    ------
    InputError
        If there are fewer rows than `train` and `test` need, or not one target for each.

    Examples
    --------
    >>> [sample.Y.tolist() for sample in resplit(np.eye(3), np.arange(3.0), 1, 1, 2)]
    [[0.0, 1.0], [0.0, 2.0]]
    """
    labels = check_labels(Y, len(X))
    for name, value in (("train", train), ("test", test), ("splits", splits)):
        check_positive_integer(value, name)
    if train + test > len(X):
        raise InputError(f"train and test must have at most {len(X)} rows together, got {train} + {test}")
    for split in range(splits):
        order = np.random.default_rng(seed_sequence(rng, split)).permutation(len(X))[: train + test]
        yield Sample(X[order], labels[order], train)


def fresh_samples(
    data: str,
    d: int,
    kind: str,
    train: int,
    test: int,
    splits: int,
    rng: Seed = 0,
    *,
    teacher: str | FiniteNetwork = "relu",
    width: int = TEACHER_WIDTH,
    noise: float = 0.0,
) -> Iterator[Sample]:
    """Rows, teacher and noise drawn anew for every sample; `data` as `generate`, `kind` and what follows as `draw_labels`.

    The noise, of variance `noise`, is in the targets of all rows.

    Examples
    --------
    >>> first, second = fresh_samples("sphere", 5, "linear", 4, 2, 2)
    >>> first.X.shape, first.Y.shape, bool(np.any(first.Y == second.Y))
    ((6, 5), (6,), False)
    """
    for name, value in (("train", train), ("test", test), ("splits", splits)):
        check_positive_integer(value, name)
    if not 0 <= noise < np.inf:
        raise InputError(f"noise must be a variance, 0 or larger, got {noise}")
    for split in range(splits):
        X = generate(data, train + test, d, np.random.default_rng(seed_sequence(rng, split, 0)))
        Y = draw_labels(kind, X, seed_sequence(rng, split, 1), teacher=teacher, width=width)
        disturbance = np.random.default_rng(seed_sequence(rng, split, 2)).standard_normal(len(Y))
        yield Sample(X, Y + np.sqrt(noise) * disturbance, train)
