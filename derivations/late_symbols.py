"""Notations of statements about the last steps of gradient descent on two kernels, as SymPy objects."""

from __future__ import annotations

import sympy as sp

from derivations.dynamics_symbols import EXPECTED, eigenvalue, index, steps
from derivations.learning_symbols import eta
from derivations.matrix_symbols import Most

LOW, HIGH = sp.Symbol("lambda_n", nonnegative=True), sp.Symbol("lambda_1", positive=True)
LOW_GATED, HIGH_GATED = sp.Symbol("lambda~_n", nonnegative=True), sp.Symbol("lambda~_1", positive=True)
"""The smallest and the largest eigenvalue of a mode with weight, without gates and with them."""
SLOWEST, SLOWEST_GATED = sp.symbols("q q~", positive=True)
"""The largest |1 - eta lambda_i| of a mode with weight."""
WEIGHT, WEIGHT_GATED = sp.symbols("W W~", positive=True)
"""The sum of the weights of all modes that have it."""
ALL_GATED = sp.Symbol("T~", positive=True)
"""The sum of all weights of the gated network, twice its loss at the start."""
GATED_LOSS = sp.Function("EL~", real=True)
"""The gated network's expected loss after a number of steps."""
LATE = sp.Symbol("k_late", real=True)
"""From this step on one mode of the slower network outweighs the other network's whole loss."""
ROW = sp.Symbol("x", real=True)
SHARE = sp.Symbol("p", positive=True)
"""A single row, and |x|^2 / d of it."""

FACTORS = Most(sp.Abs(1 - eta * eigenvalue[index]))
DECIDES = sp.Piecewise((1, sp.Eq(sp.Abs(1 - eta * eigenvalue[index]), SLOWEST)), (0, True))
"""1 for a mode that decays slowest."""
LAST_LOSS = sp.Limit(EXPECTED(steps) / SLOWEST ** (2 * steps), steps, sp.oo)
DIFFERENCE = EXPECTED(steps) - GATED_LOSS(steps)
LAST_DIFFERENCE = sp.Limit(DIFFERENCE / sp.Max(SLOWEST, SLOWEST_GATED) ** (2 * steps), steps, sp.oo)


class AtRows(sp.Function):
    """A kernel matrix at given rows: ``AtRows(kernel, rows)``, the rows a tuple of tuples."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: sp.printing.str.StrPrinter) -> str:
        return f"{printer.doprint(self.args[0])} at rows {printer.doprint(self.args[1])}"

    def _latex(self, printer: sp.printing.latex.LatexPrinter, exp: str | None = None) -> str:
        return rf"{printer.doprint(self.args[0])}\big|_{{{printer.doprint(self.args[1])}}}"
