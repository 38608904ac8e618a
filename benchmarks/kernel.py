"""How fast kernel matrices are filled: against a floor of hardware, and against the textbook formula.

The floor is one matrix product into memory that exists and one ``arctan2`` over half of the matrix: no
kernel of angles that uses the symmetry does much less.  The naive formula is what ``sympy.lambdify`` makes of
the derived closed form, on full matrices; it has half the digits near rho = +-1.

    python -m benchmarks.kernel
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
import sympy

from derivations import derive, kernel_function, network
from derivations.pairwise import Array
from derivations.symbols import d, m, r_i, r_j, rho

ROWS, COLUMNS, WIDTH = 4096, 64, 256
REPEATS = 7


def lambdified(name: str) -> Callable[[Array], Array]:
    """The derived kernel by ``lambdify`` on full matrices, from the rows."""
    closed = derive(name).kernel.off_diagonal
    function = sympy.lambdify((rho, r_i, r_j), closed.subs({m: WIDTH, d: COLUMNS}), "numpy")

    def evaluate(X: Array) -> Array:
        r = np.linalg.norm(X, axis=1)
        cosine = np.clip(X @ X.T / np.outer(r, r), -1.0, 1.0)
        result: Array = function(cosine, r[:, None], r[None, :])
        return result

    return evaluate


def best_times(tasks: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The shortest of several runs of each task in seconds; taken in turns, so that load hits all alike."""
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(REPEATS):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak_memory(task: Callable[[], object]) -> int:
    """The largest number of bytes allocated at once."""
    tracemalloc.start()
    try:
        task()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def measure(threads: int) -> list[dict[str, object]]:
    """The rows for one number of threads, in a process whose BLAS has as many."""
    X = np.random.default_rng(0).standard_normal((ROWS, COLUMNS))
    copy = X.copy()
    product, half = np.empty((ROWS, ROWS)), np.empty((ROWS // 2, ROWS))

    def floor() -> None:
        np.matmul(X, copy.T, out=product)
        np.arctan2(product[: ROWS // 2], 1.0, out=half)

    table: list[dict[str, object]] = []
    for name in ("relu", "reglu"):
        naive = lambdified(name)
        kernel = kernel_function(network(name), width=WIDTH)
        np.testing.assert_allclose(kernel(X[:50]), naive(X[:50]), rtol=1e-6)
        tasks: dict[str, Callable[[], object]] = {
            "floor": floor,
            "kernel": partial(kernel, X, threads=threads),
            "naive": partial(naive, X),
        }
        seconds = best_times(tasks)
        table.append(
            {
                "kernel": name,
                "threads": threads,
                "n": ROWS,
                "d": COLUMNS,
                "seconds": round(seconds["kernel"], 4),
                "ratio_to_floor": round(seconds["kernel"] / seconds["floor"], 3),
                "naive_over_kernel": round(seconds["naive"] / seconds["kernel"], 2),
                "peak_over_output": round(peak_memory(tasks["kernel"]) / product.nbytes, 3),
            }
        )
    return table


def rows() -> list[dict[str, object]]:
    """Each kernel with one and with two threads; a process each, as a BLAS reads its threads at start."""
    table: list[dict[str, object]] = []
    for threads in (1, 2):
        variables = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
        environment = os.environ | dict.fromkeys(variables, str(threads))
        command = [sys.executable, "-m", "benchmarks.kernel", str(threads)]
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        table += json.loads(output)
    return table


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        for row in rows():
            print("  ".join(f"{key} {value}" for key, value in row.items()))
