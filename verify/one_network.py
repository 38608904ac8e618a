"""The kernel matrix of one random network, of any kind: for spectra, which means over networks do not have."""

from __future__ import annotations

import numpy as np

from verify.activations import Array
from verify.finite import FiniteNetwork, finite_network
from verify.streams import Seed, draw_neurons


def network_kernel(network: str | FiniteNetwork, X: Array, width: int, rng: Seed) -> Array:
    """K of the rows X : (n, d) by hand-written gradients, (n, n) float.

    Examples
    --------
    >>> network_kernel("relu", np.array([[1.0, 0.0], [2.0, 0.0]]), 4, rng=0).shape
    (2, 2)
    """
    n, d = X.shape
    chosen = finite_network(network)
    rows = chosen.rows(X)
    readout, gradient = np.zeros((n, n)), np.zeros((n, n))
    for weights in draw_neurons(chosen, n, d, width, width, 1, rng):
        factors = chosen.factors(weights, X, width)
        readout += factors.readout @ factors.readout.T
        for block in range(factors.gradient.shape[1]):
            gradient += factors.gradient[:, block] @ factors.gradient[:, block].T
    return np.asarray(readout + (rows @ rows.T) * gradient)
