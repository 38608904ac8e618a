"""The derived kernels against formulas re-derived here, quadrature, and what is published."""

from __future__ import annotations

from functools import cache
from math import sqrt

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations import InputError, KernelDerivation, derive, kernel_function, network
from derivations.identity import vanishes
from derivations.price import dual
from derivations.sources import STATEMENTS
from derivations.symbols import c, d, m, r_i, r_j, rho, s_1, s_2, sigma_a, sigma_v, sigma_w
from verify.activations import ACTIVATIONS
from verify.quadrature import expectation

NETWORKS = ("relu", "leaky_relu", "abs", "relu2", "relu3", "identity", "reglu", "bilinear", "gqu")
ACTIVATION = {"reglu": "relu", "gqu": "relu", "bilinear": "identity"}
GRAM = r_i * r_j * rho


@cache
def derived(
    name: str, parametrization: str = "standard", gates: int | None = None, variances: str = "numeric"
) -> KernelDerivation:
    return derive(network(name, gates=gates, parametrization=parametrization, variances=variances), order=4)


def moments(name: str, p: float, q: float, correlation: float) -> tuple[float, float]:
    """T = E[phi phi] and T' = E[phi' phi'] at deviations p and q, by quadrature."""
    phi, slope = ACTIVATIONS[ACTIVATION.get(name, name)]
    assert slope is not None
    return expectation(phi, phi, p, q, correlation), expectation(slope, slope, p, q, correlation)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_is_proved(name: str, parametrization: str) -> None:
    result = derived(name, parametrization)
    result.check()
    assert {step.status for step in result.steps} == {"proved"}
    assert result.derivation.status == "proved"
    assert result.kernel.off_diagonal.free_symbols <= {m, d, r_i, r_j, rho}


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", NETWORKS)
def test_kernels_are_the_sum_over_parameter_blocks(name: str, parametrization: str) -> None:
    # z = s_out sum_k a phi(s_in w.x) prod_l (s_in v_l.x): the gradients' second moments are
    #   a: s_out^2 T Gamma^g, w: (s_out s_in sigma_a)^2 x.y T' Gamma^g, each v: (s_out s_in sigma_a)^2 x.y T Gamma^(g-1).
    width, dimension, g = 37, 5, derived(name).network.gates
    if parametrization == "standard":
        s_in, s_out, inner, outer = 1.0, 1.0, 1 / sqrt(dimension), 1 / sqrt(width)
    else:
        s_in, s_out, inner, outer = 1 / sqrt(dimension), 1 / sqrt(width), 1.0, 1.0
    result = derived(name, parametrization)
    values = {m: width, d: dimension}
    ntk = sp.lambdify((r_i, r_j, rho), result.kernel.off_diagonal.subs(values), "math")
    nngp = sp.lambdify((r_i, r_j, rho), result.nngp.off_diagonal.subs(values), "math")
    diagonal = sp.lambdify(r_i, result.kernel.diagonal.subs(values), "math")
    for first, second, correlation in (
        (2.0, 0.7, -0.999),
        (0.3, 4.0, -0.2),
        (1.0, 1.0, 0.6),
        (2.0, 3.0, 1.0),
    ):
        t, t_slope = moments(name, s_in * inner * first, s_in * inner * second, correlation)
        gram = first * second * correlation
        gate = (s_in * inner) ** 2 * gram
        gradients = t_slope * gate**g + (g * t * gate ** (g - 1) if g else 0.0)
        block_sum = width * s_out**2 * (t * gate**g + (outer * s_in) ** 2 * gram * gradients)
        size = sqrt(diagonal(first) * diagonal(second))
        # Quadrature: 1e-13 of sqrt(T_ii T_jj) and of sqrt(T'_ii T'_jj), whose shares in K_ii add up to it.
        assert ntk(first, second, correlation) == pytest.approx(block_sum, abs=1e-12 * size)
        assert nngp(first, second, correlation) == pytest.approx(
            width * (s_out * outer) ** 2 * t * gate**g, abs=1e-12 * size
        )
    assert diagonal(1.7) == pytest.approx(ntk(1.7, 1.7, 1.0), rel=1e-13)
    assert float(result.nngp.diagonal.subs(values | {r_i: 1.7})) == pytest.approx(
        nngp(1.7, 1.7, 1.0), rel=1e-13
    )


@pytest.mark.parametrize(("name", "statement"), [("relu", "A5"), ("reglu", "A6")])
def test_coefficients_are_the_published_ones(name: str, statement: str) -> None:
    coefficients = derived(name).coefficients
    for symbol in ("alpha", "beta", "gamma"):
        published = STATEMENTS[statement].formula(symbol)
        assert sp.expand(getattr(coefficients, symbol) - published) == 0
        assert sp.expand(getattr(coefficients, symbol) * sp.Rational(1001, 1000) - published) != 0


@pytest.mark.parametrize(("name", "statement"), [("relu", "A3"), ("reglu", "A4")])
def test_the_expansion_is_the_published_one(name: str, statement: str) -> None:
    result, published = derived(name), STATEMENTS[statement]
    assert vanishes(result.kernel.diagonal - published.formula("diagonal"))
    off_diagonal = published.formula("off_diagonal").subs({r_i: sp.sqrt(d), r_j: sp.sqrt(d)})
    polynomial = sp.Poly(sp.expand(off_diagonal), rho)
    for j in range(3):
        assert sp.expand(result.expansion.coefficients[j] - polynomial.coeff_monomial(rho**j)) == 0


