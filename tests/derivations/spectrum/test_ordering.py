"""The gating law and the ordering theorem: their steps, and both on arbitrary data."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations import InputError, KernelDerivation, derive, kernel_function, network
from derivations.derivation import Derivation, DerivationError
from derivations.matrix_symbols import Kernel, Largest, Smallest
from derivations.printing.text import steps_text
from derivations.spectrum.ordering import gating_law, ordering_theorem
from derivations.symbols import d, m
from verify.activations import Array
from verify.testing import data_matrices, widths

ACTIVATIONS = ("relu", "abs", "gelu", "identity", "silu", "tanh")


@pytest.mark.parametrize("sphere", [False, True])
@pytest.mark.parametrize("gates", [1, 2])
def test_every_step_is_proved(gates: int, sphere: bool) -> None:
    theorem = ordering_theorem(gates, sphere)
    theorem.check()
    assert theorem.status == "proved"
    text = "\n".join(steps_text(theorem))
    assert f"{len(theorem.steps)} of {len(theorem.steps)} steps proved" in text
    assert "True" not in text  # an inequality is printed as itself


@pytest.mark.parametrize("sphere", [False, True])
def test_wrong_steps_are_noticed(sphere: bool) -> None:
    steps = ordering_theorem(1, sphere).steps
    first = next(n for n, step in enumerate(steps) if step.rule == "gating law")
    for number in range(first, len(steps)):
        step = steps[number]
        wrong: list[dict[str, sp.Expr]] = []
        if step.rhs == sp.true:
            left, right = step.lhs.args
            wrong += [
                {"lhs": step.lhs.func(left, right * sp.Rational(201, 200))},
                {"lhs": step.lhs.func(right, left)},
                {"lhs": step.lhs.reversedsign},
                {"lhs": step.lhs.subs(d + m, m) if step.lhs.has(d + m) else step.lhs.subs(m, d)},
                {"rhs": sp.false},
            ]
        else:
            wrong += [{"rhs": 2 * step.rhs}, {"rhs": step.rhs.subs(m, m + 1) + d}]
        for change in wrong:
            with pytest.raises(DerivationError, match=rf"step {number + 1} "):
                Derivation("planted", (*steps[:number], replace(step, **change))).check()


def test_the_width_with_gates_is_not_the_width_without() -> None:
    # The comparison at the same width holds for the smallest eigenvalue, not for the condition number.
    steps = ordering_theorem(1, sphere=True).steps
    plain, gated = Kernel(0, m), Kernel(1, m)
    false = Largest(gated) / Smallest(gated) <= Largest(plain) / Smallest(plain)
    with pytest.raises(DerivationError):
        Derivation("planted", (*steps[:-1], replace(steps[-1], lhs=false))).check()


@pytest.mark.parametrize("gates", [0, 3, True, "1"])
def test_other_gates_are_refused(gates: object) -> None:
    with pytest.raises(InputError, match="gates must be 1 or 2"):
        gating_law(gates)  # type: ignore[arg-type]


@cache
def derived(name: str, gates: int) -> KernelDerivation:
    return derive(network(name, gates=gates), order=gates + 1)


def kernels(name: str, gates: int, X: Array, width: int) -> tuple[Array, Array, Array]:
    """The gated kernel at width m, the plain one at m + g d, and p."""
    wider = width + gates * X.shape[1]
    gated = kernel_function(derived(name, gates), width=width)(X)
    return gated, kernel_function(derived(name, 0), width=wider)(X), np.sum(X**2, axis=1) / X.shape[1]


@settings(max_examples=60, deadline=None)
@given(
    X=data_matrices(d=(1, 4), norms=(1e-3, 30.0)),
    width=widths(),
    name=st.sampled_from(ACTIVATIONS),
    gates=st.integers(1, 2),
)
def test_the_gating_law_holds_on_arbitrary_data(X: Array, width: int, name: str, gates: int) -> None:
    gated, plain, _ = kernels(name, gates, X, width)
    product = (X @ X.T / X.shape[1]) ** gates * plain
    size = np.sqrt(np.multiply.outer(gated.diagonal(), gated.diagonal()))
    assert (np.abs(gated - product) <= 1e-11 * size + 1e-290).all()


@settings(max_examples=60, deadline=None)
@given(
    X=data_matrices(d=(1, 4), norms=(1e-3, 30.0)),
    width=widths(),
    name=st.sampled_from(ACTIVATIONS),
    gates=st.integers(1, 2),
)
def test_the_ordering_holds_on_arbitrary_data(X: Array, width: int, name: str, gates: int) -> None:
    gated, plain, p = kernels(name, gates, X, width)
    here, there = np.linalg.eigvalsh(gated), np.linalg.eigvalsh(plain)
    # The kernels are right to 1e-12 of their diagonals; eigenvalues to n roundings of the largest.
    slack = 1e-11 * len(X) * (abs(here[-1]) + p.max() ** gates * abs(there[-1]))
    assert here[0] >= p.min() ** gates * there[0] - slack
    assert here[-1] <= p.max() ** gates * there[-1] + slack


def test_the_condition_numbers_at_one_width_can_be_the_other_way_round() -> None:
    # Why the theorem compares with the width m + d: a few rows on a circle, found by search.
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(100):
        angles = rng.uniform(0, 2 * np.pi, 5)
        X = np.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        condition = [np.linalg.cond(kernel_function(derived("relu", gates), width=1)(X)) for gates in (0, 1)]
        wider = np.linalg.cond(kernel_function(derived("relu", 0), width=3)(X))
        assert condition[1] <= wider * (1 + 1e-9)
        found += bool(condition[1] > condition[0])
    assert found > 0
