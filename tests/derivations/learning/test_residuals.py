"""Test errors against Marchenko and Pastur's law, moments, and regression on independent features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from derivations import network
from derivations.errors import InputError
from derivations.learning.law import curve_of, largest_eigenvalue, learning_curve
from derivations.learning.profile import profile_expansion
from derivations.learning.residuals import Learner, learner, resolvent_trace
from derivations.learning.teacher import Teacher
from derivations.spectrum.extremes import homogeneous_extremes
from derivations.spectrum.fixed_point import FixedPoint
from derivations.spectrum.problem import problem
from derivations.spectrum.rows import EQUAL, RowWeights, gaussian_weights

LINEAR = (0.0, 1.0)
TWO_KINDS = RowWeights(np.array([0.6, 1.8]), np.array([0.5, 0.5]))


def marchenko_pastur(n: int, d: int, share) -> float:
    """The mean of a function over the d eigenvalues of (1/d) sum_i x_i x_i^T, n rows of d independent entries."""
    ratio = n / d
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2

    def integrand(angle: float) -> float:
        u = (low + high) / 2 + (high - low) / 2 * np.cos(angle)
        return share(u) * ((high - low) / 2 * np.sin(angle)) ** 2 / (2 * np.pi * u)

    inside = quad(integrand, 0, np.pi, epsabs=1e-12, limit=200)[0]
    return inside + max(0.0, 1 - ratio) * share(0.0)


@pytest.mark.parametrize(("n", "d"), [(100, 400), (400, 100), (300, 250)])
@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("steps", [1, 2, 7, 100, 5000])
def test_descent_with_a_linear_kernel_is_an_integral_over_marchenko_and_pastur(n, d, noise, steps):
    found = learner(profile_expansion(LINEAR, d), n, EQUAL, 1, Teacher((1.0,), noise))
    top = (1 + np.sqrt(n / d)) ** 2

    def error(u: float) -> float:
        left = (1 - u / top) ** steps
        fitted = (1 - left) ** 2 / u if u else 0.0
        return left**2 + noise * fitted

    # The contour's 1e-6 of the target's and the noise's share, twice since the error is a square.
    assert found.error_of_descent(steps, top) == pytest.approx(marchenko_pastur(n, d, error), abs=4e-6)


@pytest.mark.parametrize(("n", "d"), [(100, 400), (400, 100)])
def test_ridge_regression_with_a_linear_kernel_is_an_integral_too(n, d):
    found = learner(profile_expansion(LINEAR, d), n, EQUAL, 1, Teacher((1.0,), 0.3))
    for ridge in (1e-3, 0.1, 5.0):
        exact = marchenko_pastur(n, d, lambda u, r=ridge: (r**2 + 0.3 * u) / (u + r) ** 2)
        assert found.error_of_ridge(ridge) == pytest.approx(exact, rel=1e-8)


@given(
    coefficients=st.lists(st.floats(0, 1), min_size=3, max_size=6).filter(lambda c: sum(c[1:]) > 0.1),
    n=st.integers(20, 5000),
    d=st.integers(3, 200),
    noise=st.floats(0, 2),
)
def test_one_step_is_a_matter_of_two_moments(coefficients, n: int, d: int, noise: float):
    """omega = eta Lambda Psi^T y: mean n eta lambda_k theta_k, variance n eta^2 lambda_k^2 of every harmonic."""
    expansion = profile_expansion(coefficients, d)
    teacher = Teacher((0.6, 0.4), noise)
    top = largest_eigenvalue(expansion, n)
    tau = expansion.eigenvalues(n) / top
    multiplicity = np.exp(expansion.log_multiplicities)
    energies = teacher.by_degree(len(tau))
    exact = np.sum(energies * (1 - tau) ** 2)
    exact += np.sum(multiplicity * tau**2) / n * (1 + noise)
    found = learner(expansion, n, EQUAL, 1, teacher).error_of_descent(1, top)
    assert found == pytest.approx(exact, rel=1e-5)


def regression(expansion_masses, sizes, n, rows, scales, energies, noise, steps, seed) -> np.ndarray:
    """Test errors of descent on independent Gaussian features, a group per degree, and lambda_1."""
    rng = np.random.default_rng(seed)
    kind = rng.permutation(np.repeat(np.arange(len(rows.values)), np.rint(n * rows.shares).astype(int)))
    t = rows.values[kind]
    features = [rng.standard_normal((n, size)) for size in sizes]
    K = sum(g / size * Z @ Z.T for g, size, Z in zip(expansion_masses, sizes, features, strict=True))
    K = np.sqrt(np.outer(t, t)) * K
    directions = [rng.standard_normal(size) for size in sizes]
    theta = [w * np.sqrt(e) / np.linalg.norm(w) for w, e in zip(directions, energies, strict=True)]
    y = sum(s[kind] * (Z @ w) for s, Z, w in zip(scales, features, theta, strict=True))
    y = y + np.sqrt(noise) * rng.standard_normal(n)
    values, vectors = np.linalg.eigh(K)
    errors = []
    for count in steps:
        gain = -np.expm1(count * np.log1p(-np.clip(values / values[-1], 0, 1 - 1e-12))) / values
        dual = np.sqrt(t) * (vectors @ (gain * (vectors.T @ y)))
        learned = [
            g / size * Z.T @ dual for g, size, Z in zip(expansion_masses, sizes, features, strict=True)
        ]
        # Over fresh rows of either kind, features are orthonormal.
        errors.append(
            sum(
                share
                * sum(
                    np.sum((s[i] * w - np.sqrt(value) * v) ** 2)
                    for s, w, v in zip(scales, theta, learned, strict=True)
                )
                for i, (value, share) in enumerate(zip(rows.values, rows.shares, strict=True))
            )
        )
    return np.array([*errors, values[-1]])


@pytest.mark.parametrize("rows", [EQUAL, TWO_KINDS], ids=["equal", "unequal"])
def test_descent_on_independent_features_of_three_groups(rows: RowWeights):
    n, steps, noise = 200, (1, 5, 50, 500), 0.2
    masses, sizes, energies = np.array([0.5, 0.3, 0.2]), np.array([15, 130, 600]), np.array([0.5, 0.5, 0.0])
    scales = np.array([rows.values ** (k / 2) for k in (1, 2, 3)])
    found = np.array(
        [regression(masses, sizes, n, rows, scales, energies, noise, steps, seed) for seed in range(60)]
    )
    equation = FixedPoint(masses, n * masses / sizes, 0.0, rows)
    law = Learner(equation, energies, scales, noise)
    mean, error = found.mean(axis=0), found.std(axis=0) / np.sqrt(len(found))
    predicted = np.array([law.error_of_descent(count, mean[-1]) for count in steps])
    # Four standard errors, and corrections of relative order 1/n from the equivalent and from the drawn lambda_1.
    allowed = 4 * error[:-1] + 3 / n * mean[:-1]
    assert np.all(np.abs(predicted - mean[:-1]) < allowed)
    # The same test sees an error of a tenth.
    assert np.all(allowed < 0.1 * mean[:-1])


def test_equal_rows_of_another_length_are_another_scale_of_the_kernel():
    longer = RowWeights(np.array([2.0]), np.ones(1))
    for steps in (1, 30):
        one, two = (
            curve_of(profile_expansion((0.1, 0.5, 0.4), 30), 200, (steps,), Teacher((0.5, 0.5), 0.1), rows)
            for rows in (EQUAL, longer)
        )
        assert two.lambda_max == pytest.approx(2 * one.lambda_max)
        assert two.errors == pytest.approx(one.errors, rel=1e-6)


def test_gaussian_rows_tend_to_those_of_the_sphere():
    gaps = []
    for d in (50, 200, 800):
        found = [
            learning_curve("reglu", 2 * d, d, d, (2,), Teacher((0.5, 0.5)), data).errors[0]
            for data in ("sphere", "gaussian")
        ]
        gaps.append(abs(found[1] / found[0] - 1))
    # Variances of lengths fall like 1/d.
    assert gaps[0] > 3 * gaps[1] > 9 * gaps[2] > 0


@given(x=st.floats(-6, 2), angle=st.floats(0.05, np.pi), seed=st.integers(0, 100))
def test_the_resolvent_solves_its_equation_on_its_own_side(x: float, angle: float, seed: int):
    rng = np.random.default_rng(seed)
    masses = rng.exponential(size=4)
    for rows in (EQUAL, gaussian_weights(100, 30, 2)):
        equation = FixedPoint(masses, rng.exponential(size=4) * 10.0 ** np.arange(2, -2, -1), 0.1, rows)
        z = np.array([10.0**x * np.exp(1j * angle)])
        a = resolvent_trace(equation, z)
        t, w = rows.values, rows.shares
        assert a[0] == pytest.approx(np.sum(w * t / (t * equation.b(a)[0] - z[0])), rel=1e-9)
        assert a[0].imag > 0 or angle == np.pi


def test_the_resolvent_is_on_its_side_however_little_is_known_of_it(monkeypatch):
    """Newton's method alone lands on other solutions: those are refused, not taken."""
    rng = np.random.default_rng(3)
    equation = FixedPoint(rng.exponential(size=4), np.array([100.0, 10.0, 1.0, 0.1]), 0.01, EQUAL)
    z = 10.0 ** rng.uniform(-3, 1, 400) * np.exp(1j * rng.uniform(0.02, 1.5, 400))
    expected = resolvent_trace(equation, z)
    monkeypatch.setattr("derivations.learning.residuals.ITERATIONS", 1)
    monkeypatch.setattr("derivations.learning.residuals.ATTEMPTS", 500)
    np.testing.assert_allclose(resolvent_trace(equation, z), expected, rtol=1e-8)
    monkeypatch.setattr("derivations.learning.residuals.ATTEMPTS", 1)
    with pytest.raises(InputError, match="did not converge"):
        resolvent_trace(equation, z)


