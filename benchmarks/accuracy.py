"""How accurate closed-form kernels are: the worst error over sqrt(K_ii K_jj), against 50-digit arithmetic.

The reference evaluates the derived expression with mpmath on the very float64 rows, so that it shares neither the
angle nor the profile's code with what is measured.

    python -m benchmarks.accuracy
"""

from __future__ import annotations

from collections.abc import Iterator

import mpmath as mp
import numpy as np
import sympy as sp

from derivations import derive, kernel_function, network
from derivations.pairwise import Array
from derivations.symbols import d, m, r_i, r_j, rho

WIDTH = 48
DIGITS = 50
NETWORKS = ("relu", "reglu")


def categories() -> Iterator[tuple[str, np.ndarray]]:
    """Named sets of rows; neighbours in a set are the hostile pairs."""
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 64, 1000):
        yield f"random, d = {size}", rng.standard_normal((8, size))
    x = rng.standard_normal(64)
    yield "equal, opposite, scaled copies", np.stack([x, x, -x, 3 * x, -x / 7, x * 1e-8])
    for sign, name in ((1, "nearly equal"), (-1, "nearly opposite")):
        steps = [sign * x + 10.0**-k * np.linalg.norm(x) * rng.standard_normal(64) / 8 for k in range(3, 16)]
        yield f"{name}, distance 1e-3 to 1e-15", np.stack([x, *steps])
    turned = [np.eye(64)[0] + 10.0**-k * np.eye(64)[1] for k in range(3, 16)]
    yield "nearly orthogonal", np.stack([np.eye(64)[1], *turned])
    yield "equal entries, d = 1000", np.outer([1, 0.1, -3, 0.7], np.ones(1000))
    norms = 10.0 ** np.array([-150, -75, -20, 0, 20, 75, 150])
    yield "norms 1e-150 to 1e150", rng.standard_normal((7, 16)) / 4 * norms[:, None]
    yield "float32", rng.standard_normal((8, 64)).astype(np.float32)
    yield "integers", rng.integers(-9, 10, (8, 5))


def worst_error(name: str, X: Array) -> tuple[float, int]:
    """Largest scaled error over the pairs whose entry is a normal float64, and the number of such pairs."""
    result = derive(network(name))
    K = kernel_function(result, width=WIDTH)(X)
    values = {m: WIDTH, d: X.shape[1]}
    exact = sp.lambdify((rho, r_i, r_j), result.kernel.off_diagonal.subs(values), "mpmath")
    worst, pairs = mp.mpf(0), 0
    with mp.workdps(DIGITS):
        rows = [mp.matrix([mp.mpf(float(entry)) for entry in row]) for row in X]
        norms = [mp.sqrt(mp.fdot(row, row)) for row in rows]
        for i in range(len(rows)):
            for j in range(i + 1):
                cosine = mp.fdot(rows[i], rows[j]) / (norms[i] * norms[j])
                entry = exact(max(min(cosine, mp.mpf(1)), mp.mpf(-1)), norms[i], norms[j])
                scale = mp.sqrt(exact(mp.mpf(1), norms[i], norms[i]) * exact(mp.mpf(1), norms[j], norms[j]))
                if not np.finfo(float).tiny < scale < np.finfo(float).max:
                    continue
                pairs += 1
                worst = max(worst, abs(mp.mpf(float(K[i, j])) - entry) / scale)
    return float(worst), pairs


def rows() -> list[dict[str, object]]:
    """One row per category."""
    table: list[dict[str, object]] = []
    for category, X in categories():
        row: dict[str, object] = {"rows": category}
        for name in NETWORKS:
            row[name], row[f"{name} pairs"] = worst_error(name, X)
        table.append(row)
    return table


if __name__ == "__main__":
    for line in rows():
        print(
            "  ".join(
                f"{key} {value:.2g}" if isinstance(value, float) else f"{key} {value}"
                for key, value in line.items()
            )
        )
