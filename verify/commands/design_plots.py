"""Figures of a design: its degrees, the catalogue's errors, and why the condition number is no guide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from verify.commands.values import readable
from verify.plots import BLACK, COLOURS, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from verify.commands.design_report import Report

SHOWN = 12
"""Networks."""


def draw_design(figure: Figure, axes: Sequence[Axes], report: Report) -> None:
    """On three panels."""
    plot_profile(axes[0], report)
    plot_catalogue(axes[1], report)
    plot_pure(axes[2], report)
    figure.suptitle(
        f"Least test error after {report.steps} steps: n = {report.n}, d = {report.d}; teacher "
        f"{', '.join(map('{:g}'.format, report.teacher.energies))}",
        fontsize="medium",
    )


def plot_profile(ax: Axes, report: Report) -> None:
    """Power coefficients of the design."""
    c = np.array(report.best.coefficients)
    ax.bar(np.arange(len(c)), c, color=COLOURS[0], width=0.7)
    ax.set_xticks(np.arange(len(c)))
    ax.set_xlabel("degree $j$")
    ax.set_ylabel(r"coefficient $c_j$ of $\rho^j$ in the design")


def plot_catalogue(ax: Axes, report: Report) -> None:
    """Errors of the best networks, the design's as a line."""
    shown = report.ranked[:SHOWN]
    at = np.arange(len(shown))[::-1]
    ax.barh(at, [one.error for one in shown], color=GREY, height=0.75)
    ax.axvline(report.best.error, color=COLOURS[0], linewidth=1.4)
    for y, one in zip(at, shown, strict=True):
        ax.text(one.error, y, f" {report.shown_cost(one.error, 0)}", va="center", fontsize="small")
    ax.set_yticks(at, [f"{one.network.name}, m = {one.width}" for one in shown], fontsize="small")
    ax.margins(x=0.15)
    ax.set_xlabel("test error (line: the design)")


def plot_pure(ax: Axes, report: Report) -> None:
    """Test errors of the powers of the cosine with their condition numbers, the design's as a line."""
    degrees = [int(np.argmax(one.coefficients)) for one in report.pure]
    ax.bar(degrees, [one.error for one in report.pure], color=GREY, width=0.75)
    for j, one in zip(degrees, report.pure, strict=True):
        # Inside of the bar: the line of what is not learned runs along their tops.
        text = readable(one.condition_number, 3)
        ax.text(
            j, 0.02 * report.teacher.energy, text, ha="center", va="bottom", fontsize="small", rotation=90
        )
    ax.axhline(report.best.error, color=COLOURS[0], linewidth=1.4, label="design")
    ax.axhline(report.teacher.energy, color=BLACK, linewidth=0.6, linestyle=":", label="nothing learned")
    ax.margins(y=0.15)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize="small")
    ax.set_xticks(degrees)
    ax.set_xlabel(r"degree $j$ of $\rho^j$ (numbers: condition number)")
    ax.set_ylabel("test error")
