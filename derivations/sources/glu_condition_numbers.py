"""Wen, Xu, Huang, Lyu, Yang: The Devil is in the Condition Numbers: Why is GLU Better than non-GLU Structure?

ICML 2026, arXiv:2605.20749. Two-layer ReLU networks, plain z(x) = V phi(Wx) and gated z(x) = U (phi(Wx) o Vx), scalar
output, hidden weights N(0, 1/d), readout N(0, 1/m). Transcribed as data.
"""

from __future__ import annotations

import sympy as sp

from derivations.sources.statement import Statement
from derivations.symbols import d, m, r_i, r_j, rho, sigma_w

_SOURCE = "Wen et al. 2026"
_WEIGHTS = "hidden weights N(0, 1/d), readout N(0, 1/m), all independent; ReLU"
_HALF, _QUARTER = sp.Rational(1, 2), sp.Rational(1, 4)

PHI_PHI, SLOPE_SLOPE, GRAM = sp.symbols("phi_phi slope_slope G", real=True)
"""E[phi phi], E[phi' phi'] and x.y, kept as symbols in the general form."""

STATEMENTS: dict[str, Statement] = {
    statement.id: statement
    for statement in (
        Statement(
            "A1",
            "general form: the NTK as a sum over parameter blocks",
            f"{_SOURCE}, section 3",
            "independent weights, gradients unscaled",
            (
                ("plain", m * PHI_PHI + GRAM * SLOPE_SLOPE),
                ("gated", m * PHI_PHI * GRAM / d + GRAM * SLOPE_SLOPE * GRAM / d + GRAM * PHI_PHI),
            ),
        ),
        Statement(
            "A2",
            "arc-cosine kernels: E[phi phi] and E[phi' phi'] of ReLU",
            f"{_SOURCE}, section 3",
            "w ~ N(0, sigma_w^2 I)",
            (
                (
                    "phi_phi",
                    sigma_w**2
                    * r_i
                    * r_j
                    / (2 * sp.pi)
                    * (sp.sqrt(1 - rho**2) + (sp.pi - sp.acos(rho)) * rho),
                ),
                ("slope_slope", (sp.pi - sp.acos(rho)) / (2 * sp.pi)),
            ),
        ),
        Statement(
            "A3",
            "expansion of the plain kernel to second order in the cosine",
            f"{_SOURCE}, equation 14",
            _WEIGHTS,
            (
                ("diagonal", (m / (2 * d) + _HALF) * r_i**2),
                (
                    "off_diagonal",
                    (
                        m / (2 * sp.pi * d)
                        + (_QUARTER + m / (4 * d)) * rho
                        + (1 / (2 * sp.pi) + m / (4 * sp.pi * d)) * rho**2
                    )
                    * r_i
                    * r_j,
                ),
            ),
            "up to a remainder of third order in rho",
        ),
        Statement(
            "A4",
            "expansion of the gated kernel to second order in the cosine",
            f"{_SOURCE}, equation 15",
            _WEIGHTS,
            (
                ("diagonal", (m / (2 * d**2) + 1 / d) * r_i**4),
                (
                    "off_diagonal",
                    (
                        (1 / (2 * sp.pi * d) + m / (2 * sp.pi * d**2)) * rho
                        + (1 / (2 * d) + m / (4 * d**2)) * rho**2
                    )
                    * r_i**2
                    * r_j**2,
                ),
            ),
            "up to a remainder of third order in rho",
        ),
        Statement(
            "A5",
            "simplified plain kernel alpha G + beta r r^T + gamma D",
            f"{_SOURCE}, equation 10",
            _WEIGHTS,
            (
                ("alpha", _QUARTER + m / (4 * d)),
                ("beta", m / (2 * sp.pi * d)),
                ("gamma", _QUARTER + m / (4 * d) - m / (2 * sp.pi * d)),
            ),
            "the relative Frobenius distance to the exact kernel tends to 0 as d grows, whatever n and m",
        ),
        Statement(
            "A6",
            "simplified gated kernel alpha G o G + beta (r r^T) o G + gamma D^2",
            f"{_SOURCE}, equation 11",
            _WEIGHTS,
            (
                ("alpha", m / (4 * d**2) + 1 / (2 * d)),
                ("beta", 1 / (2 * sp.pi * d) + m / (2 * sp.pi * d**2)),
                ("gamma", 1 / (2 * d) - 1 / (2 * sp.pi * d) + m / (4 * d**2) - m / (2 * sp.pi * d**2)),
            ),
            "the relative Frobenius distance to the exact kernel tends to 0 as d grows, whatever n and m",
        ),
    )
}
"""Statements by id."""
