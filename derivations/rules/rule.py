"""What a rule of inference is, and what its checkers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import sympy as sp

if TYPE_CHECKING:
    from derivations.derivation import Step

Checker = Callable[[sp.Expr, sp.Expr, Sequence["Step"]], bool]


@dataclass(frozen=True)
class Rule:
    """A named way to conclude ``lhs = rhs`` from earlier steps."""

    claim: str
    reference: str
    holds: Checker
    status: Literal["proved", "certified", "tested", "heuristic", "cited"] = "proved"


def rewrite(expression: sp.Expr, earlier: Sequence[Step]) -> sp.Expr:
    """Replace left sides of earlier steps by their right sides until nothing changes."""
    known = {step.lhs: step.rhs for step in earlier}
    for _ in range(len(known) + 1):
        before = expression
        expression = expression.xreplace(known)
        if expression == before:
            return expression
    raise ValueError("the earlier steps rewrite in a circle")


def known(lhs: sp.Expr, earlier: Sequence[Step]) -> sp.Expr:
    """The right side of the latest step with this left side."""
    return next(step.rhs for step in reversed(earlier) if step.lhs == lhs)
