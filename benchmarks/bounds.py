"""Rigorous bounds of extreme eigenvalues: violations and tightness over hostile and random data, in every mode.

Every case draws rows of one kind, a network and a width, and asks two modes for their intervals (all
four, of small cases); the true values are dense
eigenvalues, with LAPACK's and the entries' own error as the only slack, and for some hundred small cases eigenvalues of
the exact kernel in 120-digit arithmetic, with a slack of 1e-50. The table has, per mode and kind of data, quantiles of the
lower bound of the smallest eigenvalue over the true one and of the upper bound of the largest. Some minutes.

    python -m benchmarks.bounds [cases]
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, product
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from derivations import derive, kernel_function, network
from derivations.pairwise import Array
from derivations.symbols import d, m, r_i, r_j, rho
from verify.bounds import MODES, Cosines, SharedPower, SpectrumBounds, WidthFamily, kernel_bounds
from verify.inputs import read_input

CASES, EXACT_CASES = 10_000, 300
CLOSED = ("relu", "reglu", "gqu", "gelu", "geglu", "erf", "bilinear", "abs", "relu2", "sin")
SERIES = ("silu", "swiglu", "tanh")
SERIES_SHARE = 0.04
"""Of the cases: their kernels take ten times as long."""
TOGETHER = (("none", "shared"), ("dense", "family"))
"""Modes that a case asks for, in turn."""
WIDTHS = (1, 7, 100, 4096)
DIMENSIONS = (1, 2, 3, 5, 10, 50, 100)
LARGE = ((60, 50), (200, 50), (100, 100), (200, 100), (200, 200))
SAME = 5
"""Cases of a kind with one dimension in a row: formulas are compiled for a dimension and a width."""
REAL = ("digits", "diabetes", "breast_cancer")
DIGITS = 120
"""The cosine of equal rows is 1 to as many, and their angle 0 to half of them."""
SMALL = 8
"""Rows of the matrices in so many digits."""
NEAREST, FARTHEST = -15, -1
"""Exponents of ten of the distances of near duplicates."""


@dataclass(frozen=True)
class Case:
    """One matrix, network and width."""

    kind: str
    network: str
    width: int
    X: Array


def generic(rng: np.random.Generator, n: int, d: int) -> Array:
    """Gaussian rows, or rows of one length, or of lengths over three orders of magnitude."""
    X = rng.standard_normal((n, d))
    choice = rng.integers(3)
    if choice == 1:
        X *= np.sqrt(d) / np.linalg.norm(X, axis=1)[:, None]
    elif choice == 2:
        X *= 10 ** rng.uniform(-1.5, 1.5, (n, 1))
    return X


def random(rng: np.random.Generator, n: int, d: int) -> Array:
    """Gaussian rows or rows on the sphere."""
    X = rng.standard_normal((n, d))
    return X * (np.sqrt(d) / np.linalg.norm(X, axis=1))[:, None] if rng.integers(2) else X


def clustered(rng: np.random.Generator, n: int, d: int) -> Array:
    """Rows near a few centres."""
    centers = rng.standard_normal((rng.integers(1, 6), d))
    return centers[rng.integers(len(centers), size=n)] + 10 ** rng.uniform(-4, 0) * rng.standard_normal(
        (n, d)
    )


def near_duplicate(rng: np.random.Generator, n: int, d: int) -> Array:
    """Some rows next to others, at distances down to roundings."""
    X = generic(rng, n, d)
    for row in rng.integers(n, size=max(1, n // 10)):
        X[row] = X[rng.integers(n)] * (1 + 10.0 ** rng.uniform(NEAREST, FARTHEST) * rng.standard_normal(d))
    return X


def duplicate(rng: np.random.Generator, n: int, d: int) -> Array:
    """A row repeated bit by bit."""
    X = generic(rng, n, d)
    X[-1] = X[0]
    return rng.permutation(X)


def antipodal(rng: np.random.Generator, n: int, d: int) -> Array:
    """Rows and their negatives, some of them only nearly so."""
    X = generic(rng, n, d)
    half = n // 2
    X[half : 2 * half] = -X[:half]
    if rng.integers(2):
        X[half:] *= 1 + 1e-12 * rng.standard_normal((n - half, d))
    return X


def low_rank(rng: np.random.Generator, n: int, d: int) -> Array:
    """Rows in a subspace of one to three dimensions, to rounding."""
    rank = min(d, int(rng.integers(1, 4)))
    return rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d))


@cache
def real_rows(name: str, prepare: str) -> Array:
    """A real data set."""
    return np.asarray(read_input(name, prepare))


def real(rng: np.random.Generator, n: int, d: int) -> Array:
    """Rows of a real data set."""
    del d
    X = real_rows(str(rng.choice(REAL)), str(rng.choice(["raw", "standardize", "normalize"])))
    return X[rng.choice(len(X), size=min(n, len(X)), replace=False)]


KINDS: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "random": random,
    "generic": generic,
    "clustered": clustered,
    "near duplicate": near_duplicate,
    "duplicate": duplicate,
    "antipodal": antipodal,
    "low rank": low_rank,
    "real": real,
}

derived = cache(lambda name: derive(network(name), order=network(name).gates + 1))


@cache
def kernel(name: str, width: int, kind: str = "ntk") -> Any:
    """Derived once."""
    return kernel_function(derived(name), kind=kind, width=width)  # type: ignore[arg-type]


def draw(index: int, most: int = 200) -> Case:
    """The case of this number."""
    rng = np.random.default_rng([11, index, most])
    kind = list(KINDS)[index % len(KINDS)]
    # Mostly small; a tenth up to the most.
    n = int(rng.integers(2, most + 1)) if rng.uniform() < 0.1 else int(rng.integers(2, min(most, 30) + 1))
    dimension = DIMENSIONS[index // len(KINDS) // SAME % len(DIMENSIONS)]
    X = KINDS[kind](rng, n, dimension)
    # Series take variances up to 1e4, and raw columns are longer.
    X *= min(1.0, float(100 * np.sqrt(X.shape[1]) / np.max(np.linalg.norm(X, axis=1))))
    networks = SERIES if most > SMALL and rng.uniform() < SERIES_SHARE else CLOSED
    return Case(kind, str(rng.choice(networks)), int(rng.choice(WIDTHS)), X)


def intervals(case: Case, modes: tuple[str, ...] = MODES) -> dict[str, SpectrumBounds]:
    """Of these modes."""
    function = kernel(case.network, case.width)
    family = kernel(case.network, 1), kernel(case.network, 1, "nngp")
    K = function(case.X)
    shared = SharedPower(Cosines(case.X))
    return {
        mode: WidthFamily(function.network, case.X, family).bounds(case.width)
        if mode == "family"
        else kernel_bounds(function, case.X, mode, shared=shared, matrix=K)
        for mode in modes
    }


def dense_values(case: Case) -> tuple[float, float, float]:
    """Smallest and largest eigenvalue as LAPACK gives them, and how far off they may be."""
    K = kernel(case.network, case.width)(case.X)
    scale = float(np.max(np.abs(K))) or 1.0
    values = np.linalg.eigvalsh(K / scale) * scale
    # The entries: 1e-12 of the diagonal where there is no closed form; the norm of n eps lambda_1.
    return float(values[0]), float(values[-1]), (1e-12 * len(K) + 1e-14 * case.X.shape[1]) * float(values[-1])


def exact_values(case: Case) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Smallest and largest eigenvalue of the kernel of these floating-point numbers, in 120 digits."""
    with mpmath.workdps(DIGITS):
        K = exact_kernel(case)
        values = mpmath.eigsy(K, eigvals_only=True)
        return values[0], values[len(values) - 1]


