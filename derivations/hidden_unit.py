r"""One hidden unit: its definition, names for its affine forms of the input, and the law of its parameters.

\[ z(x) = s_{out}\,a\,\phi(s_{in} w\cdot x)\prod_{l\le g}(s_{in}v_l\cdot x) \]

with independent centred Gaussian weights; with biases \(s_b b\), of variance \(\sigma_b^2\), in every preactivation and gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from derivations.derivation import Step
from derivations.networks import TwoLayer
from derivations.symbols import (
    UNIT,
    Phi,
    a,
    b,
    d,
    gate_bias,
    gate_values,
    gate_weights,
    k,
    l,
    scale_bias,
    scale_in,
    scale_out,
    sigma_b,
    u_1,
    u_2,
    w,
    x,
    y,
)

GRAM = sp.Sum(x[l] * y[l], (l, 1, d))
"""x.y."""


def _dot(weights: sp.IndexedBase, data: sp.IndexedBase) -> sp.Sum:
    return sp.Sum(weights[k] * data[k], (k, 1, d))


@dataclass(frozen=True)
class AffineForm:
    """An affine form of the input: weights, their bias (None without biases), names of its values at x and y."""

    title: str
    weights: sp.IndexedBase
    bias: sp.Symbol | None
    values: tuple[sp.Symbol, sp.Symbol]

    def at(self, data: sp.IndexedBase) -> sp.Expr:
        """s_in w.x, plus s_b b."""
        form = scale_in * _dot(self.weights, data)
        return form if self.bias is None else form + scale_bias * self.bias

    def name_step(self, data: sp.IndexedBase) -> Step:
        """Its name: without bias that of the dot product, which then has it in other places too."""
        title, value = f"Name the {self.title} at {data}", self.values[data == y]
        if self.bias is None:
            return Step(title, _dot(self.weights, data), value / scale_in, "definition")
        return Step(title, self.at(data), value, "definition")


def preactivation(biased: bool) -> AffineForm:
    """s_in w.x, in which the activation is taken."""
    return AffineForm("preactivation", w, b if biased else None, (u_1, u_2))


def linear_gates(gates: int, biased: bool) -> list[AffineForm]:
    """s_in v_l.x, by which the activation is multiplied."""
    return [
        AffineForm(
            f"value of gate {index}",
            gate_weights(index),
            gate_bias(index) if biased else None,
            gate_values(index),
        )
        for index in range(1, gates + 1)
    ]


def unit(gates: int, data: sp.IndexedBase, biased: bool = False) -> sp.Expr:
    """One hidden unit of the network at the input `data`."""
    linear = sp.Mul(*(gate.at(data) for gate in linear_gates(gates, biased)))
    return scale_out * a * Phi(0, preactivation(biased).at(data)) * linear


def name_steps(gates: int, biased: bool) -> Iterator[Step]:
    """The unit, and names for its preactivation and gate values at x and at y."""
    yield Step("One hidden unit", UNIT, unit(gates, x, biased), "definition")
    for form in (preactivation(biased), *linear_gates(gates, biased)):
        for data in (x, y):
            yield form.name_step(data)


def second_moment(deviation: sp.Expr, total: sp.Expr, biased: bool) -> sp.Expr:
    """Of an affine form whose weights have this deviation: `total` is x.x, y.y or x.y."""
    return scale_in**2 * deviation**2 * total + (scale_bias**2 * sigma_b**2 if biased else 0)


def parametrization_steps(network: TwoLayer) -> list[Step]:
    """The values of variances and scales."""
    chosen = network.parametrization
    return [Step(f"Parametrization {chosen.name}", *value, "definition") for value in chosen.values]
