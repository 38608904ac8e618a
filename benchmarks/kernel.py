"""How fast kernel matrices are filled: against a floor of hardware, and against the textbook formula.

The floor is one matrix product into memory that exists and one ``arctan2`` over half of the matrix: no
kernel of angles that uses the symmetry does much less.  The textbook formula is what ``sympy.lambdify``
makes of the kernel written in the cosine rho, with ``acos(rho)`` and ``sqrt(1 - rho**2)``, on full
matrices; it has half the digits near rho = +-1.

    python benchmarks/kernel.py
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

from derivations.pairwise import Array, Profile, fill

ROWS, COLUMNS, WIDTH = 4096, 64, 256
REPEATS = 7


def relu(theta: Array, cosine: Array, sine: Array, r_i: Array, r_j: Array) -> Array:
    """The NTK of a two-layer ReLU network in standard parametrisation."""
    s = r_i * r_j
    rest = np.pi - theta
    return s * ((WIDTH / COLUMNS * (sine + rest * cosine) + cosine * rest) / (2 * np.pi))


def reglu(theta: Array, cosine: Array, sine: Array, r_i: Array, r_j: Array) -> Array:
    """The NTK of a two-layer ReGLU network in standard parametrisation."""
    s = r_i * r_j
    rest = np.pi - theta
    feature = sine + rest * cosine
    f = cosine * ((WIDTH / COLUMNS + 1) * feature + rest * cosine) / (2 * np.pi * COLUMNS)
    return (f * s) * s


def textbook(name: str) -> Callable[[Array], Array]:
    """The kernel by ``lambdify`` on full matrices, from the rows."""
    rho, a, b = sympy.symbols("rho a b")
    s = a * b
    feature = s * (sympy.sqrt(1 - rho**2) + rho * (sympy.pi - sympy.acos(rho))) / (2 * sympy.pi)
    slope = (sympy.pi - sympy.acos(rho)) / (2 * sympy.pi)
    m, d = sympy.Integer(WIDTH), sympy.Integer(COLUMNS)
    linear = s * rho / d
    expression = {
        "relu": m / d * feature + s * rho * slope,
        "reglu": m * feature / d * linear + s * rho * (slope * linear + feature / d),
    }[name]
    function = sympy.lambdify((rho, a, b), expression, "numpy")

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
    profiles: dict[str, Profile] = {"relu": relu, "reglu": reglu}
    for name, profile in profiles.items():
        naive = textbook(name)
        np.testing.assert_allclose(fill(profile, X[:50]), naive(X[:50]), rtol=1e-6)
        tasks: dict[str, Callable[[], object]] = {
            "floor": floor,
            "fill": partial(fill, profile, X, threads=threads),
            "naive": partial(naive, X),
        }
        seconds = best_times(tasks)
        table.append(
            {
                "kernel": name,
                "threads": threads,
                "n": ROWS,
                "d": COLUMNS,
                "seconds": round(seconds["fill"], 4),
                "ratio_to_floor": round(seconds["fill"] / seconds["floor"], 3),
                "naive_over_fill": round(seconds["naive"] / seconds["fill"], 2),
                "peak_over_output": round(peak_memory(tasks["fill"]) / product.nbytes, 3),
            }
        )
    return table


def rows() -> list[dict[str, object]]:
    """Each kernel with one and with two threads; a process each, as a BLAS reads its threads at start."""
    table: list[dict[str, object]] = []
    for threads in (1, 2):
        variables = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
        environment = os.environ | dict.fromkeys(variables, str(threads))
        command = [sys.executable, __file__, str(threads)]
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        table += json.loads(output)
    return table


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        for row in rows():
            print("  ".join(f"{key} {value}" for key, value in row.items()))
