"""Figures of networks side by side: test errors over steps, degrees of the kernels, condition numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from derivations.learning import Teacher, learning_curve
from verify.comparison import SHARES, Comparison
from verify.plots import BLACK, COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACTIVATION_COLOURS = (*COLOURS, "#56B4E9", "#E69F00", "#000000")
"""Okabe and Ito's."""
MOST_ACTIVATIONS = len(ACTIVATION_COLOURS)
DASHES: tuple[Literal["-", "--", ":"], ...] = ("-", "--", ":")
"""By the number of gates."""
MARKERS = ("o", "s", "^")
DEGREE_COLOURS = ("#DDDDDD", "#FDE725", "#35B779", "#31688E", "#440154")
"""Viridis: those of activations mean something else."""
POINTS = 19
INCHES_PER_ROW, MARGIN_INCHES = 0.2, 1.6


def draw_comparison(
    figure: Figure,
    axes: Sequence[Axes],
    rows: Sequence[Comparison],
    n: int,
    d: int,
    width: int | None,
    data: str,
    teacher: Teacher,
    steps: Sequence[int],
) -> None:
    """On three panels, the last two of which share their rows."""
    order = list(dict.fromkeys(row.activation for row in rows))
    colours = [ACTIVATION_COLOURS[order.index(row.activation)] for row in rows]
    grid = np.unique(np.rint(np.geomspace(1, max(*steps, 10), POINTS)).astype(int)).tolist()
    for row, colour in zip(rows, colours, strict=True):
        if row.curve is not None:
            errors = learning_curve(row.network, n, d, width, grid, teacher, data).errors
            plot_curve(axes[0], row, colour, grid, errors, steps)
    axes[0].axhline(teacher.energy, color=GREY, linewidth=0.8)
    axes[0].set_xscale("log")
    axes[0].set_yscale("log")
    axes[0].set_xlabel("steps of gradient descent at the rate 1 / $\\lambda_1$")
    axes[0].set_ylabel("test error (grey: nothing learned)")
    _plain_ticks(axes[0])
    _curve_legend(axes[0], rows, dict(zip(order, ACTIVATION_COLOURS, strict=False)))
    plot_shares(axes[1], rows)
    plot_conditions(axes[2], rows, colours)
    across, down = figure.get_size_inches()
    figure.set_size_inches(across, max(down, INCHES_PER_ROW * len(rows) + MARGIN_INCHES))
    at = f"n = {n}, d = {d}" + ("" if width is None else f", m = {width}")
    energies = ", ".join(f"{energy:g}" for energy in teacher.energies)
    figure.suptitle(f"NTK of {data} rows: {at}; teacher {energies}", fontsize="medium")


def short(row: Comparison) -> str:
    """A name for an axis: where the network has none, that of its activation and the number of gates.

    Examples
    --------
    >>> from derivations import network
    >>> from derivations.learning import Teacher
    >>> from verify.comparison import compare_network
    >>> short(compare_network(network("silu", gates=2), 50, 20, 8, (1,), Teacher((1.0,)), "sphere"))
    'silu, 2 gates'
    """
    name, gates = row.network.name, row.network.gates
    return f"{row.activation}, {gates} gate{'s' * (gates > 1)}" if " with " in name else name


def plot_curve(
    ax: Axes, row: Comparison, colour: str, grid: Sequence[int], errors: Sequence[float], steps: Sequence[int]
) -> None:
    """A predicted test error, and what was measured."""
    gates = row.network.gates
    ax.plot(grid, errors, color=colour, linestyle=DASHES[gates], linewidth=1.4)
    if row.measured is not None:
        ax.errorbar(
            steps,
            row.measured.mean,
            yerr=2 * row.measured.standard_error,
            color=colour,
            linestyle="none",
            marker=MARKERS[gates],
            markersize=3.5,
            capsize=2,
        )


def _curve_legend(ax: Axes, rows: Sequence[Comparison], colours: Mapping[str, str]) -> None:
    """Colours and dashes, each once."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, linewidth=3, label=activation) for activation, colour in colours.items()
    ]
    for gates, (dash, marker) in enumerate(zip(DASHES, MARKERS, strict=True)):
        label = ("no gate", "1 gate", "2 gates")[gates]
        if any(row.network.gates == gates for row in rows):
            drawn = marker if any(row.measured for row in rows) else ""
            handles.append(
                Line2D([], [], color=BLACK, linestyle=dash, marker=drawn, markersize=3.5, label=label)
            )
    if any(row.measured for row in rows):
        handles.append(Line2D([], [], linestyle="none", label="dots: measured, ± 2 standard errors"))
    ax.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=4,
        frameon=False,
        fontsize="x-small",
    )


def plot_shares(ax: Axes, rows: Sequence[Comparison]) -> None:
    """A stacked bar per network."""
    names = [*(f"degree {k}" for k in range(SHARES)), f"above {SHARES - 1}"]
    left = np.zeros(len(rows))
    at = np.arange(len(rows))[::-1]
    for k, (name, colour) in enumerate(zip(names, DEGREE_COLOURS, strict=True)):
        share = np.array([row.shares[k] for row in rows])
        ax.barh(at, share, left=left, color=colour, label=name, height=0.8)
        left += share
    ax.set_yticks(at, [short(row) for row in rows], fontsize="small")
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel("share of the kernel's diagonal")
    # Above the bars: they fill the panel.
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize="x-small")


def plot_conditions(ax: Axes, rows: Sequence[Comparison], colours: Sequence[str]) -> None:
    """Condition numbers by the sharp law, and as published; rows are named on the panel before."""
    at = np.arange(len(rows))[::-1]
    for y, row, colour in zip(at, rows, colours, strict=True):
        found = row.spectrum.condition_number
        if found.sharp is not None and np.isfinite(found.sharp):
            ax.plot(found.sharp, y, color=colour, marker=MARKERS[row.network.gates], markersize=6)
        else:
            ax.text(
                0.98,
                y,
                "singular",
                transform=ax.get_yaxis_transform(),
                va="center",
                ha="right",
                fontsize="small",
            )
        if found.published is not None:
            ax.plot(found.published, [y, y], color=BLACK, marker="|", markersize=9, linewidth=0.8)
    ax.set_xscale("log")
    ax.set_yticks(at, [""] * len(rows))
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.grid(axis="y", color=GREY, linewidth=0.4)
    ax.set_xlabel(r"condition number $\lambda_1 / \lambda_n$ (black: published)")


def _plain_ticks(ax: Axes) -> None:
    """0.3 rather than 3 x 10^-1."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0, 7.0), numticks=12))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter("")
