"""Notations of statements about the difference of two expected losses and its zeros, as SymPy objects."""

from __future__ import annotations

import sympy as sp

STEP = sp.Symbol("k", positive=True)
"""The number of steps as a real number."""
exponent, change = sp.symbols("x c", positive=True)
"""Of a mode, -2 log |1 - eta lambda|; the one at which the sums below change sign."""
PARTIAL = sp.Function("A", real=True)(exponent)
"""The sum of the weights of all modes with exponents up to x, over 2, those of the second loss counted negatively."""
DIFFERENCE = sp.Function("D", real=True)(STEP)
"""The first expected loss less the second one."""
ZEROS = sp.Symbol("zeros", integer=True, nonnegative=True)
"""How many the difference has at positive k, with multiplicity."""
MEAN, MEAN_GATED = sp.symbols("Lambda Lambda~", positive=True)
"""The mean eigenvalue beyond degree 1."""
ENERGY, ENERGY_GATED = sp.symbols("w w~", positive=True)
"""The energy beyond degree 1, per row."""
LABELS = sp.Symbol("sigma", positive=True)
"""The standard deviation of the targets."""
CROSSING = sp.Symbol("k_1", real=True)
