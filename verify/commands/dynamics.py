"""`gluntk dynamics`: expected losses of two networks under gradient descent, and where they cross."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from derivations.arguments import check_memory
from derivations.dynamics import (
    CrossingEstimate,
    ExpectedLoss,
    crossing_estimate,
    crossings,
    expected_loss,
    loss_law,
    predicted_crossing,
)
from derivations.dynamics.crossing import PER_DECADE
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.dynamics.loss import check_rate
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.numeric import kernel_function
from verify.activations import Array
from verify.commands.data import DataRequest
from verify.commands.descent import LARGEST, Descent, distinct
from verify.commands.dynamics_report import Report, as_json, as_text, draw_losses
from verify.commands.dynamics_trained import train_networks
from verify.commands.kernels import NetworkRequest, check_outputs, check_representable
from verify.commands.labels import INDEPENDENT, LabelRequest
from verify.commands.progress import progress
from verify.eigenvalues import extremes
from verify.output import FIGURES, write_figure
from verify.plots import new_figure

Answer = TypeVar("Answer")
FEWEST_ROWS = 20
"""Of which a law of many random rows is asked for a crossing."""


@dataclass(frozen=True)
class DynamicsRequest:
    """The options that say what is fitted, and how."""

    target: LabelRequest
    descent: Descent

    def check(self, request: DataRequest) -> None:
        """Refuse what is wrong before anything is read or computed.

        Raises
        ------
        InputError
            If options contradict each other, or one is out of range.
        """
        request.check()
        if request.source is None and request.n is not None and request.n > LARGEST:
            raise InputError(f"n must be at most {LARGEST} for all eigenvectors, got {request.n}")
        self.target.check(request)
        self.descent.check(INITIAL_OR_ZERO)


def dynamics(
    requests: Sequence[NetworkRequest],
    request: DataRequest,
    asked: DynamicsRequest,
    plot: str | None,
    force: bool,
    format: str,
    quiet: bool,
) -> str:
    """The report of both networks; the figure goes to `plot`."""
    networks = distinct(requests, "two", 2, 2)
    asked.check(request)
    descent = asked.descent
    names = [network.name for network in networks]
    real = {request.symbolic().name: request.finite() for request in requests} if descent.seeds else {}
    kernels = [kernel_function(network, width=descent.width) for network in networks]
    # Derived before data are read: a network without one is refused at once.
    outputs = [kernel_function(network, kind="nngp") for network in networks if descent.initial == "nngp"]
    panel = None
    if plot is not None:
        check_outputs({"plot": plot}, force, request.source, FIGURES)
        panel = new_figure()
    X, Y = asked.target.load(request)
    if len(X) > LARGEST:
        raise InputError(f"input must have at most {LARGEST} rows for all eigenvectors, got {len(X)}")
    check_memory(len(X), len(X), 8, "two kernels")
    if descent.seeds:
        descent.check_work(len(X), descent.seeds)
        check_memory(descent.seeds, len(descent.recorded(PER_DECADE)), 8, "all losses")
    threads = os.cpu_count() or 1
    with progress(quiet, "kernels"):
        matrices = [kernel(X, threads=threads) for kernel in kernels]
        starts: list[Array | None] = [None, None]
        if descent.initial != "zero":
            starts = [*matrices] if descent.initial == "kernel" else [C(X, threads=threads) for C in outputs]
        for K in (*matrices, *(C for C in starts if C is not None)):
            check_representable(K)
    with progress(quiet, "eigenvalues"):
        largest = [extremes(K).largest for K in matrices]
        eta = descent.rate()
        if eta is None:
            if not max(largest) > 0:
                raise InputError("input must not give kernels that are 0")
            eta = 1 / max(largest)
        check_rate(eta, max(largest))
        losses = dict(zip(names, _losses(matrices, starts, Y, eta), strict=True))
    with progress(quiet, "crossings"):
        found = crossings(losses[names[0]], losses[names[1]])
        predicted = _of_random_rows(_prediction, networks, request, asked, eta)
        estimated = _of_random_rows(_estimate, networks, request, asked, eta)
    trained = None
    if descent.seeds:
        trained = train_networks(real, X, Y, descent, eta, request.seed, quiet)
    report = Report(
        losses,
        found,
        request,
        len(X),
        X.shape[1],
        descent.width,
        eta,
        2 / max(largest),
        descent.initial,
        asked.target.name,
        descent.steps(),
        predicted,
        estimated,
        trained,
        descent.rate() is None,
    )
    if plot is not None and panel is not None:
        figure, (axes,) = panel
        draw_losses(axes, report)
        write_figure(plot, figure, force)
    return as_json(report) if format == "json" else as_text(report, plot)


def _of_random_rows(
    by: Callable[[Sequence[TwoLayer], DataRequest, DynamicsRequest, float], Answer],
    networks: Sequence[TwoLayer],
    request: DataRequest,
    asked: DynamicsRequest,
    eta: float,
) -> Answer | None:
    """What is said of the crossing without the rows; None where that does not apply, or says none."""
    if request.n is not None and request.n < FEWEST_ROWS:
        return None
    if request.source is not None or request.prepare != "raw" or asked.target.name not in INDEPENDENT:
        return None
    try:
        return by(networks, request, asked, eta)
    except InputError:  # rows, a rate or a network that is not covered
        return None


def _prediction(
    networks: Sequence[TwoLayer], request: DataRequest, asked: DynamicsRequest, eta: float
) -> int | None:
    """By the law of random rows."""
    assert request.n is not None
    assert request.d is not None
    width, initial = asked.descent.width, asked.descent.initial
    first, second = (
        loss_law(network, request.n, request.d, width, request.distribution, initial)  # type: ignore[arg-type]
        for network in networks
    )
    return predicted_crossing(first, second, eta)


def _estimate(
    networks: Sequence[TwoLayer], request: DataRequest, asked: DynamicsRequest, eta: float
) -> CrossingEstimate | None:
    """In closed form; the network with more gates, if the other one is first, changes places with it."""
    if asked.descent.width is None:
        return None
    assert request.n is not None
    assert request.d is not None
    first, second = sorted(networks, key=lambda network: network.gates)
    size, initial = (request.n, request.d, asked.descent.width), asked.descent.initial
    return crossing_estimate(*size, eta, request.distribution, initial, first=first, second=second)  # type: ignore[arg-type]


def _losses(
    matrices: Sequence[Array], starts: Sequence[Array | None], Y: Array, eta: float
) -> list[ExpectedLoss]:
    return [expected_loss(K, eta, Y, C) for K, C in zip(matrices, starts, strict=True)]
