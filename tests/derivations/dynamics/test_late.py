"""Who is ahead at last: the steps hold and no corrupted one does, and losses, kernels and rows do as they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from derivations import KernelDerivation, derive, kernel_function, network
from derivations.derivation import Derivation, Step
from derivations.dynamics import (
    ExpectedLoss,
    LateStage,
    expected_loss,
    late_argument,
    late_stage,
    late_theorem,
    reversal,
)
from derivations.dynamics.reversal import ROWS
from derivations.errors import InputError
from derivations.late_symbols import LAST_DIFFERENCE, LATE, SHARE, SLOWEST, SLOWEST_GATED
from derivations.learning_symbols import eta
from derivations.matrix_symbols import LEAST
from derivations.printing.text import steps_text
from derivations.symbols import d, m

SLIGHTLY = sp.Rational(201, 200)
DERIVATIONS: dict[str, tuple[Callable[[], Derivation], int]] = {
    # how many steps at the end are its own
    "argument kernel": (partial(late_argument, "kernel"), 10),
    "argument nngp": (partial(late_argument, "nngp"), 10),
    "argument zero": (partial(late_argument, "zero"), 10),
    "theorem 1": (partial(late_theorem, 1), 7),
    "theorem 2": (partial(late_theorem, 2), 7),
    "reversal": (reversal, 8),
}


@cache
def steps_of(name: str) -> tuple[Step, ...]:
    return DERIVATIONS[name][0]().steps


@cache
def derived(name: str) -> KernelDerivation:
    return derive(network(name), order=network(name).gates + 1)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_step_is_proved(name: str):
    found = DERIVATIONS[name][0]()
    found.check()
    assert found.status == "proved"
    assert f"{len(found.steps)} of {len(found.steps)} steps proved" in "\n".join(steps_text(found))


def test_an_equivalence_is_printed_as_one():
    lines = steps_text(reversal())
    assert "         exactly if p < (d + m)/(2*d + m)" in lines
    assert sum("exactly if" in line for line in lines) == 1


def wrong_sides(step: Step) -> list[dict[str, object]]:
    """Corruptions of the step that make it false."""
    lhs, rhs = step.lhs, step.rhs
    wrong: list[dict[str, object]] = [{"rhs": sp.Symbol("nonsense")}, {"lhs": sp.Symbol("nonsense")}]
    if rhs == sp.true:
        left, right = lhs.args
        wrong += [{"rhs": sp.false}, {"lhs": lhs.func(right, left)}]
        # A weaker bound is no error of the criterion that proves it; one that is ten times as high is none of K's.
        factors = (10,) if step.rule == "leading minors" else (SLIGHTLY, 1 / SLIGHTLY)
        wrong += [{"lhs": lhs.func(left, right * factor)} for factor in factors if right not in (0, 1)]
        wrong += [{"lhs": lhs.func(left, right + 1)}]
    elif isinstance(rhs, sp.Lt | sp.Gt):
        reverse = sp.Gt if isinstance(rhs, sp.Lt) else sp.Lt
        wrong += [
            {"rhs": reverse(*rhs.args)},
            {"rhs": rhs.func(rhs.lhs, rhs.rhs * SLIGHTLY)},
            {"lhs": reverse(*lhs.args)},
        ]
    elif isinstance(rhs, sp.MatrixBase):
        wrong += [{"rhs": rhs * SLIGHTLY}, {"rhs": -rhs}, {"rhs": rhs[1:, 1:]}, {"rhs": rhs.subs(m, m + 1)}]
    else:
        wrong += [{"rhs": side} for side in (rhs * SLIGHTLY, -rhs, rhs + 1) if side != rhs]
        if isinstance(rhs, sp.Piecewise):
            values, cases = zip(*rhs.args, strict=True)
            wrong += [
                {"rhs": sp.Piecewise(*zip(values[::-1], cases, strict=True))},
                {"rhs": sp.Piecewise(*zip(values, [*(~c for c in cases[:-1]), True], strict=True))},
            ]
        if rhs.has(eta):
            wrong.append({"rhs": rhs.subs(eta, 2 * eta)})
    return wrong


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_wrong_step_is_noticed(name: str, follows):
    steps = steps_of(name)
    for number in range(len(steps) - DERIVATIONS[name][1], len(steps)):
        earlier, step = steps[:number], steps[number]
        assert follows(step, earlier), step.title
        for change in wrong_sides(step):
            assert not follows(replace(step, **change), earlier), (step.title, change)  # type: ignore[arg-type]
        for rule in {other.rule for other in steps} - {step.rule}:
            assert not follows(replace(step, rule=rule), earlier), (step.title, rule)


def test_the_theorem_needs_each_of_its_premises(follows):
    steps = steps_of("theorem 1")
    last = [step.title for step in steps[-7:]]
    for needed, without in (
        ("The gated network is faster at its slowest", "On long rows"),
        ("The gated network is faster at its slowest", "The last mode has weight"),
        ("The gated network is ahead at last", "The gated network is faster at its slowest"),
        ("On long rows", "With gates"),
        ("On long rows", "Which rows are long enough"),
        ("Which rows are long enough", "With gates"),
    ):
        number = len(steps) - 7 + last.index(needed)
        earlier = tuple(step for step in steps[:number] if step.title != without)
        assert len(earlier) < number
        assert not follows(steps[number], earlier), needed


def test_the_order_does_not_follow_on_shorter_rows(follows):
    steps = steps_of("theorem 1")
    number = next(i for i, step in enumerate(steps) if step.rule == "long rows")
    *earlier, bound, condition = steps[:number]
    # The same bound with p_min / 2, and its own condition: p_min >= 1 is not enough for it.
    weaker = replace(bound, lhs=bound.lhs.subs(LEAST, LEAST / 2))
    own = replace(
        condition, lhs=condition.lhs.subs(LEAST, LEAST / 2), rhs=sp.Gt(LEAST, 2 * condition.rhs.rhs)
    )
    assert follows(own, (*earlier, weaker))
    assert not follows(steps[number], (*earlier, weaker, own))


losses = st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 5.0)), min_size=1, max_size=5)


def built(modes: list[tuple[float, float]]) -> ExpectedLoss:
    factors, weights = (np.array(part) for part in zip(*sorted(modes), strict=True))
    return ExpectedLoss(2 * np.log(factors), weights, float(weights.sum() / 2))


@settings(max_examples=60, deadline=None)
@given(one=losses, other=losses)
def test_from_the_step_it_names_on_the_order_is_what_it_says(one, other):
    first, second = built(one), built(other)
    stage = late_stage(first, second)
    slowest, other_slowest = first.logarithms.max(), second.logarithms.max()
    assert stage.factors == pytest.approx((np.exp(slowest / 2), np.exp(other_slowest / 2)))
    if slowest == other_slowest:
        return  # the weights decide, below
    assert stage.ahead == (1 if slowest > other_slowest else -1)
    start = min(int(np.ceil(stage.decided_from)), 10**13) + 1
    assume(start < 10**13)
    for k in (start, 2 * start, 10 * start):
        difference = first.log_at([k])[0] - second.log_at([k])[0]
        # A logarithm is rounded to k eps times its size.
        assert stage.ahead * difference >= -1e-12 * abs(first.log_at([k])[0])


def test_equal_slowest_modes_are_decided_by_their_weights():
    fast = expected_loss(np.diag([1.0, 0.1]), 0.5, [1.0, 1.0])
    heavy = expected_loss(np.diag([0.5, 0.1]), 0.5, [1.0, 2.0])
    assert (late_stage(fast, heavy).ahead, late_stage(heavy, fast).ahead) == (-1, 1)
    # What is left of the difference at the same exponents, -3 e^(kx) + e^(ky) - e^(kz), is negative from the start.
    assert late_stage(fast, heavy).decided_from == 0.0
    equal = late_stage(fast, fast)
    assert (equal.ahead, equal.decided_from) == (0, np.inf)


def test_a_mode_that_neither_learns_decides_nothing():
    # Two equal rows: their difference is a mode of both, whose weights rounding tells apart.
    rows = np.array([[1.0, 0.3, 0.1], [1.0, 0.3, 0.1], [0.2, 1.0, 1.5], [0.4, 0.9, 1.9]])
    Y = np.array([1.0, -0.5, 0.3, 2.0])
    plain, gated = (kernel_function(name, width=20)(rows) for name in ("relu", "reglu"))
    eta = 0.9 / max(np.linalg.eigvalsh(K)[-1] for K in (plain, gated))
    losses = [expected_loss(K, eta, Y) for K in (plain, gated)]
    stage = late_stage(*losses)
    smallest = [np.linalg.eigvalsh(K)[1] for K in (plain, gated)]
    assert stage.ahead == (1 if smallest[0] < smallest[1] else -1)
    assert np.isfinite(stage.decided_from)
    start = int(np.ceil(stage.decided_from)) + 1
    for k in (start, 2 * start):
        assert stage.ahead * np.subtract(*(loss.lost([k])[0] for loss in losses)) < 0


def test_a_loss_that_is_gone_after_a_step_is_ahead_from_the_first_on():
    gone, slow = (expected_loss([[value]], 0.5, [1.0]) for value in (2.0 - 1e-16, 1.0))
    assert late_stage(slow, gone) == LateStage(1, (0.5, 0.0), 1.0)
    assert late_stage(gone, slow) == LateStage(-1, (0.0, 0.5), 1.0)
    assert late_stage(gone, gone).ahead == 0


def test_modes_that_overshoot_decide_where_the_step_is_long():
    # 2 / (1 + 0.1) = 1.82: below it the smallest eigenvalue decides, beyond it the largest.
    K = np.diag([1.0, 0.1])
    for step, factor in ((1.8, 0.82), (1.9, 0.9)):
        assert late_stage(*2 * [expected_loss(K, step, [1.0, 1.0])]).factors[0] == pytest.approx(factor)


def test_a_loss_without_weight_is_ahead():
    nothing = expected_loss(np.eye(2), 0.5, [0.0, 0.0])
    something = expected_loss(np.eye(2), 0.5, [1.0, 0.0])
    assert late_stage(nothing, something).ahead == -1
    assert late_stage(something, nothing).ahead == 1


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 12),
    dimension=st.integers(2, 6),
    width=st.integers(1, 50),
    rate=st.floats(0.1, 1.0),
)
def test_on_long_rows_the_gated_network_is_ahead_at_last(seed, n, dimension, width, rate):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dimension))
    X *= (np.sqrt(dimension) * rng.uniform(1.0, 1.5, n) / np.linalg.norm(X, axis=1))[:, None]
    plain, gated = late_losses(X, width, rate)
    assert late_stage(plain, gated).ahead == 1


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 6),
    dimension=st.integers(2, 6),
    width=st.integers(1, 20),
)
def test_rows_may_be_shorter_by_as_much_as_the_theorem_says(seed, n, dimension, width):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, dimension))
    X *= np.sqrt(dimension) / np.linalg.norm(X, axis=1)[:, None]
    kernel, outputs = (
        np.linalg.eigvalsh(kernel_function(derived("relu"), kind, width if kind == "ntk" else None)(X))[0]
        for kind in ("ntk", "nngp")
    )
    # Both are homogeneous: the condition is the same for rows of another common length.
    least = kernel / (kernel + dimension * outputs)
    plain, gated = late_losses(X * np.sqrt(least * (1 + 1e-6)), width)
    assert late_stage(plain, gated).ahead == 1
    if n == 1:
        assert late_stage(*late_losses(X * np.sqrt(least * (1 - 1e-6)), width)).ahead == -1


def late_losses(X: np.ndarray, width: int, rate: float = 1.0) -> tuple[ExpectedLoss, ExpectedLoss]:
    kernels = [kernel_function(derived(name), width=width)(X) for name in ("relu", "reglu")]
    outputs = [kernel_function(derived(name), kind="nngp")(X) for name in ("relu", "reglu")]
    step = rate / max(np.linalg.eigvalsh(K)[-1] for K in kernels)
    plain, gated = (expected_loss(K, step, np.ones(len(X)), C) for K, C in zip(kernels, outputs, strict=True))
    return plain, gated


@pytest.mark.parametrize("width", [1, 7, 1000])
@pytest.mark.parametrize("dimension", [1, 3])
def test_a_single_row_is_behind_exactly_below_the_threshold(width: int, dimension: int):
    threshold = float(steps_of("reversal")[2].rhs.rhs.subs({m: width, d: dimension}))
    for p, ahead in ((0.999 * threshold, -1), (1.001 * threshold, 1)):
        X = np.full((1, dimension), np.sqrt(p))
        assert late_stage(*late_losses(X, width)).ahead == ahead
    assert steps_of("reversal")[2].rhs.lhs == SHARE


@pytest.mark.parametrize("width", [1, 10, 10**6])
def test_the_given_rows_reverse_the_order(width: int):
    X = np.array(ROWS, dtype=float)
    plain, gated = (
        np.linalg.eigvalsh(kernel_function(derived(name), width=width)(X))[0] for name in ("relu", "reglu")
    )
    assert gated == pytest.approx((width + 4) / 32)
    assert plain > gated
    assert late_stage(*late_losses(X, width)).ahead == -1
    # With the short row as long as the others the order is the theorem's.
    assert late_stage(*late_losses(X * [[2], [1], [1]], width)).ahead == 1


@pytest.mark.parametrize(
    "call", [lambda: late_argument("ntk"), lambda: late_argument("nngp", 3), lambda: late_theorem(0)]
)
def test_other_arguments_are_refused(call):
    with pytest.raises(InputError, match="must be"):
        call()


def test_the_steps_say_what_the_documentation_says():
    steps = {step.lhs: step.rhs for step in steps_of("argument nngp")}
    assert LATE in steps
    assert SLOWEST in steps
    assert SLOWEST_GATED in steps
    assert [value for value, _ in steps[sp.sign(LAST_DIFFERENCE)].args[:2]] == [1, -1]


def test_the_step_is_the_exact_one_where_each_loss_has_one_mode():
    slow, fast = built([(0.9, 0.5)]), built([(0.8, 4.0)])
    k = np.log(4.0 / 0.5) / (2 * np.log(0.9 / 0.8))
    assert late_stage(slow, fast).decided_from == pytest.approx(k)
    assert late_stage(fast, slow).decided_from == pytest.approx(k)


def test_a_slow_mode_without_weight_decides_nothing():
    K = np.diag([1.0, 0.01])
    plain, gated = (
        expected_loss(K, step, targets) for step, targets in ((0.5, [1.0, 0.0]), (0.6, [0.0, 1.0]))
    )
    assert late_stage(plain, gated).ahead == -1
    assert late_stage(plain, gated).decided_from == pytest.approx(0.0)
