r"""What one neuron of a random network weighs: the laws of its readout and of the lengths of its weights.

The readout of the standard parametrization has \(m a_k^2\) distributed as chi-square of one degree of freedom, and
\(|v_{kl}|^2\) as chi-square of d over d. A block's load c is the product of those that multiply it. In a network
of finite width a neuron of load c counts \(c/(1 + c\,T)\) in the place of c, T its own leverage per load.

Source: derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from derivations.spectrum.harmonics import Array, Numbers

GATE_NODES = 4
PANELS = ((0.0, 3.0, 20), (3.0, 8.0, 12))
"""Of a normal readout: ends, and nodes of Gauss-Legendre. Those of Laguerre miss the pole of 1 / (1 + g^2 T)."""
LARGEST_LIKELY = 0.5
"""Neurons with a load or a larger one, below which it is left out: the largest of m is typically there."""


def chi_square_rule(freedom: float, count: int) -> tuple[Array, Array]:
    """Gauss' nodes and weights for chi-square over its degrees of freedom: a mean of 1.

    Examples
    --------
    >>> x, w = chi_square_rule(1.0, 4)
    >>> print(f"{w @ x:.12f} {w @ x**2:.12f}")  # E g^2, E g^4
    1.000000000000 3.000000000000
    """
    k = np.arange(count)
    shape = freedom / 2
    # Laguerre's recurrence (Golub and Welsch): closed forms of the weights overflow for thousands of dimensions.
    off = np.sqrt(k[1:] * (k[1:] + shape - 1))
    nodes, vectors = np.linalg.eigh(np.diag(2 * k + shape) + np.diag(off, 1) + np.diag(off, -1))
    return np.maximum(nodes, 0.0) / shape, vectors[0] ** 2


def readout_rule() -> tuple[Array, Array]:
    """Nodes and weights for the square of a standard normal variable.

    Examples
    --------
    >>> x, w = readout_rule()
    >>> print(f"{w @ x:.9f} {w @ x**2:.9f} {w @ (x / (1 + 5 * x)):.6f}")
    1.000000000 3.000000000 0.118887
    """
    nodes, weights = [], []
    for low, high, count in PANELS:
        x, w = np.polynomial.legendre.leggauss(count)
        nodes.append((low + high) / 2 + (high - low) / 2 * x)
        weights.append((high - low) / 2 * w * np.sqrt(2 / np.pi) * np.exp(-(nodes[-1] ** 2) / 2))
    return np.concatenate(nodes) ** 2, np.concatenate(weights)


@dataclass(frozen=True)
class Loads:
    """The law of a block's load.

    Attributes
    ----------
    values, shares : (c,) float
        Nonnegative, of mean 1.
    """

    values: Array
    shares: Array

    def weight(self, leverage: Numbers) -> Numbers:
        """E[c / (1 + c T)] at leverages T of any shape."""
        return np.asarray(self.values / (1 + np.multiply.outer(leverage, self.values)) @ self.shares)

    def slope(self, leverage: Numbers) -> Numbers:
        """Its derivative in T."""
        return np.asarray(
            -((self.values / (1 + np.multiply.outer(leverage, self.values))) ** 2) @ self.shares
        )

    @property
    def largest(self) -> float:
        """Beyond T = -1 / largest one neuron stands apart from all others."""
        return float(np.max(self.values))


@lru_cache(maxsize=64)
def loads(d: int, gates: int, with_readout: bool, width: int) -> Loads:
    """Of a block that the lengths of so many gates multiply, and the readout if it is a gradient.

    Examples
    --------
    >>> loads(50, 0, False, 10)
    Loads(values=array([1.]), shares=array([1.]))
    >>> c = loads(50, 2, True, 10**30)
    >>> print(f"{c.shares @ c.values:.9f} {c.shares @ c.values**2:.4f}")  # 3 (1 + 2 / d)^2
    1.000000000 3.2448
    """
    values, shares = np.ones(1), np.ones(1)
    rules = [readout_rule()] * with_readout + [chi_square_rule(d, GATE_NODES)] * gates
    for x, w in rules:
        values, shares = np.multiply.outer(values, x).ravel(), np.multiply.outer(shares, w).ravel()
    order = np.argsort(values)
    values, shares = values[order], shares[order] / np.sum(shares)
    # What none of the neurons is likely to have would end the curve of the upper edge before its time.
    likely = np.cumsum(shares[::-1])[::-1] * width >= LARGEST_LIKELY
    likely[0] = True
    values, shares = values[likely], shares[likely] / np.sum(shares[likely])
    return Loads(values / (values @ shares), shares)
