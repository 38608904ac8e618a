"""The search finds the best profile: against all profiles of a grid, random ones, and what is known beforehand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from derivations.errors import InputError
from derivations.learning.design import best_profile, descent_objective, evaluated
from derivations.learning.law import learning_curve
from derivations.learning.teacher import Teacher

HALVES = Teacher((0.5, 0.5))
CASES = [
    (300, 30, 10, HALVES, 0, 3),
    (300, 30, 30, HALVES, 2, 4),
]


def grid(count: int) -> np.ndarray:
    """Profiles of so many degrees, on a logarithmic grid with zeros."""
    levels = np.append(0.0, np.geomspace(1e-3, 1.0, 10))
    found = np.array([p for p in product(levels, repeat=count) if max(p) == 1.0])
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("n", "d", "steps", "teacher", "gates", "degrees"), CASES)
def test_no_profile_of_a_fine_grid_is_better(n, d, steps, teacher, gates, degrees):
    objective = descent_objective(n, d, steps, teacher, degrees)
    rng = np.random.default_rng(0)
    profiles = grid(degrees + 1 - gates)
    profiles = profiles[rng.permutation(len(profiles))[:300]]
    errors = [objective(np.concatenate([np.zeros(gates), p])) for p in profiles]
    found = best_profile(n, d, steps, teacher, gates, degrees)
    assert sum(found.coefficients) == pytest.approx(1)
    assert min(found.coefficients) >= 0
    assert not any(found.coefficients[:gates])
    # What pairs of degrees are left alone at, and the coarse contour's error.
    assert found.error <= min(errors) * (1 + 2e-4)
    # Not by much: a search for something else would not come so near.
    assert found.error > 0.9 * min(errors)


def test_a_linear_teacher_wants_a_linear_kernel():
    found = best_profile(300, 30, 5, Teacher((1.0,)), degrees=3)
    assert found.coefficients[1] == pytest.approx(1)


def test_no_local_optimum_is_taken_for_the_best():
    """From equal shares, moves between pairs of degrees alone end 0.1 % above what is known to be possible."""
    teacher = Teacher((0.5, 0.3, 0.2), 0.1)
    known = descent_objective(300, 20, 1000, teacher, 5)(np.array([0, 0.419, 0.282, 0.163, 0.014, 0.122]))
    assert best_profile(300, 20, 1000, teacher, degrees=5).error <= known * (1 + 2e-4)


def test_half_linear_half_quadratic_wants_two_degrees_and_no_network_is_better():
    found = best_profile(300, 30, 10, HALVES, degrees=3)
    assert sum(found.coefficients[1:3]) == pytest.approx(1)
    assert 0.2 < found.coefficients[1] < 0.6
    for name in ("relu", "reglu", "gqu", "swiglu", "bilinear"):
        for width in (1, 1000):
            assert learning_curve(name, 300, 30, width, (10,), HALVES).errors[0] > found.error


def test_the_condition_number_is_least_where_nothing_is_learned():
    pure = [evaluated(np.eye(9)[j], 300, 30, 10, HALVES) for j in range(2, 9)]
    conditions = [one.condition_number for one in pure]
    assert conditions == sorted(conditions, reverse=True)
    assert conditions[-1] < 1.1
    assert pure[-1].error > 0.99


def test_a_constant_learns_nothing():
    assert evaluated(np.array([1.0, 0.0]), 50, 10, 3, HALVES).error == 1.0
    assert descent_objective(50, 10, 3, HALVES, 1)(np.array([1.0, 0.0])) == 1.0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"n": 19}, "n must be at least 20 for a test error, got 19"),
        ({"d": 1}, "d must be at least 2, got 1"),
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"gates": 3}, "gates must be 0, 1 or 2, got 3"),
        ({"gates": 2, "degrees": 1}, "degrees must be from 2 to 16, got 1"),
        ({"degrees": 17}, "degrees must be from 1 to 16, got 17"),
    ],
)
def test_bad_arguments_are_named(changes: dict, line: str):
    arguments = {"n": 50, "d": 10, "steps": 3, "teacher": HALVES} | changes
    with pytest.raises(InputError, match=line):
        best_profile(**arguments)
