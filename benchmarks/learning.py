"""How accurate predicted test errors of kernel gradient descent are: against real descent on drawn rows.

A row per setting and number of steps: over all networks the median and the largest error of the prediction in per cent,
what of these the measurement's own standard error is (median), Spearman's rank correlation of networks, and the same for
kernel ridge regression with ridge lambda_1 / t in the place of t steps. Last the median and the 90th percentile over
all cells. Two minutes on one core.

    python -m benchmarks.learning [draws]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import spearmanr

from derivations import kernel_function, network
from derivations.learning import Teacher
from derivations.learning.law import largest_eigenvalue
from derivations.learning.residuals import Learner, learner
from derivations.pairwise import Array
from derivations.spectrum.problem import problem
from verify.gradient_descent import measured_errors

NETWORKS = ("relu", "reglu", "gqu", "silu", "swiglu", "glu", "bilinear")
HOMOGENEOUS = ("relu", "reglu", "gqu", "bilinear")
STEPS = (3, 10, 30, 100, 1000)
SETTINGS = (
    # n, d, m, teacher, data, share of the draws
    (200, 20, 50, Teacher((0.5, 0.5)), "sphere", 4.0),
    (300, 20, 1000, Teacher((0.5, 0.3, 0.2), 0.1), "sphere", 4.0),
    (300, 50, 300, Teacher((1.0,), 0.2), "sphere", 3.0),
    (500, 50, 1000, Teacher((0.5, 0.5)), "sphere", 2.0),
    (1000, 30, 300, Teacher((0.2, 0.8), 0.2), "sphere", 1.0),
    (1000, 100, 1000, Teacher((0.5, 0.5), 0.05), "sphere", 1.0),
    (2000, 100, 1000, Teacher((0.5, 0.5)), "sphere", 0.5),
    (300, 50, 300, Teacher((0.5, 0.5), 0.1), "gaussian", 3.0),
    (1000, 100, 1000, Teacher((0.5, 0.5)), "gaussian", 1.0),
)
DRAWS = 6


def learner_of(name: str, n: int, d: int, width: int, teacher: Teacher, data: str) -> tuple[Learner, float]:
    """The equations, and lambda_1."""
    asked = problem(name, n, d, width, data)
    power = (asked.network.activation.homogeneity or 1) + asked.network.gates
    found = learner(asked.expansion, n, asked.rows, power, teacher)
    return found, largest_eigenvalue(asked.expansion, n, asked.rows)


def cells(setting: tuple[int, int, int, Teacher, str, float], draws: int) -> dict[str, Array]:
    """Measured errors, standard errors, and both predictions : each (networks, steps) float."""
    n, d, width, teacher, data, share = setting
    names = HOMOGENEOUS if data == "gaussian" else NETWORKS
    kernels = [kernel_function(network(name), width=width) for name in names]
    count = max(2, round(draws * share))
    found = measured_errors(kernels, teacher.energies, teacher.noise, n, d, STEPS, data, count, rng=n + d)
    laws = [learner_of(name, n, d, width, teacher, data) for name in names]
    return {
        "measured": np.array([one.mean for one in found]),
        "error": np.array([one.standard_error for one in found]),
        "descent": np.array([[law.error_of_descent(t, top) for t in STEPS] for law, top in laws]),
        "ridge": np.array([[law.error_of_ridge(top / t) for t in STEPS] for law, top in laws]),
    }


def rows(draws: int = DRAWS) -> Iterator[dict[str, object]]:
    """A row per setting and number of steps, then two of all."""
    everything: list[dict[str, Array]] = []
    for setting in SETTINGS:
        found = cells(setting, draws)
        everything.append(found)
        n, d, width, teacher, data, _ = setting
        for i, t in enumerate(STEPS):
            at = {key: values[:, i] for key, values in found.items()}
            case = f"n {n} d {d} m {width} {data} teacher {teacher.energies} noise {teacher.noise}"
            yield {"case": case, "t": t} | summary(at, (50, 100))
    together = {key: np.concatenate([found[key].ravel() for found in everything]) for key in everything[0]}
    yield {"case": f"all {together['measured'].size} cells, median and 90 %", "t": "-"} | summary(
        together, (50, 90)
    )


def summary(at: dict[str, Array], percentiles: Sequence[int]) -> dict[str, object]:
    """Of cells (c,), in per cent."""
    result: dict[str, object] = {"standard error %": percentile(at["error"] / at["measured"], 50)}
    for name in ("descent", "ridge"):
        off = np.abs(at[name] / at["measured"] - 1)
        result[f"{name} %"] = " ".join(str(percentile(off, p)) for p in percentiles)
        result[f"{name} rank"] = round(float(spearmanr(at[name], at["measured"]).statistic), 3)
    return result


def percentile(values: Array, p: int) -> float:
    """In per cent, to two decimals."""
    return round(100 * float(np.percentile(values, p)), 2)


def main() -> None:
    """Print the table as it is measured."""
    for row in rows(*map(int, sys.argv[1:2])):
        print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
