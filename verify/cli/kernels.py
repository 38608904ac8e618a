"""Commands about a network's kernel: its derivation, its matrix, that of real networks, its spectrum."""

from __future__ import annotations

from typing import Any

import click

from verify.cli.options import (
    BOUNDS,
    DATA,
    DESCRIPTION,
    FORMATS,
    KIND,
    NETWORK,
    OUTPUT,
    REPORT,
    VARIANCES,
    WIDTH,
    options,
    plot,
    take,
    take_data,
    take_networks,
)


@click.command()
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
    name: str | None, activation: str | None, order: int, digits: int, steps: bool, format: str, **given: Any
) -> None:
    """Derive a network's NTK from its definition, with alpha, beta, gamma and its expansion.

    \b
    Example:
      $ gluntk derive relu --steps
      $ gluntk derive --activation "max(0, z)**2" --gates 1 --format c > kernel.c
    """
    from derivations import derive as derive_kernel
    from derivations.networks import network
    from derivations.printing import render

    described = network(name, expression=activation, **given)
    click.echo(render(derive_kernel(described, order, digits), format, steps, digits))


@click.command()
@options(NETWORK, DATA, (WIDTH, KIND), OUTPUT)
def kernel(**given: Any) -> None:
    """The closed-form kernel of data, and its extreme eigenvalues.

    \b
    Example:
      $ gluntk kernel reglu --input digits --width 1024 --output K.npy
    """
    from verify.commands import kernels
    from verify.commands.data import DataRequest

    network, data = take(kernels.NetworkRequest, given), take(DataRequest, given)
    click.echo(kernels.closed_form(network, data, **given))


@click.command()
@options(NETWORK, DATA)
@click.option("--width", type=int, required=True, help="Width m of each network.")
@click.option("--seeds", type=int, default=16, show_default=True, help="Number of networks.")
@options((KIND,))
@click.option("--error-output", metavar="E.npy", help="Write the standard error of every entry.")
@options(OUTPUT)
def empirical(**given: Any) -> None:
    """The mean kernel of real networks of finite width, with standard errors.

    \b
    Example:
      $ gluntk empirical reglu --input digits --width 1024 --seeds 64
    """
    from verify.commands import kernels
    from verify.commands.data import DataRequest

    network, data = take(kernels.NetworkRequest, given), take(DataRequest, given)
    click.echo(kernels.empirical(network, data, **given))


@click.command()
@click.argument("networks", nargs=-1, metavar="NETWORK...")
@options(DESCRIPTION, DATA, (WIDTH, plot("the densities and the condition numbers")))
@click.option(
    "--bounds",
    type=click.Choice(BOUNDS),
    help="Eigenproblems behind rigorous bounds: none, one shared by all networks, two for all widths, or the kernel's own "
    "(default; beyond 4000 rows none).",
)
@options(REPORT)
def spectrum(bounds: str | None, **given: Any) -> None:
    """Extreme eigenvalues and condition numbers: as published, by the sharp law, and of actual data.

    Without --input the rows are random (--data, default sphere), as many as you like: the law needs no data.

    \b
    Example:
      $ gluntk spectrum relu reglu --n 2000 --d 100 --width 1000 --data gaussian
    """
    from verify.commands import spectra

    networks, data = take_networks(given), take_data(given)
    click.echo(spectra.spectrum(networks, data, mode=bounds, **given))
