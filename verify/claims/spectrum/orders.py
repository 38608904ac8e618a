r"""A9, A12: orders of magnitude with universal constants, refuted by sequences along which a ratio runs away.

A constant factor cannot hold where the ratio follows a power of n or d, which is fitted. The reasons are exact: the mean
entry of the gated kernel is \(m/(4d) + 1/2\) and bounds \(\lambda_1(\tilde K)/n\) from below, whatever m/d is; and
\(\lambda_n\) is at most the smallest entry of the diagonal, f(1) times the smallest \((|x_i|^2/d)^{g+1}\), which falls like
\(n^{-2(g+1)/d}\).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from derivations.sources import STATEMENTS, Statement
from verify.activations import Array
from verify.claim import RUNGS, Claim, Evidence, Rung, Setting, Verdict
from verify.claims.spectrum.cells import SpectrumCell
from verify.claims.spectrum.ladders import CELLS, FURTHER_CELLS
from verify.claims.spectrum.laws import law
from verify.claims.spectrum.quantities import mean_of
from verify.claims.spectrum.trend import together
from verify.statistics import fit_slope

RUNAWAY = 0.25
"""Exponent beyond which a ratio is not bounded."""
LARGEST_INSTEAD = "instead: of the order (m/d + 1) n for n >= d"
SMALLEST_INSTEAD = "instead: of the order m + d where n, d and m grow at fixed ratios"


@dataclass(frozen=True)
class Order:
    """An eigenvalue that should be of the order of a scale.

    Attributes
    ----------
    network, end : str
    scale : callable
        Of n, d and m.
    label : str
        The ratio, for people.
    """

    network: str
    end: str
    scale: Callable[[int, int, int], float]
    label: str

    def ratios(self, rung: str, cell: SpectrumCell, setting: Setting) -> Array:
        """The eigenvalue over its scale in every draw of a cell : (s,) float."""
        values = getattr(setting.measured[cell], self.end)(rung, self.network)
        return np.asarray(values / self.scale(cell.n, cell.d, cell.width))


@dataclass(frozen=True)
class Path:
    """Sizes along which a ratio is followed, and the one of n and d whose power it is."""

    cells: tuple[SpectrumCell, ...]
    variable: str

    @property
    def sizes(self) -> Array:
        """The variable's values."""
        return np.array([getattr(cell, self.variable) for cell in self.cells], float)


PLAIN_LARGEST = Order("relu", "largest", lambda n, d, m: m * n, "lambda_1(K)/(m n)")
GATED_LARGEST = Order("reglu", "largest", lambda n, d, m: m * n / d, "lambda_1(K~) d/(m n)")
GATED_TRUE = Order("reglu", "largest", lambda n, d, m: (m / d + 1) * n, "lambda_1(K~)/((m/d + 1) n)")
PLAIN_SMALLEST = Order("relu", "smallest", lambda n, d, m: m + d, "lambda_n(K)/(m + d)")
GATED_SMALLEST = Order("reglu", "smallest", lambda n, d, m: m + d, "lambda_n(K~)/(m + d)")

NARROW = Path(
    tuple(SpectrumCell(2 * d, d, 2, draws) for d, draws in ((10, 128), (20, 96), (40, 64), (80, 48))), "d"
)
"""Two neurons and more and more columns, n = 2 d."""
CROWDED = Path(tuple(SpectrumCell(n, 3, 160, 48) for n in (4, 8, 16, 32)), "n")
"""More and more rows in three dimensions, few enough for networks' kernels not to be singular."""


