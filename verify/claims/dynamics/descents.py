"""Expected losses of the plain and the gated network on drawn rows, from eigendecompositions: who is ahead, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from derivations import KernelFunction, SeriesKernel, kernel_function
from derivations.dynamics import crossings, expected_losses
from derivations.dynamics.initial import INITIAL_OR_ZERO
from verify.activations import Array
from verify.claims.dynamics.cells import SizedCell
from verify.claims.spectrum.matrices import NETWORKS, exact_kernel, simplified

TRIES = 200
"""Random labels among which some are looked for that satisfy the hypothesis of A16."""
KERNEL_RUNGS = ("simplified", "exact")
COLUMNS = ("start", "last", "first", "count")
"""What is told of every draw by `INITIAL_OR_ZERO`."""


@dataclass(frozen=True)
class Descents:
    """What happened in every draw of a size, on one rung.

    Attributes
    ----------
    start, last : dict of str to (s,) float
        By `INITIAL_OR_ZERO`: -1 if the plain loss is the smaller one before the first step, or at last, 1 if the gated one
        is.
    first, count : dict of str to (s,) float
        The first step at which the order changes, 0 if there is none, and how many there are.
    admitted : (s,) float
        The share of random labels N(0, 1) that satisfy the hypothesis of A16.
    satisfied : (s,) bool
        Whether there was one among `TRIES` of them, which the losses are of; else they are of Y = 0, which satisfies it.
    """

    start: dict[str, Array]
    last: dict[str, Array]
    first: dict[str, Array]
    count: dict[str, Array]
    admitted: Array
    satisfied: Array


@dataclass(frozen=True)
class TraceCell(SizedCell):
    """Tr K^2 - Tr K~^2 on Gaussian rows: what the plain loss loses more per eta k, with Y = 0 and C_0 = K."""

    kind = "traces"

    @property
    def thousands(self) -> int:
        """Its cost, in the unit of other measurements' thousands of neurons."""
        return 1 + int(self.draws * self.n**2 / 2e4)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> dict[str, Array]:
        """By rung, in `factor` times the draws, 1 to `MOST` times : (s,) float."""
        draws = self.number(factor)
        found = {rung: np.empty(draws) for rung in KERNEL_RUNGS}
        for draw in range(draws):
            X = self.rows(np.random.default_rng(self.stream(seed, draw)))
            for rung, values in found.items():
                plain, gated = kernels(rung, X, self.width)[0]
                values[draw] = np.sum(plain**2) - np.sum(gated**2)
        return found


@dataclass(frozen=True)
class DescentCell(SizedCell):
    """Expected losses on Gaussian rows of one size."""

    kind = "descent"

    @property
    def thousands(self) -> int:
        """Its cost, in the unit of other measurements' thousands of neurons."""
        return 1 + int(self.draws * self.n**2 * (200 * self.n + 10**5) / 2e9)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> dict[str, Descents]:
        """By rung, of `factor` times the draws, 1 to `MOST` times."""
        draws = self.number(factor)
        found: dict[str, list[dict[str, Array]]] = {rung: [] for rung in KERNEL_RUNGS}
        for draw in range(draws):
            rng = np.random.default_rng(self.stream(seed, draw))
            X = self.rows(rng)
            labels = rng.standard_normal((TRIES, self.n))
            for rung in KERNEL_RUNGS:
                found[rung].append(_descents(rung, X, labels, self.width))
        return {rung: _collected(rows) for rung, rows in found.items()}


def kernels(rung: str, X: Array, width: int) -> tuple[list[Array], list[Array]]:
    """K of both networks, and the covariance C_0 of their outputs at the start: of K, what the width multiplies.

    Examples
    --------
    >>> (K, gated), (C, _) = kernels("simplified", np.array([[2.0]]), 3)
    >>> K, gated, C  # (m + d) |x|^2 / (2 d), (m + 2 d) |x|^4 / (2 d^2), |x|^2 / (2 d)
    (array([[8.]]), array([[40.]]), array([[2.]]))
    """
    if rung == "simplified":
        K = [simplified(name, X, width) for name in NETWORKS]
        return K, [simplified(name, X, width + 1) - of for name, of in zip(NETWORKS, K, strict=True)]
    return [exact_kernel(name, width)(X) for name in NETWORKS], [_outputs(name)(X) for name in NETWORKS]


@lru_cache(maxsize=2)
def _outputs(name: str) -> KernelFunction | SeriesKernel:
    return kernel_function(name, kind="nngp")


def step_size(K: list[Array]) -> float:
    """1 / the larger lambda_1: stable for both, and no mode overshoots."""
    return float(1 / max(np.linalg.eigvalsh(kernel)[-1] for kernel in K))


def _descents(rung: str, X: Array, labels: Array, width: int) -> dict[str, Array]:
    """Of one draw: by quantity, `INITIAL_OR_ZERO` along the axis of those that depend on it."""
    K, C = kernels(rung, X, width)
    allowed = np.einsum("ti,ij,tj->t", labels, K[0] - K[1], labels, optimize=True) >= 0
    Y = labels[np.argmax(allowed)] if allowed.any() else np.zeros(len(X))
    eta = step_size(K)
    starts: dict[str, Sequence[Array | None]] = {"kernel": K, "nngp": C, "zero": [None, None]}
    pairs = [
        expected_losses(K[i], eta, Y, [starts[initial][i] for initial in INITIAL_OR_ZERO])
        for i in range(len(NETWORKS))
    ]
    columns = []
    for plain, gated in zip(*pairs, strict=True):
        found = crossings(plain, gated)
        first = found.steps[0] if found.steps else 0
        columns.append((found.ahead_at_start, found.ahead_at_last, first, len(found.steps)))
    values = np.array(columns, float).T
    return dict(zip(COLUMNS, values, strict=True)) | {
        "admitted": np.array(allowed.mean()),
        "satisfied": np.array(allowed.any()),
    }


def _collected(rows: list[dict[str, Array]]) -> Descents:
    whole = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    by_initial = {name: dict(zip(INITIAL_OR_ZERO, whole[name].T, strict=True)) for name in COLUMNS}
    return Descents(**by_initial, admitted=whole["admitted"], satisfied=whole["satisfied"].astype(bool))


TRACE_CELLS = (TraceCell(300, 5, 1, 100), TraceCell(300, 50, 100, 40))
"""On both sides of the border of what A16 says."""
CELLS = tuple(
    DescentCell(*cell)
    for cell in (
        (300, 5, 1, 6),
        (300, 5, 1000, 6),
        (300, 20, 10, 6),
        (300, 20, 1000, 6),
        (300, 100, 1000, 6),
    )
)
"""Where A16 and A18 are stated; few draws say who is ahead in each."""
FURTHER_CELLS = tuple(
    DescentCell(*cell)
    for cell in (
        (300, 10, 1000, 6),
        (600, 5, 100, 6),
        (600, 50, 100, 6),
        (1000, 5, 1000, 4),
        (1000, 50, 1000, 4),
    )
)
