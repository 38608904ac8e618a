r"""C1: the units of the gated family, biases included: what the networks of these names compute, and their kernel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import sympy as sp

from derivations import kernel_function, network
from derivations.derivation import Derivation
from derivations.hidden_unit import unit
from derivations.identity import vanishes
from derivations.ntk import general_steps
from derivations.sources import STATEMENTS, Statement
from derivations.sources.gated_linear_units import BIAS, GATE_BIAS, LINEAR
from derivations.symbols import (
    Phi,
    a,
    b,
    d,
    gate_bias,
    gate_weights,
    k,
    scale_bias,
    scale_in,
    scale_out,
    u_1,
    w,
    x,
    z,
)
from verify.activations import Array
from verify.cells import Cell
from verify.claim import Claim, Evidence, Rung, Setting, Verdict
from verify.claims.entries import ROUNDING
from verify.finite import finite_network
from verify.joint_test import hotelling, smallest_detectable

VARIANCE = 0.25
"""Of the biases whose kernels are measured."""
CELL = Cell("glu", "ntk", 2, 3, 15_360, VARIANCE)
_NEURONS = 1024
_BIASES = (BIAS, GATE_BIAS)


@lru_cache(maxsize=16)
def derived_unit(name: str, biased: bool) -> sp.Expr:
    """One hidden unit from which the kernel of a named network is derived, in the statement's symbols.

    Examples
    --------
    >>> derived_unit("bilinear", biased=False)
    h1_1*u_1
    """
    described = network(name, bias_variance="symbolic" if biased else 0)
    steps = general_steps(described)
    Derivation("a unit and its kernel", tuple(steps)).check()
    preactivation, gate = (sp.Sum(weights[k] * x[k], (k, 1, d)) for weights in (w, gate_weights(1)))
    names = {preactivation: u_1, gate: LINEAR, b: GATE_BIAS, gate_bias(1): BIAS}
    names |= dict.fromkeys((a, scale_in, scale_out, scale_bias), sp.S.One)
    found = unit(described.gates, x, biased).subs(names)
    return found.replace(lambda e: isinstance(e, Phi), lambda e: described.activation.phi.subs(z, e.args[1]))


def _judge_exact(statement: Statement, _: Setting) -> Evidence:
    for name, formula in statement.formulas:
        found = derived_unit(name, formula.has(*_BIASES))
        if not vanishes(_at_z(found) - _at_z(formula)):
            return Evidence(Verdict.REFUTED, f"{name}: stated {formula}, derived from {found}")
    names = ", ".join(name for name, _ in statement.formulas)
    return Evidence(Verdict.PROVED, f"{names}: the very units from which their kernels are derived")


def _at_z(expression: sp.Expr) -> sp.Expr:
    """The sum of preactivation and bias as one symbol, so that both sides have the same exponentials."""
    return expression.subs(u_1, sp.Symbol("preactivation", real=True) - GATE_BIAS)


@lru_cache(maxsize=256)
def worst_difference(name: str, formula: sp.Expr) -> float:
    """Largest difference between a stated unit and what random neurons of the network compute, over its size.

    Values and derivatives by the readout, by w.x and by v.x, on the four directions of a `Cell`.

    Examples
    --------
    >>> worst_difference("bilinear", u_1 * LINEAR) < 1e-12
    True
    >>> worst_difference("bilinear", u_1 * LINEAR * 1.005) > 1e-3
    True
    """
    biased = formula.has(*_BIASES)
    X = Cell(name, "ntk", 2, 3, 1).X
    finite = finite_network(name, bias_variance=VARIANCE if biased else 0.0)
    weights = finite.draw(np.random.default_rng(np.random.SeedSequence(0)), 2, 3, _NEURONS)
    factors = finite.factors(weights, X, 3)
    inner, gate = (X @ block[:, :2].T for block in (weights.activation, weights.gates[0]))
    biases = [
        block[:, -1] if biased else np.zeros(_NEURONS) for block in (weights.gates[0], weights.activation)
    ]
    worst = 0.0
    for stated, computed in (
        (formula, factors.readout),
        (formula.diff(u_1), factors.gradient[:, 0] / weights.readout),
        (formula.diff(LINEAR), factors.gradient[:, 1] / weights.readout),
    ):
        # A maximum by absolute values: older SymPy prints one that NumPy refuses for arrays of several shapes.
        function = sp.lambdify((u_1, LINEAR, BIAS, GATE_BIAS), stated.rewrite(sp.Abs), ["scipy", "numpy"])
        values = np.broadcast_to(function(inner, gate, *biases), computed.shape)
        worst = max(worst, float(np.abs(values - computed).max() / np.abs(computed).max()))
    return worst


@lru_cache(maxsize=16)
def terms(cell: Cell) -> tuple[Array, ...]:
    """The blocks of the derived kernel, each (10,): readout, weights, biases, whose gradients have 1 for x.y."""
    described = network(cell.network, bias_variance=cell.bias_variance)
    pairs = np.triu_indices(len(cell.X))
    kernel = kernel_function(described, width=cell.width)(cell.X)[pairs]
    readout = cell.width * kernel_function(described, "nngp")(cell.X)[pairs]
    gram = (cell.X @ cell.X.T)[pairs]
    biases = (kernel - readout) / (gram + 1)
    return readout, gram * biases, biases


def _judge_finite(statement: Statement, setting: Setting) -> Evidence:
    for name, formula in statement.formulas:
        difference = worst_difference(name, formula)
        if difference > ROUNDING:
            detail = (
                f"{name}: values or derivatives of neurons differ from the stated unit's by {difference:.2g}"
            )
            detail += " of the largest"
            return Evidence(Verdict.REFUTED, detail)
    moments, blocks = setting.measured[CELL], terms(CELL)
    tolerance = ROUNDING * np.abs(moments.mean).max()
    p_value = hotelling(moments.mean, moments.covariance, sum(blocks), tolerance).p_value
    seen = max(
        smallest_detectable(moments.covariance, block, setting.alpha, setting.power, tolerance)
        for block in blocks
    )
    detail = (
        f"values and derivatives of {_NEURONS} neurons of each network equal to rounding; kernel of glu with biases "
        f"of variance {VARIANCE:g}: joint chi-square of all entries p = {p_value:.2g} (refuted below "
        f"{setting.alpha:.2g}); errors from {seen:.2%} in a single block would be seen"
    )
    if p_value < setting.alpha:
        return Evidence(Verdict.REFUTED, detail, moments.neurons)
    verdict = Verdict.CONFIRMED if seen <= setting.needed else Verdict.INCONCLUSIVE
    return Evidence(verdict, detail, moments.neurons, seen)


CLAIMS = (
    Claim(
        STATEMENTS["C1"],
        (
            Rung("exact", Verdict.PROVED, _judge_exact),
            Rung("finite", Verdict.CONFIRMED, _judge_finite, (CELL,)),
        ),
    ),
)
