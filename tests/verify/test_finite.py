"""Networks and gradients, against a forward pass written out here and differentiated by complex steps."""

import numpy as np
import pytest
from scipy import special

from derivations.errors import InputError
from verify.activations import ACTIVATIONS
from verify.finite import NETWORKS, FiniteNetwork, finite_network

# Each activation once more, for complex arguments. Kinked ones are analytic on either side of the kink.
COMPLEX = {
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky_relu": lambda z: np.where(z.real > 0, z, z / 100),
    "abs": lambda z: np.where(z.real > 0, z, -z),
    "relu2": lambda z: np.where(z.real > 0, z**2, 0),
    "relu3": lambda z: np.where(z.real > 0, z**3, 0),
    "identity": lambda z: z,
    "monomial2": lambda z: z**2,
    "monomial3": lambda z: z**3,
    "hermite2": lambda z: (z**2 - 1) / np.sqrt(2),
    "hermite3": lambda z: (z**3 - 3 * z) / np.sqrt(6),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "gelu": lambda z: z * (1 + special.erf(z / np.sqrt(2))) / 2,
    "erf": special.erf,
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "probit": lambda z: (1 + special.erf(z / np.sqrt(2))) / 2,
    "gaussian": lambda z: np.exp(-(z**2) / 2),
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "mish": lambda z: z * np.tanh(np.log(1 + np.exp(z))),
}
DIFFERENTIABLE = [name for name in NETWORKS if name != "step"]
GROWING = {"relu2", "relu3", "exp"} | {
    name for name in ACTIVATIONS if name.startswith(("monomial", "hermite"))
}
# A complex step of 1e-30 has no truncation error and no cancellation: what remains is the rounding of some
# ten operations on numbers below 10.
ROUNDING = 1e-13


def forward(name, parametrization, blocks, x):
    """z(x), spelled out: one neuron at a time."""
    a, w, v = blocks
    activation, gates = NETWORKS[name]
    m, d = w.shape
    s_in, s_out = (1, 1) if parametrization == "standard" else (1 / np.sqrt(d), 1 / np.sqrt(m))
    z = 0
    for k in range(m):
        neuron = a[k] * COMPLEX[activation](s_in * (w[k] @ x))
        for gate in range(gates):
            neuron = neuron * (s_in * (v[gate, k] @ x))
        z = z + s_out * neuron
    return z


def derivative(name, parametrization, weights, block, index, x):
    blocks = [np.array(b, dtype=complex) for b in (weights.readout, weights.activation, weights.gates)]
    blocks[block][index] += 1e-30j
    return forward(name, parametrization, blocks, x).imag / 1e-30


@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_factors_are_the_gradients_of_the_network(name, parametrization):
    network = finite_network(name, parametrization)
    rng = np.random.default_rng(1)
    m, d = 3, 4
    X = rng.standard_normal((2, d))
    weights = network.draw(rng, d, width=m, count=m)
    factors = network.factors(weights, X, width=m)
    for i, x in enumerate(X):
        for k in range(m):
            readout = derivative(name, parametrization, weights, 0, k, x)
            assert factors.readout[i, k] == pytest.approx(readout, rel=ROUNDING, abs=ROUNDING)
            for j in range(d):
                inner = derivative(name, parametrization, weights, 1, (k, j), x)
                assert factors.gradient[i, 0, k] * x[j] == pytest.approx(inner, rel=ROUNDING, abs=ROUNDING)
                for gate in range(network.gates):
                    outer = derivative(name, parametrization, weights, 2, (gate, k, j), x)
                    ours = factors.gradient[i, 1 + gate, k] * x[j]
                    assert ours == pytest.approx(outer, rel=ROUNDING, abs=ROUNDING)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_derivative_agrees_with_central_differences_of_the_activation(name):
    phi, dphi = ACTIVATIONS[NETWORKS[name][0]]
    assert dphi is not None
    z = np.random.default_rng(2).uniform(0.1, 5, 100) * np.tile([1, -1], 50)
    # At h = 1e-5, phi < 625, phi''' <= 120: truncation h^2 phi''' / 6 <= 2e-9, rounding 1e-16 phi / h < 7e-9.
    h = 1e-5
    np.testing.assert_allclose((phi(z + h) - phi(z - h)) / (2 * h), dphi(z), atol=9e-9)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - GROWING))
