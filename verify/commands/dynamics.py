"""`gluntk dynamics`: expected losses of two networks under gradient descent, and where they cross."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from derivations.arguments import check_choice, check_memory, check_positive_integer
from derivations.dynamics import (
    CrossingEstimate,
    ExpectedLoss,
    crossing_estimate,
    crossings,
    expected_loss,
    loss_law,
    predicted_crossing,
)
from derivations.dynamics.loss import MOST_STEPS, check_rate
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.numeric import kernel_function
from verify.activations import Array
from verify.commands.data import DataRequest
from verify.commands.dynamics_report import Report, as_json, as_text, draw_losses
from verify.commands.dynamics_trained import check_work, train_networks
from verify.commands.kernels import NetworkRequest, check_outputs, check_representable
from verify.commands.labels import INDEPENDENT, LabelRequest
from verify.commands.progress import progress
from verify.eigenvalues import extremes
from verify.output import FIGURES, write_figure
from verify.plots import new_figure

LARGEST = 4000
"""Rows of the largest matrix of which all eigenvectors are computed."""
Answer = TypeVar("Answer")
INITIAL = ("nngp", "zero", "kernel")


@dataclass(frozen=True)
class DescentRequest:
    """The options that say what is fitted, how, and from where."""

    width: int | None
    target: LabelRequest
    eta: str
    initial: str
    at: str
    seeds: int | None = None

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
        if self.width is not None:
            check_positive_integer(self.width, "width")
        self.target.check(request)
        check_choice(self.initial, "initial", INITIAL)
        if self.seeds is not None:
            check_positive_integer(self.seeds, "seeds")
            if self.width is None:
                raise InputError("width is needed with --seeds")
            if self.initial != "nngp":
                raise InputError(
                    f"initial must be nngp with --seeds: real networks begin with such outputs, got {self.initial!r}"
                )
        self.steps()
        self.rate()

    def steps(self) -> tuple[int, ...]:
        """Numbers of steps, ascending."""
        try:
            found = sorted({int(part) for part in self.at.split(",")})
        except ValueError:
            found = [-1]
        if found[0] < 0 or found[-1] > MOST_STEPS:
            raise InputError(f"at must be whole numbers from 0 to 10^15 separated by commas, got {self.at!r}")
        return tuple(found)

    def rate(self) -> float | None:
        """The step size, None for the automatic one."""
        if self.eta == "auto":
            return None
        try:
            return float(self.eta)
        except ValueError:
            raise InputError(f"eta must be a number or auto, got {self.eta!r}") from None


def dynamics(
    requests: Sequence[NetworkRequest],
    request: DataRequest,
    asked: DescentRequest,
    plot: str | None,
    force: bool,
    format: str,
    quiet: bool,
) -> str:
    """The report of both networks; the figure goes to `plot`."""
    networks = _networks(requests)
    asked.check(request)
    names = [network.name for network in networks]
    real = {request.symbolic().name: request.finite() for request in requests} if asked.seeds else {}
    kernels = [kernel_function(network, width=asked.width) for network in networks]
    # Derived before data are read: a network without one is refused at once.
    outputs = [kernel_function(network, kind="nngp") for network in networks if asked.initial == "nngp"]
    panel = None
    if plot is not None:
        check_outputs({"plot": plot}, force, request.source, FIGURES)
        panel = new_figure()
    X, Y = asked.target.load(request)
    if len(X) > LARGEST:
        raise InputError(f"input must have at most {LARGEST} rows for all eigenvectors, got {len(X)}")
    check_memory(len(X), len(X), 8, "two kernels")
    if asked.seeds and asked.width:
        check_work(len(X), asked.width, asked.steps(), asked.seeds)
    threads = os.cpu_count() or 1
    with progress(quiet, "kernels"):
        matrices = [kernel(X, threads=threads) for kernel in kernels]
        starts: list[Array | None] = [None, None]
        if asked.initial != "zero":
            starts = [*matrices] if asked.initial == "kernel" else [C(X, threads=threads) for C in outputs]
        for K in (*matrices, *(C for C in starts if C is not None)):
            check_representable(K)
    with progress(quiet, "eigenvalues"):
        largest = [extremes(K).largest for K in matrices]
        eta = asked.rate()
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
    if asked.seeds and asked.width:
        trained = train_networks(
            real, X, Y, asked.width, asked.steps(), eta, asked.seeds, request.seed, quiet
        )
    report = Report(
        losses,
        found,
        request,
        len(X),
        X.shape[1],
        asked.width,
        eta,
        2 / max(largest),
        asked.initial,
        asked.target.name,
        asked.steps(),
        predicted,
        estimated,
        trained,
    )
    if plot is not None and panel is not None:
        figure, (axes,) = panel
        draw_losses(axes, report)
        write_figure(plot, figure, force)
    return as_json(report) if format == "json" else as_text(report, plot)


def _of_random_rows(
    by: Callable[[Sequence[TwoLayer], DataRequest, DescentRequest, float], Answer],
    networks: Sequence[TwoLayer],
    request: DataRequest,
    asked: DescentRequest,
    eta: float,
) -> Answer | None:
    """What is said of the crossing without the rows; None where that does not apply, or says none."""
    if request.source is not None or request.prepare != "raw" or asked.target.name not in INDEPENDENT:
        return None
    try:
        return by(networks, request, asked, eta)
    except InputError:  # rows, a rate or a network that is not covered
        return None


def _prediction(
    networks: Sequence[TwoLayer], request: DataRequest, asked: DescentRequest, eta: float
) -> int | None:
    """By the law of random rows."""
    assert request.n is not None
    assert request.d is not None
    first, second = (
        loss_law(network, request.n, request.d, asked.width, request.distribution, asked.initial)  # type: ignore[arg-type]
        for network in networks
    )
    return predicted_crossing(first, second, eta)


def _estimate(
    networks: Sequence[TwoLayer], request: DataRequest, asked: DescentRequest, eta: float
) -> CrossingEstimate | None:
    """In closed form; the network with more gates, if the other one is first, changes places with it."""
    if asked.width is None:
        return None
    assert request.n is not None
    assert request.d is not None
    first, second = sorted(networks, key=lambda network: network.gates)
    size = request.n, request.d, asked.width
    return crossing_estimate(*size, eta, request.distribution, asked.initial, first=first, second=second)  # type: ignore[arg-type]


def _losses(
    matrices: Sequence[Array], starts: Sequence[Array | None], Y: Array, eta: float
) -> list[ExpectedLoss]:
    return [expected_loss(K, eta, Y, C) for K, C in zip(matrices, starts, strict=True)]


def _networks(requests: Sequence[NetworkRequest]) -> list[TwoLayer]:
    if len(requests) != 2:
        raise InputError(f"networks must be two, got {len(requests)}")
    found = [request.symbolic() for request in requests]
    if found[0].name == found[1].name:
        raise InputError(f"networks must differ, got {found[0].name} twice")
    return found
