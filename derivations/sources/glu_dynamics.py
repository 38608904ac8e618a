"""What Wen et al. (ICML 2026, arXiv:2605.20749) state of how networks are trained, transcribed as data.

L_k and L~_k are half the summed squared errors of the plain and of the gated network after k steps of full-batch
gradient descent at the same step size eta, K and K~ their kernels on n rows from N(0, I_d), Y the targets. Expectations
are over the weights at the start.
"""

from __future__ import annotations

from derivations.dynamics_symbols import FACTOR, MATRIX, OfTargets, Trace, eigenvalue, index, steps, target
from derivations.learning_symbols import eta
from derivations.sources.statement import Statement

_SOURCE = "Wen et al. 2026, arXiv:2605.20749"
_DATA = "rows N(0, I_d); weights N(0, 1/d), readout N(0, 1/m)"
_POWER = FACTOR ** (2 * steps)

EARLY_DIMENSION, EARLY_ROWS = 5, 300
"""From which d and n on A16 is stated."""
LITTLE = 0.2
"""The change of a generalisation gap, relative to the plain network's, up to which A19's "little" is read."""

STATEMENTS: dict[str, Statement] = {
    statement.id: statement
    for statement in (
        Statement(
            "A15",
            "the expected loss after k steps, in matrix form and as a sum over modes",
            f"{_SOURCE}, proposition 4.1",
            "the model linearised at its initial weights; beta_i = Y^T v_i",
            (
                ("matrix form", Trace(_POWER * MATRIX) + OfTargets(_POWER)),
                (
                    "mode",
                    (eigenvalue[index] + target[index] ** 2) * (1 - eta * eigenvalue[index]) ** (2 * steps),
                ),
            ),
            "up to one constant factor; simplified rung: a model linear in parameters of unit variance, whatever its "
            "kernel; exact and finite: the network that is initialised, weights N(0, 1/d), readout N(0, 1/m)",
        ),
        Statement(
            "A16",
            "early, the plain network is ahead",
            _SOURCE,
            f"Y^T (K - K~) Y >= 0, d >= {EARLY_DIMENSION}, n >= {EARLY_ROWS}, small eta k; any width",
            (),
            "on average over the data, for all such Y, its loss starts lower and, to first order in eta k, falls faster",
        ),
        Statement(
            "A17",
            "late, the gated network is ahead",
            _SOURCE,
            "the smallest eigenvalue dominates, k large enough",
            (),
            "for all data and widths: the slowest mode decides, that of the smallest eigenvalue at eta < 1 / lambda_1",
        ),
        Statement(
            "A18",
            "so the two losses cross",
            _SOURCE,
            "those of A16 and A17",
            (),
            "the plain network is ahead before the first step and the gated one at last",
        ),
        Statement(
            "A19",
            "gating speeds up optimisation but changes the generalisation gap little",
            _SOURCE,
            "observed on ViT and GPT-2 and stated without hypotheses",
            (),
            f"of ReLU and ReGLU with two layers, {_DATA}, in the kernel regime, for all n, d, m and targets that are linear "
            "in the rows, of a network of either kind, or noise; descent at one step size, 1 over the larger lambda_1. "
            "Speed: the gated network takes fewer steps to a training error of a tenth of the targets' mean square (mean "
            "logarithm over rows, targets and first outputs). Gap: test less training error, there and at convergence, "
            f"differ by at most {100 * LITTLE:g} % of the plain network's, on average",
        ),
    )
}
"""Statements by id."""
