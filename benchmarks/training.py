"""What the infinite-width kernel says of the training loss, and what networks of finite width do.

Full-batch gradient descent on all weights at the rate 1/lambda_max of the kernel K, on 30 Gaussian rows in 10 dimensions with
the labels named (or 30 standardised rows of a real set with its own). Per network, width and number of steps t: the
mean loss after t steps over the expected one of descent along K,

    E L_t = 1/2 tr[(1 - eta K)^2t C] + 1/2 Y^T (1 - eta K)^2t Y,

C the covariance of the initial outputs; and the deviation of that ratio from 1 with the initial outputs' own part taken
out (`verify.training.kernel_losses`), which takes noise away, most where networks are wide and steps few. Its exponent in
the width, with a 95 % interval, over all widths and over the two largest, is given where each of them shows a deviation of
3 standard errors. Then the seconds of the widest networks. Two minutes on two cores.

    python -m benchmarks.training [labels] [seeds]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

from derivations import kernel_function
from derivations.pairwise import Array
from verify.inputs import generate, read_input
from verify.labels import TARGETS, draw_labels, real_labels
from verify.statistics import fit_slope
from verify.training import kernel_losses, mean_error, train

N, D = 30, 10
NETWORKS = ("relu", "reglu")
WIDTHS = (300, 1000, 4000)
STEPS = (0, 10, 30, 100, 200)
SEEDS = 400
WORKERS = 2
RESOLVED = 3.0
"""Standard errors from which on the logarithm of a deviation is about as normal as the deviation."""


def problem(labels: str) -> tuple[Array, Array]:
    """Rows (N, d) and labels (N,)."""
    rng = np.random.default_rng(0)
    if labels in TARGETS:
        X, Y = read_input(labels.partition(":")[0], "standardize"), real_labels(labels)
        chosen = rng.choice(len(X), N, replace=False)
        return X[chosen], Y[chosen]
    X = generate("gaussian", N, D, rng)
    return X, draw_labels(labels, X)


def expected_losses(K: Array, C: Array, Y: Array, rate: float) -> Array:
    """After each number of steps of descent along K from outputs of mean 0 and covariance C : (s,) float."""
    values, vectors = np.linalg.eigh(K)
    energies = np.einsum("ij,ik,kj->j", vectors, C, vectors) + (vectors.T @ Y) ** 2
    return np.asarray(energies @ (1 - rate * values)[:, None] ** (2 * np.array(STEPS)) / 2)


def rows(labels: str = "normal", seeds: int = SEEDS) -> Iterator[dict[str, object]]:
    """A row per network, width and number of steps; one per network and number of steps for the exponents."""
    X, Y = problem(labels)
    for name in NETWORKS:
        deviations, errors, seconds = [], [], 0.0
        for width in WIDTHS:
            K, C = (kernel_function(name, kind, width)(X) for kind in ("ntk", "nngp"))
            rate = float(1 / np.linalg.eigvalsh(K)[-1])
            start = time.perf_counter()
            found = train(name, X, Y, width, STEPS, rate, seeds, rng=width, workers=WORKERS)
            seconds = time.perf_counter() - start
            expected = expected_losses(K, C, Y, rate)
            difference = found.losses - kernel_losses(K, found.initial, Y, STEPS, rate)
            deviations.append(difference.mean(axis=0) / expected)
            errors.append(mean_error(difference) / expected)
            ratio, spread = found.mean / expected, found.standard_error / expected
            for i, t in enumerate(STEPS):
                yield {
                    "network": name,
                    "width": width,
                    "t": t,
                    "kernel": f"{expected[i]:.4g}",
                    "trained/kernel": f"{ratio[i]:.4f} +- {spread[i]:.4f}",
                    "deviation": f"{deviations[-1][i]:.4f} +- {errors[-1][i]:.4f}",
                }
        for i, t in enumerate(STEPS[1:], start=1):
            found_at = np.array([deviation[i] for deviation in deviations])
            error_at = np.array([error[i] for error in errors])
            yield {
                "network": name,
                "t": t,
                "exponent": exponent(WIDTHS, found_at, error_at),
                "of the two largest": exponent(WIDTHS[-2:], found_at[-2:], error_at[-2:]),
            }
        yield {
            "network": name,
            "width": WIDTHS[-1],
            "seeds": seeds,
            "steps": STEPS[-1],
            "seconds": round(seconds, 1),
        }


def exponent(widths: Sequence[int], deviations: Array, errors: Array) -> str:
    """Of |deviation| in the width, with its 95 % interval, or why there is none."""
    if np.any(np.abs(deviations) < RESOLVED * errors) or np.ptp(np.sign(deviations)):
        return "not resolved"
    fit = fit_slope(np.log(widths), np.log(np.abs(deviations)), errors / np.abs(deviations))
    return f"{fit.slope:.2f} +- {fit.half_width:.2f}"


def main() -> None:
    """Print the table as it is measured."""
    labels = sys.argv[1] if len(sys.argv) > 1 else "normal"
    for row in rows(labels, *map(int, sys.argv[2:3])):
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
