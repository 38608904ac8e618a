"""Figures of `gluntk generalise`: errors over steps, and gaps over the training error, where networks are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify.bootstrap import resampled
from verify.commands.generalise_report import Report
from verify.plots import BLACK, COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = (0.1, 0.9)
"""Quantiles of the splits."""


def draw_generalisation(figure: Figure, axes: Sequence[Axes], report: Report) -> None:
    """On two panels."""
    plot_errors(axes[0], report)
    plot_gaps(axes[1], report)
    what = "splits" if report.request.source else "draws"
    figure.suptitle(
        f"{report.targets}, {report.request.name}: {report.train} rows to train on, {report.splits} {what}",
        fontsize="medium",
    )


def plot_errors(ax: Axes, report: Report) -> None:
    """Test errors as lines, training errors dashed, over steps; bands hold eight of ten splits."""
    from matplotlib.lines import Line2D

    found = report.found
    moving = [i for i, step in enumerate(found.steps) if 0 < step < np.inf]
    steps = np.array(found.steps)[moving]
    for k, colour in enumerate(COLOURS[: len(report.names)]):
        for values, dash in ((found.test, "-"), (found.train, "--")):
            of_network = values[:, k, moving]
            ax.plot(steps, of_network.mean(axis=0), color=colour, linestyle=dash, linewidth=1.4)
            ax.fill_between(
                steps, *np.quantile(of_network, BAND, axis=0), color=colour, alpha=0.15, linewidth=0
            )
        ax.axhline(found.test[:, k, -1].mean(), color=colour, linestyle=":", linewidth=1.0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    # What is far below the test errors has been learned by heart.
    tests = found.test[..., [*moving, -1]].mean(axis=0)
    least = max(found.train[..., moving].mean(axis=0).min(), 1e-3 * tests.min())
    if least > 0:
        ax.set_ylim(bottom=0.8 * min(least, tests.min()))
    ax.set_xlabel("gradient steps $k$")
    ax.set_ylabel("mean squared error (band: 8 of 10)")
    handles = [
        *(
            Line2D([], [], color=colour, label=name)
            for name, colour in zip(report.names, COLOURS, strict=False)
        ),
        Line2D([], [], color=BLACK, label="test"),
        Line2D([], [], color=BLACK, linestyle="--", label="train"),
        Line2D([], [], color=BLACK, linestyle=":", label="test, convergence"),
    ]
    # Above the panel: curves and the lines they tend to leave no room.
    ax.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(handles),
        frameon=False,
        fontsize="x-small",
        handlelength=1.5,
        columnspacing=1.0,
    )


def plot_gaps(ax: Axes, report: Report) -> None:
    """Test less training error over the training error, which falls to the right; at its end, convergence."""
    labels = [gap.moment.removeprefix("training error ") for gap in report.gaps]
    at = np.arange(len(labels))
    width = 0.8 / len(report.names)
    for k, (name, colour) in enumerate(zip(report.names, COLOURS, strict=False)):
        means = [resampled(np.mean, [gap.gaps[:, k]]) for gap in report.gaps]
        heights = np.array([mean.estimate for mean in means])
        ends = np.array([[mean.estimate - mean.low, mean.high - mean.estimate] for mean in means]).T
        ax.bar(
            at + (k - (len(report.names) - 1) / 2) * width,
            heights,
            width,
            yerr=ends,
            color=colour,
            ecolor=BLACK,
            capsize=2.5,
            label=name,
        )
    ax.axhline(0.0, color=BLACK, linewidth=0.5)
    ax.set_xticks(at, labels)
    ax.set_xlabel("training error, of the targets' mean square")
    ax.set_ylabel("test less training error (95 % intervals)")
    ax.legend(frameon=False)
