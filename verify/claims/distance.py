r"""How far a simplified kernel is from the exact one, as a function of n, d and m.

For n rows drawn uniformly from the sphere \(|x|^2 = d\), or from N(0, I_d), with an exact kernel
\((r_ir_j/d)^h f(\rho)\) and a stated one \((r_ir_j/d)^h p(\rho)\), \(h = g+1\), off the diagonal and
\((r_i^2/d)^h\) times f(1), p_1 on it,

\[ \Delta^2 = \frac{E\|K-\tilde K\|_F^2}{E\|K\|_F^2}
   = \frac{\kappa\,(f(1)-p_1)^2 + (n-1)\,E(f-p)^2}{\kappa f(1)^2 + (n-1)\,Ef^2},\qquad
   \kappa = \frac{E r^{4h}}{(E r^{2h})^2} \]

(1 on the sphere), the expectations over the cosine of two independent directions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy as sp

from derivations.kernel_derivation import KernelDerivation
from derivations.sources import Statement
from derivations.symbols import SPHERE, d, m, rho
from verify.activations import Array


def cosine_expectation(function: Callable[[Array], Array], dimension: int) -> float:
    r"""\(E f(\rho)\) for the cosine of two independent uniform directions in `dimension` >= 2.

    The angle has density proportional to \(\sin^{d-2}\theta\).

    Examples
    --------
    >>> round(cosine_expectation(lambda t: t**2, 10), 12)
    0.1
    """
    # sin^(d-2) is below 1e-20 beyond 10 / sqrt(d - 2) of pi / 2.
    reach = min(np.pi / 2, 10 / np.sqrt(max(dimension - 2, 1)))
    nodes, weights = _gauss_legendre()
    theta = np.pi / 2 + reach * nodes
    density = weights * np.exp((dimension - 2) * np.log(np.sin(theta)))
    return float(density @ function(np.cos(theta)) / density.sum())


@lru_cache(maxsize=1)
def _gauss_legendre() -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(200)


@dataclass(frozen=True)
class Distance:
    """The distance law of one statement about one network's kernel."""

    statement: Statement
    result: KernelDerivation

    def __call__(self, n: float, dimension: int, width: float, data: str = "sphere") -> float:
        """Relative Frobenius distance, in the mean square; `n` may be infinite.

        Parameters
        ----------
        n, width : float
        dimension : int
        data : str
            ``"sphere"`` or ``"gaussian"``.
        """
        values = {m: width, d: dimension}
        h = self.result.network.gates + 1
        stated = {
            name: float(formula.subs(values)) * dimension**h for name, formula in self.statement.formulas
        }
        exact = sp.lambdify(rho, self.result.result(SPHERE).subs(values), modules="numpy")

        def off(t: Array) -> Array:
            return exact(t) - stated["alpha"] * t**h - stated["beta"] * t ** (h - 1)

        on_exact = float(exact(1.0))
        on = on_exact - sum(stated.values())
        kappa = 1.0 if data == "sphere" else _norm_ratio(h, dimension)
        error = cosine_expectation(lambda t: off(t) ** 2, dimension)
        size = cosine_expectation(lambda t: exact(t) ** 2, dimension)
        if np.isinf(n):
            return float(np.sqrt(error / size))
        return float(np.sqrt((kappa * on**2 + (n - 1) * error) / (kappa * on_exact**2 + (n - 1) * size)))

    def leading_order(self) -> sp.Expr:
        r"""The distance for n and d to infinity: the first dropped term over the kept ones.

        \[ \Delta^2 \to \frac{(2h+1)!!\,c_{h+1}^2/d^{h+1}}{(2h-3)!!\,c_{h-1}^2/d^{h-1} + (2h-1)!!\,c_h^2/d^h} \]
        """
        c = self.result.expansion.coefficients
        h = self.result.network.gates + 1
        dropped = sp.factorial2(2 * h + 1) * c[h + 1] ** 2 / d ** (h + 1)
        kept = (
            sp.factorial2(2 * h - 3) * c[h - 1] ** 2 / d ** (h - 1)
            + sp.factorial2(2 * h - 1) * c[h] ** 2 / d**h
        )
        return sp.sqrt(sp.factor(dropped / kept))


def _norm_ratio(h: int, dimension: int) -> float:
    """E r^(4h) / (E r^(2h))^2 for r^2 chi-square with `dimension` degrees of freedom."""

    def moment(j: int) -> float:
        return float(np.prod([dimension + 2.0 * i for i in range(j)]))

    return moment(2 * h) / moment(h) ** 2
