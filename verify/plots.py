"""Figures of measurements beside predictions. Every function draws on the axes it is given and keeps no state.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; markers and dashes repeat what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from derivations.errors import InputError
from verify.activations import Array
from verify.inputs import check_positive_integer
from verify.ladder import Ladder
from verify.statistics import check_vector

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.container import Container
    from matplotlib.figure import Figure

BLACK, GREY = "#000000", "#BBBBBB"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKERS = ("o", "s", "^", "D")

_PANEL_INCHES = (4.8, 3.7)
_DOTS_PER_INCH = 130
# More markers than this hide the lines they are compared with.
_MOST_MARKERS = 24


@dataclass(frozen=True)
class Profile:
    r"""A kernel on the sphere as a function of the cosine, relative to its diagonal.

    Attributes
    ----------
    label : str
    cosine : (p,) float
        Where networks were measured.
    measured, standard_error : (p,) float
        f(rho) / f(1) from networks of finite width, f(1) taken as exact.
    grid, exact : (q,) float
        The derived f(rho) / f(1) at the cosines `grid`.
    """

    label: str
    cosine: Array
    measured: Array
    standard_error: Array
    grid: Array
    exact: Array


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of one kernel matrix in three versions, in any order.

    Attributes
    ----------
    label : str
    exact, simplified, measured : (n,) float
        Of the derived kernel, of its simplified matrix, and of the kernel of one network of finite width.
    """

    label: str
    exact: Array
    simplified: Array
    measured: Array


def new_figure(panels: int = 1, columns: int | None = None) -> tuple[Figure, tuple[Axes, ...]]:
    """A figure with `panels` panels side by side, at most `columns` in a row, outside pyplot's global list.

    Raises
    ------
    InputError
        If matplotlib is not installed.

    Examples
    --------
    >>> figure, axes = new_figure(2)
    >>> len(axes)
    2
    """
    count = check_positive_integer(panels, "panels")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "plot needs matplotlib, which is not installed: pip install 'gluntk[plot]'"
        ) from error
    across = min(count, count if columns is None else check_positive_integer(columns, "columns"))
    down = -(-count // across)
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(across * width, down * height), dpi=_DOTS_PER_INCH, layout="constrained")
    every = figure.subplots(down, across, squeeze=False).ravel()
    for panel in every[count:]:
        panel.remove()
    axes = tuple(every[:count])
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def plot_ladder(ax: Axes, ladder: Ladder, prediction: ArrayLike) -> None:
    r"""Relative fluctuation of the kernel against the width, its fitted slope, and a prediction.

    Parameters
    ----------
    ax : matplotlib Axes
    ladder : Ladder
        From `verify.ladder.width_ladder`; bars are two of its standard errors each way.
    prediction : (w,) float
        The predicted fluctuation at each of the ladder's widths.

    Raises
    ------
    InputError
        If the prediction does not have one number per width.

    Examples
    --------
    >>> import numpy as np
    >>> from verify.ladder import width_ladder
    >>> figure, (ax,) = new_figure()
    >>> plot_ladder(ax, width_ladder("relu", np.eye(3), [64, 256], 8), [0.1, 0.05])
    >>> ax.get_xlabel()
    'width $m$ (hidden units)'
    """
    predicted = check_vector(prediction, "prediction", len(ladder.widths))
    slope, half_width, intercept = ladder.slope
    order = np.argsort(ladder.widths)
    widths = np.array(ladder.widths, dtype=np.float64)[order]
    ax.errorbar(
        widths,
        ladder.fluctuation[order],
        yerr=2.0 * ladder.standard_error[order],
        color=COLOURS[0],
        linestyle="none",
        marker=MARKERS[0],
        markersize=4.5,
        capsize=2.5,
        zorder=3,
        label=f"{ladder.networks} networks per width, ± 2 standard errors",
    )
    digits = max(2, 1 - int(np.floor(log10(half_width))))
    ax.plot(
        widths,
        np.exp(intercept + slope * np.log(widths)),
        color=COLOURS[1],
        linewidth=1.2,
        linestyle="--",
        zorder=2,
        label=rf"fit, slope ${slope:.{digits}f} \pm {half_width:.{digits}f}$ (95 %)",
    )
    # Wide and pale, so that a fit upon it stays visible.
    ax.plot(widths, predicted[order], color=GREY, linewidth=4.0, zorder=1, label="closed form")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xlabel("width $m$ (hidden units)")
    ax.set_ylabel(r"relative fluctuation of the kernel, $F_m$")
    ax.legend(frameon=False)


