"""Commands about claims: what there is, the audit, one claim, and where one holds."""

from __future__ import annotations

import os
from typing import Any

import click

from verify.cli.options import DISTRIBUTIONS, PROFILES, REPORT, RUNGS, options, plot, take


@click.command("list")
def list_() -> None:
    """List networks, activations and claims."""
    from verify.commands import listing

    click.echo(listing.text())


@click.command()
@click.argument("claims", nargs=-1, metavar="[CLAIM]...")
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--jobs", type=int, default=None, help="Processes (default: one per core).")
@click.option("--report", metavar="FILE.html", help="Write the report as a page, too.")
@options(REPORT)
@click.pass_context
def verify(context: click.Context, jobs: int | None, **given: Any) -> None:
    """Audit published claims on the simplified matrix, the exact kernel and real networks.

    Exit code 0: every verdict is the pinned one and every planted error was refuted; 1: not so.

    \b
    Example:
      $ gluntk verify A3 A4
    """
    from verify.commands import audits

    text, code = audits.verify(jobs=(os.cpu_count() or 1) if jobs is None else jobs, **given)
    click.echo(text)
    context.exit(code)


@click.command()
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


@click.command()
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
@options((plot("the map"),))
@click.option("--output", metavar="FILE.csv", help="Write the map: a row for every size and formula.")
@options(REPORT)
def regimes(**given: Any) -> None:
    """Where a statement on extreme eigenvalues (A7 to A14) or the order of losses (A16 early, A17 late) holds.

    Stated against true on a grid of n and d; of A16 the smallest n that is enough, on a grid of d and m.

    \b
    Example:
      $ gluntk regimes A10 --plot A10.png --output A10.csv
    """
    from verify.commands import regimes as maps
    from verify.commands.map_request import MapRequest

    click.echo(maps.regimes(take(MapRequest, given), **given))
