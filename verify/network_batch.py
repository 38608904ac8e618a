r"""Several networks of finite width at once, and the gradient of their loss, written by hand.

With the misfit e = z(X) - Y, the loss \(L = \frac12 |e|^2\) and \(u_k = s_{in}\, w_k \cdot x\), \(g_{kl} = s_{in}\, v_{kl}
\cdot x\), one neuron's share is

\[ \frac{\partial L}{\partial a_k} = s_{out} \sum_i e_i\, \phi(u_{ik}) \prod_l g_{ikl},\qquad
   \nabla_{w_k} L = s_{out} a_k \sum_i e_i\, \phi'(u_{ik}) \prod_l g_{ikl}\, s_{in} x_i,\qquad
   \nabla_{v_{kl}} L = s_{out} a_k \sum_i e_i\, \phi(u_{ik}) \prod_{l' \ne l} g_{ikl'}\, s_{in} x_i. \]

a_k does not depend on i: it scales what comes out of the product with the rows, and no (n, m) array is made for it.

Source: derived here (the chain rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from derivations.errors import InputError
from verify.activations import Array
from verify.finite import FiniteNetwork
from verify.streams import Seed, seed_sequence


@dataclass(frozen=True)
class NetworkBatch:
    """The weights of S networks of m neurons, or anything that has a number for each of them, such as a gradient.

    Attributes
    ----------
    readout : (S, m) float
        a_k.
    inner : (1 + g, S, d, m) float
        w_k, then v_k1, ..., v_kg; with biases d counts the constant input as well.
    """

    readout: Array
    inner: Array

    def moved(self, direction: NetworkBatch, length: float) -> NetworkBatch:
        """These weights plus `length` times `direction`."""
        return NetworkBatch(self.readout + length * direction.readout, self.inner + length * direction.inner)


@dataclass(frozen=True)
class Activity:
    """What the neurons of a batch compute at n rows.

    Attributes
    ----------
    preactivation, value : (S, n, m) float
        u and phi(u).
    gates : tuple of (S, n, m) float
    outputs : (S, n) float
        z of the rows.
    """

    preactivation: Array
    value: Array
    gates: tuple[Array, ...]
    outputs: Array


def draw_batch(network: FiniteNetwork, d: int, width: int, seeds: Sequence[int], rng: Seed) -> NetworkBatch:
    """Draw the networks with these numbers: network s has a stream of its own, whatever it is drawn with.

    Examples
    --------
    >>> from verify.finite import finite_network
    >>> both, second = (draw_batch(finite_network("reglu"), 3, 5, seeds, 0) for seeds in ([0, 1], [1]))
    >>> both.inner.shape, bool((both.inner[:, 1:] == second.inner).all())
    ((2, 2, 3, 5), True)
    """
    drawn = [
        network.draw(np.random.Generator(np.random.SFC64(seed_sequence(rng, seed))), d, width, width)
        for seed in seeds
    ]
    inner = [[weights.activation.T, *weights.gates.swapaxes(1, 2)] for weights in drawn]
    return NetworkBatch(
        np.stack([weights.readout for weights in drawn]),
        np.ascontiguousarray(np.swapaxes(inner, 0, 1)),
    )


def forward(network: FiniteNetwork, batch: NetworkBatch, X: Array) -> Activity:
    """The neurons' values and the outputs at the rows of X : (n, d).

    Examples
    --------
    >>> from verify.finite import finite_network
    >>> one = NetworkBatch(np.array([[2.0]]), np.array([[[[3.0]]], [[[5.0]]]]))
    >>> forward(finite_network("reglu"), one, np.array([[1.0], [2.0]])).outputs  # 2 max(3 x, 0) 5 x
    array([[ 30., 120.]])
    """
    s_in, s_out, _, _ = network.scales(X.shape[1], batch.readout.shape[1])
    rows = s_in * network.rows(X)
    preactivation = rows @ batch.inner[0]
    value = network.phi(preactivation)
    gates = tuple(rows @ v for v in batch.inner[1:])
    outputs = s_out * (_product([value, *gates]) @ batch.readout[..., None])[..., 0]
    return Activity(preactivation, value, gates, outputs)


def loss_gradient(
    network: FiniteNetwork, batch: NetworkBatch, X: Array, activity: Activity, misfit: Array
) -> NetworkBatch:
    """Gradient of half the summed squared misfit by all weights.

    Parameters
    ----------
    network : FiniteNetwork
    batch : NetworkBatch
    X : (n, d) float
    activity : Activity
        Of this batch at these rows.
    misfit : (S, n) float
        e, outputs minus labels.

    Raises
    ------
    InputError
        If the activation has no derivative.

    Examples
    --------
    >>> from verify.finite import finite_network
    >>> one, X = NetworkBatch(np.array([[2.0]]), np.array([[[[3.0]]], [[[5.0]]]])), np.array([[1.0]])
    >>> reglu = finite_network("reglu")  # 2 max(3 x, 0) 5 x has the derivatives 15, 10 and 6 at x = 1
    >>> found = loss_gradient(reglu, one, X, forward(reglu, one, X), np.array([[1.0]]))
    >>> found.readout.item(), found.inner.ravel()
    (15.0, array([10.,  6.]))
    """
    if network.dphi is None:
        raise InputError(
            f"network must have a derivative to be trained, got {network.name!r}, whose activation jumps"
        )
    s_in, s_out, _, _ = network.scales(X.shape[1], batch.readout.shape[1])
    value, gates = activity.value, activity.gates
    slopes = [_product([network.dphi(activity.preactivation), *gates])]
    slopes += [_product([value, *gates[:index], *gates[index + 1 :]]) for index in range(len(gates))]
    weighted = np.swapaxes(s_in * network.rows(X) * misfit[..., None], 1, 2)  # (S, d, n)
    amplitude = s_out * batch.readout[:, None]
    return NetworkBatch(
        s_out * (misfit[:, None] @ _product([value, *gates]))[:, 0],
        np.stack([(weighted @ slope) * amplitude for slope in slopes]),
    )


def _product(arrays: Sequence[Array]) -> Array:
    return reduce(np.multiply, arrays)
