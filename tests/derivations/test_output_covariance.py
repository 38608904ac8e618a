"""The NNGP covariance of activations that jump, against quadrature, and with planted errors in every step."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import sympy as sp
from scipy import special

from derivations import derive, derive_covariance, kernel_function, network
from derivations.derivation import Derivation, DerivationError
from derivations.errors import InputError
from derivations.kernel_derivation import CovarianceDerivation
from derivations.networks import TwoLayer
from verify.quadrature import expectation

JUMPING = {
    "step(z)": lambda u: np.heaviside(u, 0.5),
    "sign(z) + z": lambda u: np.sign(u) + u,
    "step(z)*z**2 - sign(z)": lambda u: np.heaviside(u, 0.5) * u**2 - np.sign(u),
    "step(z)*(1 + z) + erf(z)": lambda u: np.heaviside(u, 0.5) * (1 + u) + special.erf(u),
}


def described(text: str, gates: int = 0, parametrization: str = "standard") -> TwoLayer:
    return network(expression=text, gates=gates, parametrization=parametrization)


@cache
def derived(text: str) -> CovarianceDerivation:
    return derive_covariance(described(text, gates=1))


@pytest.mark.parametrize("gates", [0, 1, 2])
@pytest.mark.parametrize("text", JUMPING)
def test_the_covariance_of_a_jump_agrees_with_quadrature(text: str, gates: int) -> None:
    X = np.array([[1.0, 2.0, 0.5], [0.3, -0.4, 0.1], [-1.0, 2.0, 3.0], [2.0, 4.0, 1.0], [-0.1, -0.2, -0.05]])
    K = kernel_function(described(text, gates), kind="nngp")(X)
    phi, deviations = JUMPING[text], np.linalg.norm(X, axis=1) / np.sqrt(3)
    for i, p in enumerate(deviations):
        for j, q in enumerate(deviations[: i + 1]):
            covariance = X[i] @ X[j] / 3
            # Parallel rows have angle 0 or pi: a correlation rounded by 1e-16 would move the angle by 1e-8.
            correlation = round(covariance / (p * q), 14)
            expected = expectation(phi, phi, p, q, correlation) * covariance**gates
            # The quadrature's own promise, and 1e-14 in the correlation.
            assert abs(K[i, j] - expected) < 1e-12 * np.sqrt(K[i, i] * K[j, j])


def test_a_row_of_zeros_sees_the_value_at_the_jump() -> None:
    K = kernel_function(network("step"), kind="nngp")([[0.0, 0.0], [1.0, 0.0], [-2.0, 0.0]])
    np.testing.assert_allclose(K, [[0.25, 0.25, 0.25], [0.25, 0.5, 0.0], [0.25, 0.0, 0.5]], atol=1e-15)


@pytest.mark.parametrize("text", list(JUMPING)[:2])
def test_every_step_is_proved_and_a_wrong_one_is_noticed(text: str) -> None:
    derivation = derived(text).derivation
    derivation.check()
    assert derivation.status == "proved"
    steps = derivation.steps
    for number, step in enumerate(steps):
        if step.rule == "definition":
            continue  # a later step notices, as in test_rules.py
        for rhs in (step.rhs * sp.Rational(201, 200), step.rhs + 1):
            if rhs == step.rhs:  # 0, times whatever
                continue
            wrong = (*steps[:number], type(step)(step.title, step.lhs, rhs, step.rule), *steps[number + 1 :])
            with pytest.raises(DerivationError, match=rf"^step {number + 1} \("):
                Derivation("planted", wrong[: number + 1]).check()


@pytest.mark.parametrize("name", ["relu", "reglu", "gelu", "gaussian"])
def test_it_is_the_covariance_that_comes_with_the_kernel(name: str) -> None:
    assert derive_covariance(name).nngp == derive(name, order=4).nngp


def test_a_jump_is_refused_a_kernel_in_a_line_that_names_what_it_has() -> None:
    with pytest.raises(InputError, match=r"the NNGP covariance it has: kernel or empirical, kind nngp\)$"):
        kernel_function(network("step"), width=3)