def test_a_teacher_grows_with_the_length_as_its_degree_says():
    rows = RowWeights(np.array([1.0, 4.0]), np.array([0.5, 0.5]))  # p^2 with p = 1 and 2
    found = learner(profile_expansion((0.0, 0.5, 0.3, 0.2), 30), 100, rows, 2, Teacher((0.2, 0.3, 0.5)))
    np.testing.assert_allclose(found.scales[:, 1] / found.scales[:, 0], 2.0 ** (np.arange(4) / 2))
    # The energy is the mean over rows.
    np.testing.assert_allclose(found.scales**2 @ rows.shares, 1.0)


def test_largest_eigenvalue_is_that_of_the_law():
    asked = problem("relu", 300, 40, 20, "gaussian")
    assert largest_eigenvalue(asked.expansion, 300, asked.rows) == pytest.approx(
        homogeneous_extremes(asked.expansion, 300, asked.rows).lambda_max, rel=1e-14
    )


def test_a_ridge_is_not_so_many_steps():
    """What is commonly put in the place of gradient descent is off by a fifth."""
    found = learner(problem("reglu", 800, 50, 1000).expansion, 800, EQUAL, 1, Teacher((0.5, 0.5)))
    top = learning_curve("reglu", 800, 50, 1000, (1,), Teacher((0.5, 0.5))).lambda_max
    assert found.error_of_ridge(top) > 1.15 * found.error_of_descent(1, top)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("silu", 100, 20, 8, (1,), Teacher((1.0,)), "gaussian"),
            "data must be on the sphere for the test error of silu",
        ),
        (("relu", 19, 20, 8, (1,), Teacher((1.0,))), "n must be at least 20 for a test error, got 19"),
        (("relu", 100, 20, 8, (), Teacher((1.0,))), "steps must be ascending whole numbers"),
        (("relu", 100, 20, 8, (3, 2), Teacher((1.0,))), "steps must be ascending whole numbers"),
        (("relu", 100, 20, 8, (0,), Teacher((1.0,))), "steps must be a positive integer, got 0"),
    ],
)
def test_bad_arguments_are_named(arguments, line: str):
    with pytest.raises(InputError, match=line):
        learning_curve(*arguments)


@pytest.mark.parametrize("energies", [(), (0.0,), (-1.0,), (np.nan,), (True,), ("1",), (1.0,) * 17, 1.0])
def test_a_teacher_without_energies_is_refused(energies):
    with pytest.raises(InputError, match="teacher must be"):
        Teacher(energies)
    with pytest.raises(InputError, match="noise must be"):
        Teacher((1.0,), noise=-1.0)


def test_a_network_may_be_given():
    by_name = learning_curve("reglu", 100, 20, 8, (5,), Teacher((1.0,)))
    assert learning_curve(network("relu", gates=1), 100, 20, 8, (5,), Teacher((1.0,))) == by_name
