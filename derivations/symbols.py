"""Every symbol that formulas share, with its assumptions, and the notations that SymPy lacks.

Conventions: the two inputs are ``x`` and ``y`` with norms ``r_i``, ``r_j`` and cosine ``rho``; ``u_1``, ``u_2``
are the preactivations of one hidden unit at the two inputs, jointly Gaussian with standard deviations
``s_1``, ``s_2`` and covariance ``c``; ``m`` is the width and ``d`` the input dimension.
"""

from __future__ import annotations

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

z = sp.Symbol("z", real=True)
u_1, u_2 = sp.symbols("u_1 u_2", real=True)
s_1, s_2 = sp.symbols("s_1 s_2", positive=True)
c = sp.Symbol("c", real=True)
rho = sp.Symbol("rho", real=True)
r_i, r_j = sp.symbols("r_i r_j", positive=True)
m = sp.Symbol("m", integer=True, positive=True)
d = sp.Symbol("d", integer=True, positive=True)
n = sp.Symbol("n", integer=True, positive=True)

a, b = sp.symbols("a b", real=True)
w = sp.IndexedBase("w", real=True)
x = sp.IndexedBase("x", real=True)
y = sp.IndexedBase("y", real=True)
k, l = sp.symbols("k l", integer=True, positive=True)  # noqa: E741 (the literature's summation index)
j = sp.Symbol("j", integer=True, nonnegative=True)

sigma_a, sigma_w, sigma_v, sigma_b = sp.symbols("sigma_a sigma_w sigma_v sigma_b", positive=True)
scale_in, scale_out, scale_bias = sp.symbols("s_in s_out s_b", positive=True)
alpha, beta, gamma = sp.symbols("alpha beta gamma", real=True)

KERNEL = sp.Function("K")(sp.Symbol("x"), sp.Symbol("y"))
"""The neural tangent kernel."""
COVARIANCE = sp.Function("Sigma")(sp.Symbol("x"), sp.Symbol("y"))
"""The NNGP covariance, of the network's outputs."""
SPHERE = sp.Function("f")(rho)
"""The kernel as a function of the cosine where |x|^2 = |y|^2 = d."""
UNIT = sp.Function("unit")(sp.Symbol("x"))
"""The output of one hidden unit."""
REMAINDER = sp.Function("R")
"""Of a given degree J: the sup over 0 < |rho| <= 1 of |f(rho) - P_J(rho)| / |rho|^(J + 1)."""


def gate_weights(index: int) -> sp.IndexedBase:
    """Weights of the linear gate number `index` (from 1)."""
    return sp.IndexedBase(f"v{index}", real=True)


def gate_bias(index: int) -> sp.Symbol:
    """Bias of the linear gate number `index` (from 1)."""
    return sp.Symbol(f"b{index}", real=True)


def gate_values(index: int) -> tuple[sp.Symbol, sp.Symbol]:
    """Values of the linear gate number `index` (from 1) at the two inputs."""
    first, second = sp.symbols(f"h{index}_1 h{index}_2", real=True)
    return first, second


def raised(text: str, exp: str | None, brackets: bool = False) -> str:
    r"""`text` to the power that SymPy's LaTeX printer hands a function, None for 1.

    Examples
    --------
    >>> print(raised("a_1", None), raised("a_1", "2"), raised("a_1", "2", brackets=True))
    a_1 a_1^{2} \left(a_1\right)^{2}
    """
    if exp is None:
        return text
    return rf"\left({text}\right)^{{{exp}}}" if brackets else rf"{text}^{{{exp}}}"


class Phi(sp.Function):
    """The activation's derivative of a given order at a point: ``Phi(0, z)`` is phi(z), ``Phi(1, z)`` phi'(z)."""

    nargs = 2

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        if argindex != 2:
            raise sp.ArgumentIndexError(self, argindex)
        return Phi(self.args[0] + 1, self.args[1])

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"phi{chr(39) * int(self.args[0])}({printer.doprint(self.args[1])})"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        text = rf"\phi{chr(39) * int(self.args[0])}\left({printer.doprint(self.args[1])}\right)"
        return raised(text, exp)


class Expectation(sp.Function):
    """E over the random weights; with a second argument, over ``(u_1, u_2)`` whose covariance it is."""

    nargs = (1, 2)

    def _sympystr(self, printer: StrPrinter) -> str:
        law = "" if len(self.args) == 1 else f" | cov = {printer.doprint(self.args[1])}"
        return f"E[{printer.doprint(self.args[0])}{law}]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        law = "" if len(self.args) == 1 else f"_{{{printer.doprint(self.args[1])}}}"
        text = rf"\mathbb{{E}}{law}\left[{printer.doprint(self.args[0])}\right]"
        return raised(text, exp)


class Hermite(sp.Function):
    """The orthonormal Hermite coefficient a_k of the activation: ``Hermite(k)``."""

    nargs = 1
    is_real = True

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"a_{self.args[0]}" if self.args[0].is_Atom else f"a_({printer.doprint(self.args[0])})"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        text = rf"a_{{{printer.doprint(self.args[0])}}}"
        return raised(text, exp)


class DualCoefficient(sp.Function):
    """The Taylor coefficient of E[phi(u_1) phi(u_2)] in rho of a given degree, on the sphere |x|^2 = d: a sum of squares."""

    nargs = 1
    is_nonnegative = True

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"[rho^{self.args[0]}] E[phi(u_1)*phi(u_2)]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        text = rf"[\rho^{{{self.args[0]}}}]\,\mathbb{{E}}[\phi(u_1)\phi(u_2)]"
        return raised(text, exp, brackets=True)


class Enclosure(sp.Function):
    """A number within a radius of a decimal: ``Enclosure(middle, radius)``, both rational."""

    nargs = 2

    @property
    def digits(self) -> int:
        """Decimals of the middle: the radius is 10 to minus this."""
        return len(str(self.args[1].q)) - 1

    @property
    def decimal(self) -> str:
        """The middle in decimals."""
        scaled = int(self.args[0] * 10**self.digits)
        text = str(abs(scaled)).zfill(self.digits + 1)
        return f"{'-' * (scaled < 0)}{text[: -self.digits]}.{text[-self.digits :]}"

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"{self.decimal} +- 1e-{self.digits}"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        return rf"{self.decimal} \pm 10^{{-{self.digits}}}"


class Coefficient(sp.Function):
    """The Taylor coefficient of f(rho) of a given degree at 0."""

    nargs = 1

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"[rho^{self.args[0]}] f(rho)"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        text = rf"[\rho^{{{self.args[0]}}}] f(\rho)"
        return raised(text, exp, brackets=True)
