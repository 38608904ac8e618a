"""The expected loss of kernels under gradient descent: how it falls, who is ahead early and late, where losses cross.

`argument` derives it from the squared loss, step by step; `moments` has the expected traces over Gaussian rows that
`early` compares networks with; `late` says who is ahead at last and `reversal` where the order is reversed; `loss` evaluates
it at any number of steps, and `crossing` finds where two are equal; `law` predicts both for random rows without them,
`crossing_estimate` in closed form, and `crossing_argument` has its formula and how many crossings there can be.
"""

from derivations.dynamics.argument import loss_argument
from derivations.dynamics.crossing import Crossings, crossings
from derivations.dynamics.crossing_argument import crossing_formula, crossing_theorem
from derivations.dynamics.crossing_estimate import CrossingEstimate, crossing_estimate
from derivations.dynamics.early import EarlyStage, early_loss, early_stage, exact_smallest_rows
from derivations.dynamics.late import LateStage, late_argument, late_stage, late_theorem
from derivations.dynamics.law import LossLaw, loss_law, predicted_crossing
from derivations.dynamics.loss import ExpectedLoss, expected_loss, expected_losses
from derivations.dynamics.moments import expected_trace, expected_trace_with_outputs, trace_polynomial
from derivations.dynamics.reversal import reversal

__all__ = [
    "CrossingEstimate",
    "Crossings",
    "EarlyStage",
    "ExpectedLoss",
    "LateStage",
    "LossLaw",
    "crossing_estimate",
    "crossing_formula",
    "crossing_theorem",
    "crossings",
    "early_loss",
    "early_stage",
    "exact_smallest_rows",
    "expected_loss",
    "expected_losses",
    "expected_trace",
    "expected_trace_with_outputs",
    "late_argument",
    "late_stage",
    "late_theorem",
    "loss_argument",
    "loss_law",
    "predicted_crossing",
    "reversal",
    "trace_polynomial",
]
