r"""The rules of inference: what each one claims of ``lhs = rhs``, where it is stated, and how it is checked.

A checker looks only at the two sides and at the steps before. It recomputes the claim by a way of its own:
by differentiating an integral, by SymPy's derivative of the integrand, by the Gamma function instead of
Stein's recursion, by derivatives of the closed form instead of expectations of derivatives.
"""

from __future__ import annotations

from derivations.rules import (
    bounds,
    covariance,
    dynamics,
    finite_width,
    input_gradient,
    learning,
    matrices,
    one_network,
    ordering,
    random_rows,
    series,
    weights,
)
from derivations.rules.rule import Rule, rewrite

__all__ = ["RULES", "Rule", "rewrite"]

RULES: dict[str, Rule] = {
    **weights.RULES,
    **covariance.RULES,
    **series.RULES,
    **input_gradient.RULES,
    **matrices.RULES,
    **ordering.RULES,
    **bounds.RULES,
    **random_rows.RULES,
    **one_network.RULES,
    **finite_width.RULES,
    **learning.RULES,
    **dynamics.RULES,
}
"""Rules by name."""
