"""The command line. Commands import what they need when they run: `--help` must not wait for SymPy."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from verify.options import (
    BOUNDS,
    DATA,
    DESCRIPTION,
    DISTRIBUTIONS,
    FORMATS,
    INITIAL,
    KINDS,
    LABELS,
    LEARNING,
    NETWORK,
    OUTPUT,
    PROFILES,
    REPORT,
    RUNGS,
    VARIANCES,
    options,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="gluntk", message="gluntk %(version)s")
def gluntk() -> None:
    """Derive, emit and verify neural tangent kernels of gated linear units.

    \b
    Example:
      $ gluntk derive reglu
      The NTK of reglu in the standard parametrization
      ...
        alpha = 1/(2*d) + m/(4*d**2)
        beta = 1/(2*pi*d) + m/(2*pi*d**2)
    """


@gluntk.command("list")
def list_() -> None:
    """List networks, activations and claims."""
    from verify.commands import listing

    click.echo(listing.text())


@gluntk.command()
@options(NETWORK)
@click.option(
    "--variances",
    type=click.Choice(VARIANCES),
    default="numeric",
    show_default=True,
    help="Keep sigma_a, sigma_w, sigma_v as symbols.",
)
@click.option(
    "--order", type=int, default=8, show_default=True, help="Degree of the expansion in the cosine."
)
@click.option("--digits", type=int, default=30, show_default=True, help="Decimals of certified numbers.")
@click.option("--steps", is_flag=True, help="Show every step, after re-checking it.")
@click.option("--format", "format", type=click.Choice(FORMATS), default="text", show_default=True)
def derive(
    network: str | None, activation: str | None, gates: int | None, tied: bool,
    bias_variance: str, parametrization: str, variances: str, order: int, digits: int, steps: bool, format: str,
) -> None:  # fmt: skip
    """Derive a network's NTK from its definition, with alpha, beta, gamma and its expansion.

    \b
    Example:
      $ gluntk derive relu --steps
      $ gluntk derive --activation "max(0, z)**2" --gates 1 --format c > kernel.c
    """
    from derivations import derive as derive_kernel
    from derivations.networks import network as parse_network
    from derivations.printing import render

    described = parse_network(
        network,
        expression=activation,
        gates=gates,
        parametrization=parametrization,
        variances=variances,
        tied=tied,
        bias_variance=bias_variance,
    )
    click.echo(render(derive_kernel(described, order, digits), format, steps, digits))


@gluntk.command()
@options(NETWORK, DATA)
@click.option("--width", type=int, help="Width m; needed where the kernel depends on it.")
@click.option("--kind", type=click.Choice(KINDS), default="ntk", show_default=True)
@options(OUTPUT)
def kernel(
    network: str | None, activation: str | None, gates: int | None, tied: bool,
    bias_variance: str, parametrization: str, source: str | None,
    prepare: str, distribution: str | None, n: int | None, d: int | None, seed: int, width: int | None, kind: str,
    output: str | None, force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """The closed-form kernel of data, and its extreme eigenvalues.

    \b
    Example:
      $ gluntk kernel reglu --input digits --width 1024 --output K.npy
    """
    from verify.commands import kernels
    from verify.commands.data import DataRequest

    request = DataRequest(source, prepare, distribution, n, d, seed)
    network_request = kernels.NetworkRequest(network, activation, gates, parametrization, tied, bias_variance)
    click.echo(kernels.closed_form(network_request, request, width, kind, output, force, format, quiet))


@gluntk.command()
@options(NETWORK, DATA)
@click.option("--width", type=int, required=True, help="Width m of each network.")
@click.option("--seeds", type=int, default=16, show_default=True, help="Number of networks.")
@click.option("--kind", type=click.Choice(KINDS), default="ntk", show_default=True)
@click.option("--error-output", metavar="E.npy", help="Write the standard error of every entry.")
@options(OUTPUT)
def empirical(
    network: str | None, activation: str | None, gates: int | None, tied: bool,
    bias_variance: str, parametrization: str, source: str | None,
    prepare: str, distribution: str | None, n: int | None, d: int | None, seed: int, width: int, seeds: int,
    kind: str, error_output: str | None, output: str | None, force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """The mean kernel of real networks of finite width, with standard errors.

    \b
    Example:
      $ gluntk empirical reglu --input digits --width 1024 --seeds 64
    """
    from verify.commands import kernels
    from verify.commands.data import DataRequest

    request = DataRequest(source, prepare, distribution, n, d, seed)
    network_request = kernels.NetworkRequest(network, activation, gates, parametrization, tied, bias_variance)
    click.echo(
        kernels.empirical(
            network_request, request, width, seeds, kind, output, error_output, force, format, quiet
        )
    )


@gluntk.command()
@click.argument("networks", nargs=-1, metavar="NETWORK...")
@options(DESCRIPTION, DATA)
@click.option("--width", type=int, help="Width m; needed where the kernel depends on it.")
@click.option("--plot", metavar="FILE.png|svg|pdf", help="Draw the densities and the condition numbers.")
@click.option(
    "--bounds",
    type=click.Choice(BOUNDS),
    help="Eigenproblems behind rigorous bounds: none, one shared by all networks, two for all widths, or the kernel's own "
    "(default; beyond 4000 rows none).",
)
@options(REPORT)
def spectrum(
    networks: tuple[str, ...], activation: str | None, gates: int | None, tied: bool, parametrization: str,
    source: str | None, prepare: str, distribution: str | None, n: int | None, d: int | None, seed: int,
    width: int | None, plot: str | None, bounds: str | None, force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """Extreme eigenvalues and condition numbers: as published, by the sharp law, and of actual data.

    Without --input the rows are random (--data, default sphere), as many as you like: the law needs no data.

    \b
    Example:
      $ gluntk spectrum relu reglu --n 2000 --d 100 --width 1000 --data gaussian
    """
    from verify.commands import spectra
    from verify.commands.data import DataRequest
    from verify.commands.kernels import NetworkRequest

    names: list[str | None] = [*networks]
    if activation is not None or not networks:
        names.append(None)
    described = [
        NetworkRequest(name, activation if name is None else None, gates, parametrization, tied)
        for name in names
    ]
    request = DataRequest(source, prepare, distribution or (None if source else "sphere"), n, d, seed)
    click.echo(spectra.spectrum(described, request, width, plot, force, format, quiet, bounds))


@gluntk.command()
@click.argument("networks", nargs=-1, metavar="NETWORK...")
@options(DESCRIPTION, LEARNING)
@click.option("--width", type=int, help="Width m; needed in the standard parametrization.")
@click.option(
    "--steps", default="1,10,100,1000", show_default=True, metavar="T1,T2,...", help="Gradient steps."
)
@click.option("--data", type=click.Choice(DISTRIBUTIONS), default="sphere", show_default=True)
@click.option(
    "--all-gates", is_flag=True, help="Add every activation's networks with 0, 1 and 2 linear gates."
)
@click.option("--plot", metavar="FILE.png|svg|pdf", help="Draw test errors, degrees and condition numbers.")
@options(REPORT)
def compare(
    networks: tuple[str, ...], activation: str | None, gates: int | None, tied: bool, parametrization: str,
    n: int, d: int, teacher: str, noise: float, draws: int, seed: int, width: int | None, steps: str, data: str,
    all_gates: bool, plot: str | None, force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """Which network is best: degrees, condition numbers and the predicted test error after t gradient steps.

    \b
    Example:
      $ gluntk compare relu reglu gqu --n 2000 --d 100 --width 1000 --teacher 0.5,0.5
    """
    from verify.commands import comparisons
    from verify.commands.kernels import NetworkRequest
    from verify.commands.learning import LearningRequest

    names: list[str | None] = [*networks]
    if activation is not None or not networks:
        names.append(None)
    described = [
        NetworkRequest(name, activation if name is None else None, gates, parametrization, tied)
        for name in names
    ]
    asked = LearningRequest(n, d, width, data, steps, teacher, noise, draws, seed)
    click.echo(comparisons.compare(described, all_gates, asked, plot, force, format, quiet))


@gluntk.command()
@options(LEARNING)
@click.option("--steps", default="30", show_default=True, metavar="T", help="Gradient steps.")
@click.option(
    "--gates",
    type=click.IntRange(0, 2),
    metavar="0|1|2",
    help="Linear gates of the network (default: any number).",
)
@click.option(
    "--width", type=int, help="Width of the catalogue's networks (default: the best of a few for each)."
)
@click.option("--degrees", type=int, default=8, show_default=True, help="Highest degree of the kernel.")
@click.option(
    "--plot", metavar="FILE.png|svg|pdf", help="Draw the profile and what the catalogue has instead."
)
@options(REPORT)
def design(
    n: int, d: int, teacher: str, noise: float, draws: int, seed: int, steps: str, gates: int | None,
    width: int | None, degrees: int, plot: str | None, force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """The kernel with the least test error after T gradient steps, and an activation that has it.

    \b
    Example:
      $ gluntk design --n 2000 --d 100 --steps 30 --teacher 0.5,0.5
    """
    from verify.commands import designs
    from verify.commands.learning import LearningRequest

    asked = LearningRequest(n, d, width, "sphere", steps, teacher, noise, draws, seed)
    click.echo(designs.design(asked, gates, degrees, plot, force, format, quiet))


@gluntk.command()
@click.argument("networks", nargs=-1, metavar="NETWORK NETWORK")
@options(DESCRIPTION, DATA)
@click.option("--width", type=int, help="Width m; needed where the kernel depends on it.")
@click.option(
    "--labels",
    type=click.Choice(LABELS),
    help="Targets that are drawn: independent normals (random, the default, but for real sets) or signs, linear in the rows, "
    "or a random network's.",
)
@click.option(
    "--targets",
    metavar="FILE|NAME",
    help="Targets of the rows of --input: one column, or one row; or digits:parity (default of digits), digits:0 to 9, "
    "diabetes, breast_cancer.",
)
@click.option("--rows", type=int, help="Only so many rows of --input, at random.")
@click.option(
    "--eta",
    default="auto",
    show_default=True,
    metavar="auto|VALUE",
    help="Step size; auto is 1 over the larger lambda_1.",
)
@click.option(
    "--initial",
    type=click.Choice(INITIAL),
    default="nngp",
    show_default=True,
    help="Outputs before the first step: of a network that is initialised, zero, or of covariance K.",
)
@click.option("--at", default="0,1,10,100", show_default=True, metavar="K1,K2,...", help="Numbers of steps.")
@click.option(
    "--seeds",
    type=int,
    help="Train so many real networks of each kind, up to the last step.",
)
@click.option("--plot", metavar="FILE.png|svg|pdf", help="Draw both losses and where they cross.")
@options(REPORT)
def dynamics(
    networks: tuple[str, ...], activation: str | None, gates: int | None, tied: bool, parametrization: str,
    source: str | None, prepare: str, distribution: str | None, n: int | None, d: int | None, seed: int,
    width: int | None, labels: str | None, targets: str | None, rows: int | None, eta: str, initial: str, at: str,
    seeds: int | None, plot: str | None, force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """Expected training losses of two networks under gradient descent, and the steps at which they cross.

    Without --input the rows are random (--data, default sphere).

    \b
    Example:
      $ gluntk dynamics relu reglu --n 300 --d 20 --width 1000 --data gaussian --plot losses.svg
    """
    from verify.commands import dynamics as dynamics_command
    from verify.commands.data import DataRequest
    from verify.commands.descent import Descent
    from verify.commands.kernels import NetworkRequest
    from verify.commands.labels import LabelRequest

    names: list[str | None] = [*networks]
    if activation is not None or not networks:
        names.append(None)
    described = [
        NetworkRequest(name, activation if name is None else None, gates, parametrization, tied)
        for name in names
    ]
    request = DataRequest(source, prepare, distribution or (None if source else "sphere"), n, d, seed, rows)
    asked = dynamics_command.DynamicsRequest(
        LabelRequest.of(labels, targets, source), Descent(width, eta, initial, at, seeds)
    )
    click.echo(dynamics_command.dynamics(described, request, asked, plot, force, format, quiet))


@gluntk.command()
@click.argument("networks", nargs=-1, metavar="NETWORK NETWORK...")
@options(DESCRIPTION, DATA)
@click.option("--width", type=int, help="Width m; needed where the kernel depends on it.")
@click.option("--train", type=int, required=True, metavar="N", help="Rows to train on.")
@click.option("--test", type=int, required=True, metavar="N", help="Rows to test.")
@click.option("--splits", type=int, default=20, show_default=True, help="Random splits, or draws of rows.")
@click.option(
    "--targets",
    metavar="FILE|NAME",
    help="Targets of the rows of --input: one column, or one row; or digits:parity (default of digits), digits:0 to 9, "
    "diabetes, breast_cancer.",
)
@click.option(
    "--labels",
    type=click.Choice(LABELS),
    help="Targets of generated rows: independent normals (random, the default) or signs, which nothing can predict, linear "
    "in the rows, or a random network's.",
)
@click.option("--teacher", metavar="NETWORK", help="The network of --labels network (default relu).")
@click.option(
    "--noise", type=float, default=0.0, show_default=True, help="Variance of noise in generated targets."
)
@click.option(
    "--initial",
    type=click.Choice(INITIAL[:2]),
    default="nngp",
    show_default=True,
    help="Outputs before the first step: of a network that is initialised, or zero.",
)
@click.option(
    "--at", default="0,1,10,100,1000", show_default=True, metavar="K1,K2,...", help="Numbers of steps."
)
@click.option(
    "--eta",
    default="auto",
    show_default=True,
    metavar="auto|VALUE",
    help="Step size; auto is 1 over the larger lambda_1 of each split.",
)
@click.option(
    "--seeds", type=int, help="Train so many real networks of each kind on every split, up to the last step."
)
@click.option("--plot", metavar="FILE.png|svg|pdf", help="Draw errors over steps, and gaps.")
@options(REPORT)
def generalise(
    networks: tuple[str, ...], activation: str | None, gates: int | None, tied: bool, parametrization: str,
    source: str | None, prepare: str, distribution: str | None, n: int | None, d: int | None, seed: int,
    width: int | None, train: int, test: int, splits: int, targets: str | None, labels: str | None, teacher: str | None,
    noise: float, initial: str, eta: str, at: str, seeds: int | None, plot: str | None, force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """Training and test errors along gradient descent of networks' kernels: who is faster, and whose gap is larger.

    Without --input the rows are drawn anew for each of the --splits (--data, default sphere; --d).

    \b
    Example:
      $ gluntk generalise relu reglu --input digits --prepare normalize --train 400 --test 400 --width 1000
    """
    from derivations.errors import InputError
    from verify.commands import generalise as generalisation
    from verify.commands.data import DataRequest
    from verify.commands.descent import Descent
    from verify.commands.kernels import NetworkRequest
    from verify.commands.labels import LabelRequest

    names: list[str | None] = [*networks]
    if activation is not None or not networks:
        names.append(None)
    described = [
        NetworkRequest(name, activation if name is None else None, gates, parametrization, tied)
        for name in names
    ]
    if n is not None:
        raise InputError(f"n must be left out: rows are --train + --test, got {n}")
    drawn = distribution or (None if source else "sphere")
    request = DataRequest(source, prepare, drawn, None if source else train + test, d, seed)
    descent = Descent(width, eta, initial, at, seeds)
    asked = generalisation.GeneraliseRequest(
        LabelRequest.of(labels, targets, source), descent, teacher, noise, train, test, splits
    )
    click.echo(generalisation.generalise(described, request, asked, plot, force, format, quiet))


@gluntk.command()
@click.argument("claims", nargs=-1, metavar="[CLAIM]...")
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=int, default=None, help="Processes (default: one per core).")
@click.option("--format", "format", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--report", metavar="FILE.html", help="Write the report as a page, too.")
@click.option("--force", is_flag=True, help="Overwrite an existing report.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@click.pass_context
def verify(
    context: click.Context, claims: tuple[str, ...], profile: str, seed: int, jobs: int | None, format: str,
    report: str | None, force: bool, quiet: bool,
) -> None:  # fmt: skip
    """Audit published claims on the simplified matrix, the exact kernel and real networks.

    Exit code 0: every verdict is the pinned one and every planted error was refuted; 1: not so.

    \b
    Example:
      $ gluntk verify A3 A4
    """
    from verify.commands import audits

    text, code = audits.verify(
        claims, profile, seed, (os.cpu_count() or 1) if jobs is None else jobs, format, report, force, quiet
    )
    click.echo(text)
    context.exit(code)


@gluntk.command()
@click.argument("claim")
@click.option("--steps", is_flag=True, help="Show the derivation behind it, every step re-checked.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def show(claim: str, steps: bool, quiet: bool) -> None:
    """One claim: statement, source, how each rung judges it, and the evidence of a quick run.

    \b
    Example:
      $ gluntk show A5
    """
    from verify.commands import audits

    click.echo(audits.show(claim, os.cpu_count() or 1, quiet, steps))


@gluntk.command()
@click.argument("claim")
@click.option("--rung", type=click.Choice(RUNGS), help="On which kernels (default exact, of A16 all it has).")
@click.option("--data", type=click.Choice(DISTRIBUTIONS), help="Kind of rows (default gaussian).")
@click.option("--n", "samples", metavar="N,N,...", help="Rows (default 3 to 10000; of networks at most 400).")
@click.option("--d", "dimensions", metavar="D,D,...", help="Columns (default 2 to 500).")
@click.option(
    "--width",
    "widths",
    metavar="M",
    help="Width m (default 1000, of A9 10); of A16 several, with commas, inf for the limit (default 1 to 10^6 and inf).",
)
@click.option("--width-per-dimension", type=float, metavar="X", help="Width m = X d instead.")
@click.option(
    "--tolerance",
    type=float,
    metavar="T",
    help="By what share a formula may be off (default 0.1, of orders 3: a factor of 4).",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--plot", metavar="FILE.png|svg|pdf", help="Draw the map.")
@click.option("--output", metavar="FILE.csv", help="Write the map: a row for every size and formula.")
@options(REPORT)
def regimes(
    claim: str, rung: str | None, data: str | None, samples: str | None, dimensions: str | None, widths: str | None,
    width_per_dimension: float | None, tolerance: float | None, seed: int, plot: str | None, output: str | None,
    force: bool, format: str, quiet: bool,
) -> None:  # fmt: skip
    """Where a statement on extreme eigenvalues (A7 to A14) or the order of losses (A16 early, A17 late) holds.

    Stated against true on a grid of n and d; of A16 the smallest n that is enough, on a grid of d and m.

    \b
    Example:
      $ gluntk regimes A10 --plot A10.png --output A10.csv
    """
    from verify.commands import regimes as maps
    from verify.commands.map_request import MapRequest

    request = MapRequest(claim, samples, dimensions, widths, width_per_dimension, rung, data, tolerance, seed)
    click.echo(maps.regimes(request, plot, output, force, format, quiet))


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: bad input is one line on stderr and exit code 2, never a traceback."""
    from derivations.errors import InputError

    try:
        code = gluntk.main(arguments, prog_name="gluntk", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 2
    except (click.ClickException, InputError) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo("gluntk: " + " ".join(message.split()), err=True)
        code = 2
    except MemoryError:
        click.echo("gluntk: the machine's memory is too small for these data; use fewer rows", err=True)
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("gluntk: interrupted", err=True)
        code = 130
    except OSError as error:
        click.echo(f"gluntk: standard output must be writable, got: {error.strerror or error}", err=True)
        # What is left in the buffer would fail once more when the interpreter closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 2
    except SystemExit:
        # Click's answer to a closed pipe: the reader (head, less) has what it wanted.
        code = 0
    sys.exit(code or 0)
