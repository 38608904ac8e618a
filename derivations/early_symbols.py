"""Notations of statements about the early stage of training: expected traces, who is ahead, from which n, d and m on."""

from __future__ import annotations

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from derivations.symbols import d, m, raised

SLOPE = sp.Function("slope", real=True)
"""d E L_k / d eta at eta = 0, after a number of steps."""
DIAGONAL, PAIRS = sp.symbols("A Q", real=True)
"""What one row, and what a pair of rows, adds to the difference of two networks' slopes."""
LEAST = sp.Function("n_min", real=True)
"""The number of rows from which the plain loss falls faster, where there is one, at a d and m."""
CRITICAL = sp.Symbol("m_min", positive=True)
"""The width above which there is one, at a d."""
ratio = sp.Symbol("t", positive=True)
"""m / d."""
THRESHOLD = LEAST(d, m)


class MeanTrace(sp.Function):
    """E Tr K^p over Gaussian rows, K with g gates: ``MeanTrace(g, p)``."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"E Tr[{_power('K' + '~' * int(self.args[0]), self.args[1])}]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        kernel = r"\tilde K" if self.args[0] else "K"
        text = rf"\operatorname{{E}}\operatorname{{Tr}}\left[{_power(kernel, self.args[1])}\right]"
        return raised(text, exp, brackets=True)


class MeanOutputs(sp.Function):
    """E Tr[K^p C_0] over Gaussian rows, C_0 the covariance of the outputs at the start: ``MeanOutputs(g, p)``."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        mark = "~" * int(self.args[0])
        kernel = _power(f"K{mark}", self.args[1]) + " " if self.args[1] else ""
        return f"E Tr[{kernel}C_0{mark}]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        mark = r"\tilde " if self.args[0] else ""
        kernel = _power(f"{mark}K", self.args[1]) if self.args[1] else ""
        text = rf"\operatorname{{E}}\operatorname{{Tr}}\left[{kernel}{mark}C_0\right]"
        return raised(text, exp, brackets=True)


def _power(name: str, power: sp.Expr) -> str:
    return name if power == 1 else f"{name}^{power}"


class Negative(sp.Function):
    """The statement that an expression is negative at all n, d and m; with ``Subs(..., d, size)`` at this d."""

    nargs = 1
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        inside, where = self._parts()
        return f"{printer.doprint(inside)} < 0{where}"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        inside, where = self._parts()
        return f"{printer.doprint(inside)} < 0" + (rf"\text{{{where}}}" if where else "")

    def _parts(self) -> tuple[sp.Expr, str]:
        (inside,) = self.args
        if isinstance(inside, sp.Subs):
            return inside.expr, f" at d = {inside.point[0]}"
        return inside, ""


class PositiveFrom(sp.Function):
    """The statement that an expression is positive, at every m, for d from a number on and at no smaller d, m = 1."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        every = " at every m" if self.args[0].has(PAIRS) and not self.args[0].has(sp.Limit) else ""
        return f"{printer.doprint(self.args[0])} > 0{every} exactly for d >= {self.args[1]}"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        return rf"{printer.doprint(self.args[0])} > 0 \iff d \ge {self.args[1]}"


class NeverEnough(sp.Function):
    """The statement that so many rows are too few at a width, whatever d is: ``NeverEnough(n, m)``."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        rows, width = map(printer.doprint, self.args)
        return f"n_min(d, {width}) > {rows}, or there is none, at every d"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        rows, width = map(printer.doprint, self.args)
        return rf"n_{{\min}}(d, {width}) > {rows} \;\forall d"


GAPS = tuple(MeanOutputs(0, power) - MeanOutputs(1, power) for power in (0, 1))
"""Of the losses at the start, twice; and of how fast they fall."""
