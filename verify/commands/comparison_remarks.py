"""What the tables of `gluntk compare` say: which network is best when, and what to beware of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from verify.commands.values import readable
from verify.comparison import Comparison, ranking

if TYPE_CHECKING:
    from verify.commands.comparison_report import Report

CLOSE = 0.02
"""Relative differences of errors that are told as equally good: about what the law is right to."""
WIDTH = (
    "kernels are those of infinite width; the kernel of one network fluctuates, more with gates, and its test error is "
    "larger (python -m benchmarks.learning_networks trains some)"
)


def remarks(report: Report) -> Iterator[str]:
    """What the tables say, what their columns are, and what to do next."""
    yield from _best(report)
    yield from _conditions(report)
    for row in report.rows:
        if row.refusal is not None:
            yield f"{row.network.name}: no test error is predicted: {row.refusal}"
    yield from differences(report.rows)
    total = report.teacher.energy
    yield (
        f"test error: mean squared error on fresh rows, noise not counted; {total:g} is that of a network that says 0. "
        "Gradient descent starts there and takes steps of 1/lambda_max of each kernel on the rows' squared error"
    )
    yield (
        "degrees are those of spherical harmonics; a kernel learns a degree sooner the larger its share is, over the number "
        "of harmonics there; degree 0 only makes steps shorter, and what is above the teacher's degrees acts like a ridge"
    )
    yield "condition: lambda_max / lambda_min by the sharp law of many such rows (`gluntk spectrum` has details)"
    yield WIDTH
    if all(row.measured is None for row in report.rows):
        yield "predictions rest on a heuristic argument; to check them by real gradient descent add --draws 4"


def _best(report: Report) -> Iterator[str]:
    for i, t in enumerate(report.steps):
        names = best_names(report, i)
        if not names:
            return
        others = f" ({', '.join(names[1:])} within {CLOSE:.0%})" if names[1:] else ""
        error = ranking(report.rows, i)[0][0]
        yield f"best after {t} step{'s' * (t > 1)}: {names[0]}, test error {error:.4f}{others}"


def _conditions(report: Report) -> Iterator[str]:
    """Where the best condition number is not the best learner."""
    known = [row for row in report.rows if row.curve is not None and row.spectrum.condition_number.sharp]
    if not known:
        return
    first = min(known, key=lambda row: row.spectrum.condition_number.sharp or np.inf)
    beaten = []
    assert first.curve is not None
    for i, t in enumerate(report.steps):
        error, name = ranking(report.rows, i)[0]
        if first.curve.errors[i] > (1 + CLOSE) * error > 0:
            beaten.append(f"{first.curve.errors[i] / error - 1:+.0%} on the error of {name} after {t}")
    if beaten:
        yield (
            f"the smallest condition number, {cell(first.spectrum.condition_number.sharp)}, is that of "
            f"{first.network.name}, but it does not learn best: {', '.join(beaten)}"
        )


def differences(rows: tuple[Comparison, ...]) -> Iterator[str]:
    """How far predictions are from what was measured."""
    gaps = [
        (abs(predicted / mean - 1), abs(predicted - mean) / error)
        for row in rows
        if row.measured is not None and row.curve is not None
        for predicted, mean, error in zip(
            row.curve.errors, row.measured.mean, row.measured.standard_error, strict=True
        )
        if mean > 0 and error > 0
    ]
    if gaps:
        worst, sigmas = max(gap[0] for gap in gaps), max(gap[1] for gap in gaps)
        yield (
            f"measured and predicted test errors differ by {np.median([gap[0] for gap in gaps]):.1%} (median), at most "
            f"{worst:.1%} and {sigmas:.1f} standard errors"
        )


def best_names(report: Report, index: int) -> list[str]:
    """Best first, those that are as good as the best."""
    ranked = ranking(report.rows, index)
    return [name for error, name in ranked if error <= (1 + CLOSE) * ranked[0][0]]


def cell(value: float | tuple[float, float] | None) -> str:
    """A number, a range, or a dash for none."""
    if value is None:
        return "-"
    if isinstance(value, tuple):
        low, high = value
        return cell(low) if low == high else f"{cell(low)} to {cell(high)}"
    return readable(value, 4)
