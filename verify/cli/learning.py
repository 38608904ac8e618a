"""Commands about what networks learn: test errors by law, and training and test errors of given rows."""

from __future__ import annotations

from typing import Any

import click

from verify.cli.options import (
    DATA,
    DESCENT,
    DESCRIPTION,
    DISTRIBUTIONS,
    INITIAL,
    LEARNING,
    REPORT,
    options,
    plot,
    take,
    take_data,
    take_networks,
)


@click.command()
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
@options((plot("test errors, degrees and condition numbers"),), REPORT)
def compare(**given: Any) -> None:
    """Which network is best: degrees, condition numbers and the predicted test error after t gradient steps.

    \b
    Example:
      $ gluntk compare relu reglu gqu --n 2000 --d 100 --width 1000 --teacher 0.5,0.5
    """
    from verify.commands import comparisons
    from verify.commands.learning import LearningRequest

    networks, asked = take_networks(given), take(LearningRequest, given)
    click.echo(comparisons.compare(networks, asked=asked, **given))


@click.command()
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
@options((plot("the profile and what the catalogue has instead"),), REPORT)
def design(**given: Any) -> None:
    """The kernel with the least test error after T gradient steps, and an activation that has it.

    \b
    Example:
      $ gluntk design --n 2000 --d 100 --steps 30 --teacher 0.5,0.5
    """
    from verify.commands import designs
    from verify.commands.learning import LearningRequest

    click.echo(designs.design(take(LearningRequest, given, data="sphere"), **given))


@click.command()
@click.argument("networks", nargs=-1, metavar="NETWORK NETWORK")
@options(DESCRIPTION, DATA, DESCENT)
@click.option("--rows", type=int, help="Only so many rows of --input, at random.")
@click.option(
    "--initial",
    type=click.Choice(INITIAL),
    default="nngp",
    show_default=True,
    help="Outputs before the first step: of a network that is initialised, zero, or of covariance K.",
)
@click.option("--at", default="0,1,10,100", show_default=True, metavar="K1,K2,...", help="Numbers of steps.")
@click.option("--seeds", type=int, help="Train so many real networks of each kind, up to the last step.")
@options((plot("both losses and where they cross"),), REPORT)
def dynamics(labels: str | None, targets: str | None, **given: Any) -> None:
    """Expected training losses of two networks under gradient descent, and the steps at which they cross.

    Without --input the rows are random (--data, default sphere).

    \b
    Example:
      $ gluntk dynamics relu reglu --n 300 --d 20 --width 1000 --data gaussian --plot losses.svg
    """
    from verify.commands.descent import Descent
    from verify.commands.dynamics import DynamicsRequest
    from verify.commands.dynamics import dynamics as follow
    from verify.commands.labels import LabelRequest

    networks, data = take_networks(given), take_data(given)
    target = LabelRequest.of(labels, targets, data.source)
    click.echo(follow(networks, data, DynamicsRequest(target, take(Descent, given)), **given))


@click.command()
@click.argument("networks", nargs=-1, metavar="NETWORK NETWORK...")
@options(DESCRIPTION, DATA, DESCENT)
@click.option("--train", type=int, required=True, metavar="N", help="Rows to train on.")
@click.option("--test", type=int, required=True, metavar="N", help="Rows to test.")
@click.option("--splits", type=int, default=20, show_default=True, help="Random splits, or draws of rows.")
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
    "--seeds", type=int, help="Train so many real networks of each kind on every split, up to the last step."
)
@options((plot("errors over steps, and gaps"),), REPORT)
def generalise(labels: str | None, targets: str | None, n: int | None, **given: Any) -> None:
    """Training and test errors along gradient descent of networks' kernels: who is faster, and whose gap is larger.

    Without --input the rows are drawn anew for each of the --splits (--data, default sphere; --d). Nothing can predict
    targets that are random or signs.

    \b
    Example:
      $ gluntk generalise relu reglu --input digits --prepare normalize --train 400 --test 400 --width 1000
    """
    from derivations.errors import InputError
    from verify.commands.descent import Descent
    from verify.commands.generalise import GeneraliseRequest
    from verify.commands.generalise import generalise as follow
    from verify.commands.labels import LabelRequest

    if n is not None:
        raise InputError(f"n must be left out: rows are --train + --test, got {n}")
    drawn = None if given["source"] else given["train"] + given["test"]
    networks, data = take_networks(given), take_data(given, n=drawn)
    target = LabelRequest.of(labels, targets, data.source)
    asked = take(GeneraliseRequest, given, target=target, descent=take(Descent, given))
    click.echo(follow(networks, data, asked, **given))
