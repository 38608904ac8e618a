"""What 10 000 log-spaced steps of both expected losses cost beside the two eigendecompositions they need.

ReLU and ReGLU on 2000 Gaussian rows in 100 dimensions, the outputs of a real network before the first step. Medians of paired
runs: `numpy.linalg.eigh` of the two kernels, and `expected_loss` of both (the decompositions, the outputs' covariance in
their bases) with its losses at all steps. Half a minute.

    python -m benchmarks.loss_curves
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from derivations import kernel_function
from derivations.dynamics import expected_loss

N, D, M = 2000, 100, 1000
STEPS, LAST = 10_000, 10**8
RUNS = 7


def seconds(run: Callable[[], object]) -> float:
    """Of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rows() -> Iterator[dict[str, object]]:
    """One row."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((N, D)), rng.standard_normal(N)
    names = ("relu", "reglu")
    kernels = [kernel_function(name, width=M)(X) for name in names]
    starts = [kernel_function(name, kind="nngp")(X) for name in names]
    eta = 1 / max(float(np.linalg.eigvalsh(K)[-1]) for K in kernels)
    steps = np.geomspace(1, LAST, STEPS).round()

    def curves() -> None:
        for K, C in zip(kernels, starts, strict=True):
            expected_loss(K, eta, Y, C).at(steps)

    pairs = [(seconds(lambda: [np.linalg.eigh(K) for K in kernels]), seconds(curves)) for _ in range(RUNS)]
    floor, whole = (median(column) for column in zip(*pairs, strict=True))
    yield {
        "n": N,
        "steps": STEPS,
        "two eigendecompositions, s": round(floor, 2),
        "both curves, s": round(whole, 2),
        "ratio, median of pairs": round(median(b / a for a, b in pairs), 3),
    }


def main() -> None:
    """Print the row."""
    for row in rows():
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
