"""Two-layer networks of finite width and their hand-written gradients.

This file is one side of every comparison the project makes. It contains networks, not kernels: no formula
of an expected kernel appears in it, and it shares no code with the symbolic side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import sqrt

import numpy as np

from derivations.errors import InputError
from verify.activations import ACTIVATIONS, Array, Elementwise
from verify.inputs import check_choice
from verify.products import row_products

PARAMETRIZATIONS = ("standard", "ntk")

# name -> (activation, number of linear gates)
NETWORKS: dict[str, tuple[str, int]] = {name: (name, 0) for name in ACTIVATIONS} | {
    "reglu": ("relu", 1),
    "bilinear": ("identity", 1),
    "glu": ("sigmoid", 1),
    "swiglu": ("silu", 1),
    "geglu": ("gelu", 1),
    "gqu": ("relu", 2),
}


@dataclass(frozen=True)
class Weights:
    """The weights of some neurons, as their parametrization draws them.

    Attributes
    ----------
    readout : (b,) float
        a_k.
    activation : (b, d) float
        w_k, the weights inside the activation.
    gates : (g, b, d) float
        v_kl, the weights of the linear gates.
    """

    readout: Array
    activation: Array
    gates: Array

    def select(self, neurons: slice) -> Weights:
        """The weights of some of these neurons."""
        return Weights(self.readout[neurons], self.activation[neurons], self.gates[:, neurons])


@dataclass(frozen=True)
class Factors:
    r"""What some neurons contribute to the kernel, as factors instead of a Jacobian.

    .. math:: K_{ij} = \sum_k \Big[ R_{ik} R_{jk} + (x_i \cdot x_j) \sum_l G_{ilk} G_{jlk} \Big]

    The gradient by a weight vector is always a number times x, so that number is all there is to keep.

    Attributes
    ----------
    readout : (n, b) float
        R, the derivatives by a_k.
    gradient : (n, 1 + g, b) float
        G, the derivatives by w_k (l = 0) and by v_k1, ..., v_kg, each without its factor x.
    """

    readout: Array
    gradient: Array


@dataclass(frozen=True)
class FiniteNetwork:
    r"""A two-layer network with `gates` linear gates per neuron, of any width.

    .. math:: z(x) = s_{out} \sum_{k \le m} a_k\, \phi(s_{in}\, w_k \cdot x)
              \prod_{l \le g} (s_{in}\, v_{kl} \cdot x)

    ============== =========== ======== ============= =============
    name           w, v        a        s_in          s_out
    ============== =========== ======== ============= =============
    ``standard``   N(0, 1/d)   N(0,1/m) 1             1
    ``ntk``        N(0, 1)     N(0, 1)  1 / sqrt(d)   1 / sqrt(m)
    ============== =========== ======== ============= =============

    With `bias_variance` v > 0 every s_in w_k.x and every gate s_in v_kl.x gets a trained bias: b_k ~ N(0, v) in
    ``standard``, sqrt(v) b_k with b_k ~ N(0, 1) in ``ntk``. A bias is the weight of a constant input, 1 or
    sqrt(v d), and is kept as the last column of the weights.

    Attributes
    ----------
    name : str
    phi, dphi : callable
        The activation and its derivative, elementwise on float64 arrays. `dphi` is None where the derivative
        is not a function; such a network has no neural tangent kernel.
    gates : int
        g, 0 or more.
    parametrization : {"standard", "ntk"}
    bias_variance : float
        v; 0 for a network without biases.

    Source
    ------
    Derived here (the chain rule).

    Examples
    --------
    >>> import numpy as np
    >>> network = finite_network("reglu")
    >>> weights = network.draw(np.random.default_rng(0), d=3, width=100, count=4)
    >>> network.factors(weights, np.eye(2, 3), width=100).gradient.shape
    (2, 2, 4)
    """

    name: str
    phi: Elementwise
    dphi: Elementwise | None
    gates: int = 0
    parametrization: str = "standard"
    bias_variance: float = 0.0

    def __post_init__(self) -> None:
        check_choice(self.parametrization, "parametrization", PARAMETRIZATIONS)
        if not isinstance(self.gates, int) or self.gates < 0:
            raise InputError(f"gates must be a non-negative integer, got {self.gates!r}")
        if not 0 <= self.bias_variance < float("inf"):
            raise InputError(f"bias_variance must be a number, 0 or more, got {self.bias_variance!r}")

    def scales(self, d: int, width: int) -> tuple[float, float, float, float]:
        """(s_in, s_out, standard deviation of w and v, standard deviation of a)."""
        if self.parametrization == "standard":
            return 1.0, 1.0, 1.0 / sqrt(d), 1.0 / sqrt(width)
        return 1.0 / sqrt(d), 1.0 / sqrt(width), 1.0, 1.0

    def draw(self, rng: np.random.Generator, d: int, width: int, count: int) -> Weights:
        """Draw `count` of the neurons of a network of width `width` on inputs of dimension `d`.

        Both parametrizations use the same normal numbers: equal streams give equal functions z.
        """
        _, _, inner, outer = self.scales(d, width)
        deviations = np.full(d + (self.bias_variance > 0), inner)
        if self.bias_variance > 0 and self.parametrization == "standard":
            deviations[-1] = sqrt(self.bias_variance)
        return Weights(
            readout=outer * rng.standard_normal(count),
            activation=deviations * rng.standard_normal((count, len(deviations))),
            gates=deviations * rng.standard_normal((self.gates, count, len(deviations))),
        )

    def rows(self, X: Array) -> Array:
        """What the weights multiply: the rows of X : (n, d), with biases a constant column more."""
        if self.bias_variance == 0:
            return X
        constant = 1.0 if self.parametrization == "standard" else sqrt(self.bias_variance * X.shape[1])
        return np.hstack([X, np.full((len(X), 1), constant)])

    def outputs(self, weights: Weights, X: Array, width: int) -> Array:
        """Derivatives of z by the readout, s_out phi(s_in w_k.x_i) prod_l (s_in v_kl.x_i) : (n, b) float.

        Raises
        ------
        InputError
            If the weights have another number of gates.
        """
        s_in, s_out, _, _ = self.scales(X.shape[1], width)
        rows = self.rows(X)
        value = self.phi(row_products(rows, weights.activation, s_in))
        return s_out * _product([value, *self._gate_values(weights, rows, s_in)])

    def factors(self, weights: Weights, X: Array, width: int) -> Factors:
        """The gradients of z at the rows of X : (n, d), without their common factor x (see `Factors`).

        With biases that factor is the row of `rows`.

        Raises
        ------
        InputError
            If the activation has no derivative, or the weights have another number of gates.
        """
        if self.dphi is None:
            raise InputError(
                f"network {self.name!r} has no neural tangent kernel: its activation jumps and its gradient "
                'is a Dirac measure; use kind="nngp"'
            )
        s_in, s_out, _, _ = self.scales(X.shape[1], width)
        rows = self.rows(X)
        inner = row_products(rows, weights.activation, s_in)
        gates = self._gate_values(weights, rows, s_in)
        value, slope = self.phi(inner), self.dphi(inner)
        amplitude = (s_in * s_out) * weights.readout
        gradient = np.empty((X.shape[0], 1 + self.gates, inner.shape[1]))
        np.multiply(_product([slope, *gates]), amplitude, out=gradient[:, 0])
        for index in range(self.gates):
            others = gates[:index] + gates[index + 1 :]
            np.multiply(_product([value, *others]), amplitude, out=gradient[:, 1 + index])
        return Factors(readout=s_out * _product([value, *gates]), gradient=gradient)

    def _gate_values(self, weights: Weights, rows: Array, s_in: float) -> list[Array]:
        """The linear gates s_in v_kl.x_i, each (n, b)."""
        if len(weights.gates) != self.gates:
            raise InputError(
                f"weights must have the {self.gates} linear gates of network {self.name!r}, got {len(weights.gates)}"
            )
        return [row_products(rows, v, s_in) for v in weights.gates]


def finite_network(
    name: str | FiniteNetwork, parametrization: str | None = None, bias_variance: float | None = None
) -> FiniteNetwork:
    """Look a network up by name, or give a network (possibly a user's own) another parametrization or biases.

    Parameters
    ----------
    name : str or FiniteNetwork
        A key of `NETWORKS`, or a network.
    parametrization : {"standard", "ntk"}, optional
        Default: the network's own; ``standard`` for a name.
    bias_variance : float, optional
        Default: the network's own; 0 for a name.

    Raises
    ------
    InputError
        If the name or the parametrization is unknown.

    Examples
    --------
    >>> finite_network("gqu").gates, finite_network("gqu", "ntk").parametrization
    (2, 'ntk')
    >>> finite_network("regular")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: network must be one of relu, ..., gqu, got 'regular':
    did you mean 'reglu'?
    """
    if not isinstance(name, FiniteNetwork):
        activation, gates = NETWORKS[check_choice(name, "network", tuple(NETWORKS))]
        phi, dphi = ACTIVATIONS[activation]
        name = FiniteNetwork(name, phi, dphi, gates)
    if parametrization is None and bias_variance is None:
        return name
    return replace(
        name,
        parametrization=name.parametrization if parametrization is None else parametrization,
        bias_variance=name.bias_variance if bias_variance is None else bias_variance,
    )


def _product(arrays: Sequence[Array]) -> Array:
    return reduce(np.multiply, arrays)
