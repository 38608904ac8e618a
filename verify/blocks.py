r"""The blocks of a kernel, measured on random neurons: one block per group of weights.

.. math:: K = \sum_{\text{blocks } b} K^b, \qquad
          K^b_{ij} = m\, E\big[\nabla_b z(x_i) \cdot \nabla_b z(x_j)\big],

z the contribution of one neuron, b the readout, the weights of the activation, or one gate.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from verify.activations import ACTIVATIONS, Array
from verify.cells import Cell
from verify.finite import FiniteNetwork, Weights
from verify.moments import GROUP, EntryMoments, entry_moments, whole_groups
from verify.products import pair_sums
from verify.streams import draw_neurons, seed_sequence

# A width that is neither the dimension nor 1: m in the place of d, or left out, shows.
WIDTH, DIMENSION = 3, 2


@dataclass(frozen=True)
class GateCell:
    r"""Blocks of the kernel of one network on four inputs, measured as `verify.cells.Cell` measures kernels.

    The inputs are those of `Cell`, of squared length d times `variance`.

    Attributes
    ----------
    activation : str
    gates : int
        p, the number of linear gates.
    thousands : int
        Neurons in multiples of 1024, in the quick profile.
    variance : float
        Of the preactivation.
    """

    activation: str
    gates: int
    thousands: int
    variance: float = 1.0

    @property
    def name(self) -> str:
        """Key of the cell's random numbers."""
        return f"blocks/{self.activation}/p={self.gates}"

    @property
    def d(self) -> int:
        """The dimension of the inputs."""
        return DIMENSION

    @property
    def X(self) -> Array:
        """The rows : (4, d)."""
        return Cell(self.activation, "ntk", DIMENSION, WIDTH, 1).X * np.sqrt(self.variance)

    @property
    def network(self) -> FiniteNetwork:
        """The network whose gradients are measured."""
        phi, dphi = ACTIVATIONS[self.activation]
        return FiniteNetwork(self.name, phi, dphi, self.gates)

    def measure(self, seed: np.random.SeedSequence, factor: float) -> EntryMoments:
        """Mean of the entries i <= j of every block, ((2 + p) 10,), and its covariance."""
        X, finite = self.X, self.network
        count = whole_groups(self.thousands * 1024 * factor)
        key = seed_sequence(seed, zlib.crc32(self.name.encode()))
        drawn = draw_neurons(finite, len(X), DIMENSION, WIDTH, count, 1, key)
        sums = (block_terms(finite, weights, X, WIDTH, GROUP) for weights in drawn)
        return entry_moments(sums, WIDTH, GROUP)


def block_terms(finite: FiniteNetwork, weights: Weights, X: Array, width: int, group: int = 1) -> Array:
    r"""What some neurons contribute to the entries i <= j of every block of the kernel, summed over groups.

    .. math:: \xi^a_{ij} = \partial_a z(x_i)\, \partial_a z(x_j), \qquad
              \xi^w_{ij} = \nabla_w z(x_i) \cdot \nabla_w z(x_j), \qquad
              \xi^{v_l}_{ij} = \nabla_{v_l} z(x_i) \cdot \nabla_{v_l} z(x_j)

    Parameters
    ----------
    finite : FiniteNetwork
    weights : Weights
        Of b neurons.
    X : (n, d) float
    width : int
    group : int
        Neurons per sum, a divisor of b: neuron k is in group k modulo b / `group`.

    Returns
    -------
    ((2 + p) n (n + 1) / 2, b / group) float
        Readout, weights of the activation, gates; the pairs in the order of `numpy.triu_indices`.

    Raises
    ------
    InputError
        If the activation has no derivative.

    Source
    ------
    Derived here (the chain rule, in `FiniteNetwork.factors`).

    Examples
    --------
    >>> from verify.finite import finite_network
    >>> one = Weights(np.array([2.0]), np.array([[3.0]]), np.array([[[5.0]]]))
    >>> block_terms(finite_network("reglu"), one, np.array([[1.0]]), 1).ravel()  # of z(x) = a max(w x, 0) v x
    array([225., 100.,  36.])
    """
    factors = finite.factors(weights, X, width)
    gram = (X @ X.T)[np.triu_indices(len(X))][:, None]
    gradients = (gram * pair_sums(block, group) for block in factors.gradient.swapaxes(0, 1))
    return np.concatenate([pair_sums(factors.readout, group), *gradients])
