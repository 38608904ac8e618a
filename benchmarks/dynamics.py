"""How accurate predicted training losses and crossings are: against eigendecompositions of drawn rows.

A row per setting, covariance of the first outputs and share of 1 / lambda_1 as step size: the largest error of the loss in
per cent, over networks and steps at which the loss is above 1 % of the start's, the first crossing of ReLU and ReGLU on each
draw, the one predicted by the law, and the closed estimate, with a ? where it says that it is not reliable. Last the median
and the 90th percentile over all cells, of the closed estimate over those where it is reliable. A minute on one core.

    python -m benchmarks.dynamics [draws]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product

import numpy as np

from derivations import kernel_function
from derivations.dynamics import (
    ExpectedLoss,
    LossLaw,
    crossing_estimate,
    crossings,
    expected_loss,
    loss_law,
    predicted_crossing,
)
from derivations.pairwise import Array
from verify.inputs import generate

NETWORKS = ("relu", "reglu")
STEPS = (1, 3, 10, 30, 100, 300, 1000)
VISIBLE = 0.01
INITIAL = ("nngp", "kernel")
# Below 1, for what the law and a draw differ in.
RATES = (0.95, 0.25)
SETTINGS = (
    # n, d, m, data
    (150, 100, 1000, "sphere"),
    (200, 10, 1000, "sphere"),
    (600, 10, 1000, "sphere"),
    (300, 20, 1000, "sphere"),
    (400, 50, 100, "sphere"),
    (600, 30, 50, "sphere"),
    (800, 100, 1000, "sphere"),
    (150, 100, 1000, "gaussian"),
    (200, 10, 1000, "gaussian"),
    (600, 10, 1000, "gaussian"),
    (300, 20, 1000, "gaussian"),
    (400, 50, 100, "gaussian"),
    (600, 30, 50, "gaussian"),
    (800, 100, 1000, "gaussian"),
)
DRAWS = 4


def drawn(X: Array, width: int, initial: str, eta: float) -> dict[str, ExpectedLoss]:
    """The losses on these rows, in expectation over independent targets of variance 1."""
    losses = {}
    for name in NETWORKS:
        K = kernel_function(name, width=width)(X)
        C = K if initial == "kernel" else kernel_function(name, kind="nngp")(X)
        losses[name] = expected_loss(K, eta, np.zeros(len(X)), C + np.eye(len(X)))
    return losses


def errors(laws: dict[str, LossLaw], losses: dict[str, ExpectedLoss], eta: float) -> Array:
    """Relative, of all networks and steps that count : (c,) float."""
    found = []
    for name, loss in losses.items():
        real = loss.at(STEPS)
        kept = real > VISIBLE * loss.start
        found.append(np.abs(laws[name].at(STEPS, eta) / real - 1)[kept])
    return np.concatenate(found)


def rows(draws: int = DRAWS) -> Iterator[dict[str, object]]:
    """A row per setting, then one of all."""
    everything: list[Array] = []
    off: list[float] = []
    closed: list[float] = []
    doubtful: list[float] = []
    for (n, d, width, data), initial, share in product(SETTINGS, INITIAL, RATES):
        laws = {name: loss_law(name, n, d, width, data, initial) for name in NETWORKS}  # type: ignore[arg-type]
        eta = share / max(law.lambda_max for law in laws.values())
        predicted = predicted_crossing(laws["relu"], laws["reglu"], eta)
        estimate = crossing_estimate(n, d, width, eta, data, initial)  # type: ignore[arg-type]
        cells, steps = [], []
        for draw in range(draws):
            X = generate(data, n, d, np.random.default_rng([n, d, draw]))
            losses = drawn(X, width, initial, eta)
            cells.append(errors(laws, losses, eta))
            found = crossings(losses["relu"], losses["reglu"], last=10**6).steps
            steps.append(found[0] if found else None)
            if found and predicted:
                off.append(abs(predicted / found[0] - 1))
            if found and estimate:
                error = abs(np.ceil(estimate.step) / found[0] - 1)
                (closed if estimate.reliable else doubtful).append(error)
        everything += cells
        yield {
            "case": f"n {n} d {d} m {width} {data} {initial} eta {share}",
            "loss %": round(100 * float(np.concatenate(cells).max()), 1),
            "crossings": steps,
            "predicted": predicted,
            "closed": f"{estimate.step:.1f}{'' if estimate.reliable else ' ?'}" if estimate else None,
        }
    measured = (np.concatenate(everything), np.array(off), np.array(closed), np.array(doubtful))
    loss, crossing, reliable, other = (
        [round(100 * float(np.percentile(values, p)), 1) for p in (50, 90)] for values in measured
    )
    yield {
        "case": "all, median and 90 %",
        "loss %": loss,
        "crossing %": crossing,
        "crossings": len(off),
        "closed %": reliable,
        "of": len(closed),
        "closed, not reliable %": other,
    }


def main() -> None:
    """Print the table as it is measured."""
    for row in rows(*map(int, sys.argv[1:2])):
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
