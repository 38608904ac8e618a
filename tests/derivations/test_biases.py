"""Networks with biases: kernels against quadrature of the parameter blocks, against networks, and what is emitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import sqrt

import numpy as np
import pytest
import sympy as sp

from derivations import InputError, KernelDerivation, derive, kernel_function, network
from derivations.certified import certified_dual_series
from derivations.fluctuation import kernel_variance
from derivations.printing import render
from derivations.symbols import d, m, r_i, r_j, rho, scale_bias, sigma_b, z
from verify import empirical_ntk
from verify.activations import ACTIVATIONS, Array
from verify.finite import NETWORKS, finite_network
from verify.montecarlo import KernelEstimate
from verify.quadrature import expectation

VARIANCE, WIDTH, DIMENSION = 0.3, 7, 3
CLOSED = ("relu", "reglu", "geglu", "bilinear", "gqu")
SERIES = ("silu", "swiglu", "glu")
BOTH = ("standard", "ntk")


@cache
def derived(name: str, parametrization: str = "standard", variance: str = "3/10") -> KernelDerivation:
    return derive(network(name, parametrization=parametrization, bias_variance=variance), order=4)


def block_sum(name: str, parametrization: str, x: Array, y: Array, kind: str) -> float:
    """The sum over parameter blocks, biases among them, with T and T' by quadrature."""
    activation, gates = NETWORKS[name]
    phi, slope = ACTIVATIONS[activation]
    assert slope is not None
    law = np.array([[x @ x, x @ y], [x @ y, y @ y]]) / len(x) + VARIANCE
    first, second = np.sqrt(law.diagonal())
    # Equal rows exactly: a correlation of 1 - 1e-16 is beyond the quadrature of a jump.
    correlation = 1.0 if np.array_equal(x, y) else law[0, 1] / (first * second)
    value, slopes = (expectation(f, f, first, second, correlation) for f in (phi, slope))
    if kind == "nngp":
        return value * law[0, 1] ** gates
    if parametrization == "standard":  # gradients by b and by the gates' biases are those by w and v over x
        scale, gradient = WIDTH, x @ y + 1
    else:
        scale, gradient = 1, x @ y / len(x) + VARIANCE
    blocks = slopes * law[0, 1] ** gates + (gates * value * law[0, 1] ** (gates - 1) if gates else 0)
    return scale * value * law[0, 1] ** gates + gradient * blocks


# With a symbol GELU stands for GEGLU, whose symbolic expansion takes 15 s.
PROVED = [(name, "3/10") for name in (*CLOSED, "sin", "exp")]
PROVED += [(name, "symbolic") for name in ("relu", "reglu", "gelu", "bilinear", "gqu", "sin", "exp")]


@pytest.mark.parametrize("parametrization", BOTH)
@pytest.mark.parametrize(("name", "variance"), PROVED)
def test_every_step_is_proved(name: str, parametrization: str, variance: str) -> None:
    result = derived(name, parametrization, variance)
    result.check()
    assert result.derivation.status == "proved"
    own = {"symbolic": {"standard": sigma_b, "ntk": scale_bias}[parametrization]}.get(variance)
    assert result.kernel.off_diagonal.free_symbols <= {m, d, r_i, r_j, rho, own}


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("parametrization", BOTH)
@pytest.mark.parametrize("name", [*CLOSED, *SERIES])
def test_kernels_are_the_sum_over_parameter_blocks(name: str, parametrization: str, kind: str) -> None:
    X = np.array([[1.0, 2.0, -0.5], [-0.1, 0.3, 0.2], [0.0, 0.0, 0.0], [-1.0, -2.0, 0.5]])
    function = kernel_function(derived(name, parametrization), kind=kind, width=WIDTH)
    K = function(X)
    expected = np.array([[block_sum(name, parametrization, x, y, kind) for y in X] for x in X])
    size = np.sqrt(np.multiply.outer(K.diagonal(), K.diagonal()))
    assert np.abs((K - expected) / size).max() < 1e-12
    assert np.abs((function(X[:2], X) - expected[:2]) / size[:2]).max() < 1e-12


