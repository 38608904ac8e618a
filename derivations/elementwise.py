"""Activations as NumPy functions that neither overflow nor cancel where the textbook expression does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy import special

from derivations.activations import Activation
from derivations.duals.activations import sigmoid, softplus
from derivations.normal_form import NormalForm
from derivations.symbols import z

Array = NDArray[np.float64]
Elementwise = Callable[[Array], Array]


class Logistic(sp.Function):
    """1 / (1 + e^-x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return Logistic(self.args[0]) * Logistic(-self.args[0])


class Softplus(sp.Function):
    """log(1 + e^x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return Logistic(self.args[0])


class NormalDistribution(sp.Function):
    """(1 + erf(x / sqrt(2))) / 2."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        return sp.exp(-(self.args[0] ** 2) / 2) / sp.sqrt(2 * sp.pi)


_NUMPY = {
    "Logistic": sigmoid,
    "Softplus": softplus,
    "NormalDistribution": special.ndtr,
}


def activation_functions(activation: Activation) -> tuple[Elementwise, Elementwise | None]:
    """An activation and its derivative as NumPy functions; the derivative is None if the activation jumps.

    At the kink the derivative is 0 where phi' has a step up from 0, and in general its value for z < 0.

    Examples
    --------
    >>> from derivations import activation
    >>> phi, dphi = activation_functions(activation("relu"))
    >>> phi(np.array([-1.0, 2.0])), dphi(np.array([-1.0, 2.0]))
    (array([0., 2.]), array([0., 1.]))
    >>> phi, _ = activation_functions(activation("softplus"))
    >>> phi(np.array([-1e3, 0.0, 1e3])).round(6)
    array([0.00000e+00, 6.93147e-01, 1.00000e+03])
    """
    if activation.has_normal_form and activation.normal_form.is_piecewise_polynomial:
        form = activation.normal_form
        slope = form.derivative()
        return _piecewise(form), _piecewise(slope) if slope.is_regular else None
    expression = _robust(activation.phi)
    return _compiled(expression), _compiled(expression.diff(z))


def squared_functions(
    activation: Activation,
) -> tuple[tuple[Elementwise, Elementwise], tuple[Elementwise, Elementwise]]:
    """phi^2 and phi'^2 of an analytic activation, each with its derivative.

    Examples
    --------
    >>> from derivations import activation
    >>> (square, _), _ = squared_functions(activation("softplus"))
    >>> square(np.array([1e3]))
    array([1000000.])
    """
    value = _robust(activation.phi)
    first, second = (
        (_compiled(function), _compiled(function.diff(z))) for function in (value**2, value.diff(z) ** 2)
    )
    return first, second


def _robust(expression: sp.Expr) -> sp.Expr:
    """Logistic functions, softplus and 1 + erf by their names."""
    x = sp.Wild("x")
    for pattern, value in (
        (sp.log(1 + sp.exp(x)), Softplus(x)),
        (1 / (1 + sp.exp(x)), Logistic(-x)),
        (1 + sp.erf(x), 2 * NormalDistribution(sp.sqrt(2) * x)),
    ):
        expression = expression.replace(pattern, value)
    return expression


def _compiled(expression: sp.Expr) -> Elementwise:
    function = sp.lambdify(z, expression, modules=[_NUMPY, "scipy", "numpy"])

    def evaluate(values: Array) -> Array:
        with np.errstate(over="ignore", under="ignore"):
            return np.broadcast_to(function(values), np.shape(values)).astype(np.float64)

    return evaluate


def _piecewise(form: NormalForm) -> Elementwise:
    degree = max((atom.n for atom, _ in form), default=0)
    left, step = np.zeros(degree + 1), np.zeros(degree + 1)
    for atom, coefficient in form:
        (step if atom.kind == "step" else left)[atom.n] += float(coefficient)

    def evaluate(values: Array) -> Array:
        negative = np.polynomial.polynomial.polyval(values, left)
        return np.where(values > 0, np.polynomial.polynomial.polyval(values, left + step), negative)

    return evaluate
