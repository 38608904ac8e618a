"""Blocks of kernels, measured on random neurons."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from verify.blocks import WIDTH, GateCell
from verify.moments import neuron_moments


@pytest.mark.parametrize(("activation", "p"), [("gelu", 0), ("silu", 1), ("relu", 2)])
def test_the_blocks_add_up_to_the_kernel_of_the_same_networks(activation: str, p: int):
    cell, seed = GateCell(activation, p, 8), np.random.SeedSequence(2)
    blocks = cell.measure(seed, 1.0)
    key = np.random.SeedSequence(2, spawn_key=(zlib.crc32(cell.name.encode()),))
    whole = neuron_moments(cell.network, cell.X, WIDTH, blocks.neurons, key)
    add = np.tile(np.eye(10), 2 + p)
    # Sums of 8192 terms, in another order.
    np.testing.assert_allclose(add @ blocks.mean, whole.mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(add @ blocks.covariance @ add.T, whole.covariance, rtol=1e-8, atol=1e-14)
