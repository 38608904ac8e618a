"""Kernels of independent uniform rows: moments by counting walks, and what follows with a probability."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import sympy as sp

from derivations.identity import vanishes
from derivations.matrix_symbols import (
    CHANCE,
    CYCLE,
    FOURTH,
    FOURTH_TRACE,
    SECOND,
    TAIL,
    WITH_PROBABILITY,
)
from derivations.rules.rule import Rule, known
from derivations.symbols import n

if TYPE_CHECKING:
    from derivations.derivation import Step


def _walks(points: int) -> dict[tuple[bool, bool], int]:
    """Closed walks of four steps over so many points, no step staying: counted by which opposite corners coincide."""
    counts: dict[tuple[bool, bool], int] = {}
    for walk in product(range(points), repeat=4):
        if all(walk[i] != walk[i - 1] for i in range(4)):
            key = walk[0] == walk[2], walk[1] == walk[3]
            counts[key] = counts.get(key, 0) + 1
    return counts


def _closed_walks(lhs: sp.Expr, rhs: sp.Expr, _: Sequence[Step]) -> bool:
    """E tr H^4 by what corners coincide: counted for 2 to 6 points, more than the degree of a polynomial needs."""
    if lhs != FOURTH_TRACE:
        return False
    for points in range(2, 7):
        counts = _walks(points)
        one = counts.get((True, False), 0) + counts.get((False, True), 0)
        expected = (
            counts.get((False, False), 0) * CYCLE + one * SECOND**2 + counts.get((True, True), 0) * FOURTH
        )
        if not vanishes(rhs.subs(n, points) - expected):
            return False
    polynomial = sp.Poly(sp.expand(rhs), n)
    return bool(polynomial.degree() <= 4)


def _markov(lhs: sp.Expr, rhs: sp.Expr, earlier: Sequence[Step]) -> bool:
    """P(lambda_n < t - (T / p)^(1/4)) <= P(tr H^4 > T / p) <= p, for |H| <= (tr H^4)^(1/4)."""
    trace = known(FOURTH_TRACE, earlier)
    return bool(lhs == WITH_PROBABILITY and rhs == TAIL - (trace / CHANCE) ** sp.Rational(1, 4))


RULES: dict[str, Rule] = {
    "closed walks": Rule(
        "E tr H^4 of a kernel of independent uniform directions, by which corners of a walk coincide",
        "derived here",
        _closed_walks,
    ),
    "Markov's inequality": Rule(
        "|H|^4 <= tr H^4, which exceeds its mean over p with probability p at most", "Markov", _markov
    ),
}
