"""Figures of `gluntk generalise`: errors over steps, and gaps over the training error, where networks are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify.activations import Array
from verify.bootstrap import Interval
from verify.commands.generalise_report import Report
from verify.commands.generalise_words import Gap, shown, shown_change
from verify.plots import BLACK, COLOURS, MARKERS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.container import Container
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
        parse_math=False,  # names of files may have dollars
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
        if report.trained is not None:
            at = [report.trained.steps.index(step) for step in report.finite if step]
            for values, filled in ((report.trained.test, True), (report.trained.train, False)):
                marked = [Gap("", values[..., i]).interval(k) for i in at]
                _mark(ax, [report.trained.steps[i] for i in at], marked, k, filled)
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
    if report.trained is not None:
        handles.append(Line2D([], [], color=BLACK, linestyle="", marker="o", label="trained (95 %)"))
    _legend_above(ax, handles)


def plot_gaps(ax: Axes, report: Report) -> None:
    """Test less training error over the training error, which falls to the right; at its end, convergence.

    Over each group stands by how much the others' gaps differ from the first network's, with the interval of pairs.
    """
    labels = [gap.moment.removeprefix("training error ") for gap in report.gaps]
    at = np.arange(len(labels))
    width = 0.8 / len(report.names)
    tops = np.zeros(len(labels))
    handles: list[Artist | Container] = []
    for k, (name, colour) in enumerate(zip(report.names, COLOURS, strict=False)):
        means = [gap.interval(k) for gap in report.gaps]
        places = at + (k - (len(report.names) - 1) / 2) * width
        heights = [mean.estimate for mean in means]
        bars = ax.bar(
            places, heights, width, yerr=_bars(means), color=colour, ecolor=BLACK, capsize=2.5, label=name
        )
        handles.append(bars)
        tops = np.fmax(tops, [mean.high for mean in means])
        if report.trained is not None:
            # Networks are trained for finitely many steps: not all come down to every training error.
            there = np.flatnonzero(np.isfinite(report.trained.gap_there[:, k]).all(axis=0))
            marked = [Gap("", report.trained.gap_there[..., i]).interval(k) for i in there]
            _mark(ax, list(places[there] + width / 4), marked, k, filled=False, edge=BLACK)
            tops[there] = np.fmax(tops[there], [mean.high for mean in marked])
    _tell_differences(ax, report, tops)
    ax.axhline(0.0, color=BLACK, linewidth=0.5)
    ax.set_xticks(at, labels)
    ax.set_xlabel("training error, of the targets' mean square")
    ax.set_ylabel("test less training error (95 % intervals)")
    if report.trained is not None:
        from matplotlib.lines import Line2D

        handles.append(
            Line2D([], [], color=BLACK, linestyle="", marker="o", markerfacecolor="white", label="trained")
        )
    _legend_above(ax, handles)


def _tell_differences(ax: Axes, report: Report, tops: Array) -> None:
    """A line for each further network in its colour, in percent where the first gap is a measure."""
    for i, (gap, top) in enumerate(zip(report.gaps, tops, strict=True)):
        for k in range(len(report.names) - 1, 0, -1):
            change, added = gap.change(k), gap.difference(k)
            if change is None and not np.isfinite(added.low):
                continue
            # Two numbers in percent are said to be that once: groups are narrow.
            told = (
                shown(added)
                if change is None
                else shown_change(change).replace(" %,", ",").replace(" %]", "]")
            )
            ax.annotate(
                told,
                (i, top),
                (0, 4 + 7 * (len(report.names) - 1 - k)),
                textcoords="offset points",
                ha="center",
                color=COLOURS[k],
                fontsize=6,
            )
    low, high = ax.get_ylim()
    # Room for these lines below the panel's edge.
    ax.set_ylim(min(low, 0.0), high + 0.04 * len(report.names) * (high - low))


def _mark(
    ax: Axes,
    places: Sequence[float],
    means: Sequence[Interval],
    index: int,
    filled: bool,
    edge: str | None = None,
) -> None:
    """Means with their intervals, as markers of the network."""
    colour = COLOURS[index]
    ax.errorbar(
        places,
        [mean.estimate for mean in means],
        yerr=_bars(means),
        linestyle="",
        marker=MARKERS[index],
        markersize=4,
        color=edge or colour,
        markerfacecolor=colour if filled else "white",
        capsize=2,
        linewidth=1.0,
    )


def _bars(means: Sequence[Interval]) -> Array:
    """Lengths down and up : (2, q) float; none where ends are not known."""
    ends = [[mean.estimate - mean.low, mean.high - mean.estimate] for mean in means]
    return np.nan_to_num(np.reshape(ends, (-1, 2)).T)


def _legend_above(ax: Axes, handles: Sequence[Artist | Container]) -> None:
    """Above the panel: what is drawn in it leaves no room."""
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
