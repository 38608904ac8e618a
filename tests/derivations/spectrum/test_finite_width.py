"""The law of one network's spectrum against real networks, sampled rows, and what is proved of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtri

from derivations import InputError, network
from derivations.spectrum import (
    finite_spectrum_density,
    finite_spectrum_law,
    gegenbauer_expansion,
    spectrum_density,
    spectrum_law,
)
from derivations.spectrum.finite_width import finite_law_of_data
from derivations.spectrum.finite_width.blocks import kernel_blocks
from derivations.spectrum.finite_width.equation import Scales, finite_equation
from derivations.spectrum.finite_width.lengths import alike
from derivations.spectrum.finite_width.neurons import loads
from derivations.spectrum.finite_width.row_weights import row_law, weighted_rows
from derivations.spectrum.fixed_point import fixed_point
from derivations.spectrum.problem import problem
from derivations.spectrum.rows import EQUAL, RowWeights
from verify.activations import Array
from verify.finite import finite_network
from verify.inputs import generate
from verify.one_network import network_kernel

NETWORKS = ("relu", "abs", "gelu", "silu", "reglu", "swiglu", "bilinear", "gqu")


@cache
def eigenvalues(
    name: str, kind: str, n: int, d: int, m: int, draws: int, parametrization: str = "standard"
) -> Array:
    """Of networks, each with rows of its own : (draws, n)."""
    chosen = finite_network(name, parametrization)
    X = (generate(kind, n, d, np.random.default_rng(draw)) for draw in range(draws))
    return np.array(
        [np.linalg.eigvalsh(network_kernel(chosen, rows, m, 1000 + s)) for s, rows in enumerate(X)]
    )


def error_and_noise(values: Array, stated: float) -> tuple[float, float]:
    """The relative error against the mean, and the standard error of that."""
    return stated / values.mean() - 1, values.std(ddof=1) / np.sqrt(len(values)) / values.mean()


@pytest.mark.parametrize(
    ("name", "kind"), [("relu", "sphere"), ("silu", "gaussian"), ("reglu", "gaussian"), ("gqu", "sphere")]
)
@pytest.mark.parametrize("m", [120, 300])
def test_the_law_is_right_where_infinite_width_is_not(name: str, kind: str, m: int):
    values = eigenvalues(name, kind, 160, 60, m, 40)
    finite, sharp = (law(name, 160, 60, m, kind) for law in (finite_spectrum_law, spectrum_law))
    # No bias of the law shows among 40 networks: errors are within four of their own standard ones.
    error, noise = error_and_noise(values[:, 0], finite.lambda_min)
    assert abs(error) < 4 * noise
    assert sharp.lambda_min / values[:, 0].mean() > 1.25
    error, noise = error_and_noise(values[:, -1], finite.lambda_max)
    assert abs(error) < 4 * noise
    assert finite.reliable
    # The constant function's eigenvalue: far from all others without gates, among them with.
    assert finite.outlier == (name in ("relu", "silu"))


def test_the_ntk_parametrization_is_another_weight_of_the_blocks():
    chosen = network("reglu", parametrization="ntk")
    values = eigenvalues("reglu", "sphere", 120, 60, 200, 40, "ntk")
    error, noise = error_and_noise(values[:, 0], finite_spectrum_law(chosen, 120, 60, 200).lambda_min)
    assert abs(error) < 4 * noise
    # In this parametrization the readout's block does not grow with the width.
    assert finite_spectrum_law("reglu", 120, 60, 200).lambda_min > 10 * values[:, 0].mean()


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_without_end_have_the_law_of_infinite_width(name: str):
    for kind in ("sphere", "gaussian"):
        finite, sharp = (law(name, 300, 50, 10**8, kind) for law in (finite_spectrum_law, spectrum_law))
        # The deviation is of the order n/m = 3e-6; an edge is found to 1e-4 of log a, z to its square, and the shift by
        # second differences to their error, 1e-4 of itself.
        assert finite.lambda_min == pytest.approx(sharp.lambda_min, rel=1e-4)
        assert finite.lambda_max == pytest.approx(sharp.lambda_max, rel=1e-4)


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(NETWORKS),
    n=st.integers(2, 3000),
    d=st.integers(2, 300),
    m=st.integers(1, 3000),
    parametrization=st.sampled_from(["standard", "ntk"]),
    kind=st.just("sphere"),
)
@example(name="swiglu", n=2, d=2, m=25, parametrization="ntk", kind="gaussian")
@example(name="silu", n=32, d=4, m=6, parametrization="standard", kind="gaussian")
def test_jensens_bounds_hold_for_the_law(name: str, n: int, d: int, m: int, parametrization: str, kind: str):
    chosen = network(name, parametrization=parametrization)
    finite, sharp = finite_spectrum_law(chosen, n, d, m, kind), spectrum_law(chosen, n, d, m, kind)
    assert 0 <= finite.lambda_min <= sharp.lambda_min * (1 + 1e-12)
    # A quotient of the same number.
    assert sharp.lambda_max * (1 - 1e-12) <= finite.lambda_max < np.inf
    assert finite.lambda_min == 0 or n <= finite.rank


@settings(max_examples=8, deadline=None)
@given(name=st.sampled_from(NETWORKS), d=st.integers(2, 400), m=st.integers(1, 10**6))
@example(name="gelu", d=2, m=1)
def test_blocks_are_the_kernels(name: str, d: int, m: int):
    chosen, degrees = network(name), 7
    blocks, whole = kernel_blocks(chosen, d, degrees), gegenbauer_expansion(chosen, d, m, degrees)
    value, slope = m + chosen.gates * d, d
    masses = value * blocks.value + slope * blocks.slope
    rests = value * blocks.value_rest + slope * blocks.slope_rest
    # Sums of ten products; masses are told apart from roundings at 1e-27 of f(1), the rest at 1e-12.
    np.testing.assert_allclose(masses @ blocks.shares, whole.masses, rtol=1e-12, atol=1e-15 * whole.total)
    assert rests @ blocks.shares == pytest.approx(whole.rest, abs=3e-12 * whole.total)


@pytest.mark.parametrize("leverage", [0.0, 0.3, 5.0])
def test_loads_are_averages_over_normal_readouts(leverage: float):
    def integrand(g: float) -> float:
        return 2 * g * g / (1 + g * g * leverage) * np.exp(-g * g / 2) / np.sqrt(2 * np.pi)

    # The nodes reach g = 8, and resolve the pole at g^2 = -1/5 to 1e-7.
    assert float(loads(100, 0, True, 10**9).weight(np.array(leverage))) == pytest.approx(
        quad(integrand, 0, np.inf)[0], rel=1e-6
    )


@pytest.mark.parametrize(("name", "m"), [("relu", 60), ("reglu", 40), ("gqu", 200)])
def test_rows_of_one_network_differ_as_sampled_ones(name: str, m: int):
    chosen, d = network(name), 100
    gates = chosen.gates
    equation = finite_equation(kernel_blocks(chosen, d, 9), 2, Scales(m, d, m, d, gates), EQUAL, False)
    state = equation.solve(1e-9)
    assert state is not None
    law = row_law(equation, state, chosen.activation, np.ones(9))
    rng = np.random.default_rng(0)
    # Blocks without leverage: m phi^2 s^2 of the readout, d a^2 (...) of the gradients.
    samples = []
    for _ in range(40):
        u, a = rng.standard_normal((1000, m)), rng.standard_normal(m)
        s = rng.standard_normal((gates, 1000, m)) ** 2
        value, slope, full = np.maximum(u, 0) ** 2, (u > 0).astype(float), np.prod(s, axis=0)
        others = {0: 0.0, 1: 1.0, 2: np.sum(s, axis=0)}[gates]
        q = np.sum(m * value * full + d * a**2 * (value * others + slope * full), axis=1)
        samples.append(q / q.mean())
    by_network = np.array(samples)
    assert_within(law.variance, by_network, np.var, 0.0)
    for share in (0.002, 0.05, 0.5, 0.95):
        # Above the median the law is a log-normal one that matches, a tenth of a deviation off at most.
        found = float(law.at(ndtri(np.array([share])))[0])
        assert_within(found, by_network, partial(np.quantile, q=share), 0.1 * law.variance**0.5)


def assert_within(
    found: float, samples: np.ndarray, statistic: Callable[[np.ndarray], float], bias: float
) -> None:
    """Of a statistic of all samples, within a bias and five standard errors, networks drawn anew."""
    rng = np.random.default_rng(2)
    again = [statistic(samples[rng.integers(len(samples), size=len(samples))].ravel()) for _ in range(100)]
    assert abs(found - statistic(samples.ravel())) < bias + 5 * np.std(again)


def test_lengths_weigh_by_what_other_rows_leave():
    # 200 rows in 30 dimensions resolve degree 1, which goes with p, and leave degree 2, which like 0 goes with p^2.
    chosen = network(expression="z + z**2/2")
    asked = problem(chosen, 200, 30, 50, "gaussian")
    a = fixed_point(asked.expansion, 200, EQUAL, without_constant=False).left_edge().a
    left = asked.expansion.masses[:3] / (1 + a * asked.expansion.eigenvalues(200)[:3])
    p = asked.rows.values
    exact = (left @ [p**2, p, p**2]) / left.sum()
    # A logarithm fitted by a polynomial of degree 5 in log p: measured 8e-7.
    np.testing.assert_allclose(alike(asked, 50).values, exact, rtol=1.6e-6)


def test_weights_of_rows_multiply():
    lengths = RowWeights(np.array([1.0, 4.0]), np.array([0.5, 0.5]))
    equation = finite_equation(
        kernel_blocks(network("reglu"), 50, 9), 2, Scales(40, 50, 40, 50, 1), EQUAL, False
    )
    state = equation.solve(1e-9)
    assert state is not None
    law = row_law(equation, state, network("reglu").activation, np.ones(9))
    found = weighted_rows(lengths, law, 10**5)
    # Both are independent: moments multiply. Those of the law at nodes dense in the normal score.
    scores = np.linspace(-8, 8, 10**5)
    shares = np.exp(-(scores**2) / 2) / np.sum(np.exp(-(scores**2) / 2))
    first, second = (float(shares @ law.at(scores) ** power) for power in (1, 2))
    assert found.mean == pytest.approx(lengths.mean, rel=1e-12)
    exact = second / first**2 * float(lengths.shares @ lengths.values**2)
    # Quantiles for blocks of ranks, and a quarter of a deviation between atoms of the law: measured 0.14 %.
    assert found.shares @ found.values**2 == pytest.approx(exact, rel=0.0028)


@pytest.mark.parametrize(
    ("name", "kind", "n", "d", "m", "measured"),
    [
        ("relu", "sphere", 300, 30, 60, 0.013),
        ("reglu", "gaussian", 300, 60, 100, 0.022),
        ("relu", "sphere", 400, 15, 16, 0.038),
    ],
)
def test_the_density_is_that_of_networks(name: str, kind: str, n: int, d: int, m: int, measured: float):
    found = finite_spectrum_density(name, n, d, m, kind)
    # Like a root at each end of the bulk and of the cluster of degree 1: of the outermost intervals, of at most 1/200 each,
    # trapezia miss a quarter. Of the mean, where most ends count little, measured 3.3e-4.
    assert found.mass == pytest.approx(1, abs=4 / 4 / 200)
    assert found.mean == pytest.approx(found.trace, rel=6.6e-4)
    values = eigenvalues(name, kind, n, d, m, 5)[:, : -1 if name == "relu" else None]
    x = np.sort(values.ravel())
    counted = np.arange(1, len(x) + 1) / len(x)
    away = x > 1e-8 * x[-1]
    distance, of_infinite = (
        np.max(np.abs(density.cumulative(x[away]) - counted[away]))
        for density in (found, spectrum_density(name, n, d, m, kind))
    )
    # Of five networks, whose own counts scatter by 0.01 to 0.04.
    assert distance < 2 * measured
    assert of_infinite > 3 * distance
    assert found.atom == max(0.0, 1 - min(1.0, m * d / n))


def test_exact_zeros_are_exact_and_infinite():
    singular = finite_spectrum_law("reglu", 1000, 50, 10)
    assert (singular.lambda_min, singular.condition_number, singular.rank) == (0.0, np.inf, 990)
    assert singular.reliable
    # One neuron: half of the rows are dead, one of 40 surely.
    assert finite_spectrum_law("relu", 40, 50, 1).lambda_min == 0
    assert finite_spectrum_law("silu", 40, 50, 1).lambda_min > 0
    # 15 products of two of five coordinates.
    assert finite_spectrum_law("bilinear", 16, 5, 100).lambda_min == 0
    X = generate("gaussian", 30, 20, np.random.default_rng(0))
    X[7] = X[3]
    for law in (finite_spectrum_law("silu", 30, 20, 50, X), finite_law_of_data("silu", X, 50)):
        assert (law.lambda_min, law.condition_number) == (0.0, np.inf)


def test_one_row_is_the_diagonal():
    for name in ("relu", "silu"):
        finite, sharp = (law(name, 1, 20, 9, [3.0]) for law in (finite_spectrum_law, spectrum_law))
        assert finite.lambda_min == finite.lambda_max == sharp.lambda_max


# Clusters of six make ReLU's smallest eigenvalue, on 25 networks, 17 % (+- 2 %) smaller than the law, that of ReGLU no other.
@pytest.mark.parametrize(("name", "bias"), [("relu", 0.175), ("reglu", 0.0)])
def test_given_rows_need_not_be_uniform(name: str, bias: float):
    rng = np.random.default_rng(0)
    X = np.repeat(rng.standard_normal((20, 30)), 6, axis=0) + 0.3 * rng.standard_normal((120, 30))
    values = np.array([np.linalg.eigvalsh(network_kernel(name, X, 150, s))[0] for s in range(25)])
    error, noise = error_and_noise(values, finite_law_of_data(name, X, 150).lambda_min)
    assert abs(error - bias) < 4 * noise
    # Of lengths alone nothing is known of clusters.
    assert finite_spectrum_law(name, 120, 30, 150, X).lambda_min > 2 * values.mean()


def test_right_angles_between_given_rows_are_no_obstacle():
    X = np.vstack([4 * np.eye(8), generate("gaussian", 4, 8, np.random.default_rng(0))])
    exact, near = (finite_law_of_data("reglu", X + shift, 60).lambda_min for shift in (0.0, 1e-5))
    # Shifted by s it moves by 2.07 s, from s = 1e-7 to 1e-4.
    assert near / exact - 1 == pytest.approx(2.07e-5, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("relu", 10, 5, 0), "width must be a positive integer, got 0"),
        (("relu", 10, 1, 3), "d must be at least 2"),
        (("step", 10, 5, 3), "activation must be continuous"),
    ],
)
def test_bad_arguments_are_told(arguments: tuple[str, int, int, int], message: str):
    for law in (finite_spectrum_law, finite_spectrum_density):
        with pytest.raises(InputError, match=message):
            law(*arguments)


def test_what_is_not_covered_is_refused_in_a_line():
    with pytest.raises(InputError, match="n must be at least 2 for a density, got 1"):
        finite_spectrum_density("relu", 1, 5, 3)
    with pytest.raises(InputError, match="data must be on the sphere for the density of silu"):
        finite_spectrum_density("silu", 10, 5, 3, "gaussian")
    with pytest.raises(InputError, match="X must have at most 2000 rows, got 2001"):
        finite_law_of_data("relu", np.ones((2001, 2)), 3)
