"""What `gluntk dynamics` found, as JSON, as text and as a figure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from derivations.dynamics import CrossingEstimate, Crossings, ExpectedLoss, late_stage
from derivations.dynamics.crossing import LAST
from derivations.dynamics.loss import logarithmic_steps
from verify.commands.data import DataRequest
from verify.commands.descent import BEGINNINGS
from verify.commands.dynamics_trained import TrainedNetworks, draw_trained, trained_content, trained_lines
from verify.commands.tables import aligned
from verify.commands.values import SCHEMA, number, readable
from verify.plots import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIGITS = 4


@dataclass(frozen=True)
class Report:
    """What the command found; two losses by name."""

    losses: dict[str, ExpectedLoss]
    crossings: Crossings
    request: DataRequest
    n: int
    d: int
    width: int | None
    eta: float
    bound: float
    initial: str
    labels: str
    steps: tuple[int, ...]
    predicted: int | None
    estimated: CrossingEstimate | None = None
    trained: TrainedNetworks | None = None
    automatic: bool = False

    def ahead(self, sign: int) -> str | None:
        """The network with the smaller loss, None if they are equal."""
        first, second = self.losses
        return {-1: first, 1: second}.get(sign)


def as_json(report: Report) -> str:
    """One JSON object with the public keys."""
    found, estimate = report.crossings, report.estimated
    content = {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "n": report.n,
        "d": report.d,
        "width": report.width,
        "eta": number(report.eta),
        "eta_bound": number(report.bound),
        "initial": report.initial,
        "labels": report.labels,
        "seed": report.request.seed,
        "rates": {name: loss.rate for name, loss in report.losses.items()},
        "crossings": list(found.steps),
        "most_crossings": found.most,
        "predicted_crossing": report.predicted,
        "estimated_crossing": estimate and {"step": number(estimate.step), "reliable": estimate.reliable},
        "ahead": {"start": report.ahead(found.ahead_at_start), "end": report.ahead(found.ahead_at_last)},
        "decided_from": number(late_stage(*report.losses.values()).decided_from),
        "loss": {
            name: {
                str(k): number(value) for k, value in zip(report.steps, loss.at(report.steps), strict=True)
            }
            for name, loss in report.losses.items()
        },
        "log10_loss": {
            name: {
                str(k): number(value / np.log(10))
                for k, value in zip(report.steps, loss.log_at(report.steps), strict=True)
            }
            for name, loss in report.losses.items()
        },
    }
    content |= trained_content(report.trained, report.steps)
    return json.dumps(content, indent=2)


def as_text(report: Report, plot: str | None) -> str:
    """A table of losses, and who is ahead when."""
    table = [["k", *(f"{k:.6g}" for k in report.steps), "rate at last"]]
    for name, loss in report.losses.items():
        values = [_readable(value) for value in loss.log_at(report.steps)]
        slowest = loss.logarithms[loss.weights > 0]
        # 1 - |1 - eta lambda|, with digits of its own where it is small.
        lost = -np.expm1(slowest.max() / 2) if len(slowest) else 1.0
        table.append([name, *values, readable(lost, DIGITS)])
    chosen = " (auto: 1 / the larger lambda_1)" if report.automatic else ""
    lines = [
        "Expected loss 1/2 E|f_k - Y|^2 after k steps of gradient descent, infinite-width kernels (NTK)",
        f"  data     {report.request.name}: n = {report.n}, d = {report.d}",
        f"  targets  {report.labels}",
        f"  outputs before the first step: {BEGINNINGS[report.initial]}",
        f"  eta      {readable(report.eta)}{chosen}; it must be below {readable(report.bound)}",
        "",
        *aligned(table, names=1),
        "  rate at last: the share of the slowest mode's error that a step takes away",
        "",
        *(f"  {line}" for line in _remarks(report)),
    ]
    if report.trained is not None:
        lines += ["", *trained_lines(report.trained, report.steps)]
    if plot is not None:
        lines.append(f"  figure: {plot}")
    return "\n".join(lines)


def _readable(logarithm: float) -> str:
    """A loss by its logarithm, also where it underflows."""
    if np.isneginf(logarithm) or logarithm > np.log(np.finfo(float).tiny):
        return readable(float(np.exp(logarithm)), DIGITS)
    return f"1e{logarithm / np.log(10):.0f}"


def _remarks(report: Report) -> Iterator[str]:
    found = report.crossings
    start, end = report.ahead(found.ahead_at_start), report.ahead(found.ahead_at_last)
    yield "equal before the first step" if start is None else f"ahead before the first step: {start}"
    if end is None:
        yield "equal at last"
    else:
        since = late_stage(*report.losses.values()).decided_from
        surely = f", surely from k = {ceil(since):.6g} on" if np.isfinite(since) else ""
        yield f"ahead at last, where the slowest modes decide: {end}{surely}"
    if found.most == 0:
        yield "they never cross: partial sums of the modes' weights do not change sign"
        return
    yield _crossings(found)
    if report.predicted is not None:
        yield f"first crossing by the law of random rows, without these: k = {report.predicted}"
    if report.estimated is not None and report.estimated.reliable:
        yield f"first crossing by its closed estimate: k = {report.estimated.step:.3g}"


def _crossings(found: Crossings) -> str:
    """Those that were found, and how many more there can be."""
    steps = ", ".join(map(str, found.steps))
    count = len(found.steps)
    said = {0: f"no crossing up to 10^{round(np.log10(LAST))} steps", 1: f"one crossing, at k = {steps}"}.get(
        count, f"{count} crossings, at k = {steps}"
    )
    more = found.most - count
    return f"{said}; " + ("no other is possible" if not more else f"up to {more} more are not excluded")


def draw_losses(ax: Axes, report: Report) -> None:
    """Losses over steps, both logarithmic, down to what is seen of them; lines where they cross.

    Steps go far enough to see the crossings, or as far as networks were trained.
    """
    last = max(report.steps[-1], 10)
    if report.trained is None:
        last = max(last, *(10 * k for k in report.crossings.steps[-1:]), 10)
    steps = logarithmic_steps(min(last, LAST))[1:]
    for (name, loss), colour in zip(report.losses.items(), COLOURS, strict=False):
        ax.plot(steps, loss.at(steps), color=colour, label=name, linewidth=1.4)
    if report.trained is not None:
        draw_trained(ax, report.trained)
    label = "expected losses cross"
    for k in report.crossings.steps:
        if k <= last:
            ax.axvline(k, color="0.6", linewidth=0.8, linestyle=":", label=label)
            label = "_"  # once in the legend
    ax.set_xscale("log")
    ax.set_yscale("log")
    # Below is rounding of the targets themselves.
    top = max(loss.start for loss in report.losses.values())
    ax.set_ylim(bottom=max(top * 1e-16, min(loss.at(steps).min() for loss in report.losses.values()) / 2))
    ax.set_xlabel("gradient steps $k$")
    ax.set_ylabel(r"expected loss $\frac{1}{2}E|f_k - Y|^2$")
    size = f"n = {report.n}, d = {report.d}" + ("" if report.width is None else f", m = {report.width}")
    ax.set_title(
        f"{report.labels} targets, {report.request.name}\n{size}, eta = {report.eta:.4g}\n"
        f"outputs at the start: {BEGINNINGS[report.initial]}",
        fontsize="x-small",
        parse_math=False,  # names of files may have dollars
    )
    ax.legend(frameon=False)
