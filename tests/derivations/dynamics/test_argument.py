"""The steps behind the expected loss hold, and no corrupted one does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import sympy as sp

from derivations.derivation import Derivation, DerivationError
from derivations.dynamics import loss_argument
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.dynamics_symbols import EXPECTED, MATRIX, START, eigenvalue, index, target
from derivations.errors import InputError
from derivations.learning_symbols import eta
from derivations.matrix_symbols import OUTPUTS
from derivations.printing.text import steps_text

NUMBER = 8
"""Of steps of its own; those of a network before are corrupted elsewhere."""


@cache
def argument(initial: str, gates: int = 1) -> Derivation:
    return loss_argument(initial, gates)


@pytest.mark.parametrize(("initial", "gates"), [("kernel", 0), ("zero", 0), *(("nngp", g) for g in range(3))])
def test_every_step_is_proved(initial: str, gates: int):
    found = argument(initial, gates)
    found.check()
    assert found.status == "proved"
    assert f"{len(found.steps)} of {len(found.steps)} steps proved" in "\n".join(steps_text(found))


@pytest.mark.parametrize("initial", INITIAL_OR_ZERO)
@pytest.mark.parametrize("number", range(NUMBER))
def test_a_wrong_step_is_noticed(initial: str, number: int, follows):
    steps = argument(initial).steps
    earlier, step = steps[: len(steps) - NUMBER + number], steps[len(steps) - NUMBER + number]
    assert follows(step, earlier)
    wrong = [step.rhs + eta, step.rhs**2 + 1, sp.Symbol("nonsense"), -step.rhs - 1, step.rhs + MATRIX]
    if step.rhs != 0:
        wrong += [step.rhs * sp.Rational(201, 200), -step.rhs]
    wrong += [changed for changed in (step.rhs.subs(eta, 2 * eta),) if changed != step.rhs]
    for rhs in wrong:
        assert not follows(replace(step, rhs=rhs), earlier), rhs
    for lhs in (2 * step.lhs, eta, START if step.lhs != START else MATRIX):
        assert not follows(replace(step, lhs=lhs), earlier), lhs
    for rule in {other.rule for other in steps[-NUMBER:]} - {step.rule}:
        assert not follows(replace(step, rule=rule), earlier), rule


def test_the_kernel_is_not_the_covariance_of_a_real_network():
    steps = argument("nngp").steps
    number = next(i for i, step in enumerate(steps) if step.lhs == START)
    planted = replace(steps[number], rhs=MATRIX)
    with pytest.raises(DerivationError, match="before the first step"):
        Derivation("planted", (*steps[:number], planted, *steps[number + 1 :])).check()
    assert steps[number].rhs == OUTPUTS


def test_the_covariance_needs_the_network_that_it_is_of(follows):
    steps = argument("nngp").steps
    own = next(i for i, step in enumerate(steps) if step.lhs == START)
    for number, step in enumerate(steps[:own]):
        if step.lhs in (sp.Symbol("sigma_a", positive=True), sp.Symbol("sigma_v", positive=True)):
            earlier = (*steps[:number], replace(step, rhs=2 * step.rhs), *steps[number + 1 : own])
            assert not follows(steps[own], earlier)


def test_the_modes_weigh_what_the_source_says_only_if_the_covariance_is_the_kernel():
    published = eigenvalue[index] + target[index] ** 2
    for initial in INITIAL_OR_ZERO:
        step = next(s for s in argument(initial).steps if s.rule == "sum over modes")
        assert step.lhs.func == EXPECTED(0).func
        assert (2 * step.rhs).function.has(published) is (initial == "kernel")


@pytest.mark.parametrize(("initial", "gates"), [("ntk", 1), ("nngp", 3)])
def test_other_arguments_are_refused(initial: str, gates: int):
    with pytest.raises(InputError, match="must be"):
        loss_argument(initial, gates)