@cache
def formulas(name: str, width: int, dimension: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Off the diagonal, and on it."""
    found = derived(name).kernel
    values = {m: sp.Integer(width), d: sp.Integer(dimension)}
    return (
        sp.lambdify((rho, r_i, r_j), found.off_diagonal.subs(values), "mpmath"),
        sp.lambdify((r_i,), found.diagonal.subs(values), "mpmath"),
    )


def exact_kernel(case: Case) -> mpmath.matrix:
    """The matrix, from exact inner products."""
    rows = [[mpmath.mpf(float(value)) for value in row] for row in case.X]
    lengths = [mpmath.sqrt(mpmath.fsum(value**2 for value in row)) for row in rows]
    off, on = formulas(case.network, case.width, case.X.shape[1])
    K = mpmath.matrix(len(rows))
    for i, x in enumerate(rows):
        K[i, i] = on(lengths[i])
        for k in range(i):
            cosine = mpmath.fdot(x, rows[k]) / (lengths[i] * lengths[k])
            cosine = max(min(cosine, mpmath.mpf(1)), mpmath.mpf(-1))
            K[i, k] = K[k, i] = mpmath.re(off(cosine, lengths[i], lengths[k]))
    return K


def violated(found: SpectrumBounds, low: Any, high: Any, slack: Any) -> bool:
    """Whether an end lies outside of its interval by more than the slack."""
    return bool(
        low < found.lambda_min[0] - slack
        or low > found.lambda_min[1] + slack
        or high < found.lambda_max[0] - slack
        or high > found.lambda_max[1] + slack
    )


def exact_run(cases: int = EXACT_CASES) -> Iterator[str]:
    """Small cases against 120 digits: a line per violation, and a summary."""
    bad = checked = 0
    for index in range(cases):
        case = draw(index, SMALL)
        if not case.X.any(axis=1).all():
            continue  # the formulas have the norms in denominators
        low, high = exact_values(case)
        slack = mpmath.mpf(10) ** (10 - DIGITS // 2) * high
        for mode, found in intervals(case).items():
            checked += 1
            if violated(found, low, high, slack):
                bad += 1
                yield f"VIOLATED {mode} {case.kind} {case.network} {index}: {found}, {low}, {high}"
    yield f"{bad} violations in {checked} intervals of {cases} cases against {DIGITS}-digit eigenvalues"


def run(cases: int = CASES) -> Iterator[str]:
    """All cases against dense eigenvalues: a line per violation, a summary, and the table."""
    ratios: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    zeros: dict[str, int] = defaultdict(int)
    bad = checked = 0
    for index in range(cases):
        case = draw(index)
        low, high, slack = dense_values(case)
        told = False
        for mode, found in intervals(case, TOGETHER[index // len(KINDS) % 2]).items():
            checked += 1
            if violated(found, low, high, slack):
                bad += 1
                yield f"VIOLATED {mode} {case.kind} {case.network} {index}: {found}, {low}, {high}"
            told = told or found.singular is not None
            kind = case.kind
            if kind == "random" and case.X.shape[1] >= 50:
                kind = "random, d >= 50"
            # Where the smallest eigenvalue is one at all.
            if low > 100 * slack:
                ratios[mode, kind].append((found.lambda_min[0] / low, found.lambda_max[1] / high))
        zeros[case.kind] += told
    yield f"{bad} violations in {checked} intervals of {cases} cases against dense eigenvalues"
    yield f"cases singular for certain, by kind: {dict(zeros)}"
    yield f"{'mode':8} {'data':18} {'cases':>6}  lower/true of lambda_min: 10 %, 50 %, 90 %   upper/true of lambda_max"
    for (mode, kind), found_ratios in sorted(ratios.items()):
        quantiles = np.percentile(found_ratios, [10, 50, 90], axis=0)
        text = "   ".join("  ".join(f"{value:8.4f}" for value in column) for column in quantiles.T)
        yield f"{mode:8} {kind:18} {len(found_ratios):6}  {text}"


def tightness() -> Iterator[str]:
    """A line per mode: how tight it is on 140 random cases of 60 to 200 rows."""
    lower, upper = defaultdict(list), defaultdict(list)
    for name, (n, dimension), spherical in product(
        ("relu", "reglu", "gelu", "geglu", "gqu", "silu", "swiglu"), LARGE, (False, True)
    ):
        X = np.random.default_rng(n + dimension).standard_normal((n, dimension))
        if spherical:
            X *= np.sqrt(dimension) / np.linalg.norm(X, axis=1)[:, None]
        for width in (16, 1000):
            case = Case("random", name, width, X)
            low, high, _ = dense_values(case)
            for mode, found in intervals(case).items():
                lower[mode].append(found.lambda_min[0] / low)
                upper[mode].append(found.lambda_max[1] / high)
    yield "60 to 200 random rows, d >= 50; lower/true of lambda_min: least, 10 %, 50 %; upper/true of lambda_max: 50 %, 90 %"
    for mode in MODES:
        smallest, largest = np.percentile(lower[mode], [0, 10, 50]), np.percentile(upper[mode], [50, 90])
        yield f"{mode:8} {len(lower[mode]):6}  {smallest.round(4)}  {largest.round(4)}"


def main() -> None:
    """Print everything as it is found."""
    start = time.perf_counter()
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    for line in exact_run(min(EXACT_CASES, cases)):
        print(line, flush=True)
    print(f"{time.perf_counter() - start:.0f} s", flush=True)
    for line in chain(run(cases), tightness()):
        print(line, flush=True)
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
