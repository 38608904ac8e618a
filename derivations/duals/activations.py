"""Smooth activations whose duals are not elementary, with their derivatives, and a user's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derivations.arguments import check_choice, shown
from derivations.errors import InputError

Array = NDArray[np.float64]
Elementwise = Callable[[Array], Array]


@dataclass(frozen=True)
class Smooth:
    """An activation and its derivative as elementwise functions of float64 arrays.

    Examples
    --------
    >>> smooth("silu").slope(np.array([0.0]))
    array([0.5])
    """

    name: str
    value: Elementwise
    slope: Elementwise


def smooth(activation: str | Smooth | tuple[Elementwise, Elementwise]) -> Smooth:
    """The activation of a name, or of a pair of functions (phi, phi').

    Raises
    ------
    InputError
        For an unknown name, or anything but a name or two functions.

    Examples
    --------
    >>> smooth((np.sin, np.cos)).value(np.array([0.0]))
    array([0.])
    >>> smooth("swish")
    Traceback (most recent call last):
    ...
    derivations.errors.InputError: activation must be one of sigmoid, silu, tanh, softplus, mish, got 'swish'...
    """
    if isinstance(activation, Smooth):
        return activation
    if isinstance(activation, tuple) and len(activation) == 2 and all(map(callable, activation)):
        return Smooth("the given activation", *map(_checked, activation))
    if not isinstance(activation, str):
        raise InputError(
            f"activation must be a name or a pair (phi, phi') of functions, got {shown(activation)}"
        )
    return NAMED[check_choice(activation, "activation", tuple(NAMED))]


def _checked(function: Elementwise) -> Elementwise:
    def evaluate(z: Array) -> Array:
        result = np.asarray(function(z))
        if result.shape != z.shape or result.dtype.kind not in "fiu":
            raise InputError(
                "the functions of an activation must map a float64 array to real numbers of the same shape, "
                f"got {result.dtype} of shape {result.shape} for shape {z.shape}"
            )
        return result.astype(float)

    return evaluate


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z)."""
    e = np.exp(-np.abs(z))  # exp(-z) would overflow
    return np.where(z < 0, e, 1.0) / (1 + e)


def _sigmoid_slope(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def _silu(z: Array) -> Array:
    return z * sigmoid(z)


def _silu_slope(z: Array) -> Array:
    s = sigmoid(z)
    return s * (1 + z * (1 - s))


def _tanh_slope(z: Array) -> Array:
    return 4 * _sigmoid_slope(2 * z)


def softplus(z: Array) -> Array:
    """log(1 + e^z)."""
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


def _tanh_of_softplus(z: Array) -> Array:
    # With w = e^z, tanh(log(1 + w)) = (w^2 + 2 w) / (w^2 + 2 w + 2); over w^2 where w would overflow.
    e = np.exp(-np.abs(z))
    even = np.where(z < 0, e * (e + 2), 1 + 2 * e)
    return even / (even + np.where(z < 0, 2.0, 2 * e * e))


def _mish(z: Array) -> Array:
    return z * _tanh_of_softplus(z)


def _mish_slope(z: Array) -> Array:
    t = _tanh_of_softplus(z)
    return t + z * sigmoid(z) * (1 - t * t)


NAMED = {
    "sigmoid": Smooth("sigmoid", sigmoid, _sigmoid_slope),
    "silu": Smooth("silu", _silu, _silu_slope),
    "tanh": Smooth("tanh", np.tanh, _tanh_slope),
    "softplus": Smooth("softplus", softplus, sigmoid),
    "mish": Smooth("mish", _mish, _mish_slope),
}
