"""The expected loss of kernels under gradient descent: how it falls, who is ahead early and late, where losses cross.

`argument` derives it from the squared loss, step by step, and `loss` evaluates it at any number of steps.

- Early: `moments` has the expected traces over Gaussian rows that `early` compares networks with, in the steps of
  `early_argument`; `region` has the sizes at which one is ahead, `exact_region` those of the exact kernels.
- Late: `late` says who is ahead at last, `reversal` where the order is reversed.
- In between: `crossing` finds where two losses are equal; `law` predicts it for random rows without them,
  `crossing_estimate` in closed form, and `crossing_argument` has its formula and how many crossings there can be.
"""

from derivations.dynamics.argument import loss_argument
from derivations.dynamics.crossing import Crossings, crossings
from derivations.dynamics.crossing_argument import crossing_formula, crossing_theorem
from derivations.dynamics.crossing_estimate import CrossingEstimate, crossing_estimate
from derivations.dynamics.early import EarlyStage, early_loss, early_stage
from derivations.dynamics.early_argument import early_argument
from derivations.dynamics.exact_region import exact_region, exact_smallest_rows, truncated_stage
from derivations.dynamics.late import LateStage, late_argument, late_stage, late_theorem
from derivations.dynamics.law import LossLaw, loss_law, predicted_crossing
from derivations.dynamics.loss import ExpectedLoss, expected_loss, expected_losses
from derivations.dynamics.moments import expected_trace, expected_trace_with_outputs, trace_polynomial
from derivations.dynamics.region import EarlyRegion
from derivations.dynamics.reversal import reversal

__all__ = [
    "CrossingEstimate",
    "Crossings",
    "EarlyRegion",
    "EarlyStage",
    "ExpectedLoss",
    "LateStage",
    "LossLaw",
    "crossing_estimate",
    "crossing_formula",
    "crossing_theorem",
    "crossings",
    "early_argument",
    "early_loss",
    "early_stage",
    "exact_region",
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
    "truncated_stage",
]
