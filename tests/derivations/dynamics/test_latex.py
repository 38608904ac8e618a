"""The formulas of every argument, written in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from derivations.derivation import Derivation
from derivations.dynamics import (
    crossing_formula,
    crossing_theorem,
    early_argument,
    late_argument,
    late_theorem,
    loss_argument,
    reversal,
)
from derivations.dynamics.initial import INITIAL, INITIAL_OR_ZERO
from derivations.printing.latex import latex

ARGUMENTS: list[Callable[[], Derivation]] = [
    *(lambda name=name: loss_argument(name) for name in INITIAL_OR_ZERO),
    *(lambda name=name: early_argument(name) for name in INITIAL),
    *(lambda name=name: late_argument(name) for name in INITIAL_OR_ZERO),
    *(lambda name=name: crossing_formula(name) for name in INITIAL),
    late_theorem,
    crossing_theorem,
    reversal,
]
# Spaces and control characters: of a tilde in a name, of an escape in a string.
UNWRITTEN = re.compile(r"~|[^\x20-\x7e]")


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_every_step_is_written_with_what_latex_knows(argument: Callable[[], Derivation]):
    for step in argument().steps:
        for side in (step.lhs, step.rhs):
            written = latex(side)
            assert UNWRITTEN.search(written) is None, written
            assert written.count("{") == written.count("}")
            assert written.count(r"\left") == written.count(r"\right"), written
