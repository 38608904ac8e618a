"""How far gates reach: derivations and certified digits in seconds, emitted kernels in errors.

python -m benchmarks.gate_reach
"""

from __future__ import annotations

import subprocess
import sys
import time

import mpmath as mp
import numpy as np
import sympy as sp

from derivations import derive, kernel_function
from derivations.activations import NAMED, activation
from derivations.certified import certified_hermite
from derivations.symbols import d, m, r_i, r_j, rho

CLOSED = [name for name in NAMED if activation(name).has_normal_form and name != "step"]
ANALYTIC = ("sigmoid", "silu", "tanh", "gelu", "softplus", "mish")
GATED = ("reglu", "geglu", "bilinear", "gqu")
DIMENSION, WIDTH = 3, 100
_CATALOGUE = """
import time
start = time.perf_counter()
from derivations import derive
for name in {names!r}:
    derive(name)
print(time.perf_counter() - start)
"""
_SINGLE = """
import time
from derivations import derive
start = time.perf_counter()
derive({name!r}, order=2)
print(time.perf_counter() - start)
"""


def seconds_of(script: str) -> float:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return float(done.stdout)


def rows() -> list[dict[str, object]]:
    """One line per promise: what, how much, and the limit."""
    table: list[dict[str, object]] = []

    def add(what: str, value: float, limit: float) -> None:
        table.append({"what": what, "value": value, "limit": limit})

    names = [*CLOSED, *GATED]
    add(f"seconds, cold: {len(names)} closed networks", seconds_of(_CATALOGUE.format(names=names)), 5.0)
    for name, limit in (("relu", 0.1), ("gelu", 0.5)):
        add(
            f"seconds after import: {name}'s alpha, beta, gamma", seconds_of(_SINGLE.format(name=name)), limit
        )
    for digits, limit in ((30, 0.05), (100, 0.2)):
        slowest = max(ANALYTIC, key=lambda name: _certified_seconds(name, digits))
        add(
            f"seconds: a_0..a_60 to {digits} digits, slowest ({slowest})",
            _certified_seconds(slowest, digits),
            limit,
        )
    for name in (*CLOSED, "geglu"):
        add(f"worst error over sqrt(K_ii K_jj), {name}, q from 1e-4 to 1e4", worst_error(name), 5e-15)
    return table


def _certified_seconds(name: str, digits: int) -> float:
    phi, best = activation(name).phi, float("inf")
    for _ in range(3):
        start = time.perf_counter()
        certified_hermite(phi, 61, digits)
        best = min(best, time.perf_counter() - start)
    return best


def worst_error(name: str) -> float:
    """On random, equal, opposite and near rows of every size, against 60 digits of the derived formula."""
    result = derive(name)
    exact = sp.lambdify((r_i, r_j, rho), result.kernel.off_diagonal.subs({m: WIDTH, d: DIMENSION}), "mpmath")
    kernel = kernel_function(result, width=WIDTH)
    rng, worst = np.random.default_rng(0), mp.mpf(0)
    with mp.workdps(60):
        for q in (1e-4, 1e-2, 1.0, 1e2, 1e4):
            u = rng.standard_normal((3, DIMENSION))
            u /= np.linalg.norm(u, axis=1)[:, None]
            near = [sign * u[0] + size * u[1] for sign in (1, -1) for size in (1e-3, 1e-6, 1e-9, 1e-12)]
            X = np.array([u[0], u[0], -u[0], u[1], u[2], *near, 3 * u[0], u[1] / 10]) * np.sqrt(q * DIMENSION)
            K = kernel(X)
            points = [[mp.mpf(float(value)) for value in row] for row in X]
            norms = [mp.sqrt(mp.fdot(p, p)) for p in points]
            for i, p in enumerate(points):
                for j in range(i + 1):
                    cosine = mp.fdot(p, points[j]) / (norms[i] * norms[j])
                    cosine = max(mp.mpf(-1), min(mp.mpf(1), cosine))
                    size = mp.sqrt(
                        exact(norms[i], norms[i], mp.mpf(1)) * exact(norms[j], norms[j], mp.mpf(1))
                    )
                    if np.isfinite(K[i, j]):
                        worst = max(worst, abs(K[i, j] - exact(norms[i], norms[j], cosine)) / size)
    return float(worst)


if __name__ == "__main__":
    for row in rows():
        verdict = "ok" if float(str(row["value"])) <= float(str(row["limit"])) else "MISSED"
        print(f"{row['what']}: {row['value']:.3g} (limit {row['limit']:g}) {verdict}")
