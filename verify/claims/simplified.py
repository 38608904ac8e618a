"""A5, A6: the simplified matrices alpha G + beta r r^T + gamma D and their gated counterpart."""

from __future__ import annotations

from functools import partial

import numpy as np
import sympy as sp

from derivations.sources import STATEMENTS, Statement
from derivations.symbols import d, m, r_i, r_j, rho
from verify.cells import Cell
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.distance import Distance
from verify.claims.entries import Entries, EntryClaim
from verify.claims.ntk import GATED_CELLS, PLAIN_CELLS, tail
from verify.claims.symbolic import derived, judge_identities

# The distance must fall at least like d^-0.4 over the last two octaves of d, for every scaling of the width.
_RATE = -0.4
_DIMENSIONS = (2**10, 2**14)
_WIDTHS = {"m = 1": 0.0, "m = sqrt(d)": 0.5, "m = d": 1.0, "m = d^2": 2.0}


def _matrix(gates: int) -> dict[str, Entries]:
    """What alpha, beta and gamma multiply, off the diagonal and on it."""
    h = gates + 1
    s = r_i * r_j
    on = r_i ** (2 * h)
    return {
        "alpha": Entries((rho * s) ** h, on),
        "beta": Entries(s * (rho * s) ** gates, on),
        "gamma": Entries(sp.S.Zero, on),
    }


def _truncation(gates: int, expansion: Statement, statement: Statement, _: Setting) -> Evidence:
    """The simplified matrix is the source's own expansion, cut after rho^(g+1), with its diagonal."""
    parts = _matrix(gates)
    off = sum(formula * parts[name].off_diagonal for name, formula in statement.formulas)
    on = sum(formula * parts[name].diagonal for name, formula in statement.formulas)
    published = sp.Poly(expansion.formula("off_diagonal"), rho)
    kept = sum(published.coeff_monomial(rho**j) * rho**j for j in range(gates + 2))
    pairs = [("off the diagonal", off, kept), ("diagonal", on, expansion.formula("diagonal"))]
    return judge_identities(pairs, f"{expansion.id} cut after rho^{gates + 1}")


def _approximation(network: str, statement: Statement, _: Setting) -> Evidence:
    """The relative Frobenius distance to the exact kernel tends to 0 with d, for every scaling of m."""
    law = Distance(statement, derived(network))
    rates = {}
    for name, power in _WIDTHS.items():
        near, far = (law(np.inf, size, float(size) ** power) for size in _DIMENSIONS)
        rates[name] = float(np.log(far / near) / np.log(_DIMENSIONS[1] / _DIMENSIONS[0]))
    examples = ", ".join(
        f"{law(n, size, width, 'gaussian'):.3g} at n = {n}, d = {size}, m = {width}"
        for n, size, width in ((100, 10, 100), (1000, 100, 1000), (1000, 100, 1), (10**6, 1000, 1000))
    )
    falls = ", ".join(f"d^{rate:.2f} ({name})" for name, rate in rates.items())
    worst = max(rates, key=lambda name: rates[name])
    detail = (
        f"relative Frobenius distance {examples} (Gaussian rows); for n, d to infinity it is "
        f"{sp.sstr(law.leading_order())} and falls like {falls}"
    )
    if rates[worst] > _RATE:
        value = law(np.inf, _DIMENSIONS[1], float(_DIMENSIONS[1]) ** _WIDTHS[worst])
        return Evidence(
            Verdict.REFUTED,
            f"with {worst} the distance stays at {value:.2g} (d = {_DIMENSIONS[1]}, rate d^{rates[worst]:.2f}); {detail}",
        )
    return Evidence(Verdict.CONFIRMED, detail)


def _finite(entries: EntryClaim, gates: int, statement: Statement, setting: Setting) -> Evidence:
    """The entry test, and the distance of one network of width m on the cells' rows."""
    evidence = entries.judge(statement, setting)
    parts = "; ".join(_at_width(cell, gates, statement, setting) for cell in entries.cells)
    return Evidence(
        evidence.verdict, f"{evidence.detail}; {parts}", evidence.samples, evidence.smallest_detectable
    )


def _at_width(cell: Cell, gates: int, statement: Statement, setting: Setting) -> str:
    moments = setting.measured[cell]
    cosine, norms_i, norms_j = cell.geometry
    s, h = norms_i * norms_j, gates + 1
    alpha, beta, gamma = (
        float(statement.formula(name).subs({d: cell.d, m: cell.width})) for name in ("alpha", "beta", "gamma")
    )
    stated = alpha * (cosine * s) ** h + beta * s * (cosine * s) ** gates + gamma * cell.diagonal * s**h
    # Off-diagonal entries stand twice in the matrix; one network's variance is that of m neurons.
    weights = np.where(cell.diagonal, 1.0, 2.0)
    size = np.sqrt(weights @ moments.mean**2)
    bias = weights @ (moments.mean - stated) ** 2
    variance = weights @ np.diagonal(moments.covariance) * moments.neurons / cell.width
    return (
        f"on {cell.name} one network is at distance {np.sqrt(bias + variance) / size:.3g}, "
        f"the mean at {np.sqrt(bias) / size:.3g}"
    )


def _claim(id: str, expansion: str, network: str, gates: int, cells: tuple[Cell, ...]) -> Claim:
    entries = EntryClaim(
        {f"{network}/ntk": _matrix(gates)}, cells, remainder=lambda name: tail(name, gates + 1)
    )
    return Claim(
        STATEMENTS[id],
        (
            Rung("simplified", Verdict.PROVED, partial(_truncation, gates, STATEMENTS[expansion])),
            Rung("exact", Verdict.CONFIRMED, partial(_approximation, network)),
            Rung("finite", Verdict.CONFIRMED, partial(_finite, entries, gates), cells),
        ),
    )


CLAIMS = (_claim("A5", "A3", "relu", 0, PLAIN_CELLS), _claim("A6", "A4", "reglu", 1, GATED_CELLS))
