r"""A16: early in training, in expectation over Gaussian rows.

\[ E[L_k - \tilde L_k] = \tfrac12 E[\operatorname{Tr} C_0 - \operatorname{Tr}\tilde C_0]
   - \eta k\,\big(E\operatorname{Tr}[K C_0] - E\operatorname{Tr}[\tilde K\tilde C_0] + E\,Y^T(K - \tilde K)Y\big)
   + O((\eta k)^2) \]

The first term is negative at every size: for eta k small enough the plain loss is the smaller one, whatever d, n and the
labels. That it also falls faster, for all Y of the hypothesis (0 among them), is the sign of the difference of traces.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from derivations.dynamics import early_stage, exact_region, exact_smallest_rows
from derivations.dynamics.initial import Initial
from derivations.sources import STATEMENTS, Statement
from derivations.sources.glu_dynamics import EARLY_DIMENSION, EARLY_ROWS
from verify.activations import Array
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.dynamics.descents import CELLS, FURTHER_CELLS, KERNEL_RUNGS, TRACE_CELLS
from verify.claims.dynamics.trained import FURTHER_SLOPE_CELLS, SLOPE_CELLS
from verify.claims.spectrum.quantities import Mean, mean_of

DIMENSIONS, WIDTHS = (5, 10, 20, 50, 100, 200, 500, 1000), (1, 3, 10, 30, 100, 300, 1000, 10_000)
"""Where the region is looked at."""


def smallest_rows(rung: str, d: int, width: int, initial: Initial = "kernel") -> int | None:
    """From how many rows on the plain loss falls faster; None if from none.

    Examples
    --------
    >>> [smallest_rows(rung, 5, 100) for rung in ("simplified", "exact")]
    [85, 84]
    """
    if rung == "simplified":
        return early_stage(initial).smallest_rows(d, width)
    return exact_smallest_rows(d, width, initial)


@lru_cache(maxsize=4)
def outside(rung: str, initial: Initial = "kernel") -> tuple[tuple[int, int, int | None], ...]:
    """(d, m, smallest n) where the statement fails at its smallest n, d first."""
    found = ((d, width, smallest_rows(rung, d, width, initial)) for d in DIMENSIONS for width in WIDTHS)
    return tuple((d, width, rows) for d, width, rows in found if rows is None or rows > EARLY_ROWS)


def _region(rung: str) -> str:
    """Up to which width it fails, in words."""
    parts = []
    for initial, words in (("kernel", "C_0 = K"), ("nngp", "the networks' own C_0")):
        widths = ", ".join(f"m = {m} at d = {d}" for d, m in _narrow(rung, initial).items())  # type: ignore[arg-type]
        parts.append(f"with {words} it fails at n = {EARLY_ROWS} up to {widths}")
    return "; ".join(parts)


def _narrow(rung: str, initial: Initial) -> dict[int, int]:
    """The largest width that is too small for the published number of rows, by d, where there is one."""
    found = {}
    for d in DIMENSIONS:
        region = early_stage(initial).at(d) if rung == "simplified" else exact_region(d, initial)
        enough = region.smallest_width(EARLY_ROWS)
        assert enough is not None  # from d = 4 on 300 rows are enough for wide networks
        if enough > 1:
            found[d] = enough - 1
    return found


def _judge(rung: str, _: Statement, setting: Setting) -> Evidence:
    """By the expectations in closed form, with which drawn rows have to agree."""
    failing = outside(rung)
    if not failing:
        return Evidence(Verdict.CONFIRMED, f"at all d of {DIMENSIONS} and m of {WIDTHS}")
    against, draws = [], 0
    for cell in TRACE_CELLS:
        mean = mean_of(setting.measured[cell][rung])
        draws += mean.draws
        rows = smallest_rows(rung, cell.d, cell.width)
        if not _certain(mean, setting.alpha / len(TRACE_CELLS)) or (mean.mean > 0) != (
            rows is not None and rows <= cell.n
        ):
            against.append(f"{cell.size}: {mean.mean:.3g} +- {mean.error:.1g}, {mean.draws} draws")
    if against:
        return Evidence(
            Verdict.INCONCLUSIVE, f"drawn rows do not say the same as the closed form: {against[0]}", draws
        )
    cells = [cell for cell in CELLS + FURTHER_CELLS if cell in setting.measured]
    d, width, rows = failing[0]
    below = "at no n" if rows is None else f"only from n = {rows}"
    admitted = ", ".join(
        f"{float(np.mean(setting.measured[cell][rung].admitted)):.0%} at {cell.size}" for cell in cells
    )
    text = (
        "as eta k tends to 0 the plain loss is ahead at every n, d and m, without any hypothesis, as E Tr C_0 < E Tr C~_0; "
        f"refuted is that it also falls faster: smallest counterexample d = {d}, m = {width}, Y = 0: "
        f"E Tr K^2 > E Tr K~^2 {below} (n >= {EARLY_ROWS} stated); "
        f"{_region(rung)}; it is not needed either: at d = {EARLY_DIMENSION}, m = 1000 from "
        f"n = {smallest_rows(rung, EARLY_DIMENSION, 1000)}, at d = 4 from n = {smallest_rows(rung, 4, 1000)}; "
        "instead: with E Tr[K C_0 - K~ C~_0] = n (A + (n - 1) Q), A and Q polynomials in m, from n = 1 - A/Q on where Q > 0, "
        f"at no n elsewhere; random labels that satisfy the hypothesis: {admitted}"
    )
    return Evidence(Verdict.REFUTED, text, draws)


def _certain(mean: Mean, alpha: float) -> bool:
    return abs(mean.mean) > mean.deviation(alpha) * mean.error


def _finite(_: Statement, setting: Setting) -> Evidence:
    """Slopes of the losses of networks, with Y = 0."""
    cells = [cell for cell in SLOPE_CELLS + FURTHER_SLOPE_CELLS if cell in setting.measured]
    share = setting.alpha / len(cells)
    failing: list[str] = []
    holding: list[str] = []
    draws = 0
    for cell in cells:
        slopes: Array = setting.measured[cell][1]
        mean = mean_of(slopes[0] - slopes[1])
        draws += mean.draws
        text = f"{cell.size} ({mean.mean:.3g} +- {mean.error:.1g}, {mean.draws} networks)"
        if _certain(mean, share):
            (failing if mean.mean < 0 else holding).append(text)
    if not failing:
        held = len(holding) == len(cells)
        return Evidence(Verdict.CONFIRMED if held else Verdict.INCONCLUSIVE, f"at {len(cells)} sizes", draws)
    text = f"with Y = 0, E|gradient|^2 is smaller without the gate at {'; '.join(failing)}"
    if holding:
        text += f"; larger at {'; '.join(holding)}"
    return Evidence(Verdict.REFUTED, text, draws)


CLAIM = Claim(
    STATEMENTS["A16"],
    (
        *(
            Rung(rung, Verdict.REFUTED, partial(_judge, rung), (*TRACE_CELLS, *CELLS), FURTHER_CELLS)
            for rung in KERNEL_RUNGS
        ),
        Rung("finite", Verdict.REFUTED, _finite, SLOPE_CELLS, FURTHER_SLOPE_CELLS),
    ),
)
