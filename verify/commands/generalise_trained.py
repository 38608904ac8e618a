"""What `gluntk generalise --seeds` adds: networks that are really trained on the same rows, at the same step size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from verify.commands.descent import Descent, diverged
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


def train_networks(
    networks: Mapping[str, FiniteNetwork],
    samples: Sequence[Sample],
    found: Descents,
    descent: Descent,
    rng: Seed,
    progress: Callable[[int], None] | None,
) -> TrainedDescents:
    """On every sample, at the kernels' own step size, up to the last of the steps.

    Raises
    ------
    InputError
        If a descent diverges.
    """
    rate = descent.rate()
    rates = [float(1 / largest) if rate is None else rate for largest in found.largest.max(axis=1)]
    width, seeds, steps = descent.width, descent.seeds, descent.recorded(PER_DECADE)
    assert width is not None
    assert seeds is not None
    try:
        return follow_trained(
            list(networks.values()), samples, width, rates, steps, found.levels, seeds, rng, progress
        )
    except DivergedError:
        raise diverged(list(networks), width, max(rates)) from None


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
