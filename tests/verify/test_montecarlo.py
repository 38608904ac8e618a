"""Streamed kernels, against Jacobians and per-neuron terms written out for small networks."""

import tracemalloc

import numpy as np
import pytest

from derivations import kernel_function, network
from derivations.elementwise import activation_functions
from derivations.errors import InputError
from verify.finite import NETWORKS, FiniteNetwork, finite_network
from verify.montecarlo import empirical_ntk
from verify.streams import chunk_size, draw_neurons, seed_sequence

DIFFERENTIABLE = [name for name in NETWORKS if name != "step"]


def terms(network, X, width, seeds, rng):
    """xi of every neuron : (neurons, n, n), from its rows of the Jacobian."""
    result = []
    for weights in draw_neurons(network, X.shape[0], X.shape[1], width, width, seeds, rng):
        factors = network.factors(weights, X, width)
        for k in range(weights.readout.size):
            blocks = [factors.readout[:, [k]]]
            blocks += [factors.gradient[:, [block], k] * X for block in range(1 + network.gates)]
            jacobian = np.hstack(blocks)
            result.append(jacobian @ jacobian.T)
    return np.array(result)


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_mean_and_standard_error_equal_the_brute_force(name, parametrization):
    X = np.random.default_rng(1).standard_normal((4, 3))
    width, seeds = 13, 3
    estimate = empirical_ntk(name, X, width, seeds, rng=7, parametrization=parametrization)
    xi = terms(finite_network(name, parametrization), X, width, seeds, 7)
    # Sums of 39 terms: 39 eps = 1e-14 relative to the diagonal, ten times that for the second moments, whose
    # subtraction loses another digit where a term varies by less than its mean.
    scale = np.abs(xi).sum(axis=0).max()
    np.testing.assert_allclose(estimate.mean, xi.sum(axis=0) / seeds, rtol=0, atol=1e-12 * scale)
    error = np.sqrt(width / seeds * xi.var(axis=0, ddof=1))
    np.testing.assert_allclose(estimate.standard_error, error, rtol=0, atol=1e-10 * error.max())
    assert estimate.neurons == len(xi) == 39


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", ["step", "reglu", "gelu"])
def test_nngp_kernel_is_the_covariance_of_the_outputs_over_the_readout(name, parametrization):
    X = np.random.default_rng(2).standard_normal((4, 3))
    estimate = empirical_ntk(name, X, 11, 2, rng=3, kind="nngp", parametrization=parametrization)
    network = finite_network(name, parametrization)
    expected = np.zeros((4, 4))
    for weights in draw_neurons(network, 4, 3, 11, 11, 2, 3):
        readout = network.outputs(weights, X, 11)
        variance = 1 / 11 if parametrization == "standard" else 1.0
        expected += variance * readout @ readout.T / 2
    np.testing.assert_allclose(estimate.mean, expected, rtol=1e-12, atol=1e-13)


def test_standard_errors_are_the_spread_of_repeated_runs():
    runs = 500
    X = np.array([[1.0, 0.5], [-0.3, 1.2]])
    estimates = [empirical_ntk("reglu", X, 2048, rng=seed) for seed in range(runs)]
    means = np.array([estimate.mean for estimate in estimates])
    errors = np.array([estimate.standard_error for estimate in estimates])
    z = (means - means.mean(axis=0)) / errors
    # A sample variance of R unit normals has deviation sqrt(2/R) = 0.063; five of them. The skewness of a
    # mean over 2048 neurons adds a few times 1/2048.
    assert np.all(np.abs(z.var(axis=0, ddof=1) - 1.0) < 5 * np.sqrt(2 / runs))


