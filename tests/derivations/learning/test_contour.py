"""Nodes and weights reproduce what gradient descent leaves of every mode."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.learning.contour import ANGLE, COARSE, STEP, descent_contour, filtered, remaining

SHARES = np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 300)])


def left(steps: int, step: float, share: np.ndarray) -> np.ndarray:
    """By the contour, from the residuals of ridge regressions."""
    contour = descent_contour(steps, step)
    ridge = -contour.nodes / (np.asarray(share)[..., None] - contour.nodes)
    return 2 * np.real(ridge @ contour.weights)


@pytest.mark.parametrize("step", [STEP, COARSE])
@given(steps=st.integers(1, 10**8))
def test_what_is_left_of_a_mode_is_that_of_so_many_steps(step: float, steps: int):
    # The trapezoidal rule's error times the largest value at the left tip, (1 + 2/t)^t < e^2, from either side.
    tolerance = 2 * np.exp(2 - 2 * np.pi * ANGLE / step)
    np.testing.assert_allclose(left(steps, step, SHARES), remaining(steps, SHARES), rtol=0, atol=tolerance)


@given(steps=st.integers(1, 1000), first=st.floats(0, 1), second=st.floats(0, 1))
def test_pairs_of_nodes_give_products(steps: int, first: float, second: float):
    contour = descent_contour(steps)
    one, other = (-contour.nodes / (share - contour.nodes) for share in (first, second))
    found = filtered(contour, np.outer(one, other), np.outer(one, np.conj(other)))
    expected = np.prod(remaining(steps, np.array([first, second])))
    assert found == pytest.approx(expected, abs=4 * np.exp(2 - 2 * np.pi * ANGLE / STEP))


def test_another_number_of_steps_is_told_apart():
    assert np.max(np.abs(left(100, STEP, SHARES) - remaining(101, SHARES))) > 1e-3
