"""What `gluntk generalise --seeds` adds: networks that are really trained on the same rows, at the same step size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from derivations.dynamics.loss import logarithmic_steps
from derivations.errors import InputError
from verify.commands.dynamics_trained import MOST_VALUES, STEP_VALUES
from verify.commands.generalise_words import Gap, percent, saved, speed, verdict
from verify.commands.values import number, readable
from verify.finite import FiniteNetwork
from verify.generalisation import Descents
from verify.samples import Sample
from verify.streams import Seed
from verify.trained_generalisation import TrainedDescents, follow_trained
from verify.training import DivergedError

PER_DECADE = 20
"""Steps at which errors are taken, to be read off in between."""
DIGITS = 4


def check_work(n: int, width: int, steps: Sequence[int], networks: int) -> None:
    """Refuse what would take days.

    Raises
    ------
    InputError
        If networks times steps are too many.

    Examples
    --------
    >>> check_work(1000, 1000, (0, 10**6), 100)
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: seeds must be fewer, or at fewer steps: 100 networks of width 1000 on 1000 rows for 1000000
    steps are 2e+14 values of neurons, of which 1e+13 take a core half a day
    """
    values = 2 * steps[-1] * max(n * width * networks, STEP_VALUES)
    if values > MOST_VALUES:
        raise InputError(
            f"seeds must be fewer, or at fewer steps: {networks} networks of width {width} on {n} rows for {steps[-1]} steps "
            f"are {values:.0e} values of neurons, of which {MOST_VALUES:.0e} take a core half a day"
        )


def train_networks(
    networks: Mapping[str, FiniteNetwork],
    samples: Sequence[Sample],
    found: Descents,
    width: int,
    steps: Sequence[int],
    seeds: int,
    rng: Seed,
    progress: Callable[[int], None] | None,
) -> TrainedDescents:
    """On every sample, at the kernels' own step size, up to the last of the steps.

    Raises
    ------
    InputError
        If a descent diverges.
    """
    rates = [float(1 / largest) for largest in found.largest.max(axis=1)]
    moments = sorted({*steps, *logarithmic_steps(max(steps[-1], 1), PER_DECADE)})
    try:
        return follow_trained(
            list(networks.values()), samples, width, rates, moments, found.levels, seeds, rng, progress
        )
    except DivergedError:
        raise InputError(
            f"width must be larger for networks to be trained, got {width}: descent diverges at 1 / lambda_1 of the mean "
            "kernel, for that of a network's own is on average larger"
        ) from None


def trained_content(
    trained: TrainedDescents | None, names: Sequence[str], steps: Sequence[int], seeds: int | None
) -> dict[str, object] | None:
    """The public keys."""
    if trained is None:
        return None
    return {
        "seeds": seeds,
        "errors": {
            name: {
                kind: {str(step): number(values[:, k, trained.steps.index(step)].mean()) for step in steps}
                for kind, values in (("train", trained.train), ("test", trained.test))
            }
            for k, name in enumerate(names)
        },
        "steps": {
            name: {
                f"{level:g}": number(trained.reached[:, k, i].mean())
                for i, level in enumerate(trained.levels)
            }
            for k, name in enumerate(names)
        },
        "gaps": {
            name: {
                f"{level:g}": number(trained.gap_there[:, k, i].mean())
                for i, level in enumerate(trained.levels)
            }
            for k, name in enumerate(names)
        },
    }


def trained_rows(trained: TrainedDescents, index: int, steps: Sequence[int]) -> Iterator[list[str]]:
    """For the table of errors: there is no convergence of what is trained for finitely many steps."""
    for kind, values in (("train", trained.train), ("test", trained.test)):
        means = (values[:, index, trained.steps.index(step)].mean() for step in steps)
        yield ["", f"{kind}, trained", *(readable(mean, DIGITS) for mean in means), "-"]


def trained_remarks(trained: TrainedDescents, names: Sequence[str]) -> Iterator[str]:
    """Of speeds and gaps at the training errors that all networks come to."""
    first, *others = names
    for i, level in enumerate(trained.levels):
        if not np.isfinite(trained.reached[..., i]).all():
            yield f"trained networks: not all come to a training error of {percent(level)} within {trained.steps[-1]} steps"
            continue
        for k, name in enumerate(others, start=1):
            yield f"trained networks, {speed(saved(trained.reached[:, [0, k], i]), name, first, level)}"
            gap = Gap(f"training error {percent(level)}", trained.gap_there[..., i])
            yield f"trained networks, {verdict(gap, k, name, first)}"
