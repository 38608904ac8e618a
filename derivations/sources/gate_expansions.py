r"""The family of gated linear units: the form of its kernels, block by block, and of alpha, beta and gamma.

Shazeer: GLU Variants Improve Transformer, arXiv:2002.05202, 2020, names the members; that each has a kernel
and a simplified matrix of the form that Wen et al. 2026 (equations 11 and 15) give for ReGLU is the
statement. With p linear gates and \(\phi = \sum_k a_k h_k\) in orthonormal Hermite polynomials, where
\(|x|^2 = d\),

\[ f(\rho) = \sum_j c_j\rho^j,\quad c_j = (m + jd)\,a_{j-p}^2,\qquad
   \beta = \frac{c_p}{d^{p+1}},\quad \alpha = \frac{c_{p+1}}{d^{p+1}},\quad
   \gamma = \frac{(m+pd)\,E\phi^2 + d\,E\phi'^2}{d^{p+1}} - \alpha - \beta. \]

Every term carries the marker of the parameter block whose gradients it comes from; a marker stands for 1.
"""

from __future__ import annotations

import sympy as sp

from derivations.sources.glu_condition_numbers import GRAM, PHI_PHI, SLOPE_SLOPE
from derivations.sources.statement import Statement
from derivations.symbols import Expectation, Hermite, Phi, d, j, m, z

READOUT, WEIGHTS, GATE_1, GATE_2 = MARKERS = sp.symbols("readout weights gate_1 gate_2", positive=True)
"""Markers of the blocks: readout, weights of the activation, weights of the linear gates."""

GATES = sp.Symbol("p", integer=True, nonnegative=True)
"""Number of linear gates."""

SQUARE, SLOPE_SQUARE = Expectation(Phi(0, z) ** 2), Expectation(Phi(1, z) ** 2)
"""Second moments of the activation and of its slope at a standard normal variable."""


def _formulas(gates: int) -> tuple[tuple[str, sp.Expr], ...]:
    """The kernel and alpha, beta, gamma of any activation with this number of linear gates."""
    linear = MARKERS[2 : 2 + gates]
    # What the readout and the gates weigh E[phi phi] with, on the sphere and over d.
    outer = READOUT * m / d + sp.Add(*linear)
    beta = outer * Hermite(0) ** 2 / d**gates
    alpha = (outer + WEIGHTS) * Hermite(1) ** 2 / d**gates
    gamma = (outer * SQUARE + WEIGHTS * SLOPE_SQUARE) / d**gates - alpha - beta
    kernel = (READOUT * m * PHI_PHI + WEIGHTS * GRAM * SLOPE_SLOPE) * (GRAM / d) ** gates
    kernel += sp.Add(*linear) * GRAM * PHI_PHI * (GRAM / d) ** (gates - 1)
    named = {"kernel": kernel, "alpha": alpha, "beta": beta, "gamma": gamma}
    return tuple((f"{name}, p = {gates}", formula) for name, formula in named.items())


STATEMENTS: dict[str, Statement] = {
    "C2": Statement(
        "C2",
        "every gate has a kernel with alpha, beta, gamma of its own, gates without a closed form too",
        "Shazeer 2020, section 2 (the members); Wen et al. 2026, equations 11 and 15 (the form)",
        "hidden weights N(0, 1/d), readout N(0, 1/m), all independent; alpha, beta, gamma where |x|^2 = d",
        (
            *(formula for gates in range(3) for formula in _formulas(gates)),
            ("shift law", (m + j * d) * Hermite(j - GATES) ** 2),
        ),
        "alpha and beta are the coefficients of rho^(p+1) and rho^p of the kernel where |x|^2 = |y|^2 = d, "
        "over d^(p+1), gamma what the diagonal has beyond both",
    )
}
"""Statements by id."""
