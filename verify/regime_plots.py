"""Maps of the sizes at which a published formula is right, drawn on axes that are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from derivations.errors import InputError
from verify.activations import Array
from verify.claims.spectrum.quantities import LOWER, RATIO, UPPER
from verify.plots import BLACK, GREY
from verify.regimes import ORDERINGS, Regime

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
# Blue to orange, which colour-blind readers tell apart; white where the formula is right.
_COLOURS = "PuOr_r"


def plot_regimes(ax: Axes, regimes: Sequence[Regime], formula: str, tolerance: float = 0.1) -> None:
    """Heat map of stated over true against n and d, with the line beyond which the formula is off by a tolerance.

    Of a bound that line is where it is violated by as much; a dashed line is where an ordering (A13, A14) is reversed.

    Parameters
    ----------
    ax : matplotlib Axes
    regimes : sequence of Regime
        From `verify.regimes.regime_map`; sizes of the grid may be missing.
    formula : str
        Which of the claim's formulas.
    tolerance : float

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
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    chosen = [regime for regime in regimes if regime.formula == formula]
    if not chosen:
        raise InputError(f"regimes must hold sizes of the formula {formula!r}, got none")
    samples = np.array(sorted({regime.n for regime in chosen}))
    dimensions = np.array(sorted({regime.d for regime in chosen}))
    ratio, inverse = np.full((2, len(dimensions), len(samples)), np.nan)
    for regime in chosen:
        at = np.searchsorted(dimensions, regime.d), np.searchsorted(samples, regime.n)
        # The inverse goes smoothly through 0 where a difference changes its sign.
        inverse[at] = regime.true / regime.stated
        ratio[at] = -np.log10(inverse[at]) if inverse[at] > 0 else np.nan
    ax.set_facecolor(GREY)
    mesh = ax.pcolormesh(
        _edges(samples), _edges(dimensions), np.clip(ratio, -1, 1), cmap=_COLOURS, vmin=-1, vmax=1
    )
    relation, ordered = chosen[0].relation, chosen[0].claim in ORDERINGS
    low, high = 1 / (1 + tolerance), 1 + tolerance
    drawn: list[Artist] = []
    if np.isnan(inverse).any():
        drawn.append(Patch(color=GREY, label="not known or not stated"))
    wrong = np.where(inverse <= 0, 1.0, np.nan)
    if np.nansum(wrong):
        ax.pcolormesh(_edges(samples), _edges(dimensions), wrong, cmap="gray", vmin=0.7, vmax=2)
        drawn.append(Patch(color="#3b3b3b", label="ordering reversed"))
    word = "violated" if relation != RATIO else "off"
    lines: list[tuple[list[float], Literal["solid", "dashed"], str]] = [
        ({RATIO: [low, high], LOWER: [low], UPPER: [high]}[relation], "solid", f"{word} by {tolerance:.0%}")
    ]
    if ordered:
        # A13 compares a difference with 0, A14 a ratio with 1.
        reversed_at = 0.0 if relation == RATIO else 1.0
        lines = [*(lines if relation == RATIO else []), ([reversed_at], "dashed", "edge of the ordering")]
    for levels, style, label in lines:
        if min(inverse.shape) > 1 and any(np.nanmin(inverse) < at < np.nanmax(inverse) for at in levels):
            ax.contour(
                samples, dimensions, inverse, levels=levels, colors=BLACK, linestyles=style, linewidths=1.4
            )
            drawn.append(Line2D([], [], color=BLACK, linestyle=style, linewidth=1.4, label=label))
    if drawn:
        ax.legend(handles=drawn, loc="upper left", fontsize="small", framealpha=0.9)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("rows $n$")
    ax.set_ylabel("input dimension $d$")
    ax.set_title(f"{chosen[0].claim} {formula}, {_width(chosen)}", fontsize="medium")
    what = "cond(plain) / cond(gated)" if chosen[0].claim == "A14" else "stated / true"
    bar = ax.figure.colorbar(mesh, ax=ax, label=what, extend="both")
    bar.set_ticks(np.log10(_TICKS).tolist(), labels=[f"{tick:g}" for tick in _TICKS])


def _edges(values: Array) -> Array:
    """Of cells about these values, halfway between them in the logarithm."""
    logs = np.log(values)
    if len(logs) == 1:
        return np.exp(np.array([logs[0] - 0.5, logs[0] + 0.5]))
    middle = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]]))


def _width(regimes: Sequence[Regime]) -> str:
    widths = {regime.m for regime in regimes}
    if len(widths) == 1:
        return f"m = {widths.pop()}"
    shares = [regime.m / regime.d for regime in regimes]
    return f"m/d = {np.median(shares):.2g}"
