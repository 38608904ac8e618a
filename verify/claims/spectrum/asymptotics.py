r"""Statements about eigenvalues that should hold up to factors that tend to 1 at fixed n/d and m/d.

On the rungs of the simplified matrix and of the infinite-width kernel the sharp law follows the ratio to large sizes;
measured spectra have to agree with the law. A network's eigenvalue is

\[ \frac{\text{stated}}{\lambda(\text{network})} = \frac{\text{stated}}{\lambda(\text{exact})}
   \cdot \frac{\lambda(\text{exact})}{\lambda(\text{network})}, \]

the first factor taken from the law at its largest size, the second measured, both kernels on the same data: it is the
second whose trend the networks decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from verify.activations import Array
from verify.claim import Setting, Verdict
from verify.claims.spectrum.cells import SpectrumCell
from verify.claims.spectrum.ladders import DIMENSIONS, RATIOS, Ratios, ladder, shown, size
from verify.claims.spectrum.quantities import UPPER, Quantity, Size, mean_of
from verify.claims.spectrum.trend import Point, Trend, together, trend

Stated = Callable[[int, int, int], float]
"""A formula, as a function of n, d and m."""

ROUNDING = 1e-9
"""Share of the exact kernel's eigenvalue below which a network's is 0."""
NEGLIGIBLE = 1e-3
"""Of log(stated / true), in reports."""
AGREEMENT = 0.1
"""Of the law and measured means, in the logarithm, beyond error bars."""


@dataclass(frozen=True)
class Finding:
    """What ladders say of one formula.

    Attributes
    ----------
    quantity : Quantity
    trends : dict
        By ratios, as far as they could be followed.
    points : dict
        Measured ratios by ratios, smallest size first.
    disagreement : str
        Where the law and measured spectra differ; empty if they agree.
    """

    quantity: Quantity
    trends: dict[Ratios, Trend]
    points: dict[Ratios, tuple[Point, ...]]
    disagreement: str = ""

    @property
    def verdict(self) -> Verdict:
        """REFUTED where a ladder is and a measured size shows it; CONFIRMED if all ladders are."""
        if self.disagreement or not self.trends:
            return Verdict.INCONCLUSIVE
        found = together(*(trend.verdict for trend in self.trends.values()))
        return Verdict.INCONCLUSIVE if found == Verdict.REFUTED and not self.counterexample else found

    @property
    def counterexample(self) -> Point | None:
        """The smallest measured size that is off, at ratios where the statement does not become true."""
        off = [
            point
            for ratios, found in self.trends.items()
            if found.verdict == Verdict.REFUTED
            for point in self.points.get(ratios, ())
            if point.is_off
        ]
        return min(off, key=lambda point: point.size, default=None)


def finding(
    quantity: Quantity, stated: Stated, rung: str, setting: Setting, larger_n: bool = False
) -> Finding:
    """Follow one formula along all ladders; `larger_n`: those with n > d alone."""
    chosen = [ratios for ratios in RATIOS if ratios[0] > 1 or not larger_n]
    cells = {ratios: found for ratios in chosen if (found := ladder(ratios, setting))}
    alpha = setting.alpha / max(1, len(cells))
    points = {
        ratios: _measured(quantity, stated, rung, setting, found, alpha) for ratios, found in cells.items()
    }
    if rung != "finite":
        trends = {
            ratios: trend([by_law(quantity, stated, rung, size(ratios, at)) for at in DIMENSIONS])
            for ratios in chosen
        }
        return Finding(quantity, trends, points, _disagreement(quantity, rung, points))
    relative = {
        ratios: _relative(quantity, stated, setting, ratios, found, alpha) for ratios, found in cells.items()
    }
    trends = {ratios: trend(found) for ratios, found in relative.items() if len(found) > 1}
    if quantity.relation == UPPER:
        # Jensen: networks' largest eigenvalues have no smaller mean.
        exact = {
            ratios: trend([by_law(quantity, stated, "exact", size(ratios, at)) for at in DIMENSIONS])
            for ratios in trends
        }
        trends |= {ratios: found for ratios, found in exact.items() if found.verdict == Verdict.REFUTED}
    return Finding(quantity, trends, points)


def by_law(quantity: Quantity, stated: Stated, rung: str, at: Size) -> Point:
    """The ratio at one size by the sharp law."""
    return Point(at, stated(*at), quantity.by_law(rung, at), quantity.relation)


def _measured(
    quantity: Quantity,
    stated: Stated,
    rung: str,
    setting: Setting,
    cells: Sequence[SpectrumCell],
    alpha: float,
) -> tuple[Point, ...]:
    values = [quantity.measured(rung, setting.measured[cell]) for cell in cells]
    spreads = [drawn / (abs(drawn.mean()) or np.inf) for drawn in values]
    bars = half_widths(spreads, alpha)
    found = []
    for cell, drawn, spread, bar in zip(cells, values, spreads, bars, strict=True):
        at = cell.n, cell.d, cell.width
        found.append(Point(at, stated(*at), drawn.mean(), quantity.relation, mean_of(spread).error, bar))
    return tuple(found)


def _relative(
    quantity: Quantity,
    stated: Stated,
    setting: Setting,
    ratios: Ratios,
    cells: Sequence[SpectrumCell],
    alpha: float,
) -> list[Point]:
    """Ratios for networks at the ladder's far end, but with the factors that finite width brings at these sizes."""
    far = size(ratios, DIMENSIONS[-1])
    claimed, limit = stated(*far), quantity.by_law("exact", far)
    kept, spreads, factors = [], [], []
    for cell in cells:
        exact, networks = (quantity.measured(rung, setting.measured[cell]) for rung in ("exact", "finite"))
        # Where networks are too narrow for n rows their kernels are singular.
        if min(exact.mean(), networks.mean()) > ROUNDING * exact.mean():
            kept.append(cell)
            # The delta method for a ratio of means of paired draws.
            spreads.append(networks / networks.mean() - exact / exact.mean())
            factors.append(networks.mean() / exact.mean())
    bars = half_widths(spreads, alpha)
    return [
        Point(
            (cell.n, cell.d, cell.width),
            claimed,
            limit * factor,
            quantity.relation,
            mean_of(spread).error,
            bar,
        )
        for cell, factor, spread, bar in zip(kept, factors, spreads, bars, strict=True)
    ]