def follow(order: Order, sequence: Path, rung: str, setting: Setting) -> tuple[Verdict, str]:
    """Fit the power with which a ratio grows or falls along a sequence: REFUTED if it runs away."""
    means = [mean_of(order.ratios(rung, cell, setting)) for cell in sequence.cells]
    first, last = sequence.cells[0], sequence.cells[-1]
    if min(mean.mean for mean in means) <= 0:
        return Verdict.INCONCLUSIVE, f"{order.label} is 0 on the way, with too narrow networks"
    fit = fit_slope(
        np.log(sequence.sizes),
        np.log([mean.mean for mean in means]),
        [mean.error / mean.mean for mean in means],
        level=1 - setting.alpha,
    )
    numbers = ", ".join(f"{mean.mean:.3g}" for mean in means)
    fixed = f"m = {first.width}, " + (f"d = {first.d}" if sequence.variable == "n" else "n = 2 d")
    sizes = ", ".join(f"{size:.0f}" for size in sequence.sizes)
    sentence = (
        f"{order.label} at {fixed}, {sequence.variable} = {sizes}: {numbers} (last +- {means[-1].error:.1g}), like "
        f"{sequence.variable}^{fit.slope:.2f}"
    )
    if abs(fit.slope) - fit.half_width > RUNAWAY:
        return (
            Verdict.REFUTED,
            f"{sentence}, no constant bounds it at n = {last.n}, d = {last.d}, m = {last.width} and on",
        )
    bounded = abs(fit.slope) + fit.half_width < RUNAWAY
    return (Verdict.CONFIRMED if bounded else Verdict.INCONCLUSIVE), sentence


def spread(order: Order, cells: Sequence[SpectrumCell], rung: str, setting: Setting) -> str:
    """Between which values a ratio lies on cells."""
    values = [order.ratios(rung, cell, setting).mean() for cell in cells if cell in setting.measured]
    return f"{order.label} lies between {min(values):.2g} and {max(values):.2g}"


def judge_largest(rung: str, statement: Statement, setting: Setting) -> Evidence:
    """A9."""
    verdict, sentence = follow(GATED_LARGEST, NARROW, rung, setting)
    plain, plain_sentence = follow(PLAIN_LARGEST, NARROW, rung, setting)
    known = [cell for cell in (*CELLS, *FURTHER_CELLS, *NARROW.cells) if cell.n >= cell.d]
    if rung != "finite":
        n, d, m = 20_000, 10_000, NARROW.cells[0].width
        far = law(rung, "reglu", n, d, m).largest / GATED_LARGEST.scale(n, d, m)
        sentence += f"; by the sharp law {far:.4g} at n = {n}, d = {d}, m = {m}"
    parts = [
        sentence,
        "the mean entry of the kernel is m/(4 d) + 1/2, and the 1/2, from the gradients, does not fall with m/d",
        f"{LARGEST_INSTEAD}: {spread(GATED_TRUE, known, rung, setting)} on {len(known)} sizes",
        f"plain: {spread(PLAIN_LARGEST, known, rung, setting)}; {plain_sentence}",
    ]
    return Evidence(together(verdict, plain), "; ".join(parts), _draws(NARROW, setting))


def judge_smallest(rung: str, statement: Statement, setting: Setting) -> Evidence:
    """A12."""
    found = [follow(order, CROWDED, rung, setting) for order in (PLAIN_SMALLEST, GATED_SMALLEST)]
    near = [cell for cell in (*CELLS, *FURTHER_CELLS) if 2 * cell.n <= cell.d and cell.width >= cell.d]
    ranges = ", ".join(spread(order, near, rung, setting) for order in (PLAIN_SMALLEST, GATED_SMALLEST))
    parts = [
        *(sentence for _, sentence in found),
        "lambda_n is at most the smallest entry of the diagonal, of the shortest row, and is smaller by the two "
        "nearest rows: both tend to 0 at fixed d",
        f"{SMALLEST_INSTEAD}; at n <= d/2, m >= d {ranges}",
    ]
    return Evidence(together(*(verdict for verdict, _ in found)), "; ".join(parts), _draws(CROWDED, setting))


def _draws(sequence: Path, setting: Setting) -> int:
    return sum(len(setting.measured[cell].largest("exact", "relu")) for cell in sequence.cells)


def _claim(id: str, judge: Callable[[str, Statement, Setting], Evidence], sequence: Path) -> Claim:
    cells = (*sequence.cells, *CELLS)
    return Claim(
        STATEMENTS[id],
        tuple(Rung(name, Verdict.REFUTED, partial(judge, name), cells, FURTHER_CELLS) for name in RUNGS),
    )


CLAIMS = (_claim("A9", judge_largest, NARROW), _claim("A12", judge_smallest, CROWDED))
