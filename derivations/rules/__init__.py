r"""The rules of inference: what each one claims of ``lhs = rhs``, where it is stated, and how it is checked.

A checker looks only at the two sides and at the steps before. It recomputes the claim by a way of its own:
by differentiating an integral, by SymPy's derivative of the integrand, by the Gamma function instead of
Stein's recursion, by derivatives of the closed form instead of expectations of derivatives.
"""

from __future__ import annotations

from derivations.rules import (
    bounds,
    covariance,
    crossing,
    dynamics,
    early_stage,
    finite_width,
    input_gradient,
    late,
    learning,
    matrices,
    one_network,
    ordering,
    random_rows,
    reversal,
    series,
    weights,
)
from derivations.rules.rule import Rule, rewrite

__all__ = ["RULES", "Rule", "rewrite"]

_GROUPS = (
    weights,
    covariance,
    series,
    input_gradient,
    matrices,
    ordering,
    bounds,
    random_rows,
    one_network,
    finite_width,
    learning,
    dynamics,
    late,
    reversal,
    crossing,
    early_stage,
)
RULES: dict[str, Rule] = {name: rule for group in _GROUPS for name, rule in group.RULES.items()}
"""Rules by name."""
if len(RULES) < sum(len(group.RULES) for group in _GROUPS):
    raise RuntimeError("two rules have the same name")
