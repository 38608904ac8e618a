"""Notations of the law of one network: what a column of a neuron meets, and the equation of the spectrum."""

from __future__ import annotations

import sympy as sp

from derivations.symbols import k

FORM, LEVERAGE = sp.symbols("u^T*R*u u^T*R_u*u", positive=True)
"""Quadratic forms of a column u of the gradient with the resolvent R, and with the one that leaves u out."""
LOAD, TRACE = sp.symbols("load T", positive=True)
"""What multiplies a neuron's column, and the trace of the resolvent with a column's covariance at load 1."""
COUNT, ENTRY = sp.Function("count")(TRACE), sp.Symbol("load*u^T*R*u/(u^T*R_u*u)", positive=True)
"""What a block counts on average, and what one column does."""
POINT, LEVEL, HEIGHT = sp.symbols("a b z", real=True)
"""The parameter a, b(a) and z(a) of the spectrum's equation."""
ROWS, SCALE, REST, PART_REST = sp.symbols("n s rest rest_r", positive=True)
MASS, PART, NUMBER = sp.IndexedBase("g"), sp.IndexedBase("g_r"), sp.IndexedBase("N")
"""g_k of the kernel as damped, of one block at load 1, and N_k."""
HIGHEST = sp.Symbol("max(z(a), a > 0)", real=True)
FLUCTUATION = sp.Function("relative_variance")
"""Of a row's gradients over networks, given their readouts, with so many gates: of ReLU."""


def over_degrees(term: sp.Expr) -> sp.Sum:
    """The sum over all degrees k."""
    return sp.Sum(term, (k, 0, sp.oo))
