"""What `gluntk generalise` found, as JSON and as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import numpy as np

from verify.activations import Array
from verify.bootstrap import Interval, resampled
from verify.commands.data import DataRequest
from verify.commands.tables import aligned
from verify.commands.values import SCHEMA, number, readable
from verify.generalisation import Descents

BEGINNINGS = {
    "nngp": "of networks that are initialised (NNGP covariance)",
    "zero": "zero outputs",
}
DIGITS = 4
LITTLE = 0.2
"""A change of the gap, relative, up to which it is called little."""


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

    def change(self, index: int) -> Interval:
        """Of the mean gap, relative to the first network's."""
        return resampled(_relative, [self.gaps[:, 0], self.gaps[:, index]])


def _relative(first: Array, other: Array, axis: int) -> Array:
    return np.asarray(np.mean(other, axis) / np.mean(first, axis) - 1)


@dataclass(frozen=True)
class Report:
    """What the command found."""

    names: tuple[str, ...]
    found: Descents
    at: tuple[float, ...]
    request: DataRequest
    targets: str
    noise: float
    train: int
    test: int
    width: int | None
    initial: str

    @property
    def columns(self) -> list[int]:
        """Where the steps asked for are among those followed."""
        return [self.found.steps.index(step) for step in self.at]

    @property
    def splits(self) -> int:
        """S."""
        return len(self.found.train)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """At every training error, and at convergence."""
        levels = (
            Gap(f"training error {percent(level)}", self.found.gap_there[..., i])
            for i, level in enumerate(self.found.levels)
        )
        return (*levels, Gap("convergence", self.found.gap[..., -1]))

    def saved(self, index: int, level: int) -> Interval | None:
        """How many times fewer steps than the first network; None where one never comes to the training error."""
        reached = self.found.reached[:, [0, index], level]
        if not np.isfinite(reached).all() or not (reached > 0).all():
            return None
        found = resampled(np.mean, [np.log(reached[:, 0] / reached[:, 1])])
        return Interval(*np.exp(found))


def as_json(report: Report) -> str:
    """One JSON object with the public keys."""
    found, names = report.found, report.names
    kinds = {"train": found.train, "test": found.test, "gap": found.gap, "wrong": found.wrong}
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "train": report.train,
        "test": report.test,
        "splits": report.splits,
        "width": report.width,
        "initial": report.initial,
        "targets": report.targets,
        "noise": report.noise,
        "seed": report.request.seed,
        "errors": {
            name: {
                kind: {
                    _step(step): number(values[:, k, column].mean())
                    for step, column in zip(report.at, report.columns, strict=True)
                }
                for kind, values in kinds.items()
                if values is not None
            }
            for k, name in enumerate(names)
        },
        "steps": {
            name: {
                f"{level:g}": number(found.reached[:, k, i].mean()) for i, level in enumerate(found.levels)
            }
            for k, name in enumerate(names)
        },
        "interpolation": {name: number(found.interpolated[:, k].mean()) for k, name in enumerate(names)},
        "left_out": {name: number(found.left_out[:, k].mean()) for k, name in enumerate(names)},
        "gaps": {
            gap.moment: {name: number(gap.mean(k)) for k, name in enumerate(names)} for gap in report.gaps
        },
        "against": names[0],
        "faster": {
            name: {
                f"{level:g}": None if (saved := report.saved(k, i)) is None else _ends(saved)
                for i, level in enumerate(found.levels)
            }
            for k, name in enumerate(names)
            if k
        },
        "gap_difference": {
            name: {gap.moment: _ends(gap.difference(k)) for gap in report.gaps}
            for k, name in enumerate(names)
            if k
        },
        "gap_change": {
            name: {gap.moment: _ends(gap.change(k)) for gap in report.gaps}
            for k, name in enumerate(names)
            if k
        },
    }
    return json.dumps(content, indent=2)


def _step(step: float) -> str:
    return "inf" if np.isinf(step) else str(int(step))


def _ends(interval: Interval) -> list[float | str]:
    """Estimate, low, high."""
    return [number(value) for value in interval]


def as_text(report: Report, plot: str | None) -> str:
    """Tables of steps, errors and gaps, and what they say."""
    request = report.request
    noise = f", with noise of variance {report.noise:g}" if report.noise else ""
    lines = [
        "Generalisation along gradient descent of infinite-width kernels (NTK): expected mean squared errors",
        f"  data     {request.name}: {report.train} rows to train on, {report.test} to test; {report.splits} "
        + ("random splits" if request.source else "draws"),
        f"  targets  {report.targets}{noise}",
        f"  outputs before the first step: {BEGINNINGS[report.initial]}",
        "  step size  1 / the larger lambda_1, the same for all",
        "",
        "Steps to a training error, of the targets' mean square",
        *aligned(list(_steps_table(report)), names=1),
        "",
        "Errors after k steps",
        *aligned(list(_errors_table(report)), names=2),
        "",
        f"Gaps, test less training error, and what is added to that of {report.names[0]} [95 %]",
        *aligned(list(_gaps_table(report)), names=1),
        "",
        *(f"  {line}" for line in _remarks(report)),
    ]
    if plot is not None:
        lines.append(f"  figure: {plot}")
    return "\n".join(lines)


