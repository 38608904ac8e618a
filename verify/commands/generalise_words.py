"""What is said of two networks' speeds and gaps: estimates, bootstrap intervals over splits, and sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derivations.sources.glu_dynamics import LITTLE
from verify.activations import Array
from verify.bootstrap import Interval, resampled


@dataclass(frozen=True)
class Gap:
    """Test less training error of every network at one moment, and its difference to that of the first.

    Attributes
    ----------
    moment : str
    gaps : (S, k) float
    """

    moment: str
    gaps: Array

    def mean(self, index: int) -> float:
        """Over the splits."""
        return float(self.gaps[:, index].mean())

    def difference(self, index: int) -> Interval:
        """To the first network's, paired."""
        return resampled(np.mean, [self.gaps[:, index] - self.gaps[:, 0]])

    def interval(self, index: int) -> Interval:
        """Of the mean over the splits."""
        return resampled(np.mean, [self.gaps[:, index]])

    def change(self, index: int) -> Interval | None:
        """Of the mean gap, relative to the first network's; None where that is not surely above 0, and so no measure."""
        if not self.interval(0).low > 0:
            return None
        found = resampled(_relative, [self.gaps[:, 0], self.gaps[:, index]])
        return found if np.isfinite(found).all() else None


def _relative(first: Array, other: Array, axis: int) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):  # told by nan
        return np.asarray(np.mean(other, axis) / np.mean(first, axis) - 1)


def saved(reached: Array) -> Interval | None:
    """How many times fewer steps the second takes than the first, (S, 2); None where one never comes there.

    Examples
    --------
    >>> saved(np.array([[2.0, 1.0]] * 5))
    Interval(estimate=2.0, low=2.0, high=2.0)
    """
    if not np.isfinite(reached).all() or not (reached > 0).all():
        return None
    found = resampled(np.mean, [np.log(reached[:, 0] / reached[:, 1])])
    return Interval(*map(float, np.exp(found)))


def percent(share: float) -> str:
    """As people write it.

    Examples
    --------
    >>> percent(0.1), percent(0.005)
    ('10 %', '0.5 %')
    """
    return f"{100 * share:g} %"


def shown(interval: Interval) -> str:
    """An added amount.

    Examples
    --------
    >>> shown(Interval(1.0, -0.5, 2.0))
    '+1 [-0.5, +2]'
    """
    return "{:+.3g} [{:+.3g}, {:+.3g}]".format(*interval)


def shown_change(interval: Interval | None) -> str:
    """A relative amount.

    Examples
    --------
    >>> shown_change(Interval(0.1, -0.05, 0.2)), shown_change(None)
    ('+10 % [-5 %, +20 %]', '-')
    """
    return "-" if interval is None else "{:+.0%} [{:+.0%}, {:+.0%}]".format(*interval).replace("%", " %")


def speed(times: Interval | None, name: str, first: str, level: float) -> str:
    to = f"to a training error of {percent(level)}"
    if times is None:
        return f"{to}: not every split gets there"
    if times.low <= 1 <= times.high:
        return (
            f"{to}: no difference in speed is seen between {name} and {first} "
            f"(a factor of {times.low:.3g} to {times.high:.3g})"
        )
    if times.estimate > 1:
        return f"{to}: {name} takes {times.estimate:.3g} times fewer steps ({times.low:.3g} to {times.high:.3g}) than {first}"
    return (
        f"{to}: {name} takes {1 / times.estimate:.3g} times more steps ({1 / times.high:.3g} to {1 / times.low:.3g}) than "
        f"{first}"
    )


def verdict(gap: Gap, index: int, name: str, first: str) -> str:
    """Whether the gaps differ, and whether by little."""
    added, change = gap.difference(index), gap.change(index)
    where = f"gap at {gap.moment}"
    if not np.isfinite(added.low):
        return f"{where}: not known for every split"
    if not added.excludes_zero:
        seen = "no difference is seen"
    else:
        seen = f"{name}'s is {'larger' if added.estimate > 0 else 'smaller'}"
    if change is None:
        return f"{where}: {seen}"
    share = f"{percent(LITTLE)} of that of {first}"
    if max(abs(change.low), abs(change.high)) <= LITTLE:
        return f"{where}: the gaps differ by at most {share} ({seen}): little"
    if change.low > LITTLE or change.high < -LITTLE:
        return f"{where}: the gaps differ by more than {share} ({seen}): not little"
    return f"{where}: whether the gaps differ by more than {share} is not decided ({seen})"
