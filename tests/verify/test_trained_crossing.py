"""The last crossing of trained losses: exact on made-up losses, an interval that covers, and one line for bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.errors import InputError
from verify.trained_crossing import TrainedCrossing, surely_ahead, trained_crossing
from verify.training import TrainedLosses

STEPS = (0, 1, 2, 5, 10, 20)


def losses(values: np.ndarray, steps: tuple[int, ...] = STEPS) -> TrainedLosses:
    return TrainedLosses(steps, np.asarray(values, dtype=float), np.zeros((len(values), 1)))


def crossing(differences: list[list[float]]) -> TrainedCrossing | None:
    """Of losses that differ so; what both have in common cancels."""
    common = np.arange(len(differences))[:, None] + np.exp(-np.array(STEPS) / 7)
    return trained_crossing(losses(common + np.array(differences)), losses(common))


def test_it_is_the_last_change_of_sign_of_the_mean():
    assert crossing([[-1, -1, -1, 1, 1, 1]] * 3) == TrainedCrossing(5, 5.0, 5.0, 1)
    assert crossing([[1, -1, 1, 1, -1, -1]] * 3) == TrainedCrossing(10, 10.0, 10.0, -1)
    assert crossing([[-1, -1, -1, -1, -1, 1]] * 3) == TrainedCrossing(20, 20.0, 20.0, 1)
    # Neither network's order, but that of the means.
    found = crossing([[-3, -3, -3, 1, 1, 1], [1, 1, 4, 4, 4, 4]])
    assert found is not None
    assert found.step == 2


def test_there_is_none_where_the_order_never_changes():
    assert crossing([[1, 1, 1, 1, 1, 1]] * 2) is None
    assert crossing([[-1, -1, -1, -1, -1, -1]]) is None
    assert crossing([[0, 0, 0, 0, 0, 0]] * 2) is None


def test_differences_that_are_rounding_say_nothing():
    # At first and at last: losses of size 1 are rounded to 1e-16, and what is left of a loss of 1 to 1e-32.
    ones, gone = np.ones((3, 6)), np.array([[1.0, 1e-2, 1e-20, 1e-31, 1e-31, 1e-31]] * 3)
    for common, off in ((ones, 1e-15), (gone, 1e-31)):
        mixed = losses(common + off * np.array([-1, 1, -1, 1, -1, 1]))
        assert trained_crossing(mixed, losses(common)) is None
    arrived = crossing([[-1, -1, 1, 1, 1e-16, -1e-16]] * 3)
    assert arrived == TrainedCrossing(2, 2.0, 2.0, 1)


def test_the_interval_reaches_from_the_start_to_beyond_the_last_step_where_networks_disagree():
    assert crossing([[-1, -1, -1, 1, 1, 1]]) == TrainedCrossing(5, None, None, 1)
    undecided = [[9.0] * 6, [-9.0] * 6, [-1.0, -1, -1, 1, 1, 1]]
    assert crossing(undecided) == TrainedCrossing(5, 0.0, np.inf, 1)


def test_the_interval_holds_the_true_crossing_as_often_as_it_says():
    rng, steps, true, held = np.random.default_rng(0), tuple(range(41)), 20.5, []
    lengths = []
    for number in range(120):
        # The mean of the differences is (k - 20.5) / 10, and a network is off by N(0, 1).
        off = (np.arange(41) - true) / 10 + rng.standard_normal((40, 1))
        found = trained_crossing(losses(off, steps), losses(0 * off, steps), rng=number)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        # The first whole step from 20.5 on is 21.
        held.append(found.low <= 21 <= found.high)
        lengths.append(found.high - found.low)
    # 95 %, less 1.5 that percentiles lose with 40 networks, within 4 standard deviations of 2.2 %; whole steps add some.
    assert 0.85 < np.mean(held) < 0.9999
    # 2 * 1.96 * 10 / sqrt(40) = 6.2, and a step more for two roundings.
    assert 5.2 < np.mean(lengths) < 7.2


@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=6, max_size=6), min_size=1, max_size=5),
    st.integers(-3, 3),
)
def test_exchanging_both_or_scaling_both_changes_nothing_but_who_is_ahead(values: list[list[int]], k: int):
    first, second = np.array(values, float) + 20, np.full((len(values), 6), 20.0)
    one, other = (trained_crossing(losses(a), losses(b)) for a, b in ((first, second), (second, first)))
    # Powers of two scale without rounding.
    scaled = trained_crossing(losses(first * 2.0**k), losses(second * 2.0**k))
    assert one == scaled
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert other == replace(one, ahead=-one.ahead)
        assert one.step in STEPS[1:]
        before, after = STEPS.index(one.step) - 1, STEPS.index(one.step)
        mean = (first - second).mean(axis=0)
        assert np.sign(mean[after]) == one.ahead != np.sign(mean[before])


def test_the_same_seed_gives_the_same_interval():
    off = np.random.default_rng(0).standard_normal((20, 1)) + np.array(STEPS) - 4.0
    first, second, third = (trained_crossing(losses(off), losses(0 * off), rng=seed) for seed in (1, 1, 2))
    assert first == second
    assert first is not None
    assert third is not None
    assert first.step == third.step


@pytest.mark.parametrize(
    ("first", "second", "level", "line"),
    [
        (losses(np.zeros((2, 6))), losses(np.zeros((3, 6))), 0.95, "first and second must have"),
        (
            losses(np.zeros((2, 2)), (0, 1)),
            losses(np.zeros((2, 2)), (0, 2)),
            0.95,
            "first and second must have",
        ),
        (losses(np.zeros((2, 6))), losses(np.zeros((2, 6))), 1.0, "level must lie strictly between 0 and 1"),
    ],
)
def test_bad_input_is_one_line(first: TrainedLosses, second: TrainedLosses, level: float, line: str):
    with pytest.raises(InputError) as caught:
        trained_crossing(first, second, level=level)
    assert str(caught.value).startswith(line)


def test_who_is_called_surely_ahead_is_that_by_chance_as_often_as_stated():
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(1000):
        common = np.exp(3 * rng.standard_normal((8, 1))) + np.zeros(6)
        found = surely_ahead(losses(common + rng.standard_normal((8, 6))), losses(common), (0, 2, 20))
        alarms += any(found)
    # 1 - (1 - 0.05/3)^3 = 4.9 % of 1000, and 4 standard deviations of 6.8: neither more nor needlessly fewer.
    assert 22 <= alarms <= 76


def test_nothing_is_sure_of_equal_losses_of_rounding_and_of_single_networks():
    ones = np.ones((3, 6))
    assert surely_ahead(losses(ones), losses(ones), STEPS) == (0,) * 6
    assert surely_ahead(losses(ones + 1e-15), losses(ones), STEPS) == (0,) * 6
    assert surely_ahead(losses(ones + 1e-12), losses(ones), STEPS) == (1,) * 6
    assert surely_ahead(losses(ones[:1]), losses(9 * ones[:1]), STEPS) == (0,) * 6
    with pytest.raises(InputError, match="as many networks"):
        surely_ahead(losses(ones), losses(ones[:2]), STEPS)