@pytest.mark.parametrize("parametrization", BOTH)
@pytest.mark.parametrize("name", SERIES)
def test_steps_without_closed_form_are_proved_or_certified(
    name: str, parametrization: str, follows: Callable[..., bool]
) -> None:
    result = derived(name, parametrization)
    result.check()
    assert result.derivation.status == "certified"
    series = [step for step in result.steps if step.rule == "certified series"]
    assert len(series) == 6
    for step in (series[1], next(step for step in result.steps if step.rule == "product of series")):
        wrong = step.rhs.func(step.rhs.args[0] + step.rhs.args[1] * 3, step.rhs.args[1])
        planted = replace(step, rhs=wrong if step in series else step.rhs * sp.Rational(201, 200))
        assert not follows(planted, result.steps[: result.steps.index(step)]), step.title


@pytest.mark.parametrize("variance", ["1/10", "2"])
def test_dual_coefficients_are_what_quadrature_of_derivatives_gives(variance: str) -> None:
    # By Price [rho^j] E[phi phi] = E[phi^(j) phi^(j)] / j! at the covariance of the biases.
    v = sp.Rational(variance)
    phi = 1 / (1 + sp.exp(-z))
    for j, ball in enumerate(certified_dual_series(phi, 4, 20, v)):
        slope = sp.lambdify(z, phi.diff(z, j), "numpy")
        deviation = sqrt(1 + v)
        value = expectation(slope, slope, deviation, deviation, float(v / (1 + v))) / float(sp.factorial(j))
        assert float(ball.value) == pytest.approx(value, abs=1e-13)


@pytest.mark.parametrize("name", ["relu", "geglu", "gqu", "swiglu", "glu"])
def test_the_expansion_and_its_remainder_describe_the_sphere(name: str) -> None:
    expansion = derived(name).expansion
    at = {m: WIDTH, d: DIMENSION}
    coefficients = [float(value.subs(at)) for value in expansion.coefficients]
    remainder = float(expansion.remainder.subs(at))
    for cosine in (-0.9, -0.3, 0.05, 0.4):
        x = sqrt(DIMENSION) * np.array([1.0, 0.0, 0.0])
        y = sqrt(DIMENSION) * np.array([cosine, sqrt(1 - cosine**2), 0.0])
        missing = block_sum(name, "standard", x, y, "ntk") - np.polyval(coefficients[::-1], cosine)
        assert abs(missing) <= abs(cosine) ** 5 * remainder + 1e-12
    # At 0.05 the bound would betray half a percent of any coefficient up to degree 2.
    assert 0.005 * coefficients[2] * 0.05**2 > 2 * 0.05**5 * remainder


@pytest.mark.parametrize("name", ["relu", "reglu"])
def test_alpha_beta_gamma_tend_to_those_without_biases(name: str) -> None:
    # In ntk: in the standard parametrization a bias that starts at 0 is trained all the same.
    plain = derive(network(name, parametrization="ntk")).coefficients
    biased = derived(name, "ntk", "1e-12").coefficients
    for this, other in zip(vars(plain).values(), vars(biased).values(), strict=True):
        at = {m: 5, d: 2}
        assert float(other.subs(at)) == pytest.approx(float(this.subs(at)), rel=1e-5)


@cache
def measured(name: str, parametrization: str) -> tuple[Array, KernelEstimate]:
    X = np.array([[1.0, 2.0], [-0.5, 0.3], [0.0, 0.0]])
    chosen = finite_network(name, parametrization, VARIANCE)
    return X, empirical_ntk(chosen, X, WIDTH, seeds=5_000, rng=3)


@pytest.mark.parametrize("parametrization", BOTH)
@pytest.mark.parametrize("name", ["relu", "reglu", "swiglu", "glu", "gqu"])
def test_networks_have_the_kernel_and_would_betray_a_block_left_out(name: str, parametrization: str) -> None:
    X, estimate = measured(name, parametrization)
    K = kernel_function(derived(name, parametrization), width=WIDTH)(X)
    assert np.abs((estimate.mean - K) / estimate.standard_error).max() < 5
    without = K - kernel_function(network(name, parametrization=parametrization), width=WIDTH)(X)
    assert np.abs(without / estimate.standard_error).max() > 20


