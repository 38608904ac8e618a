"""The steps behind predicted test errors and free designs hold, and no corrupted one does."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from derivations.derivation import Derivation, DerivationError, Step
from derivations.errors import InputError
from derivations.learning import free_design, learning_argument
from derivations.learning_symbols import (
    BIAS,
    BULK,
    CHI,
    ERROR,
    MISFIT,
    VARIANCE,
    Contour,
    T,
    eta,
    omega,
    sigma,
    tau,
    theta,
    trace,
    u,
    zeta,
)  # fmt: skip
from derivations.rules import RULES
from derivations.rules.learning import FILTER
from derivations.symbols import Coefficient, Hermite, d, j, k, m


def chains() -> list[Derivation]:
    return [learning_argument(), *(free_design(gates) for gates in range(3))]


def test_every_step_holds_and_says_what_it_is():
    argument, *designs = chains()
    argument.check()
    assert argument.status == "heuristic"
    assert {step.rule for step in argument.steps if step.status == "heuristic"} == {
        "self-averaging", "feature left out", "fresh row", "fluctuation of a feature",
    }  # fmt: skip
    for design in designs:
        design.check()
        assert design.status == "proved"


@pytest.mark.parametrize("number", range(14))
def test_half_a_percent_in_any_step_of_the_argument_is_noticed(number: int, follows):
    steps = learning_argument().steps
    assert len(steps) == 14
    rhs = steps[number].rhs
    for wrong in (rhs * sp.Rational(201, 200), rhs + eta, -rhs, rhs**2, sp.Symbol("nonsense")):
        assert follows(replace(steps[number], rhs=wrong), steps[:number]) is False


@pytest.mark.parametrize("number", range(14))
def test_no_rule_gives_what_another_one_gives(number: int, follows):
    steps = learning_argument().steps
    for rule in {step.rule for step in steps} - {steps[number].rule}:
        assert follows(replace(steps[number], rule=rule), steps[:number]) is False


@pytest.mark.parametrize("gates", range(3))
def test_another_activation_does_not_have_the_kernel(gates: int):
    steps = free_design(gates).steps
    target = sp.Symbol("c_j", nonnegative=True)
    for wrong in (sp.sqrt(target / m), sp.sqrt(target / (m + (j - gates + 1) * d)) * 2, target):
        planted = (*steps[:-2], replace(steps[-2], rhs=wrong), steps[-1])
        with pytest.raises(DerivationError, match=rf"^step ({len(steps) - 1}|{len(steps)}) "):
            Derivation("planted", planted).check()
    for lhs, rhs, rule in (
        (Coefficient(j), 2 * target, "chosen activation"),
        (Coefficient(j), -target, "chosen activation"),
        (Coefficient(j + 1), target, "chosen activation"),
        (Hermite(j - gates), -steps[-2].rhs, "choice"),
        (Hermite(j + 7), steps[-2].rhs, "choice"),
    ):
        planted = (*steps[: -1 if rule.startswith("chosen") else -2], Step("planted", lhs, rhs, rule))
        with pytest.raises(DerivationError, match=rf"^step {len(planted)} "):
            Derivation("planted", planted).check()
    # Chosen twice, the coefficient could be either.
    with pytest.raises(DerivationError, match=rf"^step {len(steps)} "):
        Derivation("planted", (*steps[:-1], steps[-2])).check()


FALSE = {
    "a filter one step short": ("geometric sum", FILTER, (1 - (1 - eta * u) ** (T - 1)) / u),
    "no pole at 0": ("Cauchy's formula", (1 - eta * u) ** T, Contour((1 - eta * zeta) ** T / (u - zeta), zeta)),
    "another variable": ("Cauchy's formula", (1 - eta * u) ** T, Contour(-((1 - eta * zeta) ** T) / (u - zeta), u)),
    "the trace with the wrong sign": ("trace of the resolvent", zeta, BULK + 1 / trace),
    "a harmonic that meets itself": ("feature left out", omega, tau[k] * trace * theta),
    "noise that a fresh row does not have": ("fresh row", MISFIT, ERROR),
    "variance once": ("fluctuation of a feature", VARIANCE, CHI * ERROR),
    "no noise in the solution": ("linear equation", ERROR + sigma**2, BIAS / (1 - CHI)),
}  # fmt: skip


@pytest.mark.parametrize("title", FALSE)
def test_what_is_not_so_is_refused(title: str, follows):
    rule, lhs, rhs = FALSE[title]
    steps = learning_argument().steps
    number = next(i for i, step in enumerate(steps) if step.rule == rule and step.lhs == lhs)
    assert RULES[rule].holds(lhs, steps[number].rhs, steps[:number])
    assert follows(Step(title, lhs, rhs, rule), steps[:number]) is False


def test_gates_are_checked():
    for gates in (3, -1, True):
        with pytest.raises(InputError, match="gates must be 0, 1 or 2"):
            free_design(gates)
