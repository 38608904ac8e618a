"""What Wen et al. (ICML 2026, arXiv:2605.20749) state of the kernels' extreme eigenvalues, transcribed as data.

Plain kernel K and gated kernel K~ of ReLU networks with N(0, 1/d) weights and N(0, 1/m) readout, n rows from
N(0, I_d). lambda_1 is the largest eigenvalue, lambda_n the smallest. None of the statements says how its "~" is
meant, or for which n, d and m.
"""

from __future__ import annotations

import sympy as sp

from derivations.sources.statement import Statement
from derivations.symbols import d, m, n

S = sp.Max(0, 1 - sp.sqrt(n / d))
S_GATED = sp.Max(0, 1 - sp.sqrt(2 * n) / d)

_SOURCE = "Wen et al. 2026, arXiv:2605.20749"
_DATA = "rows N(0, I_d); weights N(0, 1/d), readout N(0, 1/m)"
_RATIO = "the ratio of both sides tends to 1 as n, d and m grow at fixed ratios"
_QUARTER, _TWO_PI = sp.Rational(1, 4), 2 * sp.pi

STATEMENTS: dict[str, Statement] = {
    statement.id: statement
    for statement in (
        Statement(
            "A7",
            "largest eigenvalue of the plain kernel",
            _SOURCE,
            _DATA,
            (("lambda_1", m * n / _TWO_PI + d / 2 + (sp.pi - 1) * m / _TWO_PI),),
            _RATIO,
        ),
        Statement(
            "A8",
            "bounds of the largest eigenvalue of the gated kernel",
            _SOURCE,
            _DATA,
            (
                ("lower", (m / (4 * d) + sp.Rational(1, 2)) * n + m / 2 - m / _TWO_PI + d - d / _TWO_PI),
                (
                    "upper",
                    (m / (4 * d) + m / (_TWO_PI * d) + sp.Rational(1, 2) + 1 / _TWO_PI) * n + m / 2 + d,
                ),
            ),
            "they hold up to factors that tend to 1 as n, d and m grow at fixed ratios",
        ),
        Statement(
            "A9",
            "orders of the largest eigenvalues: m n (plain) and m n / d (gated)",
            _SOURCE,
            _DATA,
            (),
            "two-sided bounds with constants that do not depend on n >= d, d and m",
        ),
        Statement(
            "A10",
            "smallest eigenvalue of the plain kernel",
            _SOURCE,
            _DATA,
            (("lambda_n", (m + d) * _QUARTER * (S**2 + 1) - m / _TWO_PI),),
            _RATIO,
        ),
        Statement(
            "A11",
            "smallest eigenvalue of the gated kernel",
            _SOURCE,
            _DATA,
            (("lambda_n", (m + 2 * d) * _QUARTER * (S_GATED**2 + 1) + (m + d) / _TWO_PI * (S**2 - 1)),),
            _RATIO,
        ),
        Statement(
            "A12",
            "both smallest eigenvalues are of the order m + d",
            _SOURCE,
            _DATA,
            (),
            "two-sided bounds with constants that do not depend on n, d and m",
        ),
        Statement(
            "A13",
            "for n > d the gated kernel's smallest eigenvalue is larger than the plain one's, by about this",
            _SOURCE,
            f"{_DATA}; n > d",
            (("difference", (m + 2 * d) * _QUARTER * S_GATED**2 + (_QUARTER - 1 / _TWO_PI) * d),),
            f"larger on average over the data, for all n > d and m; of the difference, {_RATIO}",
        ),
        Statement(
            "A14",
            "the gated kernel's condition number is smaller than the plain one's",
            _SOURCE,
            f"{_DATA}; n > d",
            (),
            "its logarithm is, on average over the data, for all n > d and m for which both are finite",
        ),
    )
}
"""Statements by id."""
