"""How fast and how accurate kernels without a closed form are: SwiGLU, sigmoid-GLU, and tanh with a gate.

Times are of the whole NTK from the rows, duals of the activation and of its slope included: 512 and 2048 rows
with variances |x|^2 / d over four decades, and 512 rows with variance 92, where a Hermite series would take
thousands of terms.  Errors are over sqrt(T_ii T_jj), of the duals, against 25-digit quadrature in the plane.

    python -m benchmarks.duals
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import mpmath as mp
import numpy as np

from benchmarks.kernel import best_times
from derivations.duals import dual_matrices, smooth_ntk
from derivations.duals.activations import Array

COLUMNS, WIDTH = 64, 256
PAIRS = 8
# phi, phi', and the distance of their poles from the real line.
ACTIVATIONS: dict[str, tuple[Callable[[mp.mpf], mp.mpf], Callable[[mp.mpf], mp.mpf], float]] = {
    "silu": (lambda z: z * logistic(z), lambda z: logistic(z) * (1 + z * logistic(-z)), math.pi),
    "sigmoid": (lambda z: logistic(z), lambda z: logistic(z) * logistic(-z), math.pi),
    "tanh": (mp.tanh, lambda z: mp.sech(z) ** 2, math.pi / 2),
}


def logistic(z: mp.mpf) -> mp.mpf:
    """1 / (1 + e^-z)."""
    return 1 / (1 + mp.exp(-z))


def data(variances: Array) -> Array:
    """Rows in random directions with given |x|^2 / d."""
    X = np.random.default_rng(0).standard_normal((len(variances), COLUMNS))
    scaled: Array = X * np.sqrt(COLUMNS * variances / np.sum(X * X, axis=1))[:, None]
    return scaled


def nodes(deviation: mp.mpf, strip: float) -> list[tuple[mp.mpf, mp.mpf]]:
    """The trapezoidal rule for f(deviation x) against the Gaussian, to 1e-18: points deviation x, and weights."""
    accuracy = 18 * math.log(10)
    a = min(math.sqrt(2 * accuracy), strip / max(float(deviation), 1e-300))
    step = 2 * math.pi * a / (accuracy + a * a / 2)
    reach = math.ceil(9.2 / step)
    return [(deviation * k * step, step * mp.npdf(k * step)) for k in range(-reach, reach + 1)]


def quadrature(name: str, which: int, q_i: float, q_j: float, rho: float) -> mp.mpf:
    """T (which = 0) or T' (1), by a conditional expectation within an expectation."""
    *functions, strip = ACTIVATIONS[name]
    function = functions[which]
    with mp.workdps(25):
        s_i, s_j = mp.sqrt(mp.mpf(q_i)), mp.sqrt(mp.mpf(q_j))
        sine = mp.sqrt((1 - mp.mpf(rho)) * (1 + mp.mpf(rho)))
        total = s_i + s_j * abs(rho)
        inner = nodes(s_j * sine, strip) if sine else [(mp.mpf(0), mp.mpf(1))]
        return mp.fsum(
            weight
            * function(s_i * x / total)
            * mp.fsum(w * function(s_j * rho * x / total + shift) for shift, w in inner)
            for x, weight in nodes(total, strip)
        )


def worst_error(name: str) -> float:
    """Over random and nearly parallel pairs with variances over four decades."""
    rng = np.random.default_rng(0)
    q_i, q_j = 10 ** rng.uniform(-2, 2, (2, PAIRS))
    rho = rng.uniform(-1, 1, PAIRS)
    rho[::2] = (1.0, -1 + 1e-3, 1 - 1e-8, -1 + 1e-14)
    q_i[2:4] = 92.0
    computed = dual_matrices(name, q_i, q_j, np.broadcast_to(rho, (PAIRS, PAIRS)))
    worst = 0.0
    for k in range(PAIRS):
        for which in range(2):
            scale = mp.sqrt(mp.fprod(quadrature(name, which, q, q, 1.0) for q in (q_i[k], q_j[k])))
            error = computed[which][k, k] - quadrature(name, which, q_i[k], q_j[k], rho[k])
            worst = max(worst, float(abs(error) / scale))
    return worst


def rows() -> list[dict[str, object]]:
    """Seconds for each case with one and two threads, and errors."""
    rng = np.random.default_rng(1)
    cases = {
        "n = 512": data(10 ** rng.uniform(-2, 2, 512)),
        "n = 2048": data(10 ** rng.uniform(-2, 2, 2048)),
        "n = 512, q = 92": data(np.full(512, 92.0)),
    }
    table: list[dict[str, object]] = []
    for name in ACTIVATIONS:
        error = worst_error(name)
        for threads in (1, 2):
            tasks: dict[str, Callable[[], object]] = {
                case: partial(smooth_ntk, name, X, gates=1, width=WIDTH, threads=threads)
                for case, X in cases.items()
            }
            seconds = {case: round(value, 3) for case, value in best_times(tasks).items()}
            table.append(
                {"activation": name, "threads": threads, **seconds, "error": error, "pairs": 2 * PAIRS}
            )
    return table


if __name__ == "__main__":
    for row in rows():
        print("  ".join(f"{key} {value}" for key, value in row.items()))
