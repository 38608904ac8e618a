r"""Cells: small data sets on which the kernel of random networks is measured entry by entry.

The four directions 0, 0.15, \(\pi/2\), \(\pi-0.15\) of the plane make every coefficient of an expansion in the cosine
visible: near pairs, near-antipodal pairs and right angles are strongly correlated, so that their contrasts are
known far better than any single entry. A small and a large width separate the coefficients with m from those
without.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from verify.activations import Array
from verify.finite import finite_network
from verify.moments import GROUP, EntryMoments, neuron_moments, whole_groups
from verify.streams import seed_sequence

_ANGLES = (0.0, 0.15, np.pi / 2, np.pi - 0.15)


@dataclass(frozen=True)
class Cell:
    """One measurement: network, kind of kernel, dimension, width, and thousands of neurons.

    Attributes
    ----------
    network : str
        A name that `verify.finite` knows.
    kind : str
        ``"ntk"`` or ``"nngp"``.
    d, width : int
    thousands : int
        Neurons in units of 1024, in the quick profile.
    bias_variance : float
        0 for a network without biases.
    """

    network: str
    kind: str
    d: int
    width: int
    thousands: int
    bias_variance: float = 0.0

    @property
    def name(self) -> str:
        """Key of the cell's random numbers: stable, whatever else is run."""
        biases = f"/b={self.bias_variance:g}" if self.bias_variance else ""
        return f"{self.network}/{self.kind}/d={self.d}/m={self.width}{biases}"

    @property
    def X(self) -> Array:
        """The rows, of squared length d : (4, d)."""
        X = np.zeros((len(_ANGLES), self.d))
        X[:, 0], X[:, 1] = np.cos(_ANGLES), np.sin(_ANGLES)
        return X * np.sqrt(self.d)

    @property
    def geometry(self) -> tuple[Array, Array, Array]:
        """Cosine and the two norms of every pair i <= j, each (10,), in the order of `numpy.triu_indices`."""
        X = self.X
        r = np.linalg.norm(X, axis=1)
        i, j = np.triu_indices(len(X))
        cosine = np.where(i == j, 1.0, (X @ X.T)[i, j] / (r[i] * r[j]))
        return cosine, r[i], r[j]

    @property
    def diagonal(self) -> Array:
        """Which of the pairs lie on the diagonal : (10,) bool."""
        i, j = np.triu_indices(len(_ANGLES))
        return i == j

    def measure(self, seed: np.random.SeedSequence, factor: float) -> EntryMoments:
        """Mean kernel and covariance of its entries, over `factor` times the cell's neurons."""
        key = seed_sequence(seed, zlib.crc32(self.name.encode()))
        neurons = whole_groups(self.thousands * 1024 * factor)
        chosen = finite_network(self.network, bias_variance=self.bias_variance)
        return neuron_moments(chosen, self.X, self.width, neurons, key, kind=self.kind, group=GROUP)
