"""Maps of the early stage as pictures: the smallest n that is enough, as colours over d and m."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from derivations.dynamics import EarlyRegion
from derivations.errors import InputError
from verify.plots import BLACK, COLOURS, GREY
from verify.regimes.early import CLAIM, DIMENSION, ROWS, EarlySize, region_of
from verify.regimes.plots import ON, edges, ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

_ACROSS, _UP = 48, 120
"""Cells: a picture has more sizes than a table, at the same ends."""
_MOST = 1e5
_STRIP = 0.03
"""Of the height in the logarithm: the gap below the limit's strip, which is twice as high."""
_TICKS = 9
_FAR = 10**6
"""Widths without another end are drawn up to this."""
_OUTPUTS = {"kernel": "outputs of covariance $K$", "nngp": "outputs of a real network"}


def draw_early(figure: Figure, axes: Sequence[Axes], sizes: Sequence[EarlySize]) -> None:
    """A panel for every kernel and covariance of the outputs, and one bar of colours.

    Parameters
    ----------
    figure : matplotlib Figure
    axes : sequence of matplotlib Axes
        Of the figure, as many as the map has kernels times covariances.
    sizes : sequence of EarlySize
        From `verify.regimes.early_map`. Where they have the limit of large widths, it is a row of its own above the others.

    Raises
    ------
    InputError
        If there is nothing to draw.

    Examples
    --------
    >>> from verify.plots import new_figure
    >>> from verify.regimes import early_map
    >>> figure, axes = new_figure(2)
    >>> draw_early(figure, axes, early_map([2, 9], [1, 100], ["simplified"]))
    >>> axes[0].get_title()
    'simplified matrices, outputs of covariance $K$'
    """
    if not sizes:
        raise InputError("sizes must hold at least one size, got none")
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    asked = sorted({size.d for size in sizes})
    dimensions = _spread(asked, _ACROSS)
    finite = sorted({size.m for size in sizes if size.m is not None}) or [1]
    widths = _spread([finite[0], finite[-1] if finite[-1] > finite[0] else _FAR], _UP)
    kinds = dict.fromkeys((size.rung, size.initial) for size in sizes)
    for ax, (rung, initial) in zip(axes, kinds, strict=True):
        regions = [region_of(rung, initial, d) for d in dimensions]
        mesh = _panel(ax, dimensions, widths, regions)
        if any(size.m is None for size in sizes):
            _limit(ax, mesh, dimensions, regions)
        ticks(ax.xaxis, np.array(asked), _TICKS)
        ax.set_title(f"{ON[rung]}, {_OUTPUTS[initial]}", fontsize="medium")
    figure.colorbar(mesh, ax=list(axes), label="smallest $n$ that is enough", extend="max")
    figure.legend(
        handles=[
            Patch(color=GREY, label="no $n$ is enough"),
            Line2D([], [], color=BLACK, linewidth=1.8, label=f"$n = {ROWS}$ is enough above"),
            Line2D([], [], color=COLOURS[1], linestyle="--", label=f"$d \\geq {DIMENSION}$ to the right"),
            Patch(facecolor="white", edgecolor=BLACK, hatch="////", label="published and wrong"),
        ],
        loc="outside lower center",
        ncols=4,
        fontsize="small",
        frameon=False,
    )
    figure.suptitle(f"{CLAIM}, Gaussian rows: from which $n$ the plain loss falls faster", fontsize="medium")


def _panel(ax: Axes, dimensions: list[int], widths: list[int], regions: list[EarlyRegion]) -> QuadMesh:
    """Colours, the line of the published n, and what is published and wrong."""
    from matplotlib.colors import LogNorm

    least = [[region.smallest_rows(width) for region in regions] for width in widths]
    shown = np.array([[np.nan if rows is None else float(rows) for rows in row] for row in least])
    x, y = edges(np.array(dimensions)), edges(np.array(widths))
    ax.set_facecolor(GREY)
    mesh = ax.pcolormesh(x, y, shown, cmap="viridis_r", norm=LogNorm(1, _MOST))
    line = np.array([_inf(region.smallest_width(ROWS)) for region in regions])
    ax.plot(dimensions, np.where(np.isfinite(line), line, np.nan), color=BLACK, linewidth=1.8)
    sizes = np.array(dimensions)
    wrong = (sizes >= DIMENSION) & (line > widths[0])
    top = np.minimum(line, y[-1])
    ax.fill_between(
        sizes, y[0], top, where=wrong.tolist(), facecolor="none", edgecolor=BLACK, hatch="////", linewidth=0
    )
    # From halfway between 4 and 5 on: the cells of 5 belong to what is published.
    ax.axvline(np.sqrt(DIMENSION * (DIMENSION - 1)), color=COLOURS[1], linewidth=1.8, linestyle="--")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    ax.set_xlabel("input dimension $d$")
    ax.set_ylabel("width $m$")
    return mesh


def _limit(ax: Axes, mesh: QuadMesh, dimensions: list[int], regions: list[EarlyRegion]) -> None:
    """The limit of large widths, as a strip above the finite ones and a gap."""
    x, (bottom, top) = edges(np.array(dimensions)), ax.get_ylim()
    share = (top / bottom) ** _STRIP
    low, high = top * share, top * share**3
    least = [region.smallest_rows(None) for region in regions]
    shown = np.array([[np.nan if rows is None else float(rows) for rows in least]])
    ax.fill_between(x[[0, -1]], top, low, facecolor="white", zorder=3)
    strip = ax.pcolormesh(x, np.array([low, high]), shown, cmap=mesh.cmap)
    strip.set_norm(mesh.norm)
    # Decades of the finite widths, and the strip's middle.
    decades = [10.0**p for p in range(int(np.ceil(np.log10(bottom))), int(np.floor(np.log10(top))) + 1)]
    names = [f"$10^{{{p}}}$" for p in np.log10(decades).round().astype(int)] if decades else []
    ax.set_yticks([*decades, top * share**2], labels=[*names, "$\\infty$"])
    ax.set_yticks([], minor=True)
    ax.set_ylim(bottom, high)


def _inf(width: int | None) -> float:
    return np.inf if width is None else float(width)


def _spread(values: list[int], count: int) -> list[int]:
    """Whole numbers between the ends, even in the logarithm."""
    return sorted({int(v) for v in np.geomspace(values[0], values[-1], count).round()})
