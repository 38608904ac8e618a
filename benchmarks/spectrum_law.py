"""How accurate the sharp law of the spectrum is: relative errors against dense eigenvalues of random data.

Every row is one network, size and kind of data, the median of the draws' absolute errors in per cent; Gaussian data
enter with their actual lengths. The last rows are the median and the 90th percentile over all draws that the law calls
reliable, per kind of data. `singular` counts draws where the law says 0, which is exact if the smallest eigenvalue is
a rounding. The whole table takes a few minutes.

    python -m benchmarks.spectrum_law [draws]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

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
KINDS = ("sphere", "gaussian")
QUANTITIES = ("lambda_min", "lambda_max", "condition_number")
DRAWS = 3


def sample(kind: str, n: int, d: int, seed: int) -> Array:
    """Rows of either kind."""
    X = np.random.default_rng(seed).standard_normal((n, d))
    return X if kind == "gaussian" else X * (np.sqrt(d) / np.linalg.norm(X, axis=1))[:, None]


def errors(name: str, n: int, d: int, width: int, kind: str, seed: int) -> dict[str, float]:
    """The law's relative errors for one draw; what it says of itself, and its seconds."""
    X = sample(kind, n, d, seed)
    data = "sphere" if kind == "sphere" else np.linalg.norm(X, axis=1)
    start = time.perf_counter()
    law = spectrum_law(name, n, d, width, data)
    seconds = time.perf_counter() - start
    values = np.linalg.eigvalsh(kernel_function(network(name), width=width)(X))
    result = {"lambda_max": law.lambda_max / values[-1] - 1, "reliable": law.reliable, "seconds": seconds}
    if law.lambda_min:
        result["lambda_min"] = law.lambda_min / values[0] - 1
        result["condition_number"] = law.condition_number / (values[-1] / values[0]) - 1
    else:
        result["singular"] = abs(values[0]) / values[-1]
    return result


def rows(draws: int = DRAWS) -> Iterator[dict[str, object]]:
    """A row per case, then two per kind of data."""
    everything: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for case in SIZES:
        for kind in KINDS:
            found = [errors(*case, kind, seed) for seed in range(draws)]
            everything[kind] += found
            yield (
                dict(zip(("network", "n", "d", "m"), case, strict=True))
                | {"data": kind}
                | _summary(found, 50)
            )
    for kind, found in everything.items():
        trusted = [draw for draw in found if draw["reliable"]]
        for percentile in (50, 90):
            yield (
                {"network": f"{len(trusted)} of {len(found)}", "n": "", "d": "", "m": f"{percentile} %"}
                | {"data": kind}
                | _summary(trusted, percentile)
            )


def _summary(found: list[dict[str, float]], percentile: int) -> dict[str, object]:
    summary: dict[str, object] = {}
    for name in QUANTITIES:
        sizes = [abs(draw[name]) for draw in found if name in draw]
        summary[f"{name} %"] = round(100 * float(np.percentile(sizes, percentile)), 2) if sizes else ""
    summary["reliable"] = f"{sum(draw['reliable'] for draw in found):.0f}/{len(found)}"
    summary["singular"] = max((f"{draw['singular']:.0e}" for draw in found if "singular" in draw), default="")
    summary["ms"] = round(1e3 * float(np.median([draw["seconds"] for draw in found])))
    return summary


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS):
        print("  ".join(f"{key} {value}" for key, value in row.items()))
