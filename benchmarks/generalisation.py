"""Speed and generalisation gap with and without a gate on real data: kernels, and networks that are really trained.

Rows of length sqrt(d), targets of mean square 1, random splits into rows to train on and 200 to test; descent at 1 over the
larger lambda_1 of both infinite-width kernels, from the outputs of initialised networks. Per data set and number of rows:
how many times fewer steps ReGLU needs than ReLU to training errors of 10 and 1 %; the gap, test less training error, of
ReLU there and at convergence, also for first outputs of 0, and what ReGLU changes of it, with 95 % bootstrap intervals over
splits; test errors at convergence, by solving for the interpolation, and of the rows to train on, each left out in turn.
Then, on some splits, the same at a training error of 10 % of networks of 1000 neurons with every weight trained. Four
minutes on one core.

    python -m benchmarks.generalisation [splits]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import numpy as np

from derivations import kernel_function
from derivations.pairwise import Array
from verify.bootstrap import Interval, resampled
from verify.generalisation import Descents, follow
from verify.inputs import read_input
from verify.labels import real_labels
from verify.samples import Sample, resplit
from verify.trained_generalisation import follow_trained

NETWORKS = ("relu", "reglu")
WIDTH = 1000
LEVELS = (0.1, 0.01)
TEST = 200
CASES = (
    ("digits:parity", (100, 200, 400, 800)),
    ("digits:3", (100, 200, 400, 800)),
    ("digits:8", (200,)),
    ("diabetes", (50, 100, 200)),
)
SPLITS = 20
TRAINED = (("digits:parity", 50), ("digits:3", 50), ("diabetes", 20))
TRAINED_SPLITS, LAST, RECORDED = 8, 1500, 60


def samples(target: str, train: int, splits: int) -> list[Sample]:
    """Of one data set."""
    X, Y = read_input(target.partition(":")[0], "normalize"), real_labels(target)
    return list(resplit(X, Y, train, TEST, splits, train))


def descents(chosen: list[Sample], initialised: bool = True) -> Descents:
    """Along both kernels."""
    kernels = [kernel_function(name, width=WIDTH) for name in NETWORKS]
    starts = [kernel_function(name, "nngp") if initialised else None for name in NETWORKS]
    return follow(kernels, starts, chosen, (np.inf,), LEVELS)


def change(first: Array, other: Array, axis: int) -> Array:
    """Of the mean, relative."""
    return np.asarray(np.mean(other, axis) / np.mean(first, axis) - 1)


def shown(gaps: Array) -> str:
    """ReLU's gap, and what ReGLU changes of it."""
    found = resampled(change, list(gaps.T))
    return f"{gaps[:, 0].mean():.3f} {found.estimate:+.0%} [{found.low:+.0%}, {found.high:+.0%}]"


def fewer(reached: Array) -> str:
    """Times fewer steps."""
    found = Interval(*np.exp(resampled(np.mean, [np.log(reached[:, 0] / reached[:, 1])])))
    return f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}]"


def rows(splits: int = SPLITS) -> Iterator[dict[str, str]]:
    """A row per data set and number of rows, then per data set and trained networks."""
    for target, sizes in CASES:
        for train in sizes:
            start = time.perf_counter()
            chosen = samples(target, train, splits)
            found, from_zero = descents(chosen), descents(chosen, False)
            yield {
                "targets": target,
                "train": str(train),
                "faster to 10 %": fewer(found.reached[..., 0]),
                "to 1 %": fewer(found.reached[..., 1]),
                "gap at 10 %": shown(found.gap_there[..., 0]),
                "at 1 %": shown(found.gap_there[..., 1]),
                "at convergence": shown(found.gap[..., -1]),
                "from outputs of 0": shown(from_zero.gap[..., -1]),
                "test": _pair(found.test[..., -1]),
                "solved": _pair(found.interpolated),
                "left out": _pair(found.left_out),
                "seconds": f"{time.perf_counter() - start:.0f}",
            }
    for target, train in TRAINED:
        start = time.perf_counter()
        chosen = samples(target, train, TRAINED_SPLITS)
        kernel = descents(chosen)
        rates = [float(1 / largest) for largest in kernel.largest.max(axis=1)]
        steps = sorted({*range(8), *np.geomspace(8, LAST, RECORDED).astype(int).tolist()})
        trained = follow_trained(NETWORKS, chosen, WIDTH, rates, steps, LEVELS[:1], 2, 1)
        yield {
            "targets": target,
            "train": str(train),
            "kernels faster to 10 %": fewer(kernel.reached[..., 0]),
            "trained": fewer(trained.reached[..., 0]),
            "kernels gap at 10 %": shown(kernel.gap_there[..., 0]),
            "trained gap": shown(trained.gap_there[..., 0]),
            "seconds": f"{time.perf_counter() - start:.0f}",
        }


def _pair(values: Array) -> str:
    """Means of both networks."""
    return " and ".join(f"{mean:.3f}" for mean in values.mean(axis=0))


def main() -> None:
    """Print the table as it is measured."""
    for row in rows(*map(int, sys.argv[1:2])):
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
