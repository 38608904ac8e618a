"""Maps of the sizes at which published formulas are right, as pictures on axes that are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from derivations.errors import InputError
from verify.activations import Array
from verify.claims.spectrum.quantities import RATIO
from verify.plots import BLACK, GREY
from verify.regimes.formulas import ORDER, ORDERING, SHARE, formulas_of
from verify.regimes.maps import Regime

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis, YAxis
    from matplotlib.figure import Figure

_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
# Blue to orange, which colour-blind readers tell apart; white where the formula is right.
_COLOURS = "PuOr_r"
_DARK, _PALE = "#3b3b3b", "#ececec"
_ACROSS, _UP = 7, 20
"""Ticks at most, so that their numbers do not touch."""
_LONG = 100_000
ON = {"simplified": "simplified matrices", "exact": "infinite-width kernels", "finite": "networks"}
_OF = {"gaussian": "Gaussian rows", "sphere": "rows on the sphere"}


def draw_regimes(figure: Figure, axes: Sequence[Axes], regimes: Sequence[Regime]) -> None:
    """A panel for every formula of a claim, and a title that says of which kernels and data.

    Parameters
    ----------
    figure : matplotlib Figure
    axes : sequence of matplotlib Axes
        Of the figure, as many as `verify.regimes.formulas_of` has formulas.
    regimes : sequence of Regime

    Examples
    --------
    >>> from verify.plots import new_figure
    >>> from verify.regimes import regime_map
    >>> figure, axes = new_figure(2)
    >>> draw_regimes(figure, axes, regime_map("A8", [100, 200], [50, 100], width=100))
    >>> figure.get_suptitle()
    'A8 on infinite-width kernels, Gaussian rows, m = 100'
    """
    if not regimes:
        raise InputError("regimes must hold at least one size, got none")
    for ax, formula in zip(axes, formulas_of(regimes[0].claim), strict=True):
        plot_regimes(ax, regimes, formula.name)
    figure.suptitle(heading(regimes), fontsize="medium")


def heading(regimes: Sequence[Regime]) -> str:
    """Claim, rung, data and width of a map."""
    first, shares = regimes[0], [regime.m / regime.d for regime in regimes]
    widths = {regime.m for regime in regimes}
    width = f"m = {widths.pop()}" if len(widths) == 1 else f"m/d = {np.median(shares):.2g}"
    return f"{first.claim} on {ON[first.rung]}, {_OF[first.data]}, {width}"


def plot_regimes(ax: Axes, regimes: Sequence[Regime], formula: str) -> None:
    """Heat map of stated over true against n and d; dots at the sizes where the formula holds, and lines around them.

    Of an ordering the colour is the ratio that should exceed 1, of a share the share, white at one half.
    Sizes where the error bars leave it open are hatched.

    Parameters
    ----------
    ax : matplotlib Axes
    regimes : sequence of Regime
        From `verify.regimes.regime_map`; sizes of the grid may be missing.
    formula : str
        Which of the claim's formulas.

    Raises
    ------
    InputError
        If there is nothing of that formula.

    Examples
    --------
    >>> from verify.plots import new_figure
    >>> from verify.regimes import regime_map
    >>> figure, (ax,) = new_figure()
    >>> plot_regimes(ax, regime_map("A10", [100, 200], [50, 100], width=100), "lambda_n")
    >>> ax.get_ylabel()
    'input dimension $d$'
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch, Rectangle

    chosen = [regime for regime in regimes if regime.formula == formula]
    if not chosen:
        raise InputError(f"regimes must hold sizes of the formula {formula!r}, got none")
    samples = np.array(sorted({regime.n for regime in chosen}))
    dimensions = np.array(sorted({regime.d for regime in chosen}))
    shown = np.full((len(dimensions), len(samples)), np.nan)
    stated, unknown, negative, undecided, good = (np.zeros(shown.shape, bool) for _ in range(5))
    for regime in chosen:
        at = np.searchsorted(dimensions, regime.d), np.searchsorted(samples, regime.n)
        shown[at] = _shown(regime)
        stated[at] = True
        unknown[at] = np.isnan(regime.true)
        negative[at] = regime.true < 0
        undecided[at] = regime.holds is None and not np.isnan(regime.true)
        good[at] = regime.holds is True
    x, y = edges(samples), edges(dimensions)
    ax.set_facecolor(_PALE)
    mesh = ax.pcolormesh(x, y, shown, cmap=_COLOURS, vmin=-1, vmax=1)
    drawn: list[Artist] = []
    if good.any():
        _outline(ax, x, y, good)
        # Dots say which side of a line holds.
        down, across = np.nonzero(good)
        ax.plot(samples[across], dimensions[down], ".", color=BLACK, markersize=3)
        drawn.append(
            Line2D([], [], color=BLACK, linewidth=1.8, marker=".", markersize=4, label=_good(chosen[0]))
        )
    if undecided.any():
        for i, j in np.argwhere(undecided):
            corner, size = (x[j], y[i]), (x[j + 1] - x[j], y[i + 1] - y[i])
            ax.add_patch(Rectangle(corner, *size, fill=False, hatch="////", edgecolor=_DARK, linewidth=0))
        drawn.append(Patch(facecolor="white", edgecolor=_DARK, hatch="////", label="undecided"))
    for cells, colour, label in (
        (negative, _DARK, "negative"),
        (unknown, GREY, "not known"),
        (~stated, _PALE, "not stated"),
    ):
        if cells.any():
            if colour != _PALE:
                ax.pcolormesh(x, y, np.where(cells, 0.0, np.nan), cmap=ListedColormap([colour]))
            drawn.append(Patch(color=colour, label=label))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ticks(ax.xaxis, samples, _ACROSS)
    ticks(ax.yaxis, dimensions, _UP)
    ax.set_xlabel("rows $n$")
    ax.set_ylabel("input dimension $d$")
    # Below the axes: a map fills all of them.
    ax.legend(
        handles=drawn,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncols=3,
        fontsize="small",
        frameon=False,
    )
    ax.set_title(formula, fontsize="medium")
    label = next(each.label for each in formulas_of(chosen[0].claim) if each.name == formula)
    if chosen[0].relation == SHARE:
        bar = ax.figure.colorbar(mesh, ax=ax, label=label)
        bar.set_ticks([_white_at_half(share) for share in _SHARES], labels=[f"{s:.0%}" for s in _SHARES])
    else:
        bar = ax.figure.colorbar(mesh, ax=ax, label=label, extend="both")
        bar.set_ticks(np.log10(_TICKS).tolist(), labels=[f"{tick:g}" for tick in _TICKS])


