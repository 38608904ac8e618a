"""Notations of statements about gradient descent on a kernel: residuals, resolvents and the test error."""

from __future__ import annotations

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from derivations.symbols import k, raised

eta, u = sp.symbols("eta u", positive=True)
"""The rate, and an eigenvalue."""
T = sp.Symbol("T", integer=True, positive=True)
"""Steps."""
step = sp.Symbol("i", integer=True, nonnegative=True)
zeta, zeta_prime = sp.symbols("zeta zeta'")
"""Where resolvents are taken: minus a ridge."""
trace, trace_prime = sp.symbols("a a'")
"""a at zeta and at zeta'."""
rest = sp.Symbol("rest", nonnegative=True)
sigma = sp.Symbol("sigma", nonnegative=True)
"""Standard deviation of the noise."""
g, tau, beta = (sp.IndexedBase(name, real=True) for name in ("g", "tau", "beta"))
"""By degree k: the kernel's masses, n times its eigenvalues, roots of the teacher's energies."""
theta, omega = sp.symbols("theta_k omega_k", real=True)
"""One coefficient of the teacher, and the network's."""

LEFT = sp.Function("left")(T, u)
"""The share of a mode's target that is left after T steps."""
TARGET, FITTED, DIAGONAL, EXPLAINED = sp.symbols("y_i f_i K_ii q_i", real=True)
"""At a row: its target, what ridge regression on the other rows says, the kernel, and its part that these explain."""
RESOLVED = sp.Symbol("[(K - zeta)^-1 y]_i")
MISFIT = sp.Symbol("E[(y_i - f_i)(y_i - f'_i)]")
VARIANCE = sp.Symbol("V")
ERROR = sp.Function("E")(zeta, zeta_prime)
"""Mean over fresh rows of the product of the errors at zeta and zeta'."""
DESCENT = sp.Function("E")(T)
"""The test error after T steps."""


def over_degrees(term: sp.Expr) -> sp.Expr:
    """Its sum over all degrees k."""
    return sp.Sum(term, (k, 0, sp.oo))


BULK = over_degrees(g[k] / (1 + tau[k] * trace)) + rest
"""b(a)."""
CHI = over_degrees(g[k] * tau[k] * trace * trace_prime / ((1 + tau[k] * trace) * (1 + tau[k] * trace_prime)))
BIAS = over_degrees(beta[k] ** 2 / ((1 + tau[k] * trace) * (1 + tau[k] * trace_prime)))


class Contour(sp.Function):
    """The integral over a contour around 0 and the spectrum, over 2 pi i: ``Contour(integrand, variable)``."""

    nargs = 2

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"contour[{printer.doprint(self.args[0])}, d{printer.doprint(self.args[1])}]"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        inside, variable = map(printer.doprint, self.args)
        text = rf"\oint {inside}\,\frac{{d{variable}}}{{2\pi i}}"
        return raised(text, exp, brackets=True)
