"""`gluntk kernel` and `gluntk empirical`: kernels of data, their extreme eigenvalues, files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import SupportsFloat

import numpy as np

from derivations.arguments import check_memory, check_positive_integer
from derivations.elementwise import activation_functions
from derivations.errors import InputError
from derivations.networks import TwoLayer
from derivations.networks import network as parse_network
from derivations.numeric import KernelFunction, kernel_function
from verify.activations import Array
from verify.bounds import kernel_bounds
from verify.commands.data import DataRequest
from verify.commands.progress import progress
from verify.commands.values import SCHEMA, interval, number, readable
from verify.eigenvalues import Bias, Extremes, extremes, smallest_eigenvalue_bias, top_vector
from verify.finite import NETWORKS, FiniteNetwork, finite_network
from verify.moments import quadratic_form
from verify.montecarlo import KernelOverflowError, empirical_ntk
from verify.output import check_output, write_array

# 1e17 operations take a core weeks to months.
_MOST_OPERATIONS = 10**17
_TOO_LONG = (
    "input has rows too long for this kernel: entries exceed 1.8e308; scale the data, for example with "
    "--prepare normalize"
)


@dataclass(frozen=True)
class NetworkRequest:
    """The network options of the command line."""

    name: str | None
    activation: str | None
    gates: int | None
    parametrization: str
    tied: bool = False
    bias_variance: str = "0"

    def symbolic(self) -> TwoLayer:
        """The network as the symbolic side knows it."""
        return parse_network(
            self.name,
            expression=self.activation,
            gates=self.gates,
            parametrization=self.parametrization,
            tied=self.tied,
            bias_variance=self.bias_variance,
        )

    def finite(self) -> FiniteNetwork:
        """The network as the finite side knows it: its own, or the user's expression as functions."""
        described = self.symbolic()
        variance = described.parametrization.bias_variance
        if not variance.is_number:
            raise InputError("bias_variance must be a number for networks to be drawn, got 'symbolic'")
        if self.name is not None and self.name in NETWORKS and not self.tied:
            chosen = finite_network(self.name, self.parametrization, float(variance))
            return replace(chosen, gates=described.gates)
        phi, dphi = activation_functions(described.activation)
        return FiniteNetwork(
            described.name, phi, dphi, described.gates, self.parametrization, float(variance)
        )


def closed_form(
    network: NetworkRequest,
    request: DataRequest,
    width: int | None,
    kind: str,
    output: str | None,
    force: bool,
    format: str,
    quiet: bool,
) -> str:
    """The closed-form kernel's report; the matrix goes to `output`."""
    check_outputs({"output": output}, force, request.source)
    function = kernel_function(network.symbolic(), kind=kind, width=width)  # type: ignore[arg-type]
    X = request.load()
    check_memory(len(X), len(X), 3, "a kernel")
    with progress(quiet, "kernel"):
        K = function(X, threads=os.cpu_count() or 1)
    check_representable(K)
    with progress(quiet, "eigenvalues"):
        found = extremes(K)
    if output is not None:
        write_array(output, K, force)
    with progress(quiet, "bounds"):
        bounds = kernel_bounds(function, X, matrix=K, values=np.array([found.smallest, found.largest]))
    variance = function.network.parametrization.bias_variance
    report = _common(function.network.name, network, variance, kind, request, X, width, found) | {
        "bounds": {
            name: [number(side) for side in getattr(bounds, name)]
            for name in ("lambda_min", "lambda_max", "condition_number")
        },
        "singular": bounds.singular,
    }
    form = "closed-form" if isinstance(function, KernelFunction) else "series"
    return _rendered(report, format, f"{form} {kind.upper()} of {function.network.name}", [output])


def empirical(
    network: NetworkRequest,
    request: DataRequest,
    width: int,
    seeds: int,
    kind: str,
    output: str | None,
    error_output: str | None,
    force: bool,
    format: str,
    quiet: bool,
) -> str:
    """The mean kernel of finite networks: report; matrix and standard errors go to files."""
    started = time.perf_counter()
    check_positive_integer(width, "width")
    check_positive_integer(seeds, "seeds")
    check_outputs({"output": output, "error-output": error_output}, force, request.source)
    finite = network.finite()
    if kind == "ntk" and finite.dphi is None:
        raise InputError(
            f"network {finite.name!r} has no neural tangent kernel: its activation jumps and its gradient is a "
            "Dirac measure; --kind nngp has one"
        )
    X = request.load()
    _check_duration(len(X), X.shape[1], finite.gates, width, seeds)
    rng = np.random.SeedSequence(request.seed, spawn_key=(1,))
    with progress(quiet, "neurons") as bar:
        try:
            estimate = empirical_ntk(
                finite, X, width, seeds, rng, kind=kind, parts=min(4, width * seeds),
                progress=None if bar is None else lambda done, total: bar("neurons", done, total),
            )  # fmt: skip
        except KernelOverflowError:
            raise InputError(_TOO_LONG) from None
    with progress(quiet, "eigenvalues"):
        found = extremes(estimate.mean)
        _, top_error = quadratic_form(finite, X, top_vector(estimate.mean), width, seeds, rng, kind=kind)
        quarters = estimate.part_means
        unknown = Bias(float("nan"), float("nan"))
        bias = smallest_eigenvalue_bias(found, quarters) if len(quarters) == 4 else unknown
    if output is not None:
        write_array(output, estimate.mean, force)
    if error_output is not None:
        write_array(error_output, estimate.standard_error, force)
    report = _common(finite.name, network, finite.bias_variance, kind, request, X, width, found) | {
        "seeds": seeds,
        "standard_error": number(estimate.relative_error),
        "lambda_max_standard_error": number(top_error),
        "lambda_min_bias": number(bias.bias),
        "lambda_min_bias_rate": number(bias.rate),
        "seconds": time.perf_counter() - started,
    }
    networks = f"{seeds} networks" if seeds > 1 else "one network"
    return _rendered(
        report, format, f"mean {kind.upper()} of {networks} {finite.name}", [output, error_output]
    )


