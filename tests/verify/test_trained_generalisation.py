"""Trained networks' test errors: as training gives them, read off at a training error, near the kernel's where wide."""

from __future__ import annotations

import numpy as np
import pytest

from derivations import kernel_function
from verify.generalisation import follow
from verify.samples import fresh_samples
from verify.streams import seed_sequence
from verify.trained_generalisation import follow_trained, read_off
from verify.training import train

SAMPLES = list(fresh_samples("sphere", 5, "linear", 15, 40, 3, 1, noise=0.1))
STEPS = (0, 5, 20, 60)


def test_errors_are_means_over_rows_and_networks():
    found = follow_trained(["relu", "reglu"], SAMPLES, 30, [0.01, 0.02, 0.03], STEPS, (0.5,), seeds=3, rng=4)
    assert found.train.shape == found.test.shape == (3, 2, 4)
    sample = SAMPLES[1]
    alone = train("reglu", sample.X[:15], sample.Y[:15], 30, STEPS, 0.02, 3, seed_sequence(4, 2),
                  test=(sample.X[15:], sample.Y[15:]))  # fmt: skip
    assert alone.test_losses is not None
    np.testing.assert_allclose(found.train[1, 1], 2 * alone.losses.sum(axis=0) / 45, rtol=1e-12)
    np.testing.assert_allclose(found.test[1, 1], 2 * alone.test_losses.sum(axis=0) / 120, rtol=1e-12)
    level = 0.5 * float(np.mean(sample.Y[:15] ** 2))
    assert (found.reached[1, 1, 0], found.gap_there[1, 1, 0]) == read_off(
        STEPS, found.train[1, 1], found.test[1, 1], level
    )


def test_no_two_samples_train_the_same_networks():
    same = [SAMPLES[0], SAMPLES[0]]
    found = follow_trained(["relu"], same, 30, [0.01, 0.01], (0,), (0.5,), seeds=2)
    assert found.train[0, 0, 0] != found.train[1, 0, 0]


def test_a_curve_is_read_where_it_first_has_an_error():
    steps, curve, test = (0, 1, 3), np.array([1.0, 0.25, 0.01]), np.array([2.0, 1.0, 0.5])
    assert read_off(steps, curve, test, 2.0) == (0.0, 1.0)
    assert read_off(steps, curve, test, 0.25) == (1.0, 0.75)
    # Halfway in the logarithm.
    assert read_off(steps, curve, test, 0.5) == pytest.approx((0.5, 1.0))
    assert read_off(steps, curve, test, 0.05) == pytest.approx((2.0, 0.7))


@pytest.mark.parametrize("name", ["relu", "reglu"])
def test_wide_networks_have_the_test_errors_of_their_kernel(name: str):
    width, seeds = 2000, 40
    kernel, start = kernel_function(name, width=width), kernel_function(name, "nngp")
    expected = follow([kernel], [start], SAMPLES[:1], STEPS, (0.1,))
    found = follow_trained([name], SAMPLES[:1], width, [1 / expected.largest.item()], STEPS, (0.1,), seeds)
    # Errors over first outputs have a deviation of at most about their mean: 4 standard errors of 40 networks are 0.63 of
    # it. What a finite width adds is 5 % for ReGLU at this width, and less.
    bar = 4 / np.sqrt(seeds) + 0.05
    np.testing.assert_allclose(found.test[:, 0], expected.test[:, 0], rtol=bar)
    np.testing.assert_allclose(found.train[:, 0, :3], expected.train[:, 0, :3], rtol=bar)
    assert found.reached[0, 0, 0] == pytest.approx(expected.reached[0, 0, 0], rel=bar)
