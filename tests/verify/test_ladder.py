"""Slopes of the fluctuation against the width."""

import numpy as np
import pytest

from derivations.errors import InputError
from verify.ladder import width_ladder
from verify.montecarlo import empirical_ntk

X = np.random.default_rng(0).standard_normal((6, 3))


@pytest.mark.parametrize("name", ["relu", "reglu", "gelu"])
def test_the_slope_interval_contains_one_half(name):
    ladder = width_ladder(name, X, [2**k for k in range(6, 14, 2)], 32, rng=1, parametrization="ntk")
    slope, half_width, _ = ladder.slope
    assert abs(slope + 0.5) < half_width < 0.1


def test_the_interval_covers_at_about_its_level():
    ladders = [
        width_ladder("relu", X, [64, 256, 1024], 16, rng=seed, parametrization="ntk") for seed in range(150)
    ]
    covered = sum(abs(ladder.slope.slope + 0.5) < ladder.slope.half_width for ladder in ladders)
    # With 16 networks the interval is known to be up to a tenth short, 92 %; five binomial deviations below.
    assert covered / 150 > 0.92 - 5 * np.sqrt(0.92 * 0.08 / 150)


def test_a_fluctuation_is_the_standard_error_of_one_network():
    width = 512
    ladder = width_ladder("tanh", X, [256, width], 48, rng=2)
    estimate = empirical_ntk("tanh", X, width, 64, rng=3)
    # Of one network: sqrt(seeds) times that of the mean.
    expected = np.sqrt(64) * estimate.relative_error
    assert abs(ladder.fluctuation[1] - expected) < 5 * ladder.standard_error[1]


def test_the_distance_to_a_reference_includes_its_error():
    kernel = empirical_ntk("relu", X, 100, 200, rng=5).mean
    exact = width_ladder("relu", X, [100, 200], 32, reference=lambda width: kernel * (width / 100))
    doubled = width_ladder("relu", X, [100, 200], 32, reference=lambda width: 2 * kernel * (width / 100))
    assert exact.fluctuation[0] < 0.5 < 1.1 * doubled.fluctuation[0]


def test_a_width_does_not_depend_on_its_neighbours():
    first = width_ladder("relu", X, [64, 128], 4, rng=1)
    second = width_ladder("relu", X, [32, 64], 4, rng=1)
    assert first.fluctuation[0] == second.fluctuation[1]


def test_bad_ladders_are_refused():
    with pytest.raises(InputError, match="widths must hold two different widths"):
        width_ladder("relu", X, [64, 64], 4)
    with pytest.raises(InputError, match="networks be at least 2"):
        width_ladder("relu", X, [64, 128], 1)
    with pytest.raises(InputError, match="X must hold a row that is not zero"):
        width_ladder("relu", np.zeros((2, 2)), [64, 128], 2)
