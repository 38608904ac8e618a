"""From one hidden unit to its input gradient's second moment, path by path, in four expectations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import sympy as sp

from derivations.derivation import Step
from derivations.input_gradient.expectations import PRODUCT, SLOPE_SQUARE, SQUARE, WEIGHTED_SLOPE_SQUARE
from derivations.rules import rewrite
from derivations.symbols import (
    UNIT,
    Expectation,
    Phi,
    d,
    gate_values,
    gate_weights,
    k,
    l,
    r_i,
    s_1,
    sigma_v,
    sigma_w,
    u_1,
    w,
    x,
)

_PREACTIVATION, _GATE = sp.Sum(w[k] * x[k], (k, 1, d)), sp.Sum(gate_weights(1)[k] * x[k], (k, 1, d))
_VALUE = gate_values(1)[0]
_LENGTH = sp.Sum(w[l] ** 2, (l, 1, d))


@dataclass(frozen=True)
class SecondMoments:
    """One value for the plain unit and for each part of the gated one.

    Attributes
    ----------
    plain : Expr
        Of the plain unit's gradient.
    gate, linear : Expr
        Of the gated unit's two paths, phi'(u) (v.x) w and phi(u) v.
    cross : Expr
        Twice the expected inner product of the two paths.
    """

    plain: sp.Expr
    gate: sp.Expr
    linear: sp.Expr
    cross: sp.Expr

    @property
    def parts(self) -> dict[str, sp.Expr]:
        """plain, gate, linear and cross, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def gated(self) -> sp.Expr:
        """Of the gated unit's gradient."""
        return self.gate + self.linear + self.cross


GENERAL = SecondMoments(
    plain=sigma_w**2 * ((d - 1) * SLOPE_SQUARE + WEIGHTED_SLOPE_SQUARE / s_1**2),
    gate=sigma_v**2 * (s_1**2 * (d - 1) * SLOPE_SQUARE + WEIGHTED_SLOPE_SQUARE),
    linear=sigma_v**2 * d * SQUARE,
    cross=2 * sigma_v**2 * PRODUCT,
)
"""For every activation, in terms of `EXPECTATIONS`; what the derivations end in."""


def gradient_steps(gates: int) -> Iterator[Step]:
    """From the unit to its gradient's second moment, in terms of `EXPECTATIONS`."""
    unit = Phi(0, _PREACTIVATION) * (_GATE if gates else 1)
    gradient = Phi(1, _PREACTIVATION) * w[l] * (_GATE if gates else 1)
    if gates:
        gradient += Phi(0, _PREACTIVATION) * gate_weights(1)[l]
    names = [Step("Name the preactivation", _PREACTIVATION, u_1, "definition")]
    if gates:
        names.append(Step("Name the value of the gate", _GATE, _VALUE, "definition"))
        product = sp.Sum(gate_weights(1)[l] * w[l], (l, 1, d))
    yield Step("One hidden unit", UNIT, unit, "definition")
    yield from names
    yield Step("Norm of the input", sp.Sum(x[l] ** 2, (l, 1, d)), r_i**2, "definition")
    yield Step("Gradient in the input", sp.Derivative(unit, x[l]), gradient, "differentiation")
    square = sp.Sum(rewrite(gradient, names) ** 2, (l, 1, d))
    slope, value = Phi(1, u_1), Phi(0, u_1)
    expanded = slope**2 * _LENGTH
    if gates:
        expanded *= _VALUE**2
        expanded += 2 * slope * value * _VALUE * product
        expanded += value**2 * sp.Sum(gate_weights(1)[l] ** 2, (l, 1, d))
    yield Step("Squared length", square, expanded, "squared length")
    if gates:
        parts = r_i**2 * Expectation(slope**2 * _LENGTH) + 2 * PRODUCT + d * SQUARE
        yield Step("Average over the gate", Expectation(expanded), sigma_v**2 * parts, "gate average")
    split = (d - 1) * sigma_w**2 * SLOPE_SQUARE + WEIGHTED_SLOPE_SQUARE / r_i**2
    yield Step("Length of w given u", Expectation(slope**2 * _LENGTH), split, "length given preactivation")
    yield Step("Deviation of the preactivation", s_1, sp.sqrt(Expectation(u_1**2)), "definition")
    yield Step("Second moment", Expectation(u_1**2), sigma_w**2 * sp.Sum(x[l] ** 2, (l, 1, d)), "Isserlis")
    general = GENERAL.gated if gates else GENERAL.plain
    yield Step("Second moment of the gradient", Expectation(square), general, "substitution")
