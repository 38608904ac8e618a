"""Options that several commands share, the words their choices are made of, and the requests that options are parts of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from verify.commands.data import DataRequest
    from verify.commands.kernels import NetworkRequest

Request = TypeVar("Request")

# Spelled out here, for importing them would load SymPy or scikit-learn; a test compares them with their sources.
FORMATS = ("text", "latex", "json", "python", "c")
PARAMETRIZATIONS = ("standard", "ntk")
VARIANCES = ("numeric", "symbolic")
PREPARATIONS = ("raw", "standardize", "normalize")
DISTRIBUTIONS = ("sphere", "gaussian")
KINDS = ("ntk", "nngp")
PROFILES = ("quick", "full")
RUNGS = ("simplified", "exact", "finite")
BOUNDS = ("none", "shared", "family", "dense")
INITIAL = ("nngp", "zero", "kernel")
LABELS = ("random", "linear", "network", "signs")

DESCRIPTION = (
    click.option("--activation", metavar="EXPR", help="Activation as an expression in z, instead of a name."),
    click.option(
        "--gates", type=int, metavar="0|1|2", help="Number of linear gates (default 0, or the name's own)."
    ),
    click.option("--tied", is_flag=True, help="Gates with the activation's own weights: phi(w.x)(w.x)^g."),
    click.option(
        "--parametrization", type=click.Choice(PARAMETRIZATIONS), default="standard", show_default=True
    ),
)
NETWORK = (
    click.argument("name", metavar="[NETWORK]", required=False),
    *DESCRIPTION,
    click.option(
        "--bias-variance",
        default="0",
        metavar="V|symbolic",
        help="Biases, whose contribution to preactivations and gates has this variance (default none).",
    ),
)
DATA = (
    click.option(
        "--input",
        "source",
        metavar="FILE|digits|diabetes|breast_cancer",
        help="Data: .npy, .npz, .csv or .tsv, or a real set.",
    ),
    click.option(
        "--prepare",
        type=click.Choice(PREPARATIONS),
        default="raw",
        show_default=True,
        help="Scaling of columns (standardize) or rows (normalize: |x|^2 = d).",
    ),
    click.option(
        "--data",
        "distribution",
        type=click.Choice(DISTRIBUTIONS),
        help="Generate data instead; needs --n and --d.",
    ),
    click.option("--n", type=int, help="Rows to generate."),
    click.option("--d", type=int, help="Columns to generate."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything random."),
)
REPORT = (
    click.option("--force", is_flag=True, help="Overwrite existing output files."),
    click.option(
        "--format", "format", type=click.Choice(("text", "json")), default="text", show_default=True
    ),
    click.option("--quiet", is_flag=True, help="No progress on stderr."),
)
OUTPUT = (click.option("--output", metavar="K.npy", help="Write the kernel matrix."), *REPORT)

KIND = click.option("--kind", type=click.Choice(KINDS), default="ntk", show_default=True)
WIDTH = click.option("--width", type=int, help="Width m; needed where the kernel depends on it.")
DESCENT = (
    WIDTH,
    click.option(
        "--labels",
        type=click.Choice(LABELS),
        help="Targets that are drawn: independent normals (random, the default, but for real sets) or signs, linear in the "
        "rows, or a random network's.",
    ),
    click.option(
        "--targets",
        metavar="FILE|NAME",
        help="Targets of the rows of --input: one column, or one row; or digits:parity (default of digits), digits:0 to 9, "
        "diabetes, breast_cancer.",
    ),
    click.option(
        "--eta",
        default="auto",
        show_default=True,
        metavar="auto|VALUE",
        help="Step size; auto is 1 over the larger lambda_1 of the rows in use.",
    ),
)
LEARNING = (
    click.option("--n", type=int, required=True, help="Rows."),
    click.option("--d", type=int, required=True, help="Columns."),
    click.option(
        "--teacher",
        default="0.5,0.5",
        show_default=True,
        metavar="E1,E2,...",
        help="Energy of what is learned in degree 1, 2, ...",
    ),
    click.option(
        "--noise", type=float, default=0.0, show_default=True, help="Variance of the targets' noise."
    ),
    click.option(
        "--draws",
        type=int,
        default=0,
        show_default=True,
        help="Check predictions by real gradient descent on so many draws.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of everything random."),
)


def plot(contents: str) -> Callable[[Any], Any]:
    """The option of a picture with these contents."""
    return click.option("--plot", metavar="FILE.png|svg|pdf", help=f"Draw {contents}.")


def options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """All options of these groups, in their order, for one command."""

    def decorate(function: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate


def take(request: type[Request], given: dict[str, Any], **more: Any) -> Request:
    """A dataclass of options: those of its fields that were given, which are taken out, and `more`."""
    known = {field.name for field in fields(request)} & given.keys()  # type: ignore[arg-type]
    return request(**{name: given.pop(name) for name in known}, **more)


def take_networks(given: dict[str, Any]) -> list[NetworkRequest]:
    """One for every name, and for --activation, which the other options describe, too."""
    from verify.commands.kernels import NetworkRequest

    names, activation = given.pop("networks"), given.pop("activation")
    shared = {name: given.pop(name) for name in ("gates", "parametrization", "tied")}
    described = [NetworkRequest(name, None, **shared) for name in names]
    if activation is not None or not names:
        described.append(NetworkRequest(None, activation, **shared))
    return described


def take_data(given: dict[str, Any], **more: Any) -> DataRequest:
    """The rows: drawn from the sphere where nothing is said."""
    from verify.commands.data import DataRequest

    if given["source"] is None and given["distribution"] is None:
        given["distribution"] = "sphere"
    return take(DataRequest, given, **more)
