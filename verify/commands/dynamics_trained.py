"""What `gluntk dynamics --seeds` adds: networks that are really trained, their mean losses and where these cross."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from derivations.dynamics.crossing import PER_DECADE
from verify.activations import Array
from verify.commands.descent import Descent, diverged, so_many
from verify.commands.progress import progress
from verify.commands.tables import aligned
from verify.commands.values import number, readable
from verify.finite import FiniteNetwork
from verify.plots import COLOURS
from verify.trained_crossing import TrainedCrossing, surely_ahead, trained_crossing
from verify.training import DivergedError, TrainedLosses, train

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Progress = Callable[[str, int, int], None]

DIGITS = 4
BAND = 1.96
"""Standard errors of a 95 % band."""


@dataclass(frozen=True)
class TrainedNetworks:
    """Losses of networks of one width by name, and the last crossing of their means."""

    width: int
    losses: Mapping[str, TrainedLosses]
    crossing: TrainedCrossing | None

    @property
    def seeds(self) -> int:
        """Networks of each name."""
        return len(next(iter(self.losses.values())).losses)

    @property
    def last(self) -> int:
        """Steps trained."""
        return next(iter(self.losses.values())).steps[-1]

    def surely_ahead(self, steps: Sequence[int]) -> list[str | None]:
        """By the paired differences at these steps, at all together with 95 %; None where nothing is sure."""
        first, second = self.losses
        signs = surely_ahead(self.losses[first], self.losses[second], steps)
        return [{-1: first, 1: second}.get(sign) for sign in signs]

    def grown(self, name: str) -> int:
        """How many networks have a larger loss after the last step than before the first."""
        losses = self.losses[name].losses
        return int(np.count_nonzero(losses[:, -1] > losses[:, 0]))


def train_networks(
    networks: Mapping[str, FiniteNetwork],
    X: Array,
    Y: Array,
    descent: Descent,
    eta: float,
    seed: int,
    quiet: bool,
) -> TrainedNetworks:
    """Train both kinds with the same streams up to the last of the steps.

    Raises
    ------
    InputError
        If a loss leaves float64.
    """
    rng = np.random.SeedSequence(seed, spawn_key=(6,))
    width, seeds = descent.width, descent.seeds
    assert width is not None
    assert seeds is not None
    found = {}
    for name, network in networks.items():
        with progress(quiet, f"training {name}") as bar:
            try:
                found[name] = train(
                    network,
                    X,
                    Y,
                    width,
                    descent.recorded(PER_DECADE),
                    eta,
                    seeds,
                    rng,
                    workers=os.cpu_count() or 1,
                    progress=_named(bar, name),
                )
            except DivergedError:
                raise diverged([name], width, eta) from None
    first, second = found.values()
    crossing = trained_crossing(first, second, np.random.SeedSequence(seed, spawn_key=(7,)))
    return TrainedNetworks(width, found, crossing)


def _named(bar: Progress | None, name: str) -> Progress | None:
    return None if bar is None else lambda what, done, total: bar(f"{what} of {name}", done, total)


def trained_content(trained: TrainedNetworks | None, steps: Sequence[int]) -> dict[str, object]:
    """The public keys."""
    if trained is None:
        return {"seeds": None, "trained": None, "trained_crossing": None, "trained_ahead": None}
    found = trained.crossing
    return {
        "seeds": trained.seeds,
        "trained": {
            name: {
                "loss": _at(losses, losses.mean, steps),
                "standard_error": None if trained.seeds == 1 else _at(losses, losses.standard_error, steps),
                "grown": trained.grown(name),
            }
            for name, losses in trained.losses.items()
        },
        "trained_crossing": found
        and {
            "step": found.step,
            "low": None if found.low is None else number(found.low),
            "high": None if found.high is None else number(found.high),
        },
        "trained_ahead": dict(zip(map(str, steps), trained.surely_ahead(steps), strict=True)),
    }


def _at(losses: TrainedLosses, values: Array, steps: Sequence[int]) -> dict[str, float | str]:
    return {str(k): number(values[losses.steps.index(k)]) for k in steps}


def trained_lines(trained: TrainedNetworks, steps: Sequence[int]) -> Iterator[str]:
    """The table and what there is to say about it."""
    one = trained.seeds == 1
    many = f"Mean loss of {trained.seeds} trained networks each, m = {trained.width}, +- its standard error"
    yield f"Loss of one trained network each, m = {trained.width}" if one else many
    table = [["k", *(f"{k:.6g}" for k in steps)]]
    for name, losses in trained.losses.items():
        at = [losses.steps.index(k) for k in steps]
        pairs = zip(losses.mean[at], losses.standard_error[at], strict=True)
        table.append(
            [
                name,
                *(
                    readable(mean, DIGITS) + ("" if one else f" +- {readable(error, 2)}")
                    for mean, error in pairs
                ),
            ]
        )
    yield from aligned(table, names=1)
    yield ""
    yield f"  {_crossing_line(trained)}"
    yield f"  {_sure_line(trained, steps)}"
    for name in trained.losses:
        if count := trained.grown(name):
            whose = f"the network of {name}" if one else f"{count} of {trained.seeds} networks of {name}"
            yield (
                f"  the loss of {whose} has grown: lambda_1 of a network's own kernel is on average above that of the "
                "mean kernel"
            )


def _crossing_line(trained: TrainedNetworks) -> str:
    found, (first, second) = trained.crossing, trained.losses
    if found is None:
        return f"trained networks: no crossing seen up to k = {trained.last}"
    interval = ""
    if found.low is not None and found.high is not None:
        ends = [
            f"{end:.0f}" if np.isfinite(end) else f"after {trained.last}" for end in (found.low, found.high)
        ]
        interval = f" (95 % interval: {ends[0]} to {ends[1]})"
    return f"trained networks: {first if found.ahead < 0 else second} is ahead from k = {found.step} on{interval}"


def _sure_line(trained: TrainedNetworks, steps: Sequence[int]) -> str:
    """At which of the steps asked for the paired differences leave no doubt."""
    if trained.seeds == 1:
        return "surely ahead: nobody can be told from one network each"
    ahead = trained.surely_ahead(steps)
    at = {
        name: ", ".join(f"{k:.6g}" for k, who in zip(steps, ahead, strict=True) if who == name)
        for name in trained.losses
    }
    said = "; ".join(f"{name} at k = {ks}" for name, ks in at.items() if ks)
    return f"surely ahead (95 % for all these steps together, paired): {said or 'neither at any'}"


def draw_trained(ax: Axes, trained: TrainedNetworks) -> None:
    """Dashed means with 95 % bands, and the interval of their crossing."""
    for (name, losses), colour in zip(trained.losses.items(), COLOURS, strict=False):
        steps = np.array(losses.steps[1:])
        mean = losses.mean[1:]
        label = f"{name}, {'mean of ' * (trained.seeds > 1)}{so_many(trained.seeds)}"
        ax.plot(steps, mean, color=colour, label=label, linewidth=1.4, linestyle="--")
        if trained.seeds > 1:
            error = BAND * losses.standard_error[1:]
            low = np.maximum(mean - error, mean * 1e-3)  # for the logarithmic axis
            ax.fill_between(steps, low, mean + error, color=colour, alpha=0.2, linewidth=0)
    found = trained.crossing
    if found is not None and found.low is not None and found.high is not None:
        ends = max(found.low, 1), min(found.high, trained.last)
        ax.axvspan(*ends, color="0.6", alpha=0.25, linewidth=0, label="95 % interval of their crossing")
