"""Whether a step follows, for tests that corrupt steps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from derivations.derivation import Step
from derivations.rules import RULES

Follows = Callable[[Step, tuple[Step, ...]], bool]


def holds(step: Step, earlier: tuple[Step, ...]) -> bool:
    try:
        return bool(RULES[step.rule].holds(step.lhs, step.rhs, earlier))
    except Exception:  # of another shape than the rule's
        return False


@pytest.fixture
def follows() -> Follows:
    """As `Derivation.check` sees a step after steps that hold."""
    return holds
