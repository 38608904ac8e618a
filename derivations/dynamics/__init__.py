"""The expected loss of kernels under gradient descent: how it falls, who is ahead early and late, where losses cross.

`argument` derives it from the squared loss, step by step; `moments` has the expected traces over Gaussian rows that
`early` compares networks with; `loss` evaluates it at any number of steps, and `crossing` finds where two are equal; `law`
predicts both for random rows without them.
"""

from derivations.dynamics.argument import loss_argument
from derivations.dynamics.crossing import Crossings, crossings
from derivations.dynamics.early import EarlyStage, early_loss, early_stage, exact_smallest_rows
from derivations.dynamics.law import LossLaw, loss_law, predicted_crossing
from derivations.dynamics.loss import ExpectedLoss, expected_loss, expected_losses
from derivations.dynamics.moments import expected_trace, expected_trace_with_outputs, trace_polynomial

__all__ = [
    "Crossings",
    "EarlyStage",
    "ExpectedLoss",
    "LossLaw",
    "crossings",
    "early_loss",
    "early_stage",
    "exact_smallest_rows",
    "expected_loss",
    "expected_losses",
    "expected_trace",
    "expected_trace_with_outputs",
    "loss_argument",
    "loss_law",
    "predicted_crossing",
    "trace_polynomial",
]
