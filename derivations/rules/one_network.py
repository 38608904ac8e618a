"""Theorems on the random kernel of one network: its mean, Jensen's and Weyl's bounds, its rank."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod
from operator import mul
from random import Random
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.matrix_symbols import Kernel, Largest, OfNetwork, OverNetworks, Rank, Smallest
from derivations.rules.rule import Rule
from derivations.symbols import KERNEL, Phi, d, m, u_1

if TYPE_CHECKING:
    from derivations.derivation import Step


def _mean(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The kernel of a network is a sum over its units, whose expectation earlier steps have found."""
    if not isinstance(lhs, OverNetworks) or not isinstance(lhs.args[0], OfNetwork):
        return False
    gates, width = lhs.args[0].args
    units = [step for step in earlier if step.rule == "identical units" and step.lhs == KERNEL]
    blocks = sum(step.rule == "inner product" for step in earlier)
    if len(units) != 1 or blocks != 2 + gates:
        return False
    one = units[0].rhs.subs(m, 1)
    # m times one unit at every m: no limit is taken.
    return vanishes(units[0].rhs - m * one) and rhs == Kernel(gates, width) and width == m


def _network(statement: sp.Expr, earlier: Sequence[Step]) -> Kernel | None:
    """The random matrix of an inequality's left side, and that its mean is known."""
    random = list(statement.atoms(OfNetwork))
    if len(random) != 1:
        return None
    mean = [step.rhs for step in earlier if step.lhs == OverNetworks(random[0])]
    return mean[-1] if mean else None


def _jensen(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """lambda_n is a minimum and lambda_1 a maximum of functions that are linear in the matrix."""
    if rhs != sp.true or not isinstance(lhs, sp.Le | sp.Ge):
        return False
    mean = _network(lhs, earlier)
    if mean is None:
        return False
    eigenvalue = Smallest if isinstance(lhs, sp.Le) else Largest
    (random,) = lhs.atoms(OfNetwork)
    return lhs.lhs == OverNetworks(eigenvalue(random)) and lhs.rhs == eigenvalue(mean)


def _columns(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """The rank of one unit's gradient at more random rows than it has parameters, in exact numbers."""
    if rhs != sp.true or not isinstance(lhs, sp.Le) or not isinstance(lhs.lhs, Rank):
        return False
    (random,) = lhs.lhs.args
    if not isinstance(random, OfNetwork) or random.args[1] != m:
        return False
    gates = int(random.args[0])
    euler = any(step.rule == "Euler" for step in earlier)
    size = 3
    columns = 1 + (1 + gates) * size
    missing = columns - _gradient_rank(gates, size, columns + 3, euler)
    return bool(lhs.rhs == sp.expand(m * (1 + (1 + gates) * d - missing)).factor())


@cache
def _gradient_rank(gates: int, size: int, rows: int, euler: bool) -> int:
    """Of a phi(w.x) h_1 ... h_g by all parameters; phi and phi' are any numbers, but for Euler's relation."""
    draw = Random(0)

    def numbers(count: int) -> list[sp.Rational]:
        return [
            sp.Rational(draw.randint(1, 99), draw.randint(1, 99)) * draw.choice((1, -1)) for _ in range(count)
        ]

    weights = [numbers(size) for _ in range(1 + gates)]
    gradient = []
    for _ in range(rows):
        x = numbers(size)
        u, *h = (sum(map(mul, each, x)) for each in weights)
        slope, value = numbers(2)
        value = u * slope if euler else value
        row = [value * prod(h), *(slope * prod(h) * entry for entry in x)]
        for gate in range(gates):
            row += [value * prod(h[:gate] + h[gate + 1 :]) * entry for entry in x]
        gradient.append(row)
    return int(sp.Matrix(gradient).rank())


def _euler(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """Of ReLU: u phi'(u) = phi(u), on either side of 0."""
    return lhs == u_1 * Phi(1, u_1) and rhs == Phi(0, u_1)


def _weyl(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    if rhs != sp.true or not isinstance(lhs, sp.Ge) or not isinstance(lhs.lhs, Smallest):
        return False
    (random,) = lhs.lhs.args
    if not isinstance(random, OfNetwork):
        return False
    parts = [sp.Symbol(f"{name}({random})", real=True) for name in ("readout", "gradient")]
    return lhs.rhs == sum(Smallest(part) for part in parts)


RULES: dict[str, Rule] = {
    "mean over networks": Rule(
        "a network's kernel is the sum of m identically distributed units', so its mean is the kernel at every m",
        "linearity of the expectation",
        _mean,
    ),
    "Jensen for eigenvalues": Rule(
        "lambda_n is concave and lambda_1 convex in the matrix", "Jensen 1906; Rayleigh's quotient", _jensen
    ),
    "Euler": Rule("ReLU is homogeneous: u phi'(u) = phi(u)", "Euler's theorem", _euler),
    "columns of the gradient": Rule(
        "the rank is at most the number of columns that are independent: a gate's weights combine its columns, and "
        "by Euler w its own, to the readout's",
        "derived here",
        _columns,
    ),
    "parts of a network": Rule(
        "lambda_n of a sum is at least the sum of those of its positive semidefinite parts",
        "Weyl 1912",
        _weyl,
    ),
}
