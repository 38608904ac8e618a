"""What `gluntk generalise` found, as JSON and as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

import numpy as np

from verify.activations import Array
from verify.bootstrap import Interval
from verify.commands.data import DataRequest
from verify.commands.descent import BEGINNINGS, so_many
from verify.commands.generalise_trained import trained_content, trained_remarks, trained_rows
from verify.commands.generalise_words import Gap, percent, saved, shown, shown_change, speed, verdict
from verify.commands.labels import INDEPENDENT
from verify.commands.tables import aligned
from verify.commands.values import SCHEMA, number, readable
from verify.generalisation import Descents
from verify.trained_generalisation import TrainedDescents

DIGITS = 4
ROUNDED = 1e-12
"""Relative to training errors: smaller gaps are none."""


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
    eta: float | None = None
    seeds: int | None = None
    trained: TrainedDescents | None = None

    @property
    def columns(self) -> list[int]:
        """Where the steps asked for are among those followed."""
        return [self.found.steps.index(step) for step in self.at]

    @property
    def bound(self) -> float:
        """Of step sizes: that of the narrowest split."""
        return float(2 / np.max(self.found.largest))

    @property
    def splits(self) -> int:
        """S."""
        return len(self.found.train)

    @property
    def finite(self) -> list[int]:
        """The steps asked for, without convergence."""
        return [int(step) for step in self.at if np.isfinite(step)]

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """At every training error, and at convergence."""
        found = self.found
        # Of kernels that fit everything exactly, errors are rounding.
        least = ROUNDED * float(np.max(found.train_there))
        every = [found.gap_there[..., i] for i in range(len(found.levels))] + [found.gap[..., -1]]
        moments = [f"training error {percent(level)}" for level in found.levels] + ["convergence"]
        return tuple(
            Gap(moment, np.where(np.abs(gap) <= least, 0.0, gap))
            for moment, gap in zip(moments, every, strict=True)
        )

    def saved(self, index: int, level: int) -> Interval | None:
        """How many times fewer steps than the first network."""
        return saved(self.found.reached[:, [0, index], level])


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
        "eta": None if report.eta is None else number(report.eta),
        "eta_bound": number(report.bound),
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
                f"{level:g}": None if (times := report.saved(k, i)) is None else _ends(times)
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
            name: {
                gap.moment: None if (change := gap.change(k)) is None else _ends(change)
                for gap in report.gaps
            }
            for k, name in enumerate(names)
            if k
        },
        "trained": trained_content(report.trained, names, report.finite, report.seeds),
    }
    return json.dumps(content, indent=2)


def _rate(report: Report) -> str:
    if report.eta is None:
        return "auto: 1 / the larger lambda_1 of each split"
    return f"{readable(report.eta)} (it must be below {readable(report.bound)})"


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
        f"  eta      {_rate(report)}, the same for all networks",
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
        if report.trained is not None:
            yield from trained_rows(report.trained, k, report.finite)


def _gaps_table(report: Report) -> Iterator[list[str]]:
    first, *others = report.names
    yield ["at", first, *(cell for name in others for cell in (name, f"{name} - {first}", "change"))]
    for gap in report.gaps:
        cells = [gap.moment, readable(gap.mean(0), DIGITS)]
        for k in range(1, len(report.names)):
            added, change = gap.difference(k), gap.change(k)
            cells += [readable(gap.mean(k), DIGITS), shown(added), shown_change(change)]
        yield cells


def _remarks(report: Report) -> Iterator[str]:
    first, *others = report.names
    for k, name in enumerate(others, start=1):
        for i, level in enumerate(report.found.levels):
            yield speed(report.saved(k, i), name, first, level)
        for gap in report.gaps:
            yield verdict(gap, k, name, first)
    yield f"interpolation by solving for it: test error {_of_each(report, report.found.interpolated)}"
    yield f"rows to train on, each left out in turn: error {_of_each(report, report.found.left_out)}"
    if report.trained is not None and report.seeds is not None:
        yield f"trained: {so_many(report.seeds)} of width {report.width} of each kind on every split, every weight"
        yield from trained_remarks(report.trained, report.names)
    if report.targets in INDEPENDENT:
        yield "targets are independent of the rows: what is learned of them predicts nothing"
    if report.request.source is not None:
        yield "splits share rows: intervals are about other splits of these rows, not about other rows"


def _of_each(report: Report, values: Array) -> str:
    """Means by network."""
    if not np.isfinite(values).all():
        return "not known, for a kernel is singular"
    means = (readable(mean, DIGITS) for mean in values.mean(axis=0))
    return " and ".join(f"{mean} of {name}" for mean, name in zip(means, report.names, strict=True))
