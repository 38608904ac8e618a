r"""A13, A14: the gated kernel against the plain one on the same data, on average over the data, for n > d.

\[ E[\lambda_n(\tilde K) - \lambda_n(K)] > 0, \qquad E[\log\mathrm{cond}(\tilde K) - \log\mathrm{cond}(K)] < 0, \]

the logarithm because a condition number of few rows has no mean. Differences are paired: both networks have the same
data, and on the finite rung the same readout and activation weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product

import numpy as np

from derivations.sources import STATEMENTS, Statement
from verify.activations import Array
from verify.claim import RUNGS, Claim, Evidence, Rung, Setting, Verdict
from verify.claims.spectrum import extremes
from verify.claims.spectrum.cells import Spectra, SpectrumCell
from verify.claims.spectrum.composition import composed, contradiction
from verify.claims.spectrum.ladders import CELLS, FURTHER_CELLS
from verify.claims.spectrum.laws import law
from verify.claims.spectrum.quantities import Mean, mean_of
from verify.claims.spectrum.trend import together

SMALL = tuple(
    SpectrumCell(n, d, m, 120)
    for n, d, m in product((3, 4, 5, 6, 7, 8, 10, 12), (2, 3), (1, 16, 128))
    if n > d
)
"""Where the smallest counterexamples are looked for."""
MORE = tuple(
    SpectrumCell(n, d, m, 120)
    for n, d, m in product((6, 8, 10, 12, 16, 24, 32, 48, 64), (5, 8), (1, 16, 128))
    if n > d
)
ONE_NEURON = tuple(SpectrumCell(2 * d, d, 1, 32) for d in (10, 20, 40))
ALL = SMALL + MORE + ONE_NEURON + tuple(cell for cell in CELLS + FURTHER_CELLS if cell.n > cell.d)

Advantage = Callable[[str, Spectra], Array]
"""How far the gated kernel is ahead in every draw of a cell, positive where the statement holds; NaN if undefined."""


def smallest_ahead(rung: str, spectra: Spectra) -> Array:
    """Of the smallest eigenvalue: the difference.

    Examples
    --------
    >>> values = np.array([[[1.0, 2.0]], [[3.0, 4.0]]])  # plain, gated: one draw's smallest and largest
    >>> smallest_ahead("exact", Spectra({"exact": values}))
    array([2.])
    """
    return np.asarray(spectra.smallest(rung, "reglu") - spectra.smallest(rung, "relu"))


def condition_ahead(rung: str, spectra: Spectra) -> Array:
    """Of the condition number: log(plain / gated); NaN where one of them is infinite.

    Examples
    --------
    >>> values = np.array([[[1.0, 2.0]], [[3.0, 3.0]]])
    >>> condition_ahead("exact", Spectra({"exact": values})).round(3)
    array([0.693])
    """
    logs = []
    for name in ("relu", "reglu"):
        smallest, largest = spectra.smallest(rung, name), spectra.largest(rung, name)
        regular = smallest > 0
        condition = np.divide(largest, smallest, out=np.full(len(smallest), np.nan), where=regular)
        logs.append(np.log(condition))
    return np.asarray(logs[0] - logs[1])


@dataclass(frozen=True)
class Outcome:
    """The mean advantage at one size, and whether its sign is certain."""

    cell: SpectrumCell
    mean: Mean
    certain: bool

    @property
    def fails(self) -> bool:
        """Whether the statement is refuted at this size."""
        return self.certain and self.mean.mean < 0

    @property
    def holds(self) -> bool:
        """Whether it is certain to hold at this size."""
        return self.certain and self.mean.mean > 0

    def __str__(self) -> str:
        cell, mean = self.cell, self.mean
        return f"n = {cell.n}, d = {cell.d}, m = {cell.width} ({mean.mean:.3g} +- {mean.error:.1g}, {mean.draws} draws)"


def outcomes(advantage: Advantage, rung: str, setting: Setting) -> list[Outcome]:
    """At every measured size where the advantage is defined, smallest first."""
    cells = sorted({cell for cell in ALL if cell in setting.measured}, key=lambda c: (c.n, c.d, c.width))
    found = []
    for cell in cells:
        values = advantage(rung, setting.measured[cell])
        if np.isfinite(values).all():
            mean = mean_of(values)
            bar = mean.deviation(setting.alpha / len(cells)) * mean.error
            found.append(Outcome(cell, mean, abs(mean.mean) > bar))
    return found


def ordering(found: Sequence[Outcome], what: str) -> tuple[Verdict, str]:
    """REFUTED at the smallest size where it fails, and where it holds."""
    failing = [outcome for outcome in found if outcome.fails]
    if not failing:
        held = all(outcome.holds for outcome in found)
        return (Verdict.CONFIRMED if held else Verdict.INCONCLUSIVE), f"{what} at {len(found)} sizes"
    since = max(outcome.cell.d for outcome in failing)
    text = f"smallest counterexample {failing[0]}: {what} is negative"
    text += f"; so it is at {len(failing)} of {len(found)} measured sizes"
    above = [outcome for outcome in found if outcome.cell.d > since]
    if above:
        certain = sum(outcome.holds for outcome in above)
        text += f", at none with d > {since}, where it is certain to hold at {certain} of {len(above)}"
    return Verdict.REFUTED, f"{text}; farthest {min(failing, key=lambda o: o.mean.mean / o.mean.error)}"


_DIMENSIONS, _WIDTH, _OCTAVES = (20, 50, 100), 100, 16
"""Where the law looks for the number of rows that reverses A13."""


@lru_cache(maxsize=16)
def reversal(rung: str, dimension: int, width: int) -> int | None:
    """The first n = 2 d, 4 d, ... at which the law has a smaller smallest eigenvalue for the gated kernel.

    Examples
    --------
    >>> reversal("exact", 20, 100)
    1280
    """
    for octave in range(1, _OCTAVES):
        n = dimension * 2**octave
        plain, gated = (law(rung, name, n, dimension, width) for name in ("relu", "reglu"))
        if plain.reliable and gated.reliable and gated.smallest < plain.smallest:
            return n
    return None


def _with_rows(rung: str) -> str:
    """From how many rows on the ordering is reversed in any dimension."""
    found = ((dimension, reversal(rung, dimension, _WIDTH)) for dimension in _DIMENSIONS)
    numbers = ", ".join(f"d = {dimension} at n = {n}" for dimension, n in found if n is not None)
    return f"by the sharp law it fails in any dimension once rows are many (n = 2 d, 4 d, ...; m = {_WIDTH}): {numbers}"


ON_THE_SPHERE = (
    "instead: for rows of equal length, |x|^2 = d, lambda_n(K~) >= lambda_n(K) at infinite width for all data, n, d and m; "
    "it is the shortest row, whose entry of the diagonal is |x|^4 against |x|^2, that reverses it"
)
CONDITION = (
    "instead: cond(K~_m) <= (max |x|^2 / min |x|^2) cond(K_(m + d)) at infinite width for all data, n, d and m: the gated "
    "kernel is to be compared with a plain one that is wider by d"
)


def judge_smallest(rung: str, statement: Statement, setting: Setting) -> Evidence:
    """A13: the ordering, then the number along the ladders."""
    if rung == "simplified":
        difference = contradiction(statement, composed())
        if difference:
            return Evidence(
                Verdict.REFUTED, f"not the difference of A11 and A10 at S = 0: {difference}", by_terms=True
            )
    found = outcomes(smallest_ahead, rung, setting)
    verdict, text = ordering(found, "E[lambda_n(K~) - lambda_n(K)]")
    findings = extremes.findings_of(statement, rung, setting)
    parts = [text, *(extremes.sentence(number, rung) for number in findings), ON_THE_SPHERE]
    if rung != "finite":
        parts.insert(1, _with_rows(rung))
    verdict = together(verdict, *(number.verdict for number in findings))
    return Evidence(verdict, "; ".join(parts), sum(outcome.mean.draws for outcome in found))


def judge_condition(rung: str, statement: Statement, setting: Setting) -> Evidence:
    """A14."""
    found = outcomes(condition_ahead, rung, setting)
    verdict, text = ordering(found, "E log(cond(K) / cond(K~))")
    narrow = [outcome for outcome in found if outcome.fails and outcome.cell.width == 1]
    if narrow:
        last = max(narrow, key=lambda outcome: outcome.cell.d)
        text += f"; at m = 1 up to {last}"
    return Evidence(verdict, f"{text}; {CONDITION}", sum(outcome.mean.draws for outcome in found))


def _claim(id: str, judge: Callable[[str, Statement, Setting], Evidence]) -> Claim:
    cells, further = (*SMALL, *ONE_NEURON, *CELLS), (*MORE, *FURTHER_CELLS)
    return Claim(
        STATEMENTS[id],
        tuple(Rung(name, Verdict.REFUTED, partial(judge, name), cells, further) for name in RUNGS),
    )


CLAIMS = (_claim("A13", judge_smallest), _claim("A14", judge_condition))
