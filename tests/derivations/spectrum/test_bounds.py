"""Theorems behind bounds of eigenvalues: every step is proved, and no step can be corrupted unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from derivations.derivation import Derivation, DerivationError, Step
from derivations.matrix_symbols import CYCLE, FOURTH, FOURTH_TRACE, SECOND, Entries, Semidefinite
from derivations.printing.text import steps_text
from derivations.rules import RULES
from derivations.spectrum.bounds import bounds_theorems, product_law, series_bound, width_family
from derivations.symbols import d, m, n

SLIGHTLY = sp.Rational(201, 200)
THEOREMS = bounds_theorems()


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda theorem: theorem.statement[:40])
def test_every_step_is_proved_and_printed(theorem: Derivation) -> None:
    theorem.check()
    assert theorem.status == "proved"
    text = "\n".join(steps_text(theorem))
    assert f"{len(theorem.steps)} of {len(theorem.steps)} steps proved" in text
    assert "True" not in text


def wrong_steps(step: Step) -> Iterator[Step]:
    """Corrupted copies of one step."""
    if step.rhs != sp.true:
        for rhs in (step.rhs * SLIGHTLY, step.rhs + 1, -step.rhs, step.rhs.subs({n: n + 1, m: m + 1}) + d):
            yield replace(step, rhs=rhs)
        return
    yield replace(step, rhs=sp.false)
    if isinstance(step.lhs, Semidefinite):
        off, on = step.lhs.args[0].args
        for entries in ((off * SLIGHTLY, on), (off, on * SLIGHTLY), (off, -on), (on, off), (off, on - 1)):
            yield replace(step, lhs=Semidefinite(Entries(*entries)))
        return
    left, right = step.lhs.args
    yield replace(step, lhs=step.lhs.func(right, left))
    yield replace(step, lhs=step.lhs.reversedsign)
    argument = right.args[0] if len(right.args) == 1 else None
    sharper = right.func(argument * SLIGHTLY) if argument is not None else right * SLIGHTLY
    yield replace(step, lhs=step.lhs.func(left, sharper))
    yield replace(step, lhs=step.lhs.func(left * SLIGHTLY, right))


@pytest.mark.parametrize("theorem", THEOREMS, ids=lambda theorem: theorem.statement[:40])
def test_corrupted_steps_are_noticed(theorem: Derivation) -> None:
    own = [number for number, step in enumerate(theorem.steps) if step.rule in OWN]
    assert own
    for number in own:
        for wrong in wrong_steps(theorem.steps[number]):
            # The gating law's own steps are checked elsewhere: those before are good.
            assert not RULES[wrong.rule].holds(wrong.lhs, wrong.rhs, theorem.steps[:number]), wrong


OWN = {
    "certificate", "ceiling", "Schur product", "congruence", "sum of semidefinite matrices", "diagonal dominance",
    "shift of the diagonal", "affine in the width", "Weyl's bounds", "diagonal on the sphere", "product of defects",
    "closed walks", "Markov's inequality",
}  # fmt: skip


def test_all_rules_of_bounds_are_corrupted_above() -> None:
    used = {step.rule for theorem in THEOREMS for step in theorem.steps}
    assert used >= OWN


@pytest.mark.parametrize("left_out", range(3))
def test_a_step_left_out_is_missed(left_out: int) -> None:
    for theorem in (product_law(), series_bound()):
        with pytest.raises(DerivationError):
            Derivation("planted", theorem.steps[:left_out] + theorem.steps[left_out + 1 :]).check()


def test_a_name_is_given_once() -> None:
    steps = product_law().steps
    with pytest.raises(DerivationError):
        Derivation("planted", (steps[0], steps[0], *steps[1:])).check()


def test_the_law_of_the_width_needs_its_own_slope() -> None:
    steps = width_family(1).steps
    doubled = replace(
        steps[0], rhs=steps[0].rhs.subs(sp.Symbol("B", real=True), 2 * sp.Symbol("B", real=True))
    )
    with pytest.raises(DerivationError, match="step 1 "):
        Derivation("planted", (doubled, *steps[1:])).check()


def test_the_fourth_moment_is_that_of_drawn_rows() -> None:
    # h(rho) = rho on the circle: C_4 = 2 (1/2)^4, E h^2 = 1/2, E h^4 = 3/8 of cosines of uniform angles.
    trace = next(step.rhs for step in THEOREMS[-1].steps if step.lhs == FOURTH_TRACE)
    at = {CYCLE: sp.Rational(1, 8), SECOND: sp.Rational(1, 2), FOURTH: sp.Rational(3, 8), n: 5}
    expected = float(trace.subs(at))
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, (200_000, 5))
    H = np.cos(angles[:, :, None] - angles[:, None]) * (1 - np.eye(5))
    squares = H @ H
    traces = np.einsum("aij,aij->a", squares, squares)
    # Five standard errors.
    assert abs(np.mean(traces) - expected) <= 5 * np.std(traces) / np.sqrt(len(traces))


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 6))
def test_the_product_law_holds_of_random_correlations(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)

    def correlations() -> np.ndarray:
        U = rng.standard_normal((size, rng.integers(1, 8)))
        U /= np.linalg.norm(U, axis=1)[:, None]
        return U @ U.T

    first, second = correlations(), correlations()
    # Vectors that are certificates by construction: diagonal dominance, scaled by any v.
    v = rng.uniform(0.1, 10, size)
    epsilon, eta = (np.abs(M - np.eye(size)) @ v / v for M in (first, second))
    values = np.linalg.eigvalsh(first * second - np.eye(size) + np.diag(epsilon * eta))
    # eigvalsh is right to n eps times the norm, at most 1 + the largest product.
    assert values[0] >= -1e-14 * size * (1 + np.max(epsilon * eta))
    low, other = np.linalg.eigvalsh(first)[0], np.linalg.eigvalsh(second)[0]
    assert 1 - np.linalg.eigvalsh(first * second)[0] <= (1 - low) * (1 - other) + 1e-14 * size
