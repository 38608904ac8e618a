"""Resampled intervals: width, coverage, pairing, and what has none."""

from __future__ import annotations

import numpy as np
import pytest

from derivations.errors import InputError
from verify.bootstrap import FEWEST, Interval, resampled

NORMAL = np.random.default_rng(3).standard_normal(400)


def difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(np.mean(second, axis) - np.mean(first, axis))


def test_of_a_normal_mean_the_interval_is_that_of_the_textbook():
    found = resampled(np.mean, [NORMAL])
    half = 1.96 * NORMAL.std(ddof=1) / 20
    assert found.estimate == NORMAL.mean()
    # Of 2000 resamples an end varies by a sixtieth of the length, 1/30 of the half: five of these.
    assert found.high - found.estimate == pytest.approx(half, rel=5 / 30)
    assert found.estimate - found.low == pytest.approx(half, rel=5 / 30)


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(8)
    draws = rng.exponential(size=(300, 20))
    covered = sum(
        (found := resampled(np.mean, [draw], rng=i)).low < 1 < found.high for i, draw in enumerate(draws)
    )
    # 20 skewed samples: nominal 95 %, in truth about 91 %; 300 trials have a deviation of 1.7 %.
    assert 0.85 < covered / 300 < 0.97


def test_samples_are_taken_in_pairs():
    paired = resampled(difference, [NORMAL, NORMAL + 0.1 + 1e-3 * NORMAL[::-1]])
    assert paired.excludes_zero
    assert paired.high - paired.low < 1e-3
    assert not resampled(difference, [NORMAL, NORMAL[::-1] + 0.01]).excludes_zero


def test_the_same_seed_gives_the_same_interval():
    one, same, other = (resampled(np.mean, [NORMAL], rng=rng) for rng in (4, 4, 5))
    assert one == same != other


def test_what_has_no_interval_has_none():
    assert resampled(np.mean, [np.full(6, 2.0)]) == Interval(2.0, 2.0, 2.0)
    assert np.isnan(resampled(np.mean, [np.array([1.0, np.inf, 1.0, 2.0, 3.0])]).low)
    assert not Interval(1.0, np.nan, np.nan).excludes_zero
    with pytest.raises(InputError, match=f"samples must be at least {FEWEST} for an interval, got 4"):
        resampled(np.mean, [NORMAL[:4]])
