"""`gluntk spectrum`: extreme eigenvalues as published, by the law of random rows, and of actual data."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from derivations.arguments import check_memory, check_positive_integer
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.numeric import KernelFunction, SeriesKernel, kernel_function
from verify.activations import Array
from verify.bounds import Cosines, SharedPower, WidthFamily, kernel_bounds
from verify.bounds.answer import SpectrumBounds
from verify.commands.data import DataRequest
from verify.commands.kernels import NetworkRequest, check_outputs, check_representable
from verify.commands.progress import progress
from verify.commands.spectrum_report import Report, as_json, as_text
from verify.eigenvalues import eigenvalues
from verify.output import FIGURES, write_figure
from verify.plots import COLOURS, new_figure
from verify.spectrum import network_spectrum
from verify.spectrum_plots import LARGEST_POINT, SMALLEST_N, TIMES_N, draw_spectra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kernel = KernelFunction | SeriesKernel
LARGEST_DENSE = 4000
"""Rows of the largest matrix of which all eigenvalues are computed: seconds per network."""
LARGEST_SAMPLE = 5 * 10**7
"""Entries of the largest sample that is drawn."""


def spectrum(
    requests: Sequence[NetworkRequest],
    request: DataRequest,
    width: int | None,
    plot: str | None,
    force: bool,
    format: str,
    quiet: bool,
    mode: str | None = None,
) -> str:
    """The report of all networks; the figure goes to `plot`. `mode` is that of bounds, by default the tightest."""
    networks = _networks(requests)
    _check(request, requests[0].parametrization, width)
    # Each is derived once, for all samples.
    kernels = {network: kernel_function(network, width=width) for network in networks.values()}
    panels = None if plot is None else _panels(plot, len(networks), force, request.source)
    X, n, d = _rows(request)
    data = X if request.source is not None and X is not None else request.distribution
    assert data is not None
    if mode is not None and X is None:
        raise InputError(
            f"bounds are of given rows, and samples are drawn for n up to {LARGEST_DENSE} only, got n = {n}: leave it out"
        )
    spectra = {}
    shared = None if X is None else SharedPower(Cosines(X))
    with progress(quiet, "eigenvalues") as bar:
        for done, (name, network) in enumerate(networks.items()):
            if bar:
                bar(name, done, len(networks))
            values = bounds = None
            if X is not None:
                K = kernel_matrix(kernels[network], X) if n <= LARGEST_DENSE else None
                values = None if K is None else eigenvalues(K)
                bounds = _bounds(kernels[network], X, mode, shared, K, values)
            spectra[name] = network_spectrum(network, n, d, width, data, values, bounds)
    nothing = [found for found in spectra.values() if found.eigenvalues is None and found.bounds is None]
    if len(nothing) == len(spectra) and all(found.law is None for found in nothing):
        raise InputError(str(nothing[0].refusal))
    report = Report(spectra, request, n, d, width, requests[0].parametrization, X)
    if plot is not None and panels is not None:
        figure, axes = panels
        with progress(quiet, "condition numbers"):
            rows = _rows_in_random_order(request, X, n, d)
            dense = partial(_dense, kernels)
            draw_spectra(figure, axes, list(spectra.values()), n, d, width, data, rows, dense)
        write_figure(plot, figure, force)
    return as_json(report) if format == "json" else as_text(report, plot)


def _panels(plot: str, count: int, force: bool, source: str | None) -> tuple[Figure, tuple[Axes, ...]]:
    """The empty figure, before anything is computed for it."""
    check_outputs({"plot": plot}, force, source, FIGURES)
    if count > len(COLOURS):
        raise InputError(f"plot takes at most {len(COLOURS)} networks, got {count}")
    return new_figure(count + 1, columns=3)


def _dense(kernels: Mapping[TwoLayer, Kernel], network: TwoLayer, X: Array) -> Array:
    return dense_eigenvalues(kernels[network], X)


def _bounds(
    kernel: Kernel,
    X: Array,
    mode: str | None,
    shared: SharedPower | None,
    K: Array | None,
    values: Array | None,
) -> SpectrumBounds:
    """By the eigenproblem that is solved anyway, where no other mode is asked for; without one beyond it."""
    if mode == "family":
        return WidthFamily(kernel.network, X).bounds(kernel.width)
    chosen = mode or ("none" if K is None else "dense")
    return kernel_bounds(kernel, X, chosen, shared=shared, matrix=K, values=values)


def dense_eigenvalues(kernel: Kernel, X: Array) -> Array:
    """All eigenvalues of the kernel matrix of these rows, ascending : (n,) float."""
    return eigenvalues(kernel_matrix(kernel, X))


def kernel_matrix(kernel: Kernel, X: Array) -> Array:
    """The kernel matrix of these rows : (n, n) float."""
    check_memory(len(X), len(X), 3, "a kernel")
    K = kernel(X, threads=os.cpu_count() or 1)
    check_representable(K)
    return K


def _networks(requests: Sequence[NetworkRequest]) -> dict[str, TwoLayer]:
    """By name."""
    result: dict[str, TwoLayer] = {}
    for asked in requests:
        network = asked.symbolic()
        if network.name in result:
            raise InputError(f"networks must differ, got {network.name} twice")
        result[network.name] = network
    return result


def _check(request: DataRequest, parametrization: str, width: int | None) -> None:
    """Refuse what is wrong before anything is read or computed."""
    request.check()
    if request.source is None and request.prepare != "raw":
        raise InputError(
            f"prepare belongs to --input, got {request.prepare!r}; for rows of equal length give --data sphere"
        )
    if width is not None:
        check_positive_integer(width, "width")
    elif parametrization == "standard":
        raise InputError("width is needed: kernels in the standard parametrization depend on it")


def _rows(request: DataRequest) -> tuple[Array | None, int, int]:
    """The input or a sample, none where that would be large, and its shape."""
    if request.source is None:
        assert request.n is not None
        assert request.d is not None
        if request.n > LARGEST_DENSE or request.n * request.d > LARGEST_SAMPLE:
            return None, request.n, request.d
    X = request.load()
    return X, len(X), X.shape[1]


def _rows_in_random_order(request: DataRequest, X: Array | None, n: int, d: int) -> Array:
    """Rows whose first ones are samples: of the input, which may be sorted, or drawn, more than n if these are few."""
    if request.source is not None:
        assert X is not None
        order = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(2,))).permutation(n)
        return X[order]
    most = min(TIMES_N * max(n, SMALLEST_N), LARGEST_POINT)
    return replace(request, n=most).load() if most * d <= LARGEST_SAMPLE else np.zeros((0, d))
