"""A derivation: an ordered chain of equalities, each with the rule that gives it, which re-checks itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sympy as sp

from derivations.rules import RULES

Status = Literal["proved", "certified", "tested", "heuristic", "cited"]


@dataclass(frozen=True)
class Step:
    """One equality ``lhs = rhs`` and the name of the rule, in `derivations.rules.RULES`, that gives it."""

    title: str
    lhs: sp.Expr
    rhs: sp.Expr
    rule: str

    @property
    def reference(self) -> str:
        """Where the rule is stated."""
        return RULES[self.rule].reference

    @property
    def status(self) -> Status:
        """What the rule's check establishes when it succeeds."""
        return RULES[self.rule].status


class DerivationError(AssertionError):
    """A step does not follow by its rule from the steps before it."""


@dataclass(frozen=True)
class Derivation:
    """A statement and the chain of steps that ends in it.

    Examples
    --------
    >>> from derivations import derive, network
    >>> derivation = derive(network("relu")).derivation
    >>> derivation.check()
    >>> derivation.status
    'proved'
    """

    statement: str
    steps: tuple[Step, ...]

    def check(self) -> None:
        """Verify every step by its rule and the steps before it.

        Raises
        ------
        DerivationError
            Naming the first step that does not follow.
        """
        for number, step in enumerate(self.steps):
            misfit = None
            try:
                follows = RULES[step.rule].holds(step.lhs, step.rhs, self.steps[:number])
            except Exception as error:  # a rule that does not fit the step's shape does not give it
                misfit, follows = error, False
            if not follows:
                raise DerivationError(
                    f"step {number + 1} ({step.title}) does not follow by {step.rule}: {step.lhs} = {step.rhs}"
                ) from misfit

    @property
    def status(self) -> Status:
        """The weakest status of its steps, once `check` has passed."""
        order: tuple[Status, ...] = ("proved", "certified", "tested", "cited", "heuristic")
        return max((step.status for step in self.steps), key=order.index)
