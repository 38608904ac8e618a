"""Measure a small kernel on random networks, with as many neurons as a given power needs, and test a claim."""

from __future__ import annotations

import itertools
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from verify.activations import Array
from verify.finite import FiniteNetwork
from verify.inputs import check_matrix, check_positive_integer
from verify.joint_test import JointTest, hotelling, smallest_detectable
from verify.moments import EntryMoments, neuron_moments
from verify.streams import seed_sequence

POWER = 0.99
"""Probability of catching an error of the size `detect`."""

# Mean and covariance of sums of 1e7 numbers, relative to sqrt(K_ii K_jj).
ROUNDING = 1e-11
# Fewest neurons whose mean is normal enough (see "Errors of the first kind"), and most: half a minute.
_FEWEST, _MOST = 2**20, 2**27
# Neurons beyond what one measurement asks for, because its covariance is an estimate as well.
MARGIN = 1.2

_ANGLES = np.array([0.0, 0.15, np.pi / 2, np.pi - 0.15])
_NORMS = np.array([1.0, 1.3, 0.7, 0.9])  # |x|^2 / d, all different
_WIDTHS = (20, 1)


class Measured(NamedTuple):
    """One data set, what networks have on it, and what is claimed: entries i <= j."""

    X: Array
    width: int
    moments: EntryMoments
    claimed: Array
    tolerance: Array
    test: JointTest
    detectable: float


def data_sets(X: ArrayLike | None, width: int | None, free: bool) -> list[tuple[Array, int]]:
    """Data sets and widths to test: the kernel is `free` of the width, or it is tested at two."""
    if width is not None:
        wide = narrow = check_positive_integer(width, "width")
    else:
        wide, narrow = (1, 1) if free else _WIDTHS
    if X is None:
        return [(_rows(2), wide), (_rows(3), narrow)]
    points = check_matrix(X, "X")
    return [(points, m) for m in sorted({wide, narrow})]


def _rows(d: int) -> Array:
    """Four rows in a plane that no axis is normal or parallel to : (4, d)."""
    plane = (
        np.array([[0.6, 0.8], [-0.8, 0.6]]) if d == 2 else np.array([[1.0, 2.0, 2.0], [2.0, 1.0, -2.0]]) / 3
    )
    directions = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)]) @ plane
    return directions * np.sqrt(d * _NORMS)[:, None]


def measure(
    network: FiniteNetwork,
    X: Array,
    width: int,
    claimed: Array,
    kind: str,
    neurons: int | None,
    level: float,
    detect: float,
    key: np.random.SeedSequence,
) -> Measured:
    """Measure a kernel with `neurons` neurons, or as many as `detect` needs, and test the claim.

    Every attempt draws neurons of its own, and only the last one's are used: how many they are was decided by
    the neurons of other attempts, and so the test keeps its level.
    """
    i, j = np.triu_indices(len(X))
    count = _FEWEST if neurons is None else neurons
    for attempt in itertools.count():
        moments = neuron_moments(network, X, width, count, seed_sequence(key, attempt), kind=kind)
        lengths = np.sqrt(np.abs(moments.mean[i == j]))
        tolerance = ROUNDING * lengths[i] * lengths[j]
        # Entries that never vary (a softplus network at x = 0) are exact. They would catch an error of the
        # whole kernel, and hide that the others were hardly measured.
        varies = moments.covariance.diagonal() > np.square(tolerance)
        direction = np.where(varies, moments.mean, 0.0) if varies.any() else moments.mean
        # Both measurements must refute: the root of the power for each.
        seen = smallest_detectable(moments.covariance, direction, level, sqrt(POWER), tolerance)
        if neurons is not None or seen <= detect or count == _MOST or np.isinf(seen):
            break
        count = int(min(count * MARGIN * (seen / detect) ** 2, _MOST))
    test = hotelling(moments.mean, moments.covariance, claimed, tolerance)
    return Measured(X, width, moments, claimed, tolerance, test, seen)
