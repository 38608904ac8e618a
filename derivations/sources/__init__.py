"""What publications state, transcribed with equation numbers, and what this project adds: statements to be checked.

Nothing else in the project reads a formula from here to compute with; `verify.claims` compares them with
what is derived and with what finite networks do.
"""

from __future__ import annotations

from derivations.sources import (
    finite_width,
    gate_expansions,
    gated_linear_units,
    glu_condition_numbers,
    glu_dynamics,
    glu_spectrum,
)
from derivations.sources.statement import Statement

__all__ = ["STATEMENTS", "Statement"]

STATEMENTS: dict[str, Statement] = {
    **glu_condition_numbers.STATEMENTS,
    **glu_spectrum.STATEMENTS,
    **glu_dynamics.STATEMENTS,
    **gate_expansions.STATEMENTS,
    **gated_linear_units.STATEMENTS,
    **finite_width.STATEMENTS,
}
"""Statements by id."""
