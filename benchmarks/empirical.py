"""Cost of an empirical kernel: its time over that of its matrix products alone, and its peak memory.

Run it from the root of the repository: ``python -m benchmarks.empirical``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from verify.finite import finite_network
from verify.montecarlo import empirical_ntk
from verify.products import add_row_products, row_products
from verify.streams import chunk_size

N, D = 256, 32
WIDTH, LARGE_WIDTH = 16_384, 262_144
NETWORKS = ("relu", "reglu")
THREADS = (1, 2)
REPEATS = 5


def rows() -> list[dict[str, float | int | str]]:
    """One row per network and number of BLAS threads.

    Keys: ``network``, ``threads``; ``seconds`` of `empirical_ntk` at n = 256, d = 32, width 16384;
    ``products`` and ``updates``, the seconds of its matrix products alone, by NumPy's ``out += F @ F.T``
    and by in-place rank updates; ``ratio``, seconds over products; ``peak_mb`` and ``peak_mb_large``, what
    tracemalloc sees at widths 16384 and 262144, the results included.
    """
    result = []
    for threads in THREADS:
        # BLAS libraries read their number of threads once, when they are loaded.
        count = {f"{library}_NUM_THREADS": str(threads) for library in ("OPENBLAS", "OMP", "MKL")}
        run = subprocess.run(
            [sys.executable, "-m", "benchmarks.empirical", "--measure"],
            env=os.environ | count,
            stdout=subprocess.PIPE,
            check=True,
        )
        result += [row | {"threads": threads} for row in json.loads(run.stdout)]
    return result


def measure(name: str) -> dict[str, float | str]:
    """One row, at this process's number of threads."""
    X = np.random.default_rng(0).standard_normal((N, D))
    runs: list[Callable[[], object]] = [
        lambda: empirical_ntk(name, X, WIDTH),
        lambda: _products(name, X, in_place=False),
        lambda: _products(name, X, in_place=True),
    ]
    seconds = [float("inf")] * len(runs)
    for _ in range(REPEATS):  # interleaved, so that a busy moment of the machine hits all of them
        for index, run in enumerate(runs):
            start = time.perf_counter()
            run()
            seconds[index] = min(seconds[index], time.perf_counter() - start)
    return {
        "network": name,
        "seconds": seconds[0],
        "products": seconds[1],
        "updates": seconds[2],
        "ratio": seconds[0] / seconds[1],
        "peak_mb": _peak_mb(name, X, WIDTH),
        "peak_mb_large": _peak_mb(name, X, LARGE_WIDTH),
    }


def _products(name: str, X: np.ndarray, in_place: bool) -> None:
    """The products of one kernel and its second moment, on factors that are already there."""
    blocks = 1 + finite_network(name).gates
    chunk = chunk_size(N, D)
    W = np.ones((chunk, D))
    # xi has 1 and blocks products of factors, xi^2 has 1, blocks and blocks (blocks + 1) / 2.
    factors = [
        np.ones((N, columns * chunk)) for columns in (1, blocks, 1, blocks, blocks * (blocks + 1) // 2)
    ]
    sums = [np.zeros((N, N), order="F" if in_place else "C") for _ in factors]
    for _ in range(WIDTH // chunk):
        for _ in range(blocks):
            row_products(X, W) if in_place else X @ W.T
        for total, factor in zip(sums, factors, strict=True):
            if in_place:
                add_row_products(total, factor)
            else:
                total += factor @ factor.T


def _peak_mb(name: str, X: np.ndarray, width: int) -> float:
    tracemalloc.start()
    empirical_ntk(name, X, width)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def main() -> None:
    """Print all rows as a table; with ``--measure``, those of this process as JSON."""
    if "--measure" in sys.argv[1:]:
        print(json.dumps([measure(name) for name in NETWORKS]))
        return
    table = rows()
    keys = list(table[0])
    print("  ".join(f"{key:>13}" for key in keys))
    for row in table:
        print("  ".join(f"{row[k]:>13.3f}" if isinstance(row[k], float) else f"{row[k]:>13}" for k in keys))


if __name__ == "__main__":
    main()