def test_halves_are_independent_means_that_average_to_the_whole():
    X = np.random.default_rng(4).standard_normal((5, 3))
    for width, seeds in ((6, 1), (5, 4), (1, 2)):
        whole = empirical_ntk("glu", X, width, seeds, rng=5)
        halved = empirical_ntk("glu", X, width, seeds, rng=5, parts=2)
        assert whole.part_means == ()
        first, second = halved.part_means
        np.testing.assert_allclose((first + second) / 2, whole.mean, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(halved.standard_error, whole.standard_error, rtol=1e-10, atol=1e-13)
        assert not np.allclose(first, second)


def test_halves_of_an_odd_number_of_neurons_are_weighted_by_their_size():
    X = np.eye(2)
    first, second = empirical_ntk("relu", X, 1, 3, rng=5, parts=2).part_means
    xi = terms(finite_network("relu"), X, 1, 3, 5)
    # Neurons go to the half that has fewer: 0 to the first, 1 to the second, 2 to the first again.
    np.testing.assert_allclose(first, (xi[0] + xi[2]) / 2, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(second, xi[1], rtol=1e-12, atol=1e-14)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    X = np.random.default_rng(6).standard_normal((7, 3))
    estimate = empirical_ntk("gelu", X, 5000, rng=1)
    assert np.array_equal(estimate.mean, empirical_ntk("gelu", X, 5000, rng=1).mean)
    assert np.array_equal(estimate.mean, empirical_ntk("gelu", X, 5000, rng=np.random.SeedSequence(1)).mean)
    assert not np.array_equal(estimate.mean, empirical_ntk("gelu", X, 5000, rng=2).mean)


def test_spawning_from_a_seed_sequence_does_not_change_its_neurons():
    sequence = np.random.SeedSequence(3)
    before = empirical_ntk("relu", np.eye(2), 10, rng=sequence).mean
    sequence.spawn(4)
    assert np.array_equal(before, empirical_ntk("relu", np.eye(2), 10, rng=sequence).mean)


def test_a_chunk_can_be_drawn_alone_and_out_of_order():
    network = finite_network("reglu")
    n, d, width = 4, 3, 10_000
    chunks = list(draw_neurons(network, n, d, width, width, 2, rng=9))
    assert chunk_size(n, d) == 4096
    generator = np.random.Generator(np.random.SFC64(seed_sequence(9, 1, 2)))
    alone = network.draw(generator, d, width, 10_000 - 2 * 4096)
    assert np.array_equal(alone.gates, chunks[5].gates)
    # More networks, or wider ones of the same scale, only add neurons.
    more = next(draw_neurons(network, n, d, width, 20_000, 5, rng=9))
    assert np.array_equal(more.activation, chunks[0].activation)


@pytest.mark.parametrize("name", ["relu", "reglu"])
def test_memory_does_not_grow_with_the_width(name):
    X = np.random.default_rng(0).standard_normal((256, 32))
    empirical_ntk(name, X, 1)  # first use allocates tables once
    peaks = []
    for width in (2048, 16_384):
        tracemalloc.start()
        empirical_ntk(name, X, width)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 32 * 2**20
    assert peaks[1] - peaks[0] < 2**16


@pytest.mark.parametrize("exponent", [-500, 500])
def test_rows_of_extreme_length_scale_exactly(exponent):
    # ReLU is homogeneous, and powers of two are exact: so is the kernel and its error, though its square is
    # 2^2000 or 2^-2000.
    X = np.array([[1.0, 0.5], [-0.3, 1.2], [0.0, 0.0]])
    scale = np.array([2.0**exponent, 1.0, 1.0])
    plain = empirical_ntk("relu", X, 50, rng=1)
    extreme = empirical_ntk("relu", X * scale[:, None], 50, rng=1)
    for ours, reference in ((extreme.mean, plain.mean), (extreme.standard_error, plain.standard_error)):
        np.testing.assert_allclose(ours / scale[:, None] / scale, reference, rtol=1e-12)


def test_a_kernel_beyond_float64_is_refused_in_one_line():
    with pytest.raises(InputError, match="X must have shorter rows: the kernel of 'reglu' overflows"):
        empirical_ntk("reglu", np.full((2, 2), 1e150), 10)


def test_one_neuron_has_a_mean_and_no_standard_error():
    estimate = empirical_ntk("relu", np.eye(2), 1)
    assert np.isfinite(estimate.mean).all()
    assert np.isnan(estimate.standard_error).all()
    with pytest.raises(InputError, match="parts must be at most the number of neurons, 1, got 2"):
        empirical_ntk("relu", np.eye(2), 1, parts=2)


def test_an_activation_of_ones_own_and_a_custom_number_of_gates_work():
    mine = FiniteNetwork("sine", np.sin, np.cos, gates=3, parametrization="ntk")
    X = np.random.default_rng(8).standard_normal((3, 2))
    xi = terms(mine, X, 20, 1, 0)
    np.testing.assert_allclose(empirical_ntk(mine, X, 20).mean, xi.sum(axis=0), rtol=1e-12, atol=1e-13)


def test_progress_counts_neurons_to_the_end():
    calls = []
    empirical_ntk("relu", np.eye(2), 5000, 2, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(4096, 10_000), (5000, 10_000), (9096, 10_000), (10_000, 10_000)]


def test_relative_error_falls_with_the_number_of_neurons():
    # 1 / sqrt(neurons); over seeds the two errors vary by 0.68 % and 0.18 %, their ratio by 0.7 %: 5 deviations.
    few, many = (empirical_ntk("tanh", np.eye(3), 1000, seeds).relative_error for seeds in (1, 16))
    assert few / many == pytest.approx(4.0, rel=0.035)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "width must be a positive integer, got 0"),
        ({"seeds": -1}, "seeds must be a positive integer, got -1"),
        ({"rng": -1}, "rng must be a non-negative integer or a numpy SeedSequence, got -1"),
        ({"rng": np.random.default_rng(0)}, "rng must be a non-negative integer"),
        ({"kind": "cov"}, "kind must be one of ntk, nngp"),
        ({"X": np.ones(3)}, "X"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        empirical_ntk(**({"network": "relu", "X": np.eye(2), "width": 4} | arguments))


@pytest.mark.parametrize("gates", [0, 1])
def test_networks_and_the_derived_kernel_agree_at_a_row_of_zeros(gates: int):
    described = network(expression="2 + max(0, z)", gates=gates)
    phi, dphi = activation_functions(described.activation)
    X = np.array([[0.0, 0.0], [1.0, -0.5]])
    estimate = empirical_ntk(FiniteNetwork("shifted", phi, dphi, gates), X, width=8, seeds=4000)
    K = kernel_function(described, width=8)(X)
    # Every neuron is phi(0) there: 8 phi(0)^2 without gates, 0 with one, and no error.
    assert K[0, 0] == pytest.approx(estimate.mean[0, 0], rel=1e-13) == pytest.approx(32.0 * (1 - gates))
    assert estimate.standard_error[0, 0] < 1e-6
    assert abs(estimate.mean[0, 1] - K[0, 1]) <= 5 * estimate.standard_error[0, 1]
    assert (K[0, 1] > 0) == (gates == 0)
