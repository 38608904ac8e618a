"""What Wen et al. (ICML 2026, arXiv:2605.20749) state of how networks with and without gates are trained, as data."""

from __future__ import annotations

from derivations.sources.statement import Statement

_SOURCE = "Wen et al. 2026, arXiv:2605.20749"
_DATA = "rows N(0, I_d); weights N(0, 1/d), readout N(0, 1/m)"

STATEMENTS: dict[str, Statement] = {
    statement.id: statement
    for statement in (
        Statement(
            "A19",
            "gating speeds up optimisation but changes the generalisation gap little",
            _SOURCE,
            f"{_DATA}; the kernel regime; targets linear in the rows, of a network of either kind, or noise",
            (),
            "descent at one step size, 1 over the larger lambda_1. Speed: the gated network takes fewer steps to a training "
            "error of a tenth of the targets' mean square (mean logarithm over rows, targets and first outputs). Gap: test "
            "less training error, there and at convergence, differ by at most 20 % of the plain network's, on average. For "
            "all kinds of targets, n, d and m",
        ),
    )
}
"""Statements by id."""