def check_outputs(
    paths: Mapping[str, str | None], force: bool, source: str | None, suffix: str | tuple[str, ...] = ".npy"
) -> None:
    """Every file can be written, and none is the input or another output, by whatever name."""
    taken = {} if source is None else {os.path.realpath(source): "the input"}
    for name, path in paths.items():
        if path is None:
            continue
        target = check_output(path, force, suffix, name)
        if target in taken:
            raise InputError(f"{name} must be another file than {taken[target]}, got {path!r}")
        taken[target] = name


def _check_duration(n: int, d: int, gates: int, width: int, seeds: int) -> None:
    """Refuse what no machine finishes: a slip of a few digits, more often than a wish."""
    operations = 2 * width * seeds * ((2 + gates) * n * n + (1 + gates) * n * d)
    if operations > _MOST_OPERATIONS:
        most = _MOST_OPERATIONS * width * seeds // operations
        raise InputError(
            f"width and seeds must give at most {most:.2g} neurons for {n} rows, some months of computing, "
            f"got {width * seeds:.2g}"
        )


def check_representable(K: Array) -> None:
    """Refuse a kernel whose entries left the range of float64."""
    if not np.isfinite(K).all():
        raise InputError(_TOO_LONG)
    if not K.any():
        raise InputError(
            "input has rows too short for this kernel: every entry is 0 or below 4.9e-324; scale the data, for "
            "example with --prepare standardize"
        )


def _common(
    name: str,
    network: NetworkRequest,
    bias_variance: SupportsFloat,
    kind: str,
    request: DataRequest,
    X: Array,
    width: int | None,
    found: Extremes,
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "version": version("gluntk"),
        "network": name,
        "parametrization": network.parametrization,
        "bias_variance": float(bias_variance),
        "kind": kind,
        "data": request.name,
        "n": X.shape[0],
        "d": X.shape[1],
        "width": width,
        "lambda_max": number(found.largest),
        "lambda_min": number(found.smallest),
        "condition_number": number(found.condition_number),
    }


def _rendered(report: dict[str, object], format: str, title: str, outputs: Sequence[str | None]) -> str:
    if format == "json":
        return json.dumps(report, indent=2)
    width = "" if report["width"] is None else f", width {report['width']}"
    biases = f", biases of variance {readable(report['bias_variance'])}" if report["bias_variance"] else ""
    lines = [
        f"{title}, {report['parametrization']} parametrization{width}{biases}",
        f"  data              {report['data']}: n = {report['n']}, d = {report['d']}",
        f"  lambda_max        {readable(report['lambda_max'])}",
        f"  lambda_min        {readable(report['lambda_min'])}",
        f"  condition number  {readable(report['condition_number'])}",
    ]
    if "seeds" in report:
        if report["lambda_max_standard_error"] != "nan":
            lines[2] += f" +- {readable(report['lambda_max_standard_error'], 2)} (standard error)"
        if report["lambda_min_bias"] != "nan":
            lines[3] += (
                f", biased by about {readable(report['lambda_min_bias'], 2)} (falls like neurons^"
                f"-{readable(report['lambda_min_bias_rate'], 2)}, from halves and quarters of the neurons)"
            )
        if report["standard_error"] == "nan":
            lines.append("  standard error    unknown: a single neuron has none")
        else:
            error = readable(report["standard_error"], 2)
            lines.append(f"  standard error    {error} of the kernel, in the Frobenius norm")
    if "bounds" in report:
        bounds: dict[str, list[float | str]] = report["bounds"]  # type: ignore[assignment]
        for line, name in ((2, "lambda_max"), (3, "lambda_min"), (4, "condition_number")):
            low, high = map(float, bounds[name])
            lines[line] += f"  proved: {interval((low, high), 8)}"
    if report.get("singular") is not None:
        lines.append(f"  the kernel is singular, lambda_min is exactly 0: {report['singular']}")
    elif report["condition_number"] == "inf":
        causes = "are rows equal, opposite or zero"
        if "seeds" in report:
            causes += ", or are there fewer parameters than rows"
        lines.append(f"  the kernel is singular to rounding: {causes}?")
    if outputs[0] is not None:
        lines.append(f"  written to        {outputs[0]}")
    if len(outputs) > 1 and outputs[1] is not None:
        lines.append(f"  standard errors   {outputs[1]}")
    return "\n".join(lines)
