"""How accurate the law of one network is: extreme eigenvalues of real networks against both laws, side by side.

A row per network, kind of data and size: the relative error in per cent of the law of infinite width (`sharp`) and of
the law of one network (`finite`) against the mean over networks, each with rows of its own, and the standard error of that
mean. Then the median and the 90th percentile of the absolute errors over the sizes with at least 100 neurons, by gates and
kind of data; sizes with fewer, in the last rows, show where the law ends. Seconds are those of a law, once the activation is
known. The last table has rows that are given, clusters and real data: errors of the infinite-width kernel's own
eigenvalue, of the law of such lengths, and of the law of these rows. It takes two minutes on one core.

    python -m benchmarks.finite_width [networks]
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Iterator
from itertools import product

import numpy as np

from derivations import finite_spectrum_law, kernel_function, network, spectrum_law
from derivations.pairwise import Array
from derivations.spectrum.finite_width import finite_law_of_data
from verify.finite import finite_network
from verify.inputs import generate, read_input
from verify.one_network import network_kernel
from verify.streams import draw_neurons, seed_sequence

SIZES = ((400, 100, 100), (200, 100, 200), (400, 100, 400), (400, 50, 1000), (800, 100, 200))
"""n, d and m: fewer and more neurons than rows."""
NETWORKS = ("relu", "reglu", "silu", "swiglu", "bilinear", "gqu")
KINDS = ("sphere", "gaussian")
MORE = (
    ("relu", "sphere", 100, 50, 4000), ("relu", "gaussian", 500, 100, 1000), ("relu", "gaussian", 800, 50, 100),
    ("reglu", "gaussian", 100, 50, 4000), ("reglu", "sphere", 500, 100, 1000), ("reglu", "gaussian", 800, 50, 100),
    ("gelu", "sphere", 400, 100, 400), ("gelu", "gaussian", 200, 100, 200), ("reglu", "gaussian", 2000, 100, 1000),
)  # fmt: skip
NARROW = tuple(
    (name, kind, *size)
    for name, kind, size in product(("relu", "reglu"), KINDS, ((300, 100, 50), (200, 50, 20)))
)
GIVEN = (
    ("relu", "clusters", 200), ("reglu", "clusters", 200), ("silu", "clusters", 200),
    ("relu", "digits", 400), ("reglu", "digits", 400), ("relu", "diabetes", 400), ("reglu", "diabetes", 400),
)  # fmt: skip
"""Network, rows and m."""
MOST_ROWS = 400
WIDE_ENOUGH = 100
DRAWS = 40
FEWER = 1000
"""Rows above which a quarter of the networks is drawn."""

Row = dict[str, object]


def points() -> Iterator[tuple[str, str, int, int, int]]:
    """Network, kind, n, d and m."""
    for name, kind, size in product(NETWORKS, KINDS, SIZES):
        yield (name, kind, *size)
    yield from MORE
    yield from NARROW


def measured(name: str, kind: str, n: int, d: int, m: int, draws: int) -> Array:
    """Smallest and largest eigenvalue and sum of squared readouts of networks, each with rows of its own : (draws, 3)."""
    found = np.empty((draws, 3))
    key = zlib.crc32(f"{name} {kind} {n} {d} {m}".encode())
    for draw in range(draws):
        X = generate(kind, n, d, np.random.default_rng(seed_sequence(key, draw, 0)))
        own = seed_sequence(key, draw, 1)
        values = np.linalg.eigvalsh(network_kernel(name, X, m, own))
        readouts = sum(np.sum(w.readout**2) for w in draw_neurons(finite_network(name), n, d, m, m, 1, own))
        found[draw] = values[0], values[-1], readouts
    return found


def mean_and_noise(values: Array, readouts: Array) -> tuple[float, float]:
    """The mean, and its standard error; the readouts' known mean of 1 takes most of the noise away."""
    control = readouts - 1
    slope = np.cov(values, control)[0, 1] / control.var(ddof=1)
    left = values - slope * control
    return float(left.mean()), float(left.std(ddof=2) / np.sqrt(len(left)))


