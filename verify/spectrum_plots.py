"""Figures of kernels' spectra: densities by the sharp law with the eigenvalues of a sample, and condition numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.spectrum import Density, spectrum_density
from verify.activations import Array
from verify.plots import BLACK, COLOURS, GREY, MARKERS
from verify.published import published_extremes
from verify.spectrum import NetworkSpectrum, condition_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS_PER_DECADE = 20
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
        plot_density(ax, found, _density(found.network, n, d, width, data), colour)
    curves = [_curve(found.network, n, d, width, data, rows, dense) for found in spectra]
    plot_conditions(axes[-1], curves, n)
    of = f"{data} rows" if isinstance(data, str) else "the input"
    figure.suptitle(
        f"NTK of {of}: n = {n}, d = {d}" + ("" if width is None else f", m = {width}"), fontsize="medium"
    )


def plot_density(ax: Axes, found: NetworkSpectrum, density: Density | None, colour: str = COLOURS[0]) -> None:
    """Share of eigenvalues per decade: bars as counted, a line by the law, its ends and what is published marked.

    Parameters
    ----------
    ax : matplotlib Axes
    found : NetworkSpectrum
    density : Density or None
        Of the same kernel.
    colour : str

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
    title, smallest = found.network.name, np.inf
    if found.eigenvalues is not None:
        values = found.eigenvalues[found.eigenvalues > 0]
        n = len(found.eigenvalues)
        if len(values) < n:
            title += f" ({1 - len(values) / n:.0%} of the eigenvalues are 0)"
        if len(values):
            low, high = np.log10(values[0]) - 0.5 / BINS_PER_DECADE, np.log10(values[-1])
            edges = low + np.arange(int((high - low) * BINS_PER_DECADE) + 2) / BINS_PER_DECADE
            counted, _ = np.histogram(np.log10(values), edges)
            smallest = BINS_PER_DECADE / n
            ax.bar(
                10 ** edges[:-1],
                counted * smallest,
                np.diff(10**edges),
                align="edge",
                color=GREY,
                label="exact",
            )
    if density is not None:
        held = density.density > 0
        per_decade = density.density * density.x * np.log(10)
        ax.plot(density.x[held], per_decade[held], color=colour, linewidth=1.4, label="sharp law of the bulk")
        top = float(np.max(per_decade))
        smallest = min(smallest, top / 1e3)
    if found.law is not None:
        _mark(ax, [found.law.lambda_min, found.law.lambda_max], "sharp law, smallest and largest", colour)
    ax.set_xscale("log")
    ax.set_yscale("log")
    if np.isfinite(smallest):
        ax.set_ylim(bottom=smallest / 2)
    if found.published is not None:
        _verticals(ax, found)
    ax.set_title(title, fontsize="medium")
    ax.set_xlabel("eigenvalue of the kernel matrix")
    ax.set_ylabel("share of eigenvalues per decade")
    low, high = ax.get_ylim()
    # Room for the legend above the curves.
    ax.set_ylim(low, high * (high / low) ** 0.45)
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
    ax.legend(frameon=False, fontsize="small")


def _mark(ax: Axes, values: Sequence[float], label: str, colour: str) -> None:
    positive = [value for value in values if value > 0]
    # Just above the axis, whatever its range.
    ax.plot(
        positive,
        [0.02] * len(positive),
        transform=ax.get_xaxis_transform(),
        color=colour,
        linestyle="none",
        marker="^",
        markersize=7,
        clip_on=False,
        label=label,
        zorder=4,
    )


def _verticals(ax: Axes, found: NetworkSpectrum) -> None:
    assert found.published is not None
    label: str | None = "published"
    for value in sorted({*found.published.lambda_min, *found.published.lambda_max}):
        if value > 0:
            ax.axvline(value, color=BLACK, linewidth=1.0, linestyle="--", label=label)
            label = None


def _density(network: TwoLayer, n: int, d: int, width: int | None, data: str | Array) -> Density | None:
    """None where the law has no density."""
    try:
        return spectrum_density(network, n, d, width, data)
    except InputError:
        return None


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
