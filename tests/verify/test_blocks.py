"""Blocks of kernels, measured on random neurons."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from verify.activations import Array
from verify.blocks import WIDTH, GateCell, block_terms
from verify.moments import GROUP, entry_moments, neuron_moments
from verify.streams import draw_neurons

NETWORKS = [("gelu", 0), ("silu", 1), ("relu", 2)]


def single_terms(cell: GateCell, neurons: int, seed: int) -> list[Array]:
    """The terms of the neurons that the cell draws, chunk by chunk, a column each."""
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(cell.name.encode()),))
    chunks = draw_neurons(cell.network, 4, cell.d, WIDTH, neurons, 1, key)
    return [block_terms(cell.network, weights, cell.X, WIDTH) for weights in chunks]


@pytest.mark.parametrize(("activation", "p"), NETWORKS)
def test_the_blocks_add_up_to_the_kernel_of_the_same_networks(activation: str, p: int):
    cell = GateCell(activation, p, 8)
    blocks = cell.measure(np.random.SeedSequence(2), 1.0)
    key = np.random.SeedSequence(2, spawn_key=(zlib.crc32(cell.name.encode()),))
    whole = neuron_moments(cell.network, cell.X, WIDTH, blocks.neurons, key)
    add = np.tile(np.eye(10), 2 + p)
    # Sums of 8192 terms, in another order.
    np.testing.assert_allclose(add @ blocks.mean, whole.mean, rtol=1e-10, atol=1e-12)
    single = entry_moments(single_terms(cell, blocks.neurons, 2), WIDTH)
    np.testing.assert_allclose(add @ single.covariance @ add.T, whole.covariance, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize(("activation", "p"), NETWORKS)
def test_the_covariance_is_that_of_sums_over_groups_of_the_same_neurons(activation: str, p: int):
    cell = GateCell(activation, p, 5)
    moments = cell.measure(np.random.SeedSequence(3), 0.999)
    assert moments.neurons == 5112  # 5114.88 in whole groups: the second chunk is not a full one
    single = single_terms(cell, moments.neurons, 3)
    sums = np.concatenate([chunk.reshape(len(chunk), GROUP, -1).sum(axis=1) for chunk in single], axis=1)
    expected = np.cov(WIDTH / GROUP * sums) / sums.shape[1]
    # Sums of 639 squares, about another centre.
    np.testing.assert_allclose(moments.mean, WIDTH / GROUP * sums.mean(axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(moments.covariance, expected, rtol=1e-9, atol=1e-12 * expected.max())
    assert sums.shape[1] * GROUP == moments.neurons


def test_a_measurement_has_two_whole_groups_or_more():
    cell = GateCell("relu", 1, 1)
    assert cell.measure(np.random.SeedSequence(0), 1e-9).neurons == 2 * GROUP
