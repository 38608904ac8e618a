"""Activations and their derivatives in NumPy, written by hand.

The symbolic side derives everything it says about an activation from one SymPy expression. Nothing here
comes from there: each pair below was typed and differentiated by a person, so that an error in either side
shows as a disagreement between them.

Every function takes and returns a float64 array of any shape, and neither overflows nor turns a finite
argument into a NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial, sqrt
from typing import TypeAlias

import numpy as np
from numpy.polynomial import hermite_e
from numpy.typing import NDArray
from scipy import special

Array: TypeAlias = NDArray[np.float64]
Elementwise: TypeAlias = Callable[[Array], Array]

LEAKY_SLOPE = 0.01


def relu(z: Array) -> Array:
    """max(z, 0)."""
    return np.maximum(z, 0.0)


def relu_slope(z: Array) -> Array:
    """1 for z > 0, else 0. The value at 0 never reaches a kernel: there x = 0, and its gradient is 0 . x."""
    return (z > 0.0).astype(np.float64)


def leaky_relu(z: Array) -> Array:
    """max(z, z / 100)."""
    return np.maximum(z, LEAKY_SLOPE * z)


def leaky_relu_slope(z: Array) -> Array:
    """1 for z > 0, else 1/100."""
    return LEAKY_SLOPE + (1.0 - LEAKY_SLOPE) * relu_slope(z)


def absolute_slope(z: Array) -> Array:
    """The sign of z, 0 at 0."""
    return np.sign(z)


def step(z: Array) -> Array:
    """Heaviside's step, 1/2 at 0 (np.heaviside does the same at fifteen times the cost)."""
    return 0.5 * ((z > 0.0).astype(np.float64) + (z >= 0.0))


def relu2(z: Array) -> Array:
    """max(z, 0)^2."""
    return np.square(relu(z))


def relu2_slope(z: Array) -> Array:
    """2 max(z, 0)."""
    return 2.0 * relu(z)


def relu3(z: Array) -> Array:
    """max(z, 0)^3."""
    positive = relu(z)
    return positive * positive * positive


def relu3_slope(z: Array) -> Array:
    """3 max(z, 0)^2."""
    return 3.0 * relu2(z)


def identity(z: Array) -> Array:
    """z."""
    return z


def monomial(degree: int) -> tuple[Elementwise, Elementwise]:
    """z^k and k z^(k-1), by repeated products (np.power takes thirty times as long)."""

    def power(z: Array, exponent: int) -> Array:
        value = z
        for _ in range(exponent - 1):
            value = value * z
        return value

    return lambda z: power(z, degree), lambda z: degree * power(z, degree - 1)


def hermite(degree: int) -> tuple[Elementwise, Elementwise]:
    """He_k(z) / sqrt(k!), of norm 1 under the normal distribution, and its derivative sqrt(k) times the one before."""

    def orthonormal(z: Array, k: int) -> Array:
        return np.asarray(hermite_e.hermeval(z, [0.0] * k + [1 / sqrt(factorial(k))]))

    return lambda z: orthonormal(z, degree), lambda z: sqrt(degree) * orthonormal(z, degree - 1)


def sigmoid_slope(z: Array) -> Array:
    """s(z) s(-z), s the logistic function: s (1 - s) would lose all digits for z > 37."""
    return special.expit(z) * special.expit(-z)


def silu(z: Array) -> Array:
    """z s(z), s the logistic function."""
    return z * special.expit(z)


def silu_slope(z: Array) -> Array:
    """s(z) (1 + z s(-z))."""
    return special.expit(z) * (1.0 + z * special.expit(-z))


def tanh_slope(z: Array) -> Array:
    """1 / cosh(z)^2 = 4 e / (1 + e)^2, e = exp(-2|z|): cosh overflows, 1 - tanh^2 cancels."""
    decay = np.exp(-2.0 * np.abs(z))
    return 4.0 * decay / np.square(1.0 + decay)


def gelu(z: Array) -> Array:
    """z Phi(z), Phi the normal distribution function."""
    return z * special.ndtr(z)


def gelu_slope(z: Array) -> Array:
    """Phi(z) + z exp(-z^2/2) / sqrt(2 pi)."""
    return special.ndtr(z) + z * _gaussian(z, 0.5) / np.sqrt(2.0 * np.pi)


def erf_slope(z: Array) -> Array:
    """2 exp(-z^2) / sqrt(pi)."""
    return 2.0 / np.sqrt(np.pi) * _gaussian(z, 1.0)


def softplus(z: Array) -> Array:
    """log(1 + e^z) = max(z, 0) + log(1 + exp(-|z|))."""
    return relu(z) + np.log1p(np.exp(-np.abs(z)))


def _gaussian(z: Array, rate: float) -> Array:
    # exp(-rate z^2) is 0 in float64 far before |z| = 100, whereas z^2 overflows from 1e154 on.
    return np.exp(-rate * np.square(np.minimum(np.abs(z), 100.0)))


def probit_slope(z: Array) -> Array:
    """exp(-z^2/2) / sqrt(2 pi)."""
    return _gaussian(z, 0.5) / np.sqrt(2.0 * np.pi)


def gaussian(z: Array) -> Array:
    """exp(-z^2/2)."""
    return _gaussian(z, 0.5)


def gaussian_slope(z: Array) -> Array:
    """-z exp(-z^2/2)."""
    return -z * _gaussian(z, 0.5)


def cos_slope(z: Array) -> Array:
    """-sin z."""
    return -np.sin(z)


def mish(z: Array) -> Array:
    """z tanh(log(1 + e^z))."""
    return z * np.tanh(softplus(z))


def mish_slope(z: Array) -> Array:
    """tanh(p) + z s / cosh(p)^2 with p = log(1 + e^z) and s the logistic function, p's derivative."""
    plus = softplus(z)
    return np.tanh(plus) + z * special.expit(z) * tanh_slope(plus)


ACTIVATIONS: dict[str, tuple[Elementwise, Elementwise | None]] = {
    "relu": (relu, relu_slope),
    "leaky_relu": (leaky_relu, leaky_relu_slope),
    "abs": (np.abs, absolute_slope),
    "step": (step, None),  # its derivative is a Dirac measure: no gradient, no neural tangent kernel
    "relu2": (relu2, relu2_slope),
    "relu3": (relu3, relu3_slope),
    "identity": (identity, np.ones_like),
    **{f"monomial{k}": monomial(k) for k in range(2, 4)},
    **{f"hermite{k}": hermite(k) for k in range(2, 4)},
    "sigmoid": (special.expit, sigmoid_slope),
    "silu": (silu, silu_slope),
    "tanh": (np.tanh, tanh_slope),
    "gelu": (gelu, gelu_slope),
    "erf": (special.erf, erf_slope),
    "softplus": (softplus, special.expit),
    "probit": (special.ndtr, probit_slope),
    "gaussian": (gaussian, gaussian_slope),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, cos_slope),
    "exp": (np.exp, np.exp),
    "mish": (mish, mish_slope),
}
