"""Options that several commands of `verify.cli` share, and the words their choices are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

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
    click.argument("network", required=False),
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


def options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate
