"""Expected losses against matrix powers in 60 digits, and their crossings against every single step."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from derivations.dynamics import ExpectedLoss, crossings, expected_loss
from derivations.dynamics.crossing import LAST
from derivations.dynamics.loss import logarithmic_steps
from derivations.errors import InputError


def definite(rng: np.random.Generator, n: int, smallest: float) -> np.ndarray:
    vectors = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (vectors * np.geomspace(smallest, 1.0, n)) @ vectors.T


def by_matrices(K: np.ndarray, eta: float, Y: np.ndarray, C: np.ndarray, k: int) -> mpmath.mpf:
    """Tr[(I - eta K)^2k C] + Y^T (I - eta K)^2k Y over 2."""
    with mpmath.workdps(60):
        factor = mpmath.eye(len(K)) - mpmath.mpf(eta) * mpmath.matrix(K.tolist())
        power, y = factor ** (2 * k), mpmath.matrix(Y.tolist())
        product = power * mpmath.matrix(C.tolist())
        return (sum(product[i, i] for i in range(len(K))) + (y.T * power * y)[0]) / 2


@pytest.mark.parametrize("eta", [0.5, 1.0, 1.9])
@pytest.mark.parametrize("k", [1, 3, 1000, 10**8])
def test_the_loss_is_that_of_matrix_powers(eta: float, k: int):
    rng = np.random.default_rng(2)
    K, Y = definite(rng, 4, 1e-3), rng.standard_normal(4)
    K = (K + K.T) / 2
    C = K @ K + 0.1 * np.eye(4)
    loss = expected_loss(K, eta, Y, C)
    exact = by_matrices(K, eta, Y, C, k)
    # An eigenvalue's rounding, 4 eps of the largest, k times over, relative to 1 - eta lambda; 1.9 leaves 0.9.
    slack = 1e-12 + 2 * k * 1e-15
    with mpmath.workdps(30):
        assert abs(loss.log_at([k])[0] - float(mpmath.log(exact))) < slack
    if k == 1:
        lost = by_matrices(K, eta, Y, C, 0) - exact
        assert loss.lost([1])[0] == pytest.approx(float(lost), rel=1e-12)


def test_many_steps_of_many_modes_are_sums_over_modes():
    # More modes than are summed at once, weights over 600 orders of magnitude, steps in any order.
    rng = np.random.default_rng(5)
    n = 3000
    logarithms = np.sort(-np.geomspace(1e-9, 30.0, n))
    weights = 10.0 ** rng.uniform(-300, 300, n)
    weights[::7] = 0.0
    loss = ExpectedLoss(logarithms, weights, float(weights.sum() / 2))
    steps = rng.permutation(np.concatenate([[0, 0, 1], np.geomspace(1, 1e12, 200).round()]))
    with np.errstate(divide="ignore"):
        by_step = [
            logsumexp(np.log(weights / 2) + k * logarithms) if k else np.log(loss.start) for k in steps
        ]
    # k times an exponent is rounded alike in both; sums of 3000 terms to 3000 eps at worst.
    np.testing.assert_allclose(loss.log_at(steps), by_step, rtol=4e-16, atol=1e-12)
    by_step = [weights @ -np.expm1(k * logarithms) / 2 for k in steps]
    np.testing.assert_allclose(loss.lost(steps), by_step, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 600])
def test_every_mode_has_its_share_of_the_first_outputs(n: int):
    # One mode at a time by the definition; 600 rows are split into blocks.
    rng = np.random.default_rng(n)
    A, B = rng.standard_normal((2, n, n))
    K, C = A @ A.T / n, B @ B.T / n
    loss = expected_loss(K, 0.1, np.zeros(n), C)
    values, vectors = np.linalg.eigh(K)
    shares = [v @ C @ v for v in vectors.T]
    for value, share in zip(values[:: n // 3], shares[:: n // 3], strict=True):
        at = np.argmin(np.abs(loss.logarithms - 2 * np.log1p(-0.1 * value)))
        assert loss.weights[at] == pytest.approx(share, rel=1e-10)
    assert loss.weights.sum() == pytest.approx(np.trace(C), rel=1e-12)


def test_the_first_steps_of_a_tiny_rate_keep_their_digits():
    loss = expected_loss(np.diag([1.0, 0.25]), 1e-18, [1.0, 2.0], np.diag([3.0, 4.0]))
    # sum w (1 - (1 - s)^2) / 2 = sum w s
    assert loss.lost([1])[0] == pytest.approx(1e-18 * (4 + 8 * 0.25), rel=1e-14)
    assert loss.at([0])[0] == 6.0


def test_a_mode_that_is_not_learned_stays():
    loss = expected_loss(np.ones((2, 2)), 0.25, [1.0, -1.0])
    assert loss.at([0, 10, 10**8]).tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert loss.rate == 1.0


def test_modes_that_overshoot_decide_as_slow_ones_do():
    loss = expected_loss(np.diag([1.0, 0.5]), 1.9, [1.0, 1.0])
    assert loss.rate == pytest.approx(0.9)
    assert loss.at([1])[0] == pytest.approx((0.9**2 + 0.05**2) / 2)


losses = st.lists(st.tuples(st.floats(0.001, 0.999), st.floats(0.01, 5.0)), min_size=2, max_size=6)


def built(modes: list[tuple[float, float]]) -> ExpectedLoss:
    ordered = sorted(modes)
    factors, weights = (np.array(part) for part in zip(*ordered, strict=True))
    return ExpectedLoss(2 * np.log(factors), weights, float(weights.sum() / 2))


@settings(max_examples=60, deadline=None)
@given(one=losses, other=losses)
def test_crossings_are_those_of_every_single_step(one, other):
    first, second = built(one), built(other)
    found = crossings(first, second, last=300)
    steps = range(1, 301)
    signs = [found.ahead_at_start]
    for k in steps:
        a, b = first.log_at([k])[0], second.log_at([k])[0]
        # Closer than rounding can tell: no sign, as for the crossings.
        signs.append(0 if not abs(a - b) > 1e-12 else int(np.sign(a - b)))
    expected, before = [], signs[0]
    for k, sign in zip(steps, signs[1:], strict=True):
        if sign and before and sign != before:
            expected.append(k)
        before = sign or before
    assert len(found.steps) <= found.most
    if 0 not in signs[1:]:
        assert list(found.steps) == expected


@settings(max_examples=60, deadline=None)
@given(one=losses, other=losses)
def test_exchanging_the_losses_exchanges_who_is_ahead(one, other):
    there, back = crossings(built(one), built(other), 1000), crossings(built(other), built(one), 1000)
    assert there == replace(back, ahead_at_start=-back.ahead_at_start, ahead_at_last=-back.ahead_at_last)


def test_a_late_crossing_is_found_to_the_step():
    # w e^-ka against e^-kb: equal at k = log(w) / (a - b), here 2.3e7, where both are e^-2e4.
    first = ExpectedLoss(np.array([-1.0e-3]), np.array([2.0]), 1.0)
    second = ExpectedLoss(np.array([-1.0e-3 - 3e-8]), np.array([4.0]), 2.0)
    at = np.log(2.0) / 3e-8
    found = crossings(first, second)
    assert found.most == 1
    assert abs(found.steps[0] - at) < 1e-5 * at
    k = found.steps[0]
    assert first.log_at([k - 1])[0] <= second.log_at([k - 1])[0] + 1e-10
    assert first.log_at([k])[0] >= second.log_at([k])[0] - 1e-10


def test_equal_losses_do_not_cross():
    loss = expected_loss(np.diag([1.0, 0.5]), 0.7, [1.0, 2.0])
    found = crossings(loss, loss)
    assert (found.steps, found.most, found.ahead_at_start, found.ahead_at_last) == ((), 0, 0, 0)


def test_losses_that_are_gone_after_a_step_do_not_cross():
    gone = expected_loss(np.eye(2), 1.0, [1.0, 2.0])
    other = expected_loss(np.eye(2), 1.0, [1.0, 3.0])
    assert crossings(gone, other).steps == ()


def test_steps_are_spread_over_decades():
    steps = logarithmic_steps(LAST)
    assert steps[:3] == [0, 1, 2]
    assert steps[-1] == LAST
    assert len(steps) < 200


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: expected_loss(np.eye(2), 2.0, [1, 1]), "eta must be below 2 / lambda_1 = 2"),
        (lambda: expected_loss(np.eye(2), 0.0, [1, 1]), "eta must be positive"),
        (lambda: expected_loss(np.eye(2), np.nan, [1, 1]), "eta must be positive"),
        (lambda: expected_loss(np.ones((2, 3)), 0.1, [1, 1]), "K must be square"),
        (lambda: expected_loss(np.eye(2), 0.1, [1, 1, 1]), "targets must be 2 numbers"),
        (lambda: expected_loss(np.eye(2), 0.1, [1, 1], np.eye(3)), "covariance must have shape"),
        (lambda: expected_loss(np.eye(2), 0.1, [1, 1]).at([-1]), "steps must be whole numbers"),
        (lambda: expected_loss(np.eye(2), 0.1, [1, 1]).at([0.5]), "steps must be whole numbers"),
        (lambda: crossings(built([(0.5, 1.0)]), built([(0.4, 1.0)]), last=0), "last must be"),
    ],
)
def test_other_arguments_are_refused(call, line: str):
    with pytest.raises(InputError, match=line):
        call()