def variance_of(name: str, x: Array, y: Array) -> float:
    """m (E xi^2 - (E xi)^2) of one neuron in the standard parametrization, phi = ReLU, its moments by quadrature.

    xi = phi phi s s' + a^2 (x.y + 1) (phi' phi' s s' + phi phi), without gates the first of either with s = 1 alone.
    """
    phi, slope = ACTIVATIONS["relu"]
    assert slope is not None
    law = np.array([[x @ x, x @ y], [x @ y, y @ y]]) / len(x) + VARIANCE
    first, second = np.sqrt(law.diagonal())
    correlation = 1.0 if np.array_equal(x, y) else law[0, 1] / (first * second)
    # phi phi' = phi and phi'^2 = phi'.
    squares, values, slopes = (
        expectation(f, f, first, second, correlation) for f in (lambda u: phi(u) ** 2, phi, slope)
    )
    gradient = (x @ y + 1) / WIDTH  # times a^2 of variance 1/m, E a^4 = 3 / m^2
    gates = NETWORKS[name][1]
    gate = (law[0, 0] * law[1, 1] + 2 * law[0, 1] ** 2) if gates else 1.0
    moment = (squares + 2 * gradient * values + 3 * gradient**2 * slopes) * gate
    if gates:
        covariance = law[0, 1]
        moment += 2 * gradient * squares * covariance
        moment += 3 * gradient**2 * (2 * values * covariance + squares)
    return float(WIDTH * moment - block_sum(name, "standard", x, y, "ntk") ** 2 / WIDTH)


@pytest.mark.parametrize("name", ["relu", "reglu"])
def test_variances_of_finite_kernels(name: str) -> None:
    x, y = np.array([1.0, 2.0]), np.array([-0.5, 0.3])
    r = [sqrt(row @ row + VARIANCE * 2) for row in (x, y)]
    variance = kernel_variance(derived(name))
    values = {r_i: r[0], r_j: r[1], rho: (x @ y + 2 * VARIANCE) / (r[0] * r[1]), m: WIDTH, d: 2}
    # Quadrature and powers of a correlation, to rounding.
    for found, other in ((variance.off_diagonal, y), (variance.diagonal, x)):
        assert float(found.subs(values)) == pytest.approx(variance_of(name, x, other), rel=1e-12)


def test_emitted_python_has_the_same_kernel() -> None:
    X = np.array([[1.0, 2.0, -0.5], [0.0, 0.0, 0.0]])
    scope: dict[str, object] = {}
    exec(render(derived("reglu"), "python"), scope)  # our own output
    emitted = scope["reglu_ntk"]
    assert callable(emitted)
    K = kernel_function(derived("reglu"), width=WIDTH)
    assert np.allclose(emitted(X, m=WIDTH), K(X), rtol=1e-14, atol=0)
    assert np.allclose(emitted(X, X[:1], m=WIDTH), K(X, X[:1]), rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    "given", ["x", "", "nan", "inf", "-1", "1/0", "1e9999999999", "1e-99999", True, None, []]
)
def test_what_is_no_variance_is_refused_in_one_line(given: object) -> None:
    with pytest.raises(InputError, match="bias_variance must be 0, a number"):
        network("relu", bias_variance=given)  # type: ignore[arg-type]


def test_what_needs_numbers_says_so() -> None:
    with pytest.raises(InputError, match="variances must be numeric"):
        network("relu", bias_variance=1, variances="symbolic")
    with pytest.raises(InputError, match="bias_variance must be a number"):
        derive(network("swiglu", bias_variance="symbolic"))
    with pytest.raises(InputError, match="sigma_b have no value"):
        kernel_function(network("relu", bias_variance="symbolic"), width=2)
    with pytest.raises(InputError, match="activation at this variance needs"):
        derive(network("swiglu", bias_variance=10**6))


def test_tied_gates_share_the_bias() -> None:
    tied = network("reglu", tied=True, bias_variance=VARIANCE)
    assert (tied.gates, tied.parametrization.bias_variance) == (0, sp.Rational(3, 10))
