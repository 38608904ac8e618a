"""The members of the family that the claim is judged by, and what is derived of them."""

from __future__ import annotations

from functools import lru_cache

import sympy as sp

from derivations import derive, network
from derivations.expansion import on_diagonal
from derivations.gaussian import expectation
from derivations.kernel_derivation import KernelDerivation
from derivations.normal_form import from_expression
from derivations.rules import rewrite
from derivations.sources.gate_expansions import SLOPE_SQUARE, SQUARE
from derivations.symbols import Expectation, Hermite, Phi, d, r_i, u_1, u_2, z
from verify.blocks import GateCell

ORDER = 4
"""Degree to which the shift law is compared."""

FORMS = ("kernel", "alpha", "beta", "gamma")
"""What the statement has a formula for, for each number of gates."""

# Neurons (in 1024s) at which every term of every block and coefficient is seen to half a percent.
CELLS = (
    GateCell("silu", 0, 8_192),
    GateCell("gelu", 1, 16_384),
    GateCell("sigmoid", 1, 10_752),
    GateCell("relu", 2, 65_536),
)
"""Every number of gates, and both closed and certified kernels: all that a quick run measures."""

FURTHER = (
    GateCell("gelu", 0, 8_192),
    GateCell("sigmoid", 0, 8_192),
    GateCell("silu", 1, 35_840),
    GateCell("identity", 1, 14_336),
)
"""More of the named networks, measured by the full profile; every profile derives them."""


@lru_cache(maxsize=64)
def derived(activation: str, gates: int) -> KernelDerivation:
    """The derivation of a network's kernel and its expansion to degree `ORDER`, every step checked.

    Raises
    ------
    InputError
        If the activation is unknown or jumps.

    Examples
    --------
    >>> derived("relu", 2).coefficients.alpha
    3/(4*d**2) + m/(4*d**3)
    """
    result = derive(network(activation, gates=gates), order=ORDER)
    result.check()
    return result


@lru_cache(maxsize=64)
def exact_moments(activation: str, gates: int) -> dict[sp.Expr, sp.Expr]:
    r"""Hermite coefficients \(a_k\), second moments of phi and phi': closed, or middles of enclosures.

    Examples
    --------
    >>> exact_moments("relu", 1)[Hermite(1)], exact_moments("relu", 1)[SQUARE]
    (1/2, 1/2)
    """
    result = derived(activation, gates)
    if not result.is_closed:
        return {name: ball.args[0] for name, ball in result.enclosures.items()}
    values = {}
    for k in range(ORDER + 1):
        weighted = from_expression(sp.expand(result.network.activation.phi * sp.hermite_prob(k, z)))
        values[Hermite(k)] = expectation(weighted, sp.S.One) / sp.sqrt(sp.factorial(k))
    for order, name in enumerate((SQUARE, SLOPE_SQUARE)):
        dual = rewrite(Expectation(Phi(order, u_1) * Phi(order, u_2)), result.steps)
        values[name] = on_diagonal(dual).subs(r_i, sp.sqrt(d))
    return values
