"""Figures of kernels' spectra: densities by the laws with the eigenvalues of a sample, and condition numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum import Density, finite_spectrum_density, spectrum_density
from verify.activations import Array
from verify.plots import BLACK, COLOURS, GREY, MARKERS
from verify.published import published_extremes
from verify.spectrum import NetworkSpectrum, condition_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS_PER_DECADE, VISIBLE, MARGIN = 20, 1e3, 1.4
"""Of densities: the smallest share drawn is the largest over the second; axes end at a factor of what is drawn."""
SMALLEST_N, TIMES_N, POINTS = 10, 10, 25
"""The law's line begins at the first n and ends at so many times the n asked for."""
LARGEST_POINT, EXACT_POINTS = 1000, 9
"""Rows of the largest matrix whose condition number is drawn as a point, and how many points there are."""

Dense = Callable[[TwoLayer, Array], Array]
"""Eigenvalues of a network's kernel matrix of rows, ascending."""


@dataclass(frozen=True)
class ConditionCurve:
    """A network's condition number against n.

    Attributes
    ----------
    label : str
    n, law : (p,) float
        The law; infinite or nan where there is none to draw.
    sizes, exact : (q,) float
        Of kernel matrices.
    published : (p, 2) float or None
        Low and high at `n`.
    """

    label: str
    n: Array
    law: Array
    sizes: Array
    exact: Array
    published: Array | None


def draw_spectra(
    figure: Figure,
    axes: Sequence[Axes],
    spectra: Sequence[NetworkSpectrum],
    n: int,
    d: int,
    width: int | None,
    data: str | Array,
    rows: Array,
    dense: Dense,
) -> None:
    """A density per network, then all condition numbers.

    Parameters
    ----------
    figure, axes : Figure, sequence of Axes
        One more than there are networks.
    spectra : sequence of NetworkSpectrum
    n, d, width, data
        As they were found.
    rows : (q, d) float
        In random order: the first ones are samples for exact condition numbers. All of the input, or some of
        such rows, or none.
    dense : callable
        From a network and rows to eigenvalues.
    """
    for ax, colour, found in zip(axes, COLOURS, spectra, strict=False):
        infinite, finite = _densities(found.network, n, d, width, data)
        plot_density(ax, found, infinite, colour, finite)
    curves = [_curve(found.network, n, d, width, data, rows, dense) for found in spectra]
    plot_conditions(axes[-1], curves, n)
    of = f"{data} rows" if isinstance(data, str) else "the input"
    figure.suptitle(
        f"NTK of {of}: n = {n}, d = {d}" + ("" if width is None else f", m = {width}"), fontsize="medium"
    )


def plot_density(
    ax: Axes,
    found: NetworkSpectrum,
    density: Density | None,
    colour: str = COLOURS[0],
    finite: Density | None = None,
) -> None:
    """Share of eigenvalues per decade: bars as counted, lines by the laws, ends and what is published marked.

    Parameters
    ----------
    ax : matplotlib Axes
    found : NetworkSpectrum
    density : Density or None
        Of the same kernel.
    colour : str
    finite : Density or None
        Of one network of the width at hand.

    Examples
    --------
    >>> from derivations import network, spectrum_density
    >>> from verify.plots import new_figure
    >>> from verify.spectrum import network_spectrum
    >>> figure, (ax,) = new_figure()
    >>> found = network_spectrum(network("relu"), 200, 50, 64)
    >>> plot_density(ax, found, spectrum_density("relu", 200, 50, 64))
    >>> ax.get_xlabel()
    'eigenvalue of the kernel matrix'
    """
    title, shares, ends = found.network.name, [], []
    if found.eigenvalues is not None:
        n, values = len(found.eigenvalues), found.eigenvalues[found.eigenvalues > 0]
        if len(values) < n:
            title += f" ({1 - len(values) / n:.0%} of the eigenvalues are 0)"
        if len(values):
            edges, heights = _histogram(values, n)
            ax.bar(edges[:-1], heights, np.diff(edges), align="edge", color=GREY, label="exact")
            shares, ends = [BINS_PER_DECADE / n], [edges[0], edges[-1]]
    lines = {"sharp law of the bulk": (density, colour, "-")}
    if found.finite is not None:
        lines[f"one network, m = {found.finite.width}"] = (finite, BLACK, "-.")
    for label, (curve, line, style) in lines.items():
        if curve is not None:
            per_decade = curve.density * curve.x * np.log(10)
            shares.append(float(np.max(per_decade)) / VISIBLE)
            drawn = curve.x[per_decade > shares[-1]]
            ends += [drawn[0], drawn[-1]]
            held = per_decade > 0
            ax.plot(curve.x[held], per_decade[held], color=line, linestyle=style, linewidth=1.4, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    if found.law is not None:
        ends += _mark(ax, [found.law.lambda_min, found.law.lambda_max], colour)
    if found.published is not None:
        ends += _verticals(ax, {*found.published.lambda_min, *found.published.lambda_max})
    # Whatever is too small to be seen does not stretch the axis; a decade or more has a labelled tick.
    left, right = min(ends) / MARGIN, max(ends) * MARGIN
    widened = max(1.0, np.sqrt(10 * left / right))
    ax.set_xlim(left / widened, right * widened)
    ax.xaxis.set_minor_formatter("")
    low, high = min(shares, default=ax.get_ylim()[0]) / 2, ax.get_ylim()[1]
    # Room for the legend above the curves.
    ax.set_ylim(low, high * (high / low) ** 0.45)
    ax.set_title(title, fontsize="medium")
    ax.set_xlabel("eigenvalue of the kernel matrix")
    ax.set_ylabel("share of eigenvalues per decade")
    # White behind it, for dashed lines cross it.
    ax.legend(loc="upper left", fontsize="small", framealpha=1.0, edgecolor="none")


def plot_conditions(ax: Axes, curves: Sequence[ConditionCurve], n: int | None = None) -> None:
    """Condition numbers against n: lines by the law, dots as computed, dashes as published.

    Parameters
    ----------
    ax : matplotlib Axes
    curves : sequence of ConditionCurve
        At most four.
    n : int, optional
        Marked.
    """
    for curve, colour, marker in zip(curves, COLOURS, MARKERS, strict=False):
        law = np.where(np.isfinite(curve.law), curve.law, np.nan)
        ax.plot(curve.n, law, color=colour, linewidth=1.4, label=f"{curve.label}, sharp law")
        finite = np.isfinite(curve.exact)
        ax.plot(
            curve.sizes[finite],
            curve.exact[finite],
            color=colour,
            linestyle="none",
            marker=marker,
            markersize=4.5,
            label=f"{curve.label}, exact",
        )
        if curve.published is not None:
            for side, column in enumerate(np.unique(curve.published, axis=1).T):
                label = None if side else f"{curve.label}, published"
                ax.plot(curve.n, column, color=colour, linewidth=1.2, linestyle="--", label=label)
    if n is not None:
        ax.axvline(n, color=BLACK, linewidth=0.6, linestyle=":")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("number of rows $n$")
    ax.set_ylabel(r"condition number $\lambda_1\,/\,\lambda_n$")
    # Beside the panel: curves rise from one corner to the other.
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize="small")


