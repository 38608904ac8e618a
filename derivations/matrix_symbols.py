"""Notations of statements about kernel matrices: matrices, their eigenvalues and quadratic forms, as SymPy objects."""

from __future__ import annotations

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from derivations.symbols import raised

IDENTITY, ONES = sp.symbols("I J", real=True)
"""The identity, and the matrix of ones."""
PLAIN, GATED = sp.symbols("K K~", real=True)
"""The simplified kernels without gates and with one."""


COVARIANCE = sp.Symbol("Sigma", real=True)
"""The matrix of E[phi(w.x_i) phi(w.x_j)]."""
OUTPUTS = sp.Symbol("B", real=True)
"""The covariance of the outputs with gates, E[phi(w.x_i) phi(w.x_j)] (x_i.x_j/d)^g, at readout variance 1."""
DIAGONAL = sp.Symbol("f(1)", positive=True)
"""The kernel at two equal rows of the sphere."""
TAIL, CHANCE = sp.symbols("f_>L(1) p", positive=True)
"""The sum of the masses of all degrees above L; a probability."""
CYCLE, SECOND, FOURTH = sp.symbols("C_4 E[h^2] E[h^4]", positive=True)
"""E[h(x_1.x_2) h(x_2.x_3) h(x_3.x_4) h(x_4.x_1)], E h^2, E h^4 of independent uniform directions, h = f_>L."""
FOURTH_TRACE = sp.Symbol("E[tr(H^4)]", positive=True)
"""H = f_>L(R) off its diagonal."""
WITH_PROBABILITY = sp.Symbol("lambda_n(K) >=, with probability 1 - p", real=True)
"""What a smallest eigenvalue is at least with this probability."""
LEAST, MOST = sp.symbols("p_min p_max", positive=True)
"""The smallest and the largest of p_i = |x_i|^2 / d."""


def gram(power: int) -> sp.Symbol:
    """The Hadamard power of G = X X^T."""
    return sp.Symbol("G" if power == 1 else f"G^o{power}", real=True)


def norms(power: int) -> sp.Symbol:
    """The power of D = diag(|x_i|^2)."""
    return sp.Symbol("D" if power == 1 else f"D^{power}", real=True)


def rank_one(gates: int) -> sp.Symbol:
    """(r r^T) o G^og, r_i = |x_i|."""
    return sp.Symbol("(r r^T)" if gates == 0 else f"(r r^T) o {gram(gates)}", real=True)


class _OfMatrix(sp.Function):
    nargs = 1
    is_real = True
    text = latex_text = ""

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"{self.text}({printer.doprint(self.args[0])})"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        text = rf"{self.latex_text}\left({printer.doprint(self.args[0])}\right)"
        return raised(text, exp)


class Largest(_OfMatrix):
    """The largest eigenvalue of a symmetric matrix."""

    text, latex_text = "lambda_1", r"\lambda_1"


class Smallest(_OfMatrix):
    """The smallest eigenvalue of a symmetric matrix of n rows."""

    text, latex_text = "lambda_n", r"\lambda_n"


class Mean(_OfMatrix):
    """E[1^T A 1] / n, 1 the vector of ones."""

    text, latex_text = "mean", r"\operatorname{mean}"


class Kernel(sp.Function):
    """The NTK matrix with g linear gates at width m, standard parametrization: ``Kernel(g, m)``."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"K^({self.args[0]})[{printer.doprint(self.args[1])}]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        return f"K^{{({self.args[0]})}}_{{{printer.doprint(self.args[1])}}}"


class OfNetwork(Kernel):
    """The NTK matrix of one random network with g linear gates and m neurons, a random matrix: ``OfNetwork(g, m)``."""

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"K_net^({self.args[0]})[{printer.doprint(self.args[1])}]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        return rf"\hat K^{{({self.args[0]})}}_{{{printer.doprint(self.args[1])}}}"


class OverNetworks(_OfMatrix):
    """The expectation over networks, the rows given."""

    text, latex_text = "E", r"\operatorname{E}"


class Rank(_OfMatrix):
    """The rank of a matrix."""

    text, latex_text = "rank", r"\operatorname{rank}"


class Hadamard(sp.Function):
    """The product of two matrices entry by entry."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        return " o ".join(
            printer.parenthesize(argument, PRECEDENCE["Func"], strict=True) for argument in self.args
        )

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        return r" \circ ".join(
            printer.parenthesize(argument, PRECEDENCE["Func"], strict=True) for argument in self.args
        )


class Entries(sp.Function):
    """A symmetric matrix by an entry off its diagonal and one on it: ``Entries(off, on)``."""

    nargs = 2
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"[{printer.doprint(self.args[0])}; diagonal {printer.doprint(self.args[1])}]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        off, on = (printer.doprint(argument) for argument in self.args)
        return rf"\left[{off};\ \mathrm{{diagonal}}\ {on}\right]"


class Semidefinite(sp.Function):
    """The statement that a matrix is positive semidefinite, as the left side of a step."""

    nargs = 1
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"{printer.doprint(self.args[0])} is positive semidefinite"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        return rf"{printer.doprint(self.args[0])} \succeq 0"


class Diagonal(_OfMatrix):
    """The diagonal's common entry."""

    text, latex_text = "diag", r"\operatorname{diag}"


class Least(_OfMatrix):
    """The smallest value over all rows i of what depends on i."""

    text, latex_text = "min_i", r"\min_i"


class Most(_OfMatrix):
    """The largest value over all rows i."""

    text, latex_text = "max_i", r"\max_i"


class RowSum(_OfMatrix):
    """The sum over all k other than i of what depends on i and k."""

    text, latex_text = "sum_k!=i", r"\sum_{k\ne i}"
