r"""Bounds of both ends without an eigenproblem of the kernel: its power series, and what is left of its entries.

With any numbers \(b_{ji}\), certificates \(\epsilon_j\) of the powers of the cosines (`verify.bounds.powers`), and the
residual \(E = K - \sum_{j\le J} B_jR^{\circ j}B_j\),

\[ K \succeq \operatorname{diag}_i\Big[\sum_{j\le J} b_{ji}^2(1-\epsilon_{ji}) + E_{ii}
      - \sum_{k\ne i}|E_{ik}|\frac{v_k}{v_i}\Big] \]

so that the smallest entry of the diagonal bounds \(\lambda_n\). For \(\lambda_1\), ceilings \(R^{\circ j} \preceq l_jI\) take
the place of \(1-\epsilon_j\), the row sums of the residual are added, and the degrees 0 and 1, which have d + 1 columns,
count with their own largest eigenvalue. The residual is of the computed entries: it holds what the numbers miss.

Source: derived here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verify.activations import Array
from verify.bounds.ends import largest_end
from verify.bounds.entries import KEPT, Cosines, Entries
from verify.bounds.powers import PowerEnds, ceilings, certificates
from verify.bounds.rounding import UNIT, gamma

STEPS, STEPS_BEYOND = 6, 3
"""Of the power method, where the entries are kept and where they are computed again."""
POWERS = (0, 1, 2)
r"""Vectors \(v_i = K_{ii}^{-t/2}\) of diagonal dominance: the larger t, the more the short rows are spared."""


@dataclass(frozen=True)
class Split:
    """Row sums of one pass over the entries.

    Attributes
    ----------
    b : (J + 1, n) float
        Coefficients, scaled as the entries are.
    dominance : (len(POWERS), J + 1, n) float
        Of the powers of R, for each vector.
    residual : (len(POWERS), J + 1, n) float
        Of the residual after each degree, off its diagonal.
    left : (J + 1, n) float
        The residual's diagonal.
    """

    entries: Entries
    b: Array
    dominance: Array
    residual: Array
    left: Array


def split(entries: Entries, cosines: Cosines, b: Array) -> Split:
    """Read the entries once."""
    degrees, n = b.shape
    b = b / np.sqrt(entries.scale)
    s = entries.roots
    # Within 1: norms may spread over many orders of magnitude.
    v = (s / np.max(s))[:, None] ** -np.array(POWERS, float)
    dominance, residual = np.empty((2, len(POWERS), degrees, n))
    left = np.empty((degrees, n))
    for (rows, K), (_, R) in zip(entries.blocks(), cosines.blocks(), strict=True):
        here, own = np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)
        E, power = np.array(K), np.ones_like(R)
        for j in range(degrees):
            if j:
                power = power * R
            E -= b[j, rows, None] * power * b[j]
            left[j, rows] = E[here, own]
            for part, matrix in ((dominance, power), (residual, E)):
                sizes = np.abs(matrix)
                sizes[here, own] = 0.0
                part[:, j, rows] = (sizes @ v).T / v[rows].T
    # What the true powers and residual may have more. The sums round; |rho|^j moves by j times the cosine's error.
    grown = 1 + gamma(n + 4)
    totals = np.array([np.sum(v, axis=0) / column for column in v]).T  # sum_k v_k / v_i, (t, n)
    per_degree = 1.01 * np.arange(degrees) * cosines.error + 2 * UNIT * np.arange(degrees)
    dominance = (dominance * grown + per_degree[None, :, None] * totals[:, None, :]) * (1 + 8 * UNIT)
    error = entries.error * 1.01 + 1.01 * degrees * cosines.error + 8 * (degrees + 4) * UNIT
    weighted = np.array([s * np.sum(s[:, None] * v, axis=0)[t] / v[:, t] for t in range(len(POWERS))])
    residual = (residual * grown + error * weighted[:, None, :]) * (1 + 8 * UNIT)
    return Split(entries, b, dominance, residual, left)


def outer_bounds(found: Split, cosines: Cosines, shared: PowerEnds | None = None) -> tuple[float, float]:
    r"""(a lower bound of the smallest eigenvalue, an upper bound of the largest), scaled; the former may be negative.

    From above, the degrees 0 and 1 and the mean of the shared power have few columns, \(FF^T\), whose largest eigenvalue is
    that of \(F^TF\); the other degrees are below their ceilings, and the residual below its row sums.
    """
    diagonal = found.entries.roots**2
    rounding = 4 * (len(found.b) + 4) * UNIT * diagonal
    squares = found.b**2
    low, high = -np.inf, np.inf
    columns = [
        (kept, _largest_of_few(F, cosines.error)) for F, kept in _few_columns(found.b, cosines.X, shared)
    ]
    for dominance, residual in zip(found.dominance, found.residual, strict=True):
        epsilon = certificates(dominance, diagonal, shared)
        below = np.cumsum(squares * (1 - epsilon), axis=0) + found.left - residual - rounding
        low = max(low, float(np.max(np.min(below, axis=1))))
        level = ceilings(1 + np.max(dominance, axis=1), epsilon, shared)[:, None]
        # A row sum for every row, or one number: what is less where the rows are long.
        by_row = np.max(diagonal * (1 + dominance), axis=1) < np.max(diagonal * level, axis=1)
        level = np.where(by_row[:, None], 1 + dominance, level)
        for kept, first in columns:
            levels = np.where(kept[:, None], 0.0, level)
            if shared is not None and shared.degree < len(kept) and kept[shared.degree]:
                levels[shared.degree] = shared.ceiling
            above = np.cumsum(squares * levels, axis=0) + found.left + residual + rounding
            above += gamma(2 * len(found.b) + 16) * np.abs(above)
            # With fewer degrees than are among the columns these would count twice.
            most = int(np.max(np.nonzero(kept)[0]))
            high = min(high, first + float(np.min(np.max(above, axis=1)[most:])))
    return low, high


def _few_columns(b: Array, X: Array, shared: PowerEnds | None) -> Iterator[tuple[Array, NDArray[np.bool_]]]:
    """Columns F, and the degrees that they replace."""
    lengths = np.linalg.norm(X, axis=1)
    unit = X / np.where(lengths > 0, lengths, 1.0)[:, None]
    for most in range(min(2, len(b))):
        columns = np.hstack([b[0][:, None], b[1][:, None] * unit] if most else [b[0][:, None]])
        kept = np.arange(len(b)) <= most
        yield columns, kept
        if shared is not None and most < shared.degree < len(b):
            mean = b[shared.degree][:, None] * np.sqrt(shared.mean) * (1 + 4 * UNIT)
            yield np.hstack([columns, mean]), kept | (np.arange(len(b)) == shared.degree)


def _largest_of_few(F: Array, cosine_error: float) -> float:
    """An upper bound of the largest eigenvalue of F F^T."""
    n, columns = F.shape
    gram = F.T @ F if columns <= n else F @ F.T
    gram = (gram + gram.T) / 2
    scale = float(np.max(np.abs(gram), initial=0.0))
    if scale == 0:
        return 0.0
    # Rounding of the products, and of the unit rows: at most the whole trace times both.
    error = 2 * (gamma(n + columns + 8) + cosine_error) * float(np.sum(F * F))
    return largest_end(gram / scale).low * scale * (1 + 4 * UNIT) + error


def dominated(entries: Entries) -> float:
    r"""\(\max_i (|K|v)_i/v_i\), v after a few power steps, scaled.

    Close to the largest eigenvalue if K has no negative entry.
    """
    s = entries.roots
    v = np.maximum(s, 1e-8 * np.max(s))
    best = np.inf
    for _ in range(STEPS if len(s) <= KEPT else STEPS_BEYOND):
        image = np.concatenate([np.abs(K) @ v for _, K in entries.blocks()])
        image += entries.error * 1.01 * s * float(s @ v)
        best = min(best, float(np.max(image / v)) * (1 + gamma(len(v) + 8)))
        # Away from 0, so that no row decides by its own smallness.
        v = np.maximum(image / np.max(image), 1e-8)
    return best