def row(name: str, kind: str, n: int, d: int, m: int, draws: int) -> Row:
    """Errors of both laws, in per cent."""
    values = measured(name, kind, n, d, m, draws if n <= FEWER else max(draws // 4, 3))
    finite_spectrum_law(name, n, d, m, kind)
    start = time.perf_counter()
    finite = finite_spectrum_law(name, n, d, m, kind)
    seconds = time.perf_counter() - start
    sharp = spectrum_law(name, n, d, m, kind)
    result: Row = {"network": name, "data": kind, "n": n, "d": d, "m": m}
    for column, quantity in enumerate(("lambda_min", "lambda_max")):
        mean, error = mean_and_noise(values[:, column], values[:, 2])
        result[f"{quantity} sharp"] = 100 * (getattr(sharp, quantity) / mean - 1)
        result[f"{quantity} finite"] = 100 * (getattr(finite, quantity) / mean - 1)
        result[f"{quantity} noise"] = 100 * error / mean
    return result | {"seconds": seconds}


def summary(rows: list[Row]) -> list[Row]:
    """Median and 90th percentile of the absolute errors, by gates and data."""
    result = []
    for gated, kind in product((False, True), KINDS):
        group = [
            r
            for r in rows
            if r["data"] == kind
            and (network(str(r["network"])).gates > 0) == gated
            and int(str(r["m"])) >= WIDE_ENOUGH
        ]
        entry: Row = {"group": f"{'gated' if gated else 'plain'}, {kind}", "sizes": len(group)}
        for quantity, law in product(("lambda_min", "lambda_max"), ("sharp", "finite")):
            sizes = np.abs([float(str(r[f"{quantity} {law}"])) for r in group])
            entry[f"{quantity} {law}"] = f"{np.median(sizes):.1f} / {np.quantile(sizes, 0.9):.1f}"
        result.append(entry)
    return result


def rows_of(name: str) -> Array:
    """Twenty clusters of ten rows, or real rows."""
    if name != "clusters":
        return read_input(name, "standardize")[:MOST_ROWS]
    rng = np.random.default_rng(0)
    return np.repeat(rng.standard_normal((20, 30)), 10, axis=0) + 0.3 * rng.standard_normal((200, 30))


def given(name: str, rows: str, m: int, draws: int) -> Row:
    """Errors of lambda_min on given rows, in per cent."""
    X = rows_of(rows)
    n, d = X.shape
    values = np.array([np.linalg.eigvalsh(network_kernel(name, X, m, draw))[0] for draw in range(draws)])
    start = time.perf_counter()
    law = finite_law_of_data(name, X, m).lambda_min
    seconds = time.perf_counter() - start
    stated = {
        "infinite": np.linalg.eigvalsh(kernel_function(network(name), width=m)(X))[0],
        "by lengths": finite_spectrum_law(name, n, d, m, X).lambda_min,
        "by rows": law,
    }
    errors = {key: 100 * (float(value) / values.mean() - 1) for key, value in stated.items()}
    noise = 100 * float(values.std(ddof=1) / np.sqrt(draws) / values.mean())
    return {
        "network": name,
        "rows": rows,
        "n": n,
        "d": d,
        "m": m,
        **errors,
        "noise": noise,
        "seconds": seconds,
    }


def show(rows: list[Row]) -> None:
    """Print a table."""
    for index, entry in enumerate(rows):
        if index == 0:
            print("  ".join(f"{key:>17}" for key in entry))
        print(
            "  ".join(
                f"{value:17.2f}" if isinstance(value, float) else f"{value!s:>17}" for value in entry.values()
            )
        )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    table = []
    for point in points():
        table.append(row(*point, count))
        print(f"{len(table)}: {point}", file=sys.stderr)
    show(table)
    print("\nmedian / 90th percentile of absolute errors in per cent, from 100 neurons on")
    show(summary(table))
    print("\nlambda_min of given rows, errors in per cent")
    show([given(*case, count) for case in GIVEN])
