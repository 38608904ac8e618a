"""`gluntk compare`: what linear gates buy, per activation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.numeric import kernel_function
from verify.commands.comparison_report import Report, as_json, as_text
from verify.commands.kernels import NetworkRequest, check_outputs
from verify.commands.learning import LearningRequest
from verify.commands.progress import progress
from verify.comparison import Comparison, compare_network, grouped, with_all_gates
from verify.comparison_plots import MOST_ACTIVATIONS, draw_comparison
from verify.output import FIGURES, write_figure
from verify.plots import new_figure

MOST_NETWORKS = 40


def compare(
    requests: Sequence[NetworkRequest],
    all_gates: bool,
    asked: LearningRequest,
    plot: str | None,
    force: bool,
    format: str,
    quiet: bool,
) -> str:
    """The report of all networks; the figure goes to `plot`."""
    n, d = asked.check()
    teacher, steps = asked.energies(), asked.numbers_of_steps()
    parametrization = requests[0].parametrization
    if asked.width is None and parametrization == "standard":
        raise InputError("width is needed: kernels in the standard parametrization depend on it")
    networks = _networks(requests, all_gates)
    if plot is not None:
        check_outputs({"plot": plot}, force, None, FIGURES)
        count = len({network.activation.name for network in networks})
        if count > MOST_ACTIVATIONS:
            raise InputError(f"plot takes at most {MOST_ACTIVATIONS} activations, got {count}")
        figure, axes = new_figure(3)
    rows = []
    with progress(quiet, "networks") as bar:
        for done, network in enumerate(networks):
            if bar:
                bar(network.name, done, len(networks))
            rows.append(compare_network(network, n, d, asked.width, steps, teacher, asked.data))
    if asked.draws:
        with progress(quiet, "gradient descent"):
            rows = _measured(rows, asked)
    rows = grouped(rows)
    report = Report(tuple(rows), n, d, asked.width, asked.data, parametrization, teacher, steps, asked.seed)
    if plot is not None:
        with progress(quiet, "figure"):
            draw_comparison(figure, axes, rows, n, d, asked.width, asked.data, teacher, steps)
        write_figure(plot, figure, force)
    return as_json(report) if format == "json" else as_text(report, plot)


def _networks(requests: Sequence[NetworkRequest], all_gates: bool) -> list[TwoLayer]:
    if all_gates and any(request.tied for request in requests):
        raise InputError(
            "all-gates adds gates with weights of their own, which --tied ones have not; give one of the two"
        )
    found: dict[str, TwoLayer] = {}
    for request in requests:
        network = request.symbolic()
        if network.name in found:
            raise InputError(f"networks must differ, got {network.name} twice")
        found[network.name] = network
    networks = with_all_gates(list(found.values())) if all_gates else list(found.values())
    if len(networks) > MOST_NETWORKS:
        raise InputError(f"networks must be at most {MOST_NETWORKS}, got {len(networks)}")
    return networks


def _measured(rows: Sequence[Comparison], asked: LearningRequest) -> list[Comparison]:
    found = asked.measure([kernel_function(row.network, width=asked.width) for row in rows])
    return [replace(row, measured=measured) for row, measured in zip(rows, found, strict=True)]
