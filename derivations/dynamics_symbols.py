"""Notations of statements about the expected loss under gradient descent, as SymPy objects."""

from __future__ import annotations

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from derivations.learning_symbols import eta
from derivations.matrix_symbols import IDENTITY
from derivations.symbols import n, raised

MATRIX, START = sp.symbols("K C_0", real=True)
"""The kernel on the rows, and the covariance of the outputs before the first step."""
steps = sp.Symbol("k", integer=True, nonnegative=True)
"""How many steps were done."""
time = sp.Symbol("t", positive=True)
"""eta k, of gradient flow."""
index = sp.Symbol("i", integer=True, positive=True)
"""Of a mode."""
eigenvalue, energy, target = (sp.IndexedBase(name, real=True) for name in ("lambda", "c", "beta"))
"""By mode: lambda_i, v_i^T C_0 v_i, v_i^T Y."""
RESIDUAL = sp.Function("residual", real=True)
"""f_k - Y after a number of steps."""
LOSS = sp.Function("L", real=True)
EXPECTED = sp.Function("EL", real=True)
"""The loss after a number of steps, and its expectation over the initial weights."""
FLOW = sp.Function("EL_flow", real=True)
"""The expected loss under gradient flow."""
FACTOR = IDENTITY - eta * MATRIX
"""What one step does to f - Y."""


class _Bracketed(sp.Function):
    is_real = True
    before = after = ""
    latex_before = latex_after = ""

    def _sympystr(self, printer: StrPrinter) -> str:
        return self.before + printer.doprint(self.args[0]) + self.after

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        text = self.latex_before + printer.doprint(self.args[0]) + self.latex_after
        return raised(text, exp, brackets=True)


class Trace(_Bracketed):
    """The trace of a matrix."""

    nargs = 1
    before, after = "Tr[", "]"
    latex_before, latex_after = r"\operatorname{Tr}\left[", r"\right]"


class OfTargets(_Bracketed):
    """The quadratic form Y^T A Y."""

    nargs = 1
    before, after = "Y^T [", "] Y"
    latex_before, latex_after = r"Y^T\left[", r"\right]Y"


class OfResidual(_Bracketed):
    """The quadratic form (f_0 - Y)^T A (f_0 - Y)."""

    nargs = 1
    before, after = "(f_0 - Y)^T [", "] (f_0 - Y)"
    latex_before, latex_after = r"(f_0 - Y)^T\left[", r"\right](f_0 - Y)"


def over_modes(term: sp.Expr) -> sp.Expr:
    """Its sum over all modes i."""
    return sp.Sum(term, (index, 1, n))
