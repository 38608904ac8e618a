"""A1-A4: the general form of the kernel, the arc-cosine kernels, and the expansions in the cosine."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
import sympy as sp

from derivations.rules import rewrite
from derivations.sources import STATEMENTS, Statement
from derivations.sources.glu_condition_numbers import GRAM, PHI_PHI, SLOPE_SLOPE
from derivations.symbols import KERNEL, Expectation, Phi, d, l, r_i, r_j, rho, sigma_w, u_1, u_2, x, y
from verify.activations import ACTIVATIONS, Array
from verify.cells import Cell
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.entries import Entries, EntryClaim
from verify.claims.symbolic import derived, judge_identities
from verify.quadrature import expectation

NETWORKS = {"plain": "relu", "gated": "reglu"}
_ONE, _ZERO = sp.S.One, sp.S.Zero
_EVERYWHERE = Entries(_ONE, _ONE)

# Neurons (in 1024s) at which the smallest detectable error of every single coefficient is below 0.5 %.
PLAIN_CELLS = (Cell("relu", "ntk", 2, 2, 16_384), Cell("relu", "ntk", 2, 20, 12_288))
GATED_CELLS = (Cell("reglu", "ntk", 3, 1, 81_920), Cell("reglu", "ntk", 2, 20, 32_768))
DUAL_CELLS = (Cell("relu", "nngp", 2, 1, 8_192), Cell("step", "nngp", 2, 1, 8_192))


def _general_form(statement: Statement, _: Setting) -> Evidence:
    names = {
        Expectation(Phi(0, u_1) * Phi(0, u_2)): PHI_PHI,
        Expectation(Phi(1, u_1) * Phi(1, u_2)): SLOPE_SLOPE,
        sp.Sum(x[l] * y[l], (l, 1, d)): GRAM,
    }
    pairs = []
    for kind, name in NETWORKS.items():
        result = derived(name)
        general = next(
            step.rhs for step in result.steps if step.lhs == KERNEL and step.title == "General kernel"
        )
        values = dict(result.network.parametrization.values)
        pairs.append((kind, statement.formula(kind), general.subs(names).subs(values)))
    return judge_identities(pairs, "the sum over blocks derived from one hidden unit")


def _arc_cosine(statement: Statement, _: Setting) -> Evidence:
    result = derived("relu", variances="symbolic")
    pairs = []
    for order, name in enumerate(("phi_phi", "slope_slope")):
        closed = rewrite(Expectation(Phi(order, u_1) * Phi(order, u_2)), result.steps)
        pairs.append((name, statement.formula(name), closed))
    return judge_identities(pairs, "what Price's theorem gives")


def _expansion(kind: str, statement: Statement, _: Setting) -> Evidence:
    result = derived(NETWORKS[kind])
    degree = result.network.gates + 1
    polynomial = sum(c * rho**j for j, c in enumerate(result.expansion.coefficients[:3])) / d**degree
    pairs = [
        ("diagonal", statement.formula("diagonal"), result.kernel.diagonal),
        ("off_diagonal", statement.formula("off_diagonal"), polynomial * (r_i * r_j) ** degree),
    ]
    return judge_identities(pairs, "the derived kernel (diagonal) and its expansion to rho^2")


@lru_cache(maxsize=8)
def tail(network: str, degree: int) -> sp.Expr:
    """The exact kernel off the diagonal minus its expansion up to `degree`."""
    result = derived(network)
    power = result.network.gates + 1
    kept = sum(c * rho**j for j, c in enumerate(result.expansion.coefficients[: degree + 1]))
    return result.kernel.off_diagonal - kept * (r_i * r_j) ** power / d**power


def _quadrature(cell: Cell) -> dict[sp.Symbol, Array]:
    """E[phi phi], E[phi' phi'] of ReLU and the Gram matrix on a cell, without any formula of ours."""
    cosine, norms_i, norms_j = cell.geometry
    relu, slope = ACTIVATIONS["relu"][0], ACTIVATIONS["step"][0]
    scale = 1 / np.sqrt(cell.d)
    pairs = list(zip(cosine, norms_i * scale, norms_j * scale, strict=True))
    return {
        PHI_PHI: np.array([expectation(relu, relu, p, q, c) for c, p, q in pairs]),
        SLOPE_SLOPE: np.array([expectation(slope, slope, p, q, c) for c, p, q in pairs]),
        GRAM: cosine * norms_i * norms_j,
    }


_general = EntryClaim(
    {"relu/ntk": {"plain": _EVERYWHERE}, "reglu/ntk": {"gated": _EVERYWHERE}},
    PLAIN_CELLS + GATED_CELLS,
    oracle=lru_cache(_quadrature),
)
# The cells draw their weights from N(0, 1/d); their NNGP kernel is E[phi phi].
_arc_cosine_entries = EntryClaim(
    {
        "relu/nngp": {"phi_phi": Entries(1 / (d * sigma_w**2), 1 / (d * sigma_w**2))},
        "step/nngp": {"slope_slope": _EVERYWHERE},
    },
    DUAL_CELLS,
)


def _expansion_entries(network: str, cells: tuple[Cell, ...]) -> EntryClaim:
    parts = {"diagonal": Entries(_ZERO, _ONE), "off_diagonal": Entries(_ONE, _ZERO)}
    return EntryClaim({f"{network}/ntk": parts}, cells, remainder=lambda name: tail(name, 2))


def _rungs(exact: Callable[[Statement, Setting], Evidence], entries: EntryClaim) -> tuple[Rung, ...]:
    return (
        Rung("exact", Verdict.PROVED, exact),
        Rung("finite", Verdict.CONFIRMED, entries.judge, entries.cells),
    )


CLAIMS = (
    Claim(STATEMENTS["A1"], _rungs(_general_form, _general)),
    Claim(STATEMENTS["A2"], _rungs(_arc_cosine, _arc_cosine_entries)),
    Claim(STATEMENTS["A3"], _rungs(partial(_expansion, "plain"), _expansion_entries("relu", PLAIN_CELLS))),
    Claim(STATEMENTS["A4"], _rungs(partial(_expansion, "gated"), _expansion_entries("reglu", GATED_CELLS))),
)
