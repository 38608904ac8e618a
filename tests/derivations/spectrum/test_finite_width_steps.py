"""The steps to the law of one network: proved ones and heuristic ones, and no step can be corrupted unnoticed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from derivations.derivation import Derivation, DerivationError, Step
from derivations.errors import InputError
from derivations.matrix_symbols import Largest, OfNetwork, OverNetworks, Rank, Smallest
from derivations.network_symbols import LEVERAGE, LOAD, MASS, NUMBER, POINT, ROWS, SCALE, TRACE
from derivations.rules import RULES, finite_width, one_network
from derivations.spectrum.finite_width import finite_width_derivation, network_bounds
from derivations.symbols import d, k, m

SLIGHTLY = sp.Rational(201, 200)
OURS = {**one_network.RULES, **finite_width.RULES}
HEURISTIC = (
    "Its leverage at the mean",
    "All neurons of a block",
    "Degrees",
    "Trace with a block",
    "A row left out",
    "Lower edge",
)


@pytest.mark.parametrize("gates", [0, 1, 2])
def test_what_holds_of_every_network_is_proved(gates: int):
    chain = network_bounds(gates)
    chain.check()
    assert chain.status == "proved"


@pytest.mark.parametrize("gates", [0, 1])
def test_heuristic_steps_say_so_and_are_these(gates: int):
    chain = finite_width_derivation(gates)
    chain.check()
    assert tuple(step.title for step in chain.steps if step.status == "heuristic") == HEURISTIC


def wrong_versions(step: Step) -> list[dict[str, object]]:
    if step.rhs == sp.true:
        left, right = step.lhs.args
        other = sp.Ge if isinstance(step.lhs, sp.Le) else sp.Le
        return [
            {"lhs": step.lhs.func(left, right * SLIGHTLY)},
            {"lhs": other(left, right)},
            {"lhs": step.lhs.func(left.subs(m, 2 * m), right)},
            {"rhs": sp.false},
        ]
    wrong: list[dict[str, object]] = [{"rhs": step.rhs * SLIGHTLY}, {"rhs": -step.rhs}, {"lhs": 2 * step.lhs}]
    for symbol in (LEVERAGE, LOAD, TRACE, POINT, ROWS, SCALE, MASS[k], NUMBER[k]):
        if step.rhs.has(symbol):
            wrong.append({"rhs": step.rhs.xreplace({symbol: symbol * SLIGHTLY})})
    return wrong


@pytest.mark.parametrize("gates", [0, 1])
def test_no_step_can_be_corrupted_unnoticed(gates: int, follows):
    steps = finite_width_derivation(gates).steps
    first = next(n for n, step in enumerate(steps) if step.rule in OURS)
    for number in range(first, len(steps)):
        step, earlier = steps[number], steps[:number]
        assert follows(step, earlier)
        for change in wrong_versions(step):
            assert not follows(replace(step, **change), earlier), (step.title, change)  # type: ignore[arg-type]


def test_a_step_does_not_follow_by_another_rule(follows):
    steps = finite_width_derivation(1).steps
    first = next(n for n, step in enumerate(steps) if step.rule in OURS)
    for number in range(first, len(steps)):
        step, earlier = steps[number], steps[:number]
        for rule in set(RULES) - {step.rule, "definition"}:
            assert not follows(replace(step, rule=rule), earlier), (step.title, rule)


def test_jensen_needs_the_mean():
    steps = network_bounds(0).steps
    mean = next(n for n, step in enumerate(steps) if step.rule == "mean over networks")
    with pytest.raises(DerivationError, match="Smallest eigenvalue"):
        Derivation("planted", steps[:mean] + steps[mean + 1 :]).check()


def test_a_mean_over_networks_needs_every_block():
    steps = network_bounds(1).steps
    block = max(n for n, step in enumerate(steps) if step.rule == "inner product")
    mean = next(step for step in steps if step.rule == "mean over networks")
    with pytest.raises(DerivationError, match=r"Mean over networks|Sum over hidden units"):
        Derivation("planted", (*steps[:block], *steps[block + 1 : -7], mean)).check()


def test_jensens_bounds_are_not_the_other_way_round():
    chain = network_bounds(0)
    random, mean = OfNetwork(0, m), chain.steps[-7].rhs
    for false in (
        OverNetworks(Smallest(random)) <= Largest(mean),
        OverNetworks(Largest(random)) <= Largest(mean),
    ):
        with pytest.raises(DerivationError):
            Derivation("planted", (*chain.steps, Step("", false, sp.true, "Jensen for eigenvalues"))).check()


@pytest.mark.parametrize(
    ("gates", "ranks"), [(0, (d + 1, d)), (1, (2 * d, 2 * d - 1)), (2, (3 * d - 1, 3 * d - 2))]
)
def test_ranks_count_every_relation_among_the_columns(gates: int, ranks: tuple[sp.Expr, sp.Expr]):
    stated = [step.lhs.rhs for step in network_bounds(gates).steps if step.lhs.has(Rank)]
    assert [sp.expand(bound / m) for bound in stated] == [sp.expand(rank) for rank in ranks]


@pytest.mark.parametrize("gates", [3, True, -1])
def test_other_gates_are_refused(gates: int):
    with pytest.raises(InputError, match="gates must be 0, 1 or 2"):
        network_bounds(gates)
    with pytest.raises(InputError, match="gates must be 0 or 1"):
        finite_width_derivation(gates)