def _histogram(values: Array, n: int) -> tuple[Array, Array]:
    """Edges of bins, equal on a logarithmic scale, and the shares of all n eigenvalues per decade in them."""
    low, high = np.log10(values[0]) - 0.5 / BINS_PER_DECADE, np.log10(values[-1])
    edges = low + np.arange(int((high - low) * BINS_PER_DECADE) + 2) / BINS_PER_DECADE
    counted, _ = np.histogram(np.log10(values), edges)
    return 10**edges, counted * (BINS_PER_DECADE / n)


def _mark(ax: Axes, values: Sequence[float], colour: str) -> list[float]:
    """Triangles just above the axis, whatever its range, at what is positive."""
    positive = [value for value in values if value > 0]
    ax.plot(
        positive,
        [0.02] * len(positive),
        transform=ax.get_xaxis_transform(),
        color=colour,
        linestyle="none",
        marker="^",
        markersize=7,
        clip_on=False,
        label="sharp law, smallest and largest" if len(positive) > 1 else "sharp law, largest",
        zorder=4,
    )
    return positive


def _verticals(ax: Axes, values: Iterable[float]) -> list[float]:
    """Dashed lines at what is positive."""
    positive = sorted(value for value in values if value > 0)
    for index, value in enumerate(positive):
        label = "published" if index == 0 else None
        ax.axvline(value, color=BLACK, linewidth=1.0, linestyle="--", label=label)
    return positive


def _densities(
    network: TwoLayer, n: int, d: int, width: int | None, data: str | Array
) -> tuple[Density | None, Density | None]:
    """At infinite width and of one network; None where a law has no density."""
    infinite = finite = None
    with suppress(InputError):
        infinite = spectrum_density(network, n, d, width, data)
    with suppress(InputError):
        finite = None if width is None else finite_spectrum_density(network, n, d, width, data)
    return infinite, finite


def _curve(
    network: TwoLayer,
    n: int,
    d: int,
    width: int | None,
    data: str | Array,
    rows: Array,
    dense: Dense,
) -> ConditionCurve:
    sizes = _sizes(TIMES_N * max(n, SMALLEST_N) if isinstance(data, str) else n, POINTS)
    lengths = data if isinstance(data, str) else np.linalg.norm(rows, axis=1)
    law = condition_numbers(network, sizes, d, width, lengths)
    samples = _sizes(min(len(rows), LARGEST_POINT), EXACT_POINTS)
    exact = [_condition(dense, network, rows[: int(size)]) for size in samples]
    return ConditionCurve(
        network.name, sizes, law, samples, np.array(exact), _published(network, sizes, d, width)
    )


def _sizes(most: int, count: int) -> Array:
    """Whole numbers up to this one, evenly spread on a logarithmic scale; none up to 0."""
    if not most:
        return np.zeros(0)
    return np.unique(np.rint(np.geomspace(min(SMALLEST_N, most), most, count)))


def _condition(dense: Dense, network: TwoLayer, rows: Array) -> float:
    try:
        values = dense(network, rows)
    except InputError:  # rows of zeros alone, say
        return np.nan
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf


def _published(network: TwoLayer, sizes: Array, d: int, width: int | None) -> Array | None:
    found = [published_extremes(network, int(n), d, width) for n in sizes]
    return None if found[0] is None else np.array([one.condition_number for one in found if one])
