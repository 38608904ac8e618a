"""No step of a derivation can be corrupted unnoticed: planted errors in every step, caught by `check`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import pytest
import sympy as sp

from derivations import derivation, derive, network
from derivations.derivation import Derivation, DerivationError, Step
from derivations.networks import TwoLayer
from derivations.rules import RULES, Rule
from derivations.symbols import (
    COVARIANCE,
    KERNEL,
    REMAINDER,
    SPHERE,
    UNIT,
    Coefficient,
    Expectation,
    a,
    alpha,
    beta,
    c,
    d,
    l,
    m,
    rho,
    s_1,
    s_2,
    sigma_a,
    sigma_v,
    u_1,
    u_2,
    w,
    x,
)

BIASED = "reglu with biases"
NETWORKS = ("relu", "reglu", "gqu", BIASED)
SLIGHTLY = 1 + sp.Rational(1, 200)


def described(name: str) -> TwoLayer:
    return network("reglu", bias_variance="symbolic") if name == BIASED else network(name)


@cache
def steps_of(name: str) -> tuple[Step, ...]:
    return derive(described(name), order=described(name).gates + 1).steps


@pytest.fixture(autouse=True)
def _good_steps_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A true step after true steps is true: one verdict per derivation serves all its corrupted copies."""
    good = [steps_of(name) for name in NETWORKS]

    def remembered(name: str, rule: Rule) -> Rule:
        def holds(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
            n = len(earlier)
            for steps in good:
                this = steps[n] if n < len(steps) else None
                # The same objects: nothing is compared, so that nothing costs.
                if this and this.lhs is lhs and this.rhs is rhs and this.rule == name:  # noqa: SIM102
                    if all(map(operator.is_, earlier, steps)):
                        return True
            return rule.holds(lhs, rhs, earlier)

        return replace(rule, holds=holds)

    monkeypatch.setattr(derivation, "RULES", {name: remembered(name, rule) for name, rule in RULES.items()})


def failing_step(steps: tuple[Step, ...]) -> int | None:
    """Number, from 0, of the step that `check` names; None if it finds nothing."""
    try:
        Derivation("planted", steps).check()
    except DerivationError as error:
        found = re.match(r"step (\d+) \((.*)\) does not follow by ", str(error))
        assert found is not None
        number = int(found[1]) - 1
        assert found[2] == steps[number].title
        return number
    return None


def with_step(steps: tuple[Step, ...], number: int, **changes: object) -> tuple[Step, ...]:
    return (*steps[:number], replace(steps[number], **changes), *steps[number + 1 :])  # type: ignore[arg-type]


def wrong_right_sides(rhs: sp.Expr) -> Iterator[sp.Expr]:
    yield rhs + 1
    for expectation in sorted(rhs.atoms(Expectation), key=str)[:1]:
        inside, *law = expectation.args
        # u delta(u) is 0, but u delta'(u) is -delta(u).
        for wrong in (inside * SLIGHTLY, inside + u_1 * sp.DiracDelta(u_1, 1) * sp.DiracDelta(u_2)):
            yield rhs.xreplace({expectation: Expectation(wrong, *law)})
        yield rhs.xreplace({expectation: Expectation(inside, 2 * law[0]) if law else Expectation(inside, c)})
    yield sp.Symbol("nonsense")
    if rhs != 0:
        yield rhs * SLIGHTLY
        yield -rhs
        yield rhs**2 if rhs != 1 else sp.S.Half


@pytest.mark.parametrize("name", NETWORKS)
def test_the_checkers_themselves_accept_the_derivation(name: str) -> None:
    steps = steps_of(name)
    for number, step in enumerate(steps):
        assert RULES[step.rule].holds(step.lhs, step.rhs, steps[:number]), step.title


@pytest.mark.parametrize("name", NETWORKS)
def test_a_wrong_right_side_is_named_or_if_it_is_a_definition_a_later_step_is(name: str) -> None:
    steps = steps_of(name)
    for number, step in enumerate(steps):
        right_at_zero = [step.rhs + c] if step.rule == "integration" else []
        for rhs in (*wrong_right_sides(step.rhs), *right_at_zero):
            if step.title == "Activation" and rhs == -step.rhs:
                continue  # no error: -phi has the kernel of phi
            if step.lhs == sigma_v and described(name).gates == 0:
                continue  # a name that nothing has
            caught = failing_step(with_step(steps, number, rhs=rhs))
            assert caught is not None, (step.title, rhs)
            assert caught == number or (step.rule == "definition" and caught > number), (step.title, rhs)


@pytest.mark.parametrize("name", ["relu", "gqu"])
def test_a_wrong_left_side_is_noticed(name: str) -> None:
    steps = steps_of(name)
    for number, step in enumerate(steps):
        for lhs in (2 * step.lhs, KERNEL, SPHERE, COVARIANCE, alpha, REMAINDER(3), Expectation(u_1)):
            if lhs != step.lhs:
                assert failing_step(with_step(steps, number, lhs=lhs)) is not None, (step.title, lhs)


@pytest.mark.parametrize("name", ["relu", "gqu"])
def test_a_wrong_claim_passes_under_no_rule(name: str) -> None:
    steps = steps_of(name)
    for number, step in enumerate(steps):
        rhs = step.rhs * SLIGHTLY if step.rhs != 0 else sp.S.One
        for rule in RULES:
            if step.rule != "definition" or rule != "definition":
                caught = failing_step(with_step(steps, number, rhs=rhs, rule=rule))
                assert caught == number, (step.title, rule)


def test_a_sum_over_weights_is_no_constant() -> None:
    random = sp.Sum(w[l] ** 2, (l, 1, d))
    inside = Expectation(random * u_1 * u_2)
    assert not RULES["independence"].holds(inside, random * Expectation(u_1 * u_2), ())
    assert RULES["independence"].holds(Expectation(2 * u_1 * u_2), 2 * Expectation(u_1 * u_2), ())


@pytest.mark.parametrize("name", ["relu", "gqu"])
def test_a_true_claim_does_not_follow_by_another_rule(name: str) -> None:
    # Naming the factors of a product is substitution of the names' definitions.
    # A coefficient of degree below the number of gates is 0 by either rule.
    # Coefficients of the named networks are derived ones.
    # The density at the origin is a Gaussian integral of two Dirac terms, a quadrant one of two steps.
    also = {
        ("inner product", "substitution"),
        ("Taylor", "shift law"),
        ("Taylor", "product of series"),
        ("origin density", "Gaussian integral"),
        ("reading off", "derived coefficient"),
        ("integration", "tilted Gaussian integral"),
    }
    steps = steps_of(name)
    for number, step in enumerate(steps):
        for rule in set(RULES) - {step.rule}:
            caught = failing_step(with_step(steps, number, rule=rule))
            assert caught == number or (step.rule, rule) in also, (step.title, rule)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_circular_definition_is_refused(name: str) -> None:
    steps = steps_of(name)
    for number, step in enumerate(steps):
        if step.rule == "definition":
            assert failing_step(with_step(steps, number, rhs=step.rhs * step.lhs)) == number
            assert failing_step(with_step(steps, number, rhs=step.lhs)) == number


@pytest.mark.parametrize("name", NETWORKS)
def test_a_definition_may_not_be_made_twice(name: str) -> None:
    steps = steps_of(name)
    for number, step in enumerate(steps):
        if step.rule == "definition":
            assert failing_step((*steps[: number + 1], step, *steps[number + 1 :])) == number + 1


@pytest.mark.parametrize("name", NETWORKS)
def test_a_parameter_block_left_out_is_missed(name: str) -> None:
    steps = steps_of(name)
    blocks = [n for n, step in enumerate(steps) if step.rule == "differentiation"]
    gates = described(name).gates
    assert len(blocks) == (3 + 2 * gates if name == BIASED else 2 + gates)
    for number in blocks:
        assert steps[number + 1].rule == "inner product"
        # With its gradient or without: a sum over the other blocks, consistent in itself.
        for shorter in (steps[:number] + steps[number + 2 :], steps[: number + 1] + steps[number + 2 :]):
            total = next(n for n, step in enumerate(shorter) if step.rule == "identical units")
            products = [step.rhs for step in shorter if step.rule == "inner product"]
            consistent = sp.Add(*(m * Expectation(product) for product in products))
            assert failing_step(with_step(shorter, total, rhs=consistent)) == total
        assert failing_step(steps[:number] + steps[number + 1 :]) is not None
        assert failing_step(steps[: number + 1] + steps[number + 2 :]) is not None


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_and_products_belong_to_the_unit_that_was_defined(name: str) -> None:
    steps = steps_of(name)
    for number, step in enumerate(steps):
        if step.rule in ("differentiation", "inner product"):
            inside = step.lhs.args[0]
            doubled = step.lhs.func(2 * inside, *step.lhs.args[1:]) if step.lhs.args[1:] else 2 * step.lhs
            if isinstance(step.lhs, sp.Mul):
                doubled = 2 * step.lhs
            consistent = with_step(steps, number, lhs=doubled, rhs=2 * step.rhs)
            assert failing_step(consistent) == number, step.title


def test_a_sign_that_a_positive_scale_cannot_have_is_refused() -> None:
    steps = steps_of("relu")
    number = next(n for n, step in enumerate(steps) if step.lhs == sigma_a)
    assert failing_step(with_step(steps, number, rhs=-steps[number].rhs)) == number


def test_a_coefficient_left_out_spoils_the_remainder() -> None:
    steps = steps_of("reglu")
    number = next(n for n, step in enumerate(steps) if step.lhs == Coefficient(2))
    remainder = next(n for n, step in enumerate(steps) if step.rule == "nonnegative coefficients")
    assert failing_step(steps[:number] + steps[number + 1 :]) == remainder - 1


def test_a_negative_coefficient_gives_no_remainder() -> None:
    rule = RULES["nonnegative coefficients"]
    earlier = (
        Step("On the sphere", SPHERE, 1 + rho / 2 - rho**2 / 4, "sphere"),
        *(
            Step("", Coefficient(j), value, "Taylor")
            for j, value in enumerate((sp.S.One, sp.S.Half, -sp.S.One / 4))
        ),
    )
    assert not rule.holds(REMAINDER(2), sp.S.Zero, earlier)
    assert rule.holds(REMAINDER(1), -sp.S.One / 4, earlier[:3])


FALSE: dict[str, tuple[str, Callable[[], tuple[sp.Expr, sp.Expr]]]] = {
    "Price's theorem in another variable": (
        "Price",
        lambda: (
            sp.Derivative(Expectation(u_1 * u_2, c), s_1),
            Expectation(sp.S.One, c),
        ),
    ),
    "a joint density for a single Dirac term": (
        "origin density",
        lambda: (Expectation(sp.DiracDelta(u_1), c), 1 / (2 * sp.pi * sp.sqrt(s_1**2 * s_2**2 - c**2))),
    ),
    "a joint density where something else is random": (
        "origin density",
        lambda: (
            Expectation(u_1 * sp.DiracDelta(u_1) * sp.DiracDelta(u_2), c),
            u_1 / (2 * sp.pi * sp.sqrt(s_1**2 * s_2**2 - c**2)),
        ),
    ),
    "a product of Dirac terms in one variable": (
        "origin density",
        lambda: (Expectation(sp.DiracDelta(u_1) * sp.DiracDelta(u_1, 1) * sp.DiracDelta(u_2), c), sp.S.Zero),
    ),
    "preactivations at two inputs taken for independent": (
        "independence",
        lambda: (Expectation(u_1 * u_2), Expectation(u_1) * Expectation(u_2)),
    ),
    "a weight that was not averaged": (
        "independence",
        lambda: (Expectation(a**2 * u_1 * u_2), a**2 * Expectation(u_1 * u_2)),
    ),
    "the kernel on the sphere for the kernel": ("sphere", lambda: (KERNEL, dict_of("relu")[SPHERE])),
    "a Taylor coefficient for the remainder": (
        "Taylor",
        lambda: (REMAINDER(1), dict_of("relu")[Coefficient(1)]),
    ),
    "the remainder for something else": (
        "nonnegative coefficients",
        lambda: (sp.Function("Q")(1), dict_of("relu")[REMAINDER(1)]),
    ),
    "beta read off under another name": ("reading off", lambda: (sigma_a, steps_of("relu")[-3].rhs)),
    "a unit's expectation under two laws": (
        "Isserlis",
        lambda: (Expectation(u_1 * u_2, c), dict_of("relu")[Expectation(u_1 * u_2)]),
    ),
    "a covariance that was not averaged": (
        "covariance of outputs",
        lambda: (COVARIANCE, dict_of("relu")[COVARIANCE].replace(Expectation, lambda e: e)),
    ),
    "a naming of nothing new": (
        "definition",
        lambda: (sp.Sum(x[sp.Symbol("k")] ** 2, (sp.Symbol("k"), 1, d)), beta),
    ),
    "a unit defined by an expectation": ("definition", lambda: (Expectation(UNIT), d)),
}


def dict_of(name: str) -> dict[sp.Expr, sp.Expr]:
    """First right side of every left side."""
    return {step.lhs: step.rhs for step in reversed(steps_of(name))}


@pytest.mark.parametrize("title", FALSE)
def test_a_false_claim_of_the_right_shape_is_refused(title: str) -> None:
    rule, claim = FALSE[title]
    good = steps_of("relu")
    number = failing_step((*good, Step(title, *claim(), rule)))
    assert number == len(good)


def test_the_index_does_not_leave_the_sum() -> None:
    steps = steps_of("reglu")
    for number, step in enumerate(steps):
        if isinstance(step.lhs, sp.Sum) and step.rule == "inner product":
            (inner,) = step.rhs.atoms(sp.Sum)
            index = inner.limits[0][0]
            rhs = step.rhs / inner * x[index] * sp.Sum(inner.function / x[index], *inner.limits)
            assert failing_step(with_step(steps, number, rhs=rhs)) == number


def test_a_limit_is_taken_at_infinite_width_only() -> None:
    steps = derive(network("relu", parametrization="ntk"), order=1).steps
    number = next(n for n, step in enumerate(steps) if step.rule == "law of large numbers")
    for lhs in (sp.Limit(KERNEL, m, 0), sp.Limit(KERNEL, d, sp.oo), sp.Limit(2 * KERNEL, m, sp.oo)):
        assert failing_step(with_step(steps, number, lhs=lhs)) == number
    assert failing_step(steps[: number + 1]) is None


def test_a_failure_says_which_step_and_keeps_the_reason() -> None:
    steps = with_step(steps_of("relu"), 3, rule="Taylor")
    with pytest.raises(
        DerivationError, match=r"^step 4 \(Gradient, readout a\) does not follow by Taylor: "
    ) as caught:
        Derivation("planted", steps).check()
    assert "\n" not in str(caught.value)
    with pytest.raises(DerivationError) as caught:
        Derivation("planted", with_step(steps_of("relu"), 3, rule="Isserlis", lhs=sp.S.One)).check()
