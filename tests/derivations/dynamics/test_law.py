"""The loss on random rows without the rows, against eigendecompositions of drawn ones."""

from __future__ import annotations

import numpy as np
import pytest

from derivations import kernel_function
from derivations.dynamics import crossings, expected_loss, loss_law, predicted_crossing
from derivations.dynamics.initial import INITIAL_OR_ZERO
from derivations.errors import InputError
from verify.inputs import generate

SIZE = (300, 40, 200)
STEPS = (0, 1, 5, 30, 200)


@pytest.mark.parametrize("data", ["sphere", "gaussian"])
@pytest.mark.parametrize("initial", INITIAL_OR_ZERO)
def test_the_law_is_the_loss_of_drawn_rows(data: str, initial: str):
    n, d, m = SIZE
    X = generate(data, n, d, np.random.default_rng(3))
    laws = {name: loss_law(name, n, d, m, data, initial) for name in ("relu", "reglu")}  # type: ignore[arg-type]
    eta = 1 / max(law.lambda_max for law in laws.values())
    real = {}
    for name, law in laws.items():
        K = kernel_function(name, width=m)(X)
        C = {"kernel": K, "nngp": kernel_function(name, kind="nngp")(X), "zero": 0 * K}[initial]
        # Independent targets of variance 1, in expectation: as outputs of covariance 1.
        real[name] = expected_loss(K, eta, np.zeros(n), C + np.eye(n))
        # A mean over 300 rows of (chi-square/40)^4 at most is off by 5 %, that of the sphere by 1/n; late losses are those
        # of the lowest eigenvalues, which are right to 3 %, and their factor after 200 steps to a few per cent.
        assert law.at(STEPS, eta) == pytest.approx(
            real[name].at(STEPS), rel=0.02 if data == "sphere" else 0.06
        )
    found = crossings(real["relu"], real["reglu"]).steps
    predicted = predicted_crossing(laws["relu"], laws["reglu"], eta)
    if initial == "zero":  # ReGLU is ahead from the first step on, or from the third
        assert (predicted or 1) <= 3
        assert (*found, 1)[0] <= 3
        return
    assert predicted is not None
    assert abs(predicted - found[0]) <= max(1, 0.1 * found[0])


def test_the_kernel_as_covariance_is_the_resolvent_identity():
    # Tr K (K - z)^-1 = n + z Tr (K - z)^-1: the general formula at C = K, after one step -eta Tr K^2 and Tr K.
    law = loss_law("reglu", 200, 30, 50, "gaussian", "kernel", variance=0.0)
    t, w = law.equation.rows.values, law.equation.rows.shares
    masses, tau, rest = law.equation.masses, law.equation.tau, law.equation.rest
    total = float(masses.sum()) + rest
    first = 200 * total * float(t @ w)
    # The second and third moments of T^1/2 (Z Lambda Z^T + rest) T^1/2, by hand to leading order in small eta.
    second = 200 * (total**2 * float(t**2 @ w) + float(masses @ tau) * float(t @ w) ** 2)
    eta = 1e-3 / law.lambda_max
    found = law.at([0, 1], eta)
    assert found[0] == pytest.approx(first / 2, rel=1e-12)
    # What was lost: eta Tr K^2 (1 - at most eta lambda_1 / 2), to the contour's 5e-7 of the start.
    lost = eta * second
    assert found[0] - found[1] == pytest.approx(lost, abs=5e-4 * lost + 1e-6 * first)


def test_losses_below_the_contours_error_are_not_told():
    law = loss_law("reglu", 200, 30, 50)
    assert np.isnan(law.at([10**6], 1 / law.lambda_max)[0])


def test_overshooting_modes_are_followed():
    n, d, m = SIZE
    X = generate("sphere", n, d, np.random.default_rng(3))
    law = loss_law("reglu", n, d, m, "sphere", "zero")
    K = kernel_function("reglu", width=m)(X)
    eta = 1.7 / law.lambda_max
    real = expected_loss(K, eta, np.zeros(n), np.eye(n))
    assert law.at([1, 3, 8], eta) == pytest.approx(real.at([1, 3, 8]), rel=0.02)


def test_a_loss_does_not_cross_itself():
    law = loss_law("relu", 200, 20, 50)
    assert predicted_crossing(law, law, 1 / law.lambda_max, last=100) is None


def test_no_crossing_is_told_beyond_the_last_step():
    plain, gated = (loss_law(name, *SIZE) for name in ("relu", "reglu"))
    eta = 1 / plain.lambda_max
    k = predicted_crossing(plain, gated, eta)
    assert k is not None
    assert predicted_crossing(plain, gated, eta, last=k) == k
    assert predicted_crossing(plain, gated, eta, last=k - 1) is None


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: loss_law("gelu", 100, 20, 50, "gaussian"), "data must be sphere for gelu"),
        (lambda: loss_law("relu", 100, 20, 50, "digits"), "data must be"),  # type: ignore[arg-type]
        (lambda: loss_law("relu", 100, 20, 50, initial="one"), "initial must be"),
        (lambda: loss_law("relu", 100, 20, 50, variance=-1), "variance must be"),
        (lambda: loss_law("relu", 100, 20), "width"),
        (lambda: loss_law("relu", 100, 20, 50).at([1], 1.0), "eta must be below"),
        (lambda: loss_law("relu", 100, 20, 50).at([1.5], 1e-5), "steps must be whole"),  # type: ignore[list-item]
    ],
)
def test_other_arguments_are_refused(call, line: str):
    with pytest.raises(InputError, match=line):
        call()