def _steps_table(report: Report) -> Iterator[list[str]]:
    yield ["", *map(percent, report.found.levels)]
    for k, name in enumerate(report.names):
        yield [name, *(readable(mean, DIGITS) for mean in report.found.reached[:, k].mean(axis=0))]


def _errors_table(report: Report) -> Iterator[list[str]]:
    yield ["", "k", *map(_step, report.at)]
    kinds = {"train": report.found.train, "test": report.found.test, "wrong class": report.found.wrong}
    for k, name in enumerate(report.names):
        for kind, values in kinds.items():
            if values is not None:
                means = values[:, k, report.columns].mean(axis=0)
                yield [name if kind == "train" else "", kind, *(readable(mean, DIGITS) for mean in means)]


def _gaps_table(report: Report) -> Iterator[list[str]]:
    first, *others = report.names
    yield ["at", first, *(cell for name in others for cell in (name, f"{name} - {first}", "change"))]
    for gap in report.gaps:
        cells = [gap.moment, readable(gap.mean(0), DIGITS)]
        for k in range(1, len(report.names)):
            added, change = gap.difference(k), gap.change(k)
            cells += [readable(gap.mean(k), DIGITS), _shown(added, "+.3g"), _percent(change)]
        yield cells


def _shown(interval: Interval, form: str) -> str:
    return f"{interval.estimate:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def percent(share: float) -> str:
    """As people write it.

    Examples
    --------
    >>> percent(0.1), percent(0.005)
    ('10 %', '0.5 %')
    """
    return f"{100 * share:g} %"


def _percent(interval: Interval) -> str:
    """Of ratios whose divisor may be near 0, without digits that nobody can use."""
    return f"{interval.estimate:+.0%} [{interval.low:+.0%}, {interval.high:+.0%}]".replace("%", " %")


def _remarks(report: Report) -> Iterator[str]:
    first, *others = report.names
    for k, name in enumerate(others, start=1):
        for i, level in enumerate(report.found.levels):
            yield _speed(report.saved(k, i), name, first, level)
        for gap in report.gaps:
            yield _verdict(gap, k, name, first)
    solved = " and ".join(
        f"{readable(report.found.interpolated[:, k].mean(), DIGITS)} of {name}"
        for k, name in enumerate(report.names)
    )
    yield f"interpolation by solving for it: test error {solved}"
    left_out = " and ".join(
        f"{readable(report.found.left_out[:, k].mean(), DIGITS)} of {name}"
        for k, name in enumerate(report.names)
    )
    yield f"rows to train on, each left out in turn: error {left_out}"
    if report.request.source is not None:
        yield "splits share rows: intervals are about other splits of these rows, not about other rows"


def _speed(saved: Interval | None, name: str, first: str, level: float) -> str:
    to = f"to a training error of {percent(level)}"
    if saved is None:
        return f"{to}: not every split gets there"
    if saved.low <= 1 <= saved.high:
        return (
            f"{to}: no difference in speed is seen between {name} and {first} "
            f"(a factor of {saved.low:.3g} to {saved.high:.3g})"
        )
    if saved.estimate > 1:
        return f"{to}: {name} takes {saved.estimate:.3g} times fewer steps ({saved.low:.3g} to {saved.high:.3g}) than {first}"
    return (
        f"{to}: {name} takes {1 / saved.estimate:.3g} times more steps ({1 / saved.high:.3g} to {1 / saved.low:.3g}) than "
        f"{first}"
    )


def _verdict(gap: Gap, index: int, name: str, first: str) -> str:
    """Whether the gaps differ, and whether by little."""
    added, change = gap.difference(index), gap.change(index)
    where = f"gap at {gap.moment}"
    if not np.isfinite(added.low):
        return f"{where}: not known for every split"
    if not added.excludes_zero:
        seen = "no difference is seen"
    else:
        seen = f"that of {name} is {'larger' if added.estimate > 0 else 'smaller'}"
    if gap.mean(0) <= 0 or not np.isfinite(change.low):
        return f"{where}: {seen}"
    size = max(abs(change.low), abs(change.high))
    if size <= LITTLE:
        return f"{where}: {seen}; at most {percent(LITTLE)} of that of {first}: little"
    if change.low > LITTLE or change.high < -LITTLE:
        return f"{where}: {seen}, by more than {percent(LITTLE)} of that of {first}: not little"
    return f"{where}: {seen}; whether within {percent(LITTLE)} of that of {first} is not decided"
