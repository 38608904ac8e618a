"""How accurate the sharp law of the spectrum is: relative errors against dense eigenvalues of random data.

The first table has a row per network, size and kind of data at d >= 50, the median over draws of the absolute errors in
per cent (Gaussian data enter with their actual lengths), then the median and the 90th percentile over all draws, over
those that the law calls reliable, and over the others: `fluctuation` is the deviation it states for lambda_min.
`singular` is the smallest eigenvalue over the largest where the law says 0. The second table takes d from 5 to 30 and
sorts draws by what the law says of itself: kappa of the actual nearest pair. It takes two minutes.

    python -m benchmarks.spectrum_law [draws]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import cache
from itertools import pairwise, product

import numpy as np

from derivations import kernel_function, network
from derivations.pairwise import Array
from derivations.spectrum import spectrum_law

SIZES = (
    ("relu", 200, 50, 64), ("relu", 800, 50, 1), ("relu", 1200, 100, 1000), ("relu", 500, 300, 4096),
    ("reglu", 200, 50, 64), ("reglu", 1500, 50, 10), ("reglu", 800, 200, 5000), ("reglu", 1000, 100, 300),
    ("silu", 400, 50, 100), ("silu", 1000, 100, 1), ("silu", 600, 250, 4096),
    ("swiglu", 500, 50, 100), ("swiglu", 1200, 80, 10), ("swiglu", 800, 200, 2000),
    ("bilinear", 400, 50, 64), ("bilinear", 1500, 50, 64), ("bilinear", 1000, 100, 1000),
    ("gqu", 300, 50, 500), ("gqu", 1200, 60, 16), ("gqu", 600, 200, 1024),
)  # fmt: skip
LOW_DIMENSIONS = tuple(
    product(("relu", "reglu", "silu", "swiglu", "gqu"), (200, 1000), (5, 10, 20, 30), (50,))
)
KINDS = ("sphere", "gaussian")
QUANTITIES = ("lambda_min", "lambda_max", "condition_number")
BINS = (0.0, 0.3, 0.5, 1.01)
DRAWS = 3

Draw = dict[str, float]
Row = dict[str, object]


kernel = cache(lambda name, width: kernel_function(network(name), width=width))
"""Derived once for all draws."""


def sample(kind: str, n: int, d: int, seed: int) -> Array:
    """Rows of either kind."""
    X = np.random.default_rng(seed).standard_normal((n, d))
    return X if kind == "gaussian" else X * (np.sqrt(d) / np.linalg.norm(X, axis=1))[:, None]


def errors(name: str, n: int, d: int, width: int, kind: str, seed: int) -> Draw:
    """The law's relative errors for one draw, with its kappa and its seconds."""
    X = sample(kind, n, d, seed)
    kappa = spectrum_law(name, n, d, width, X).nearest_pair
    data = "sphere" if kind == "sphere" else np.linalg.norm(X, axis=1)
    start = time.perf_counter()
    law = spectrum_law(name, n, d, width, data)
    seconds = time.perf_counter() - start
    values = np.linalg.eigvalsh(kernel(name, width)(X))
    result = {"lambda_max": law.lambda_max / values[-1] - 1, "kappa": kappa, "seconds": seconds}
    result |= {"fluctuation": law.fluctuation, "reliable": float(law.reliable)}
    if not law.lambda_min:
        return result | {"singular": abs(values[0]) / values[-1]}
    ratio = law.condition_number * values[0] / values[-1]
    return result | {"lambda_min": law.lambda_min / values[0] - 1, "condition_number": ratio - 1}


def rows(draws: int = DRAWS) -> Iterator[Row]:
    """A row per case, then for each kind of data and for both two of all draws, of reliable and of other ones."""
    everything: dict[str, list[Draw]] = {kind: [] for kind in KINDS}
    for case, kind in product(SIZES, KINDS):
        found = [errors(*case, kind, seed) for seed in range(draws)]
        everything[kind] += found
        yield {"case": "{} n {} d {} m {}".format(*case), "data": kind} | summary(found, 50)
    everything["both"] = [draw for found in everything.values() for draw in found]
    for kind, found in everything.items():
        reliable = [draw for draw in found if draw["reliable"]]
        others = [draw for draw in found if not draw["reliable"]]
        for (which, chosen), percentile in product(
            (("all", found), ("reliable", reliable), ("flagged", others)), (50, 90)
        ):
            if chosen:
                title = f"{percentile} % of {len(chosen)} draws, {which}"
                yield {"case": title, "data": kind} | summary(chosen, percentile)


def flag_rows() -> Iterator[Row]:
    """In low dimensions, a row per kind of data and range of kappa."""
    for kind in KINDS:
        found = [errors(*case, kind, seed=0) for case in LOW_DIMENSIONS]
        for low, high in pairwise(BINS):
            inside = [draw for draw in found if low <= draw["kappa"] < high]
            for percentile in (50, 90):
                case = f"kappa {low} to {high}: {percentile} % of {len(inside)} draws"
                yield {"case": case, "data": kind} | summary(inside, percentile)


def summary(found: list[Draw], percentile: int) -> Row:
    """A percentile of the absolute errors, in per cent."""
    result: Row = {}
    for name in QUANTITIES:
        sizes = [abs(draw[name]) for draw in found if name in draw]
        result[f"{name} %"] = round(100 * float(np.percentile(sizes, percentile)), 2) if sizes else "-"
    result["fluctuation %"] = round(100 * float(np.median([draw["fluctuation"] for draw in found])), 2)
    result["kappa"] = round(float(np.median([draw["kappa"] for draw in found])), 2)
    singular = [draw["singular"] for draw in found if "singular" in draw]
    result["singular"] = f"{max(singular):.0e}" if singular else "-"
    result["ms"] = round(1e3 * float(np.median([draw["seconds"] for draw in found])))
    return result


def main() -> None:
    """Print both tables as they are measured."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    for table in (rows(draws), flag_rows()):
        for row in table:
            print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        print()


if __name__ == "__main__":
    main()
