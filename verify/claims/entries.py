r"""The finite rung: a claimed kernel against the mean kernel of random networks, entry by entry.

Every claim about a kernel is linear in its coefficients, so the claimed entries are a sum over the terms of its
formulas. That makes a planted error, and the smallest error that a check could see, as cheap as the check
itself: both only need the entries of one term.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from derivations.sources import Statement
from derivations.symbols import d, m, r_i, r_j, rho
from verify.activations import Array
from verify.cells import Cell
from verify.claim import Evidence, Setting, Verdict
from verify.joint_test import hotelling, smallest_detectable

# Entries are sums of a few products of numbers of order one; their rounding is far below this share of them.
ROUNDING = 1e-11


@dataclass(frozen=True)
class Entries:
    """What a formula contributes to the kernel's entries.

    Attributes
    ----------
    off_diagonal, diagonal : Expr
        Factors of the formula, in the shared symbols.
    """

    off_diagonal: sp.Expr
    diagonal: sp.Expr


Oracle = Callable[[Cell], Mapping[sp.Symbol, Array]]


@dataclass(frozen=True)
class EntryClaim:
    """How the formulas of a statement add up to the entries of a kernel.

    Attributes
    ----------
    networks : mapping of str to mapping of str to Entries
        For a cell's network (and kind): which formulas make up its kernel, and how.
    cells : tuple of Cell
    remainder : callable
        The part of the entries, as an expression off the diagonal, that the statement leaves out; exact.
    oracle : callable
        Values of symbols that are not geometry (expectations from quadrature), for a cell.
    """

    networks: Mapping[str, Mapping[str, Entries]]
    cells: tuple[Cell, ...]
    remainder: Callable[[str], sp.Expr] = lambda _: sp.S.Zero
    oracle: Oracle = lambda _: {}

    def judge(self, statement: Statement, setting: Setting) -> Evidence:
        """Joint test of all entries in every cell, and the errors it could have missed."""
        share = setting.alpha / len(self.cells)
        tests, samples = [], 0
        detectable: dict[str, float] = {}
        for cell in self.cells:
            moments = setting.measured[cell]
            samples += moments.neurons
            vectors = self._terms(statement, cell)
            claimed = sum(
                vectors.values(), start=self._evaluate(self.remainder(cell.network), sp.S.Zero, cell)
            )
            tolerance = ROUNDING * np.abs(moments.mean).max()
            tests.append((hotelling(moments.mean, moments.covariance, claimed, tolerance), cell, claimed))
            for label, direction in vectors.items():
                seen = smallest_detectable(moments.covariance, direction, share, setting.power, tolerance)
                detectable[label] = min(seen, detectable.get(label, np.inf))
        worst = max(detectable, key=lambda label: detectable[label])
        test, cell, claimed = min(tests, key=lambda entry: entry[0].p_value)
        sentence = (
            f"joint chi-square of all entries in {len(tests)} cells: smallest p = {test.p_value:.2g} "
            f"(refuted below {share:.2g}); errors from {detectable[worst]:.2%} in a single coefficient would be seen"
        )
        if test.p_value < share:
            return Evidence(
                Verdict.REFUTED,
                f"{_counterexample(cell, claimed, setting)}; {sentence}",
                samples,
                detectable[worst],
            )
        if detectable[worst] > setting.needed:
            sentence += f", {setting.needed:.2%} are asked for ({worst}); more neurons are needed"
            return Evidence(Verdict.INCONCLUSIVE, sentence, samples, detectable[worst])
        return Evidence(Verdict.CONFIRMED, sentence, samples, detectable[worst])

    def _terms(self, statement: Statement, cell: Cell) -> dict[str, Array]:
        """Entries of each term of each formula that enters this cell's kernel."""
        result = {}
        for name, entries in self.networks[f"{cell.network}/{cell.kind}"].items():
            for term in sp.Add.make_args(sp.expand(statement.formula(name))):
                off, on = term * entries.off_diagonal, term * entries.diagonal
                # A term that is zero here (the diagonal formula off the diagonal) has nothing to say.
                result[f"{name}: {term}"] = self._evaluate(off, on, cell)
        return result

    def _evaluate(self, off_diagonal: sp.Expr, diagonal: sp.Expr, cell: Cell) -> Array:
        cosine, norms_i, norms_j = cell.geometry
        values = {rho: cosine, r_i: norms_i, r_j: norms_j, **self.oracle(cell)}
        off, on = (_numbers(expression, cell, values) for expression in (off_diagonal, diagonal))
        return np.where(cell.diagonal, on, off)


def _numbers(expression: sp.Expr, cell: Cell, values: Mapping[sp.Symbol, Array]) -> Array:
    """`expression` at all pairs of a cell; 0 on pairs is not evaluated away, so shapes stay (10,)."""
    symbols = tuple(sorted(values, key=str))
    function = _compiled(expression.subs({m: cell.width, d: cell.d}), symbols)
    size = len(cell.diagonal)
    return np.broadcast_to(np.asarray(function(*(values[s] for s in symbols)), dtype=float), (size,))


@lru_cache(maxsize=4096)
def _compiled(expression: sp.Expr, symbols: tuple[sp.Symbol, ...]) -> Callable[..., Array]:
    return sp.lambdify(symbols, expression, modules="numpy")


def _counterexample(cell: Cell, claimed: Array, setting: Setting) -> str:
    """The single entry that disagrees most, in standard errors."""
    moments = setting.measured[cell]
    errors = np.sqrt(np.diagonal(moments.covariance))
    worst = int(np.argmax(np.abs(moments.mean - claimed) / np.maximum(errors, 1e-300)))
    cosine, norms_i, _ = cell.geometry
    where = f"{cell.network}, d = {cell.d}, m = {cell.width}, rho = {cosine[worst]:.3f}, |x|^2 = {norms_i[worst] ** 2:.3g}"
    return (
        f"at {where} the claim says {claimed[worst]:.6g}, networks have "
        f"{moments.mean[worst]:.6g} +- {errors[worst]:.1g}"
    )