def test_activations_stay_finite_and_silent_at_enormous_arguments(name):
    z = np.array([0.0, 40.0, 710.0, 1e160, 1e300])
    for function in ACTIVATIONS[name]:
        if function is not None:
            assert np.isfinite(function(np.concatenate([z, -z]))).all()


def test_logistic_slope_keeps_its_digits_in_the_tail():
    # s'(z) = e^-z (1 + O(e^-z)), and e^-60 is below the rounding of 1.
    slope = finite_network("sigmoid").dphi
    assert slope is not None
    np.testing.assert_allclose(slope(np.array([60.0, -60.0])), np.exp(-60.0), rtol=1e-15)


def test_step_is_one_half_at_its_jump():
    phi, _ = ACTIVATIONS["step"]
    assert phi(np.array([-1.0, 0.0, 1.0])).tolist() == [0.0, 0.5, 1.0]


def test_weights_have_the_variances_of_their_parametrization():
    count, d, width = 20_000, 5, 50
    for parametrization, inner, outer in (("standard", 1 / d, 1 / width), ("ntk", 1.0, 1.0)):
        network = finite_network("gqu", parametrization)
        weights = network.draw(np.random.default_rng(3), d, width, count)
        # A sample variance of c normals has relative deviation sqrt(2/c); five of them.
        for block, variance in (
            (weights.readout, outer),
            (weights.activation, inner),
            (weights.gates, inner),
        ):
            assert np.mean(block**2) == pytest.approx(variance, rel=5 * np.sqrt(2 / block.size))


def test_equal_streams_give_equal_functions_in_both_parametrizations():
    X = np.random.default_rng(4).standard_normal((3, 6))
    z = []
    for parametrization in ("standard", "ntk"):
        network = finite_network("swiglu", parametrization)
        weights = network.draw(np.random.default_rng(5), 6, 20, 20)
        z.append(network.outputs(weights, X, 20) @ weights.readout)
    np.testing.assert_allclose(z[0], z[1], rtol=1e-12)


def test_a_network_without_a_gradient_is_refused_where_one_is_needed():
    network = finite_network("step")
    weights = network.draw(np.random.default_rng(0), 2, 4, 4)
    assert network.outputs(weights, np.eye(2), 4).shape == (2, 4)
    with pytest.raises(InputError, match="'step' has no neural tangent kernel"):
        network.factors(weights, np.eye(2), 4)


def test_unknown_names_and_settings_are_refused():
    with pytest.raises(InputError, match="network must be one of"):
        finite_network("rely")
    with pytest.raises(InputError, match="parametrization must be one of standard, ntk"):
        finite_network("relu", "mup")
    with pytest.raises(InputError, match="gates must be a non-negative integer, got -1"):
        FiniteNetwork("mine", np.sin, np.cos, gates=-1)


def test_a_network_of_ones_own_can_change_its_parametrization():
    mine = FiniteNetwork("sine", np.sin, np.cos, gates=1)
    assert finite_network(mine) is mine
    assert finite_network(mine, "ntk").parametrization == "ntk"


@pytest.mark.parametrize(("drawn", "used"), [("relu", "reglu"), ("gqu", "reglu"), ("reglu", "relu")])
def test_weights_with_another_number_of_gates_are_refused(drawn, used):
    weights = finite_network(drawn).draw(np.random.default_rng(0), d=2, width=4, count=4)
    for function in (finite_network(used).outputs, finite_network(used).factors):
        with pytest.raises(
            InputError, match=f"weights must have the . linear gates of network '{used}', got"
        ):
            function(weights, np.eye(2), 4)