def plot_profiles(ax: Axes, profiles: Sequence[Profile]) -> None:
    """Kernels over their diagonal against the cosine: curves as derived, points with bars as measured.

    Parameters
    ----------
    ax : matplotlib Axes
    profiles : sequence of Profile
        At most four.

    Raises
    ------
    InputError
        If there are none, or more than there are colours.

    Examples
    --------
    >>> import numpy as np
    >>> figure, (ax,) = new_figure()
    >>> t = np.linspace(-1, 1, 5)
    >>> plot_profiles(ax, [Profile("identity", t, t, np.zeros(5), t, t)])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['identity', 'networks, ± 2 standard errors']
    """
    _check_count(profiles, "profiles")
    ax.axhline(0.0, color=BLACK, linewidth=0.5)
    drawn: list[Artist | Container] = []
    for profile, colour, marker in zip(profiles, COLOURS, MARKERS, strict=False):
        drawn += ax.plot(profile.grid, profile.exact, color=colour, linewidth=1.4, label=profile.label)
        bars = ax.errorbar(
            profile.cosine,
            profile.measured,
            yerr=2.0 * profile.standard_error,
            color=colour,
            linestyle="none",
            marker=marker,
            markersize=4,
            capsize=2.5,
            label="networks, ± 2 standard errors",
        )
        drawn.append(bars)
    ax.set_xticks(np.linspace(-1.0, 1.0, 5))
    ax.set_xlabel(r"cosine $\rho$ of two inputs")
    ax.set_ylabel(r"kernel over its diagonal, $f(\rho)\,/\,f(1)$")
    # Left to itself the legend lists all curves before all bars.
    ax.legend(handles=drawn, frameon=False)


def plot_spectra(ax: Axes, spectra: Sequence[Spectrum]) -> None:
    """Eigenvalues of kernel matrices on a logarithmic axis, largest first.

    Parameters
    ----------
    ax : matplotlib Axes
    spectra : sequence of Spectrum
        At most four; positive eigenvalues.

    Raises
    ------
    InputError
        If there are none, more than there are colours, or an eigenvalue is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> figure, (ax,) = new_figure()
    >>> plot_spectra(ax, [Spectrum("identity", np.ones(3), np.ones(3), np.ones(3))])
    >>> ax.get_ylabel()
    'eigenvalue of the kernel matrix'
    """
    _check_count(spectra, "spectra")
    for spectrum, colour, marker in zip(spectra, COLOURS, MARKERS, strict=False):
        exact, simplified, measured = (
            _descending(values, spectrum.label)
            for values in (spectrum.exact, spectrum.simplified, spectrum.measured)
        )
        rank = np.arange(1, exact.size + 1)
        ax.plot(rank, exact, color=colour, linewidth=1.4, label=f"{spectrum.label}, derived")
        ax.plot(rank, simplified, color=colour, linewidth=1.4, linestyle=":", label="simplified matrix")
        shown = np.unique(np.linspace(0, rank.size - 1, _MOST_MARKERS).round().astype(int))
        ax.plot(
            rank[shown],
            measured[shown],
            color=colour,
            linestyle="none",
            marker=marker,
            markersize=4,
            markerfacecolor="none",
            label="one network",
        )
    ax.set_yscale("log")
    ax.set_xlabel("rank of the eigenvalue")
    ax.set_ylabel("eigenvalue of the kernel matrix")
    ax.legend(frameon=False)


def _descending(values: Array, label: str) -> Array:
    ordered = np.sort(check_vector(values, label))[::-1]
    if not ordered[-1] > 0.0:
        raise InputError(
            f"eigenvalues of {label} must be positive for a logarithmic axis, got {ordered[-1]:.3g}"
        )
    return ordered


def _check_count(items: Sequence[object], name: str) -> None:
    if not 1 <= len(items) <= len(COLOURS):
        raise InputError(f"{name} must hold 1 to {len(COLOURS)} curves, got {len(items)}")