def _white_at_half(share: float) -> float:
    """From -1 to 1."""
    return 2 * share - 1


def _shown(regime: Regime) -> float:
    """Decimal logarithm of what the colour says, within the bar, and of a share its place there."""
    if regime.relation == SHARE:
        return _white_at_half(regime.true)
    value = regime.true if regime.relation == ORDERING else regime.ratio
    if np.isnan(value):
        return np.nan
    return float(np.clip(np.log10(value), -1, 1)) if value > 0 else -1.0


def _good(regime: Regime) -> str:
    """What dots and the lines around them say."""
    if regime.relation == ORDERING:
        return "ordering holds"
    if regime.relation == SHARE:
        return f"surely {1 - regime.tolerance:.0%} or more"
    if regime.relation == ORDER:
        return f"within a factor of {1 + regime.tolerance:g}"
    word = "right" if regime.relation == RATIO else "bound holds"
    return f"{word} to {regime.tolerance:.0%}"


def _outline(ax: Axes, x: Array, y: Array, inside: Array) -> None:
    """Lines along the edges of cells between inside and outside."""
    from matplotlib.collections import LineCollection

    padded = np.pad(inside, 1)
    across = padded[1:-1, 1:] != padded[1:-1, :-1]
    along = padded[1:, 1:-1] != padded[:-1, 1:-1]
    vertical = [[(x[j], y[i]), (x[j], y[i + 1])] for i, j in np.argwhere(across)]
    horizontal = [[(x[j], y[i]), (x[j + 1], y[i])] for i, j in np.argwhere(along)]
    lines = LineCollection(
        vertical + horizontal, colors=BLACK, linewidths=1.8, capstyle="round", clip_on=False
    )
    ax.add_collection(lines, autolim=False)


def ticks(axis: XAxis | YAxis, values: Array, most: int) -> None:
    """Ticks of a logarithmic scale at these values, ascending, without those that are too near the one before."""
    apart = np.log(values[-1] / values[0]) / most
    kept: list[int] = []
    for value in values.tolist():
        if not kept or np.log(value / kept[-1]) >= apart:
            kept.append(value)
    axis.set_ticks(kept, labels=[f"{value:.0e}" if value >= _LONG else str(value) for value in kept])
    axis.set_ticks([], minor=True)


def edges(values: Array) -> Array:
    """Of cells about these values, halfway between them in the logarithm."""
    logs = np.log(values)
    if len(logs) == 1:
        return np.exp(np.array([logs[0] - 0.5, logs[0] + 0.5]))
    middle = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]]))
