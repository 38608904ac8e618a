"""Gradients of several networks at once, against central differences of a loss that another file computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from derivations.errors import InputError
from verify.activations import ACTIVATIONS
from verify.finite import FiniteNetwork, Weights, finite_network
from verify.network_batch import NetworkBatch, draw_batch, forward, loss_gradient

X = np.random.default_rng(0).standard_normal((5, 3))
Y = np.array([1.0, -1.0, 0.5, 2.0, 0.0])
WIDTH = 4
DIFFERENTIABLE = [name for name, (_, slope) in ACTIVATIONS.items() if slope is not None]
STEP = 1e-5
# A central difference of a loss below 1e3 is rounded to 1e3 eps / STEP = 2e-8 and truncated by STEP^2 L'''/6, with
# third derivatives below 1e3 as well: 2e-8. A term off by 1 % is off by 1e-2 where that term counts.
TOLERANCE = 1e-7


def networks():
    for name in DIFFERENTIABLE:
        for gates in range(3):
            yield FiniteNetwork(f"{name}-{gates}", *ACTIVATIONS[name], gates)
    for parametrization in ("standard", "ntk"):
        for bias_variance in (0.0, 0.3):
            yield replace(finite_network("swiglu", parametrization, bias_variance), name="swiglu with biases")


def losses(network: FiniteNetwork, batch: NetworkBatch) -> np.ndarray:
    """Of every network, by `FiniteNetwork.outputs`, which shares no line with `forward`."""
    found = []
    for s in range(len(batch.readout)):
        inner = batch.inner[:, s].swapaxes(1, 2)
        weights = Weights(batch.readout[s], inner[0], inner[1:])
        found.append(np.sum((network.outputs(weights, X, WIDTH) @ batch.readout[s] - Y) ** 2) / 2)
    return np.array(found)


def differences(network: FiniteNetwork, batch: NetworkBatch) -> NetworkBatch:
    """Every derivative, of all networks of the batch at once: they do not know of each other."""
    slopes = []
    for field, axis in (("readout", 0), ("inner", 1)):  # the networks' axis
        array = getattr(batch, field)
        slope = np.empty_like(array)
        for index in np.ndindex(*(1 if k == axis else size for k, size in enumerate(array.shape))):
            entry = tuple(slice(None) if k == axis else i for k, i in enumerate(index))
            ends = []
            for sign in (1, -1):
                moved = array.copy()
                moved[entry] += sign * STEP
                ends.append(losses(network, replace(batch, **{field: moved})))
            slope[entry] = (ends[0] - ends[1]) / (2 * STEP)
        slopes.append(slope)
    return NetworkBatch(*slopes)


def batch_of(network: FiniteNetwork) -> NetworkBatch:
    return draw_batch(network, X.shape[1], WIDTH, range(2), rng=1)


def gradient(network: FiniteNetwork, batch: NetworkBatch) -> NetworkBatch:
    activity = forward(network, batch, X)
    return loss_gradient(network, batch, X, activity, activity.outputs - Y)


def agree(found: NetworkBatch, expected: NetworkBatch) -> bool:
    return all(
        np.all(
            np.abs(getattr(found, part) - getattr(expected, part))
            < TOLERANCE * (1 + abs(getattr(expected, part)))
        )
        for part in ("readout", "inner")
    )


@pytest.mark.parametrize(
    "network", list(networks()), ids=lambda f: f"{f.name}-{f.parametrization}-{f.bias_variance}"
)
def test_gradients_are_those_of_the_loss(network: FiniteNetwork):
    batch = batch_of(network)
    assert agree(gradient(network, batch), differences(network, batch))
    activity = forward(network, batch, X)
    np.testing.assert_allclose(
        np.sum((activity.outputs - Y) ** 2, axis=1) / 2, losses(network, batch), rtol=1e-12
    )


@pytest.mark.parametrize("factor", [0.0, 0.99, 1.01])
@pytest.mark.parametrize("term", range(4))
def test_a_term_that_is_dropped_or_one_percent_off_is_seen(term: int, factor: float):
    network = replace(finite_network("gqu"), phi=ACTIVATIONS["silu"][0], dphi=ACTIVATIONS["silu"][1])
    batch = batch_of(network)
    right, expected = gradient(network, batch), differences(network, batch)
    inner = right.inner.copy()
    if term:
        inner[term - 1] *= factor
    assert agree(right, expected)
    assert not agree(NetworkBatch(right.readout * (1 if term else factor), inner), expected)


def test_a_slope_one_percent_off_is_seen():
    network = finite_network("reglu")
    assert network.dphi is not None
    batch, slope = batch_of(network), network.dphi
    planted = replace(network, dphi=lambda z: 1.01 * slope(z))
    assert not agree(gradient(planted, batch), differences(network, batch))


def test_moving_is_along_the_direction():
    network = finite_network("reglu")
    batch = batch_of(network)
    moved = batch.moved(NetworkBatch(np.ones_like(batch.readout), np.ones_like(batch.inner)), -0.5)
    np.testing.assert_array_equal(moved.readout, batch.readout - 0.5)
    np.testing.assert_array_equal(moved.inner, batch.inner - 0.5)


def test_networks_are_drawn_with_the_variances_of_their_parametrization():
    network = finite_network("reglu", "standard", 0.5)
    batch = draw_batch(network, 4, 50, range(400), rng=3)
    # 20 000 numbers or more per group: a variance is known to 1 % (one standard error), and 4.5 % is 4.5 of them.
    for found, expected in (
        (batch.readout, 1 / 50),
        (batch.inner[0, :, :4], 1 / 4),
        (batch.inner[1, :, :4], 1 / 4),
        (batch.inner[0, :, 4], 0.5),
        (batch.inner[1, :, 4], 0.5),
    ):
        assert np.mean(found**2) == pytest.approx(expected, rel=0.045)


def test_an_activation_that_jumps_cannot_be_trained():
    network = finite_network("step")
    batch = batch_of(network)
    with pytest.raises(InputError, match=r"^network must have a derivative to be trained, got 'step'"):
        gradient(network, batch)