def test_the_general_form_and_the_arc_cosine_kernels_are_the_published_ones() -> None:
    relu = derived("relu", variances="symbolic").network.activation.normal_form
    at = {s_1: sigma_w * r_i, s_2: sigma_w * r_j, c: sigma_w**2 * GRAM}
    arc_cosine = STATEMENTS["A2"]
    phi_phi, slope_slope = dual(relu, relu).subs(at), dual(relu.derivative(), relu.derivative()).subs(at)
    assert vanishes(phi_phi - arc_cosine.formula("phi_phi"))
    assert vanishes(slope_slope - arc_cosine.formula("slope_slope"))
    for name, form in (("relu", "plain"), ("reglu", "gated")):
        parts = {sp.Symbol("phi_phi", real=True): phi_phi, sp.Symbol("slope_slope", real=True): slope_slope}
        general = STATEMENTS["A1"].formula(form).subs(parts).subs(sp.Symbol("G", real=True), GRAM)
        assert vanishes(derived(name).kernel.off_diagonal - general.subs(sigma_w, 1 / sp.sqrt(d)))


@pytest.mark.parametrize("name", ["relu", "abs", "relu2", "identity"])
@pytest.mark.parametrize("gates", [0, 1, 2])
def test_at_infinite_width_the_kernel_is_a_polynomial_in_the_covariance(name: str, gates: int) -> None:
    # With covariance c = x.y/d of preactivations and gates alike: each of the g gate blocks and the readout give
    # c^g T once (for gates, x.y/d c^(g-1) T), the activation weights x.y/d c^g T' = c^(g+1) T'.
    result = derived(name, "ntk", gates)
    phi = result.network.activation.normal_form
    covariance = GRAM / d
    at = {s_1: r_i / sp.sqrt(d), s_2: r_j / sp.sqrt(d), c: covariance}
    t, t_slope = dual(phi, phi).subs(at), dual(phi.derivative(), phi.derivative()).subs(at)
    expected = {
        0: covariance * t_slope + t,
        1: 2 * covariance * t + covariance**2 * t_slope,
        2: 3 * covariance**2 * t + covariance**3 * t_slope,
    }[gates]
    assert vanishes(result.kernel.off_diagonal - expected)
    assert vanishes(result.nngp.off_diagonal - covariance**gates * t)
    assert not result.kernel.off_diagonal.has(m)
    assert result.steps[-1].title.startswith("gamma")
    assert sum(step.title == "Infinite width" for step in result.steps) == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_symbolic_variances_specialise_to_both_parametrizations(name: str) -> None:
    general = derived(name, variances="symbolic").kernel.off_diagonal.subs(
        {sigma_w: 1 / sp.sqrt(d), sigma_v: 1 / sp.sqrt(d)}
    )
    polynomial = sp.Poly(sp.expand(general), sigma_a)
    readout, others = polynomial.coeff_monomial(1), polynomial.coeff_monomial(sigma_a**2)
    assert sp.expand(polynomial.as_expr() - readout - sigma_a**2 * others) == 0
    assert vanishes(derived(name, "standard").kernel.off_diagonal - (readout + others / m))
    # The same functions, but gradients in w' = sqrt(d) w and a' = sqrt(m) a.
    assert vanishes(derived(name, "ntk").kernel.off_diagonal - (readout / m + others / (m * d)))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_covariance_of_outputs_is_the_same_in_both_parametrizations(name: str) -> None:
    assert vanishes(derived(name, "standard").nngp.off_diagonal - derived(name, "ntk").nngp.off_diagonal)
    assert vanishes(derived(name, "standard").nngp.diagonal - derived(name, "ntk").nngp.diagonal)


def assert_gating_law(plain: sp.Expr, gated: sp.Expr, gates: int) -> None:
    """K^(g)_m = (G/d)^g K^(0)_{m + g d}."""
    assert vanishes(gated - (GRAM / d) ** gates * plain.subs(m, m + gates * d))


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "abs", "relu2", "relu3", "identity"])
@pytest.mark.parametrize("gates", [1, 2])
def test_gates_act_as_a_factor_and_more_width(name: str, gates: int) -> None:
    plain, gated = derived(name).kernel.off_diagonal, derived(name, "standard", gates).kernel.off_diagonal
    assert_gating_law(plain, gated, gates)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(
    coefficients=st.tuples(*[st.integers(-3, 3)] * 3).filter(any),
    gates=st.sampled_from([1, 2]),
)
def test_the_gating_law_holds_for_any_activation(coefficients: tuple[int, int, int], gates: int) -> None:
    p, q, s = coefficients
    expression = f"({p})*max(0, z) + ({q})*z*z + ({s})*z"
    plain = derive(network(expression=expression), order=3).kernel.off_diagonal
    gated = derive(network(expression=expression, gates=gates), order=3).kernel.off_diagonal
    assert_gating_law(plain, gated, gates)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("name", NETWORKS)
def test_kernels_of_data_are_positive_semidefinite(name: str, kind: str, parametrization: str) -> None:
    theta = kernel_function(derived(name, parametrization), kind=kind, width=7)  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 6))
    X[1], X[2] = X[0], -X[0]
    K = theta(X)
    eigenvalues = np.linalg.eigvalsh(K)
    # An error of 1e-14 sqrt(K_ii K_jj) in each entry moves an eigenvalue by at most 1e-14 trace(K).
    assert eigenvalues[0] > -1e-13 * np.trace(K)
    assert np.array_equal(K, K.T)


@pytest.mark.parametrize(
    "arguments", [{"name": "step"}, {"expression": "sign(z) + z"}, {"name": "step", "gates": 1}]
)
def test_a_jump_is_refused_in_a_line_that_names_the_block(arguments: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        derive(network(**arguments))  # type: ignore[arg-type]
    line = str(caught.value)
    assert line.startswith("activation ")
    assert "jumps at 0" in line
    assert "activation weights w" in line
    assert "\n" not in line
