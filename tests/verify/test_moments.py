"""Joint moments, against one neuron at a time."""

import numpy as np
import pytest

from derivations.errors import InputError
from verify.finite import finite_network
from verify.moments import GROUP, neuron_moments, quadratic_form
from verify.montecarlo import empirical_ntk, kernel_factors
from verify.streams import draw_neurons


def terms(network, X, width, neurons, seeds, rng, kind):
    """xi : (neurons, n, n)."""
    gram = X @ X.T
    result: list[np.ndarray] = []
    for weights in draw_neurons(network, X.shape[0], X.shape[1], width, neurons, seeds, rng):
        factors = kernel_factors(network, weights, X, width, kind)
        result.extend(
            np.outer(r, r) + gram * (g @ g.T)
            for r, g in zip(factors.readout.T, factors.gradient.transpose(2, 0, 1), strict=True)
        )
    return np.array(result)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("name", ["relu", "swiglu", "gqu"])
def test_entry_moments_equal_the_brute_force(name, kind):
    X = np.random.default_rng(1).standard_normal((3, 2))
    width, neurons = 30, 5000  # two chunks
    moments = neuron_moments(name, X, width, neurons, rng=4, kind=kind)
    xi = terms(finite_network(name), X, width, neurons, 1, 4, kind)
    entries = width * xi[:, *np.triu_indices(3)]
    # 5000 additions lose at most 5000 eps = 1e-12 of the largest sum.
    np.testing.assert_allclose(moments.mean, entries.mean(axis=0), rtol=0, atol=1e-12 * entries.mean(0).max())
    covariance = np.cov(entries.T) / neurons
    np.testing.assert_allclose(moments.covariance, covariance, rtol=0, atol=1e-12 * covariance.max())


def test_an_entry_that_never_varies_has_a_variance_of_rounding_only():
    # At the zero vector a softplus network outputs log 2 always; about 0, its variance would be eps . mean^2.
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    moments = neuron_moments("softplus", X, width=10, neurons=20_000)
    constant = moments.mean[0]
    assert constant == pytest.approx(10 * np.log(2.0) ** 2, rel=1e-13)
    # Per neuron the rounding of the pilot mean, below 1e-15 . mean, squared, over the neurons.
    assert abs(moments.covariance[0, 0]) < 1e-30 * constant**2


def test_the_covariance_of_duplicated_inputs_is_singular_to_rounding():
    x = np.array([0.3, -1.1])
    moments = neuron_moments("relu", np.array([x, x]), width=5, neurons=10_000)
    values = np.linalg.eigvalsh(moments.covariance)
    assert values[1] < 1e-14 * values[2]


def test_the_mean_agrees_with_the_streamed_kernel():
    X = np.random.default_rng(2).standard_normal((3, 2))
    moments = neuron_moments("reglu", X, width=6000, neurons=6000, rng=1)
    kernel = empirical_ntk("reglu", X, 6000, rng=1)
    upper = np.triu_indices(3)
    np.testing.assert_allclose(moments.mean, kernel.mean[upper], rtol=1e-11, atol=1e-11)
    errors = np.sqrt(moments.covariance.diagonal())
    np.testing.assert_allclose(errors, kernel.standard_error[upper], rtol=1e-10)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
@pytest.mark.parametrize("name", ["relu", "gqu"])
def test_quadratic_form_uses_the_neurons_of_the_kernel(name, kind):
    X = np.random.default_rng(3).standard_normal((5, 3))
    v = np.random.default_rng(4).standard_normal(5)
    width, seeds = 40, 3
    mean, error = quadratic_form(name, X, v, width, seeds, rng=2, kind=kind)
    kernel = empirical_ntk(name, X, width, seeds, rng=2, kind=kind)
    assert mean == pytest.approx(v @ kernel.mean @ v, rel=1e-12)
    samples = np.einsum("i,kij,j->k", v, terms(finite_network(name), X, width, width, seeds, 2, kind), v)
    assert error == pytest.approx(np.sqrt(width / seeds * samples.var(ddof=1)), rel=1e-10)


def test_one_neuron_has_no_spread():
    mean, error = quadratic_form("relu", np.eye(2), [1.0, 1.0], width=1)
    assert np.isfinite(mean)
    assert np.isnan(error)
    with pytest.raises(InputError, match="neurons must be at least 2"):
        neuron_moments("relu", np.eye(2), width=4, neurons=1)


def test_a_vector_that_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"v must have shape \(2,\), one number per row of X, got \(3,\)"):
        quadratic_form("relu", np.eye(2), [1.0, 1.0, 1.0], width=4)
    with pytest.raises(InputError, match="v must be finite"):
        quadratic_form("relu", np.eye(2), [1.0, np.nan], width=4)


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_groups_leave_the_mean_and_estimate_the_same_covariance(kind: str):
    X = np.array([[1.0, 0.0], [0.3, -0.8]])
    single, grouped = (neuron_moments("reglu", X, 3, 80_000, 1, kind=kind, group=g) for g in (1, GROUP))
    assert grouped.neurons == single.neurons == 80_000
    np.testing.assert_allclose(grouped.mean, single.mean, rtol=1e-12)
    # 10 000 groups know a variance to sqrt(2 / 10 000) = 1.4 % more or less than single neurons: 5 deviations.
    deviations = np.sqrt(single.covariance.diagonal())
    difference = (grouped.covariance - single.covariance) / np.outer(deviations, deviations)
    assert np.abs(difference).max() < 0.07


@pytest.mark.parametrize(
    ("n", "neurons", "group", "message"),
    [
        (2, 100, 3, "group must be 1 or 8, got 3"),
        (2, 100, GROUP, "neurons must be two or more groups of 8, got 100"),
        (2, 8, GROUP, "neurons must be two or more groups of 8, got 8"),
        (33, 800, GROUP, r"group must be 1 for X of shape \(33, 2\), got 8"),
    ],
)
def test_groups_that_do_not_fit_are_refused(n: int, neurons: int, group: int, message: str):
    with pytest.raises(InputError, match=message):
        neuron_moments("relu", np.ones((n, 2)), 3, neurons, group=group)