def half_widths(spreads: Sequence[Array], alpha: float) -> list[float]:
    """Of the means of relative deviations at the sizes of one ladder, by Student's law with pooled variance.

    Relative deviations fall as sizes grow, so that what is pooled is no smaller than the last sizes' own.

    Examples
    --------
    >>> half_widths([np.array([0.9, 1.1]), np.array([0.9, 1.0, 1.1])], 0.05)
    [0.2598..., 0.2121...]
    """
    freedom = sum(len(spread) - 1 for spread in spreads)
    if freedom == 0:
        return []
    variance = sum(float(np.var(spread, ddof=1)) * (len(spread) - 1) for spread in spreads) / freedom
    quantile = float(-stdtrit(freedom, alpha / 2))
    return [quantile * float(np.sqrt(variance / len(spread))) for spread in spreads]


def _disagreement(quantity: Quantity, rung: str, points: dict[Ratios, tuple[Point, ...]]) -> str:
    """The first measured mean that the law, where it is reliable, does not meet."""
    if quantity.network == "difference":  # of two that are compared by themselves
        return ""
    for found in points.values():
        for point in found:
            law = quantity.by_law(rung, point.size)
            if not quantity.reliable(rung, point.size) or point.true <= 0:
                continue
            if abs(np.log(law / point.true)) > AGREEMENT + point.half_width:
                return f"the law's {law:.4g} is not what was measured at {point}"
    return ""


def describe(finding: Finding) -> str:
    """The exponents with which ratios approach 1, and what is left."""
    found = finding.trends
    # Of what is left within a thousandth the exponent says nothing: it may be changing its sign there.
    exponents = [t.slope for t in found.values() if t.slope < 0 and t.points[-1].off > NEGLIGIBLE]
    worst = max(found, key=lambda ratios: found[ratios].points[-1].off)
    last = found[worst].points[-1]
    if last.off < NEGLIGIBLE:
        return f"right to {NEGLIGIBLE:.1%} at the largest size of all {len(found)} pairs of ratios"
    left = f"{np.expm1(last.off):.1%} ({shown(worst)}, d = {last.size[1]})"
    if not exponents:
        return f"at the largest sizes off by at most {left}"
    low, high = min(exponents), max(exponents)
    power = f"d^{low:.2f}" if high - low < 0.005 else f"d^{low:.2f} to d^{high:.2f}"
    return f"log(stated / true) falls like {power}, at most {left} is left"


def within(finding: Finding, tolerance: float) -> str:
    """From which size of the law's ladders on all ratios are within a tolerance of 1."""
    good = [
        at
        for index, at in enumerate(DIMENSIONS)
        if all(t.points[index].off <= np.log1p(tolerance) for t in finding.trends.values())
    ]
    if len(good) == len(DIMENSIONS):
        return ""
    since = f"from d = {good[0]} on" if good else f"not even at d = {DIMENSIONS[-1]}"
    return f"within {tolerance:.0%} at all pairs of ratios {since}"


def worst_measured(finding: Finding) -> Point | None:
    """The measured size that is farthest off, where the ratio is finite."""
    points = [p for found in finding.points.values() for p in found if np.isfinite(p.log_ratio) and p.is_off]
    return max(points, key=lambda point: point.off, default=None)


def refuted_ratios(finding: Finding) -> str:
    """Where a statement does not become true, and what remains there."""
    parts = []
    for ratios, found in finding.trends.items():
        if found.verdict == Verdict.REFUTED:
            last = found.points[-1]
            parts.append(f"{shown(ratios)}: {np.exp(last.log_ratio):.3g}")
    return ", ".join(parts)
