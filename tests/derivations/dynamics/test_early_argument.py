"""The steps behind the early stage hold, no corrupted one does, and what they end in is the region that is computed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import sympy as sp

from derivations.derivation import Derivation, DerivationError, Step
from derivations.dynamics import early_argument, early_stage
from derivations.dynamics.initial import INITIAL, Initial
from derivations.early_symbols import (
    CRITICAL,
    DIAGONAL,
    GAPS,
    PAIRS,
    THRESHOLD,
    MeanOutputs,
    MeanTrace,
    Negative,
    NeverEnough,
    PositiveFrom,
)
from derivations.errors import InputError
from derivations.learning_symbols import eta
from derivations.printing.text import steps_text
from derivations.symbols import d, m, n

FIRST = "To first order in the rate"
"""Of the steps of its own; those before are corrupted elsewhere."""


@cache
def own(initial: Initial) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    steps = early_argument(initial).steps
    first = next(i for i, step in enumerate(steps) if step.title == FIRST)
    return steps[:first], steps[first:]


@pytest.mark.parametrize("initial", INITIAL)
def test_every_step_holds_and_only_the_simplified_matrices_are_cited(initial: Initial):
    found = early_argument(initial)
    found.check()
    assert found.status == "cited"
    assert {step.rule for step in found.steps if step.status != "proved"} == {"simplified matrix"}
    assert "E Tr[K C_0] - E Tr[K~ C_0~]" in "\n".join(steps_text(found))


@pytest.mark.parametrize("initial", INITIAL)
def test_a_wrong_step_is_noticed(initial: Initial, follows):
    before, steps = own(initial)
    rules = {step.rule for step in steps}
    for number, step in enumerate(steps):
        earlier = (*before, *steps[:number])
        wrong = [sp.false, sp.Symbol("nonsense")]
        if step.rhs != sp.true:
            wrong += [step.rhs * sp.Rational(201, 200), step.rhs + eta, step.rhs + n, -step.rhs]
        for rhs in wrong:
            assert not follows(replace(step, rhs=rhs), earlier), (step.title, rhs)
        for lhs in (2 * step.lhs, eta, MeanTrace(1, 3)):
            assert not follows(replace(step, lhs=lhs), earlier), (step.title, lhs)
        for rule in rules - {step.rule, "substitution"}:
            assert not follows(replace(step, rule=rule), earlier), (step.title, rule)


@pytest.mark.parametrize(("initial", "some", "every"), [("kernel", 4, 24), ("nngp", 4, 10)])
def test_dimensions_that_are_claimed_are_the_first_ones(initial: Initial, some: int, every: int, follows):
    before, steps = own(initial)
    for number, step in enumerate(steps):
        if isinstance(step.lhs, PositiveFrom):
            first = int(step.lhs.args[1])
            assert first == (every if step.lhs.args[0] == PAIRS else some)
            for other in (first - 1, first + 1):
                planted = replace(step, lhs=PositiveFrom(step.lhs.args[0], other))
                assert not follows(planted, (*before, *steps[:number])), other


@pytest.mark.parametrize("initial", INITIAL)
def test_signs_that_are_not_so_are_refused(initial: Initial, follows):
    before, steps = own(initial)
    every = (*before, *steps)
    for wrong in (-GAPS[0], -DIAGONAL, PAIRS, GAPS[1], sp.Subs(PAIRS, d, 4)):
        assert not follows(Step("", Negative(wrong), sp.true, "one sign"), every)
    # The smallest n needs A < 0.
    threshold = next(step for step in steps if step.lhs == THRESHOLD)
    assert not follows(threshold, tuple(step for step in every if step.lhs != Negative(DIAGONAL)))
    # The other root of Q, and one that is off by a millionth.
    root = next(step.rhs for step in steps if step.lhs == CRITICAL)
    pairs = sp.Poly(sp.fraction(sp.together(early_stage(initial).pairs))[0], m)
    other = -pairs.nth(1) / pairs.nth(2) - root if pairs.degree() == 2 else -root
    for wrong in (other, root * (1 + sp.Rational(1, 10**6))):
        assert not follows(Step("", CRITICAL, wrong, "largest root in m"), every)
    # Of two positive roots the larger one.
    two = (
        *(step for step in every if isinstance(step.lhs, PositiveFrom)),
        Step("", PAIRS, (m - 2) * (m - 5), ""),
    )
    for root, so in ((2, False), (5, True)):
        assert follows(Step("", CRITICAL, sp.Integer(root), "largest root in m"), two) is so


def test_rows_and_neurons_that_are_enough_at_some_dimension_are_not_said_never_to_be(follows):
    regions = [early_stage("kernel").at(size) for size in (*range(4, 30), 48, 49, 50, 51, 52, 119)]
    # Of one neuron 2400 rows are enough at d = 50, of 11 neurons 300 at d = 10.
    every = early_argument("kernel").steps
    for rows, width, so in (
        (300, 1, True),
        (2000, 1, True),
        (2400, 1, False),
        (300, 11, False),
        (300, 3, True),
    ):
        least = [region.smallest_rows(width) for region in regions]
        assert so is not any(found is not None and found <= rows for found in least)
        assert follows(Step("", NeverEnough(rows, width), sp.true, "too few at every d"), every) is so
    few = Step("", NeverEnough(300, 1), sp.true, "too few at every d")
    assert not follows(few, early_argument("nngp").steps)  # at d = 25 they are 298


def test_outputs_of_a_real_network_are_not_those_of_covariance_k():
    steps = early_argument("nngp").steps
    number = next(i for i, step in enumerate(steps) if step.lhs == MeanOutputs(0, 1))
    value = next(step.rhs for step in early_argument("kernel").steps if step.lhs == MeanOutputs(0, 1))
    planted = (*steps[:number], replace(steps[number], rhs=value), *steps[number + 1 :])
    with pytest.raises(DerivationError, match="Outputs of a real network"):
        Derivation("planted", planted).check()


@pytest.mark.parametrize("initial", INITIAL)
def test_widths_in_between_are_those_of_the_region(initial: Initial):
    stage = early_stage(initial)
    _, steps = own(initial)
    some, every = sorted(int(step.lhs.args[1]) for step in steps if isinstance(step.lhs, PositiveFrom))
    root = next(step.rhs for step in steps if step.lhs == CRITICAL)
    for size in range(some, every):
        assert stage.at(size).smallest_width() == sp.floor(root.subs(d, size)) + 1
    for size in (*range(1, some), *range(every, every + 20)):
        assert stage.at(size).smallest_width() == (None if size < some else 1)


@pytest.mark.parametrize("initial", INITIAL)
def test_limits_are_those_of_the_region(initial: Initial):
    # At d = 10^8 what is next in the expansions is 1/sqrt(d) or 1/d times constants below 100.
    stage, size = early_stage(initial), 10**8
    proportional, narrow = stage.proportional, stage.narrow
    (t,) = proportional.free_symbols
    for share in (1, 2):
        exact = (1 - stage.diagonal / stage.pairs).subs({m: share * size, d: size})
        assert float(exact) == pytest.approx(float(proportional.subs(t, share)), rel=1e-5)
    for rows in (2, 300):
        smallest = stage.at(size).smallest_width(rows)
        assert smallest is not None
        assert smallest / size == pytest.approx(float(stage.smallest_ratio(rows)), rel=1e-5)
    least = stage.smallest_rows(size, 3)
    assert least is not None
    assert least / size == pytest.approx(float(narrow.subs(m, 3)), rel=1e-5)
    assert sp.Limit(THRESHOLD / d, d, sp.oo) in {step.lhs for step in early_argument(initial).steps}


def test_another_covariance_is_refused():
    with pytest.raises(InputError, match="initial must be"):
        early_argument("zero")  # type: ignore[arg-type]
